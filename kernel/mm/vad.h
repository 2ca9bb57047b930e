/*
 * mm/vad.h - the upper half of Mm: what a process's user addresses are for.
 *
 * A region (NT: a virtual address descriptor) says which addresses are taken
 * and by what; the page tables say which pages of it are committed and how
 * they may be used.  There is no demand paging: a committed page has its
 * memory from the moment of the commit, so an entry of zero inside a region
 * is a page that is only reserved.
 *
 * All of it works on the process whose address space is loaded, and between
 * mi_enter_space and mi_leave_space.
 */
#pragma once

#include "mi.h"

#include <ps.h>
#include <rtl_avl.h>
#include <rtl_pe.h>

#define MI_VAD_TAG 0x20646156           /* "Vad " */

/*
 * A process's last address; that of a 32-bit program lies below 2 GiB, and
 * its code cannot have more by going to 64-bit mode.
 */
static inline ULONGLONG mi_highest_user_address(const EPROCESS *process)
{
    return (ULONG_PTR)process->HighestUserAddress;
}

/* Regions end there: the last 64 KiB of ring 3 stay free, as in NT. */
static inline ULONGLONG mi_regions_end(const EPROCESS *process)
{
    return mi_highest_user_address(process) + 1 - 0x10000;
}

struct mi_section;

/*
 * node.key is the first address, end the first behind; both are page aligned.
 * protect is what the region was made with (AllocationProtect), type MEM_
 * PRIVATE, MEM_MAPPED or MEM_IMAGE.  section: referenced, of a view.
 */
struct mi_vad {
    struct rtl_avl_node node;
    ULONGLONG end;
    ULONG protect, type;
    struct mi_section *section;
    BOOLEAN shared;         /* its pages are not its own to free */
    BOOLEAN permanent;      /* the shared page: cannot be changed or freed */
};

static inline ULONGLONG mi_vad_start(const struct mi_vad *vad)
{
    return vad->node.key;
}

/* ---- regions (vad.c) ---- */

/* The region that has address, or NULL. */
struct mi_vad *mi_find_vad(EPROCESS *process, ULONGLONG address);

/* The first region that ends above address, or NULL. */
struct mi_vad *mi_find_vad_above(EPROCESS *process, ULONGLONG address);

/* Nothing is in [start, end), and all of it may be used. */
BOOLEAN mi_is_range_free(EPROCESS *process, ULONGLONG start, ULONGLONG end);

/* For high below: as far as regions go. */
#define MI_NO_LIMIT (~0ULL)

/*
 * A free place for size bytes (whole pages) on a 64-KiB boundary in [low,
 * high): the lowest, or the highest.  0: there is none.
 */
ULONGLONG mi_find_gap(EPROCESS *process, SIZE_T size, ULONGLONG low,
                      ULONGLONG high, BOOLEAN top_down);

/* A region over free addresses.  STATUS_INSUFFICIENT_RESOURCES. */
NTSTATUS mi_insert_vad(EPROCESS *process, ULONGLONG start, ULONGLONG end,
                       ULONG type, ULONG protect, struct mi_vad **result);

/* Only the region; its pages are gone or stay, its section is the caller's. */
void mi_remove_vad(EPROCESS *process, struct mi_vad *vad);

/*
 * Take [start, end) out of a region: all, an end, or the middle, which makes
 * two of it.  STATUS_INSUFFICIENT_RESOURCES: nothing was changed.
 */
NTSTATUS mi_cut_vad(EPROCESS *process, struct mi_vad *vad, ULONGLONG start,
                    ULONGLONG end);

/* The region of the page that all processes share. */
NTSTATUS mi_reserve_shared_page(EPROCESS *process);

/* ---- protections (protection.c) ---- */

/*
 * NT's five-bit protection: a base in bits 0-2, and in bits 3-4 one of
 * no-cache, guard, write-combine.
 */
#define MM_READONLY             1
#define MM_EXECUTE              2
#define MM_EXECUTE_READ         3
#define MM_READWRITE            4
#define MM_WRITECOPY            5
#define MM_EXECUTE_READWRITE    6
#define MM_EXECUTE_WRITECOPY    7
#define MM_BASE_MASK            7
#define MM_NOCACHE              0x08
#define MM_GUARD_PAGE           0x10
#define MM_WRITECOMBINE         0x18
#define MM_NOACCESS             0x18
#define MM_INVALID_PROTECTION   0xFFFFFFFF

/* From PAGE_ constants, and back. */
ULONG MiMakeProtectionMask(ULONG protect);
ULONG mi_protect_constant(ULONG mask);

/* Writable and executable at once, by either name. */
BOOLEAN mi_is_write_execute(ULONG mask);

/* The entry of a committed user page, and what it says. */
MMPTE mi_make_pte(PFN_NUMBER pfn, ULONG mask);
ULONG mi_pte_mask(MMPTE pte);
PFN_NUMBER mi_pte_page(MMPTE pte);

/* ---- pages (commit.c): whole pages of the current process ---- */

/* The entry of a user page; 0 when there is not even a table for it. */
MMPTE mi_read_pte(ULONGLONG va);

/* The first page in [va, end) that has a table, end if none has. */
ULONGLONG mi_skip_missing_tables(ULONGLONG va, ULONGLONG end);

/* Are all committed? */
BOOLEAN mi_is_committed(ULONGLONG start, ULONGLONG end);

/*
 * Make sure that mi_commit cannot fail: memory for what is missing in [start,
 * end), which is set aside, and page tables.  *charge: how many pages; what
 * is left of it in the end goes back with mi_uncharge_pages.
 * STATUS_COMMITMENT_LIMIT, STATUS_NO_MEMORY: nothing was set aside.
 */
NTSTATUS mi_prepare_commit(ULONGLONG start, ULONGLONG end, ULONG_PTR *charge);

/* After mi_prepare_commit: zeroed pages where there are none, all with mask. */
void mi_commit(EPROCESS *process, ULONGLONG start, ULONGLONG end, ULONG mask,
               ULONG_PTR *charge);

/* The same for one page that is not committed, with bytes at its start. */
void mi_commit_filled(EPROCESS *process, ULONGLONG va, ULONG mask,
                      const void *bytes, SIZE_T size, ULONG_PTR *charge);

/* A page of somebody else (a section) at va; the table is there. */
void mi_map_shared(ULONGLONG va, PFN_NUMBER pfn, ULONG mask);

/* Committed pages get a new protection. */
void mi_protect(ULONGLONG start, ULONGLONG end, ULONG mask);

/* Pages away, memory freed unless it is the section's (vad->shared). */
void mi_decommit(EPROCESS *process, const struct mi_vad *vad, ULONGLONG start,
                 ULONGLONG end);

/* Pages that user memory may still take. */
ULONG_PTR mi_available_pages(void);

/* ---- one at a time (space.c) ---- */

struct mi_visit {
    EPROCESS *process;
    BOOLEAN attached;
    KAPC_STATE apc_state;
};

/*
 * Load a process's address space, if it is another's, and take its lock.
 * Until mi_leave_space: no user memory, no handles (both are the caller's own
 * process's).  STATUS_PROCESS_IS_TERMINATING: it has no more user half.
 */
NTSTATUS mi_enter_space(EPROCESS *process, struct mi_visit *visit);
void mi_leave_space(struct mi_visit *visit);

/* ---- the services' arguments (capture.c) ---- */

/* The process behind a handle, referenced. */
NTSTATUS mi_reference_process(HANDLE handle, ACCESS_MASK access,
                              EPROCESS **process);

/* *BaseAddress and *RegionSize, each probed for writing and read once. */
NTSTATUS mi_capture_region(void **user_base, SIZE_T *user_size,
                           ULONGLONG *base, SIZE_T *size);

/*
 * And back, after the work is done.  NT: a fault here is nobody's problem:
 * the work stays done and the service succeeds.
 */
void mi_return_region(void **user_base, SIZE_T *user_size, ULONGLONG base,
                      SIZE_T size);

/*
 * The highest address + 1 that ZeroBits allows: up to 21 count zero bits from
 * bit 31 down, from 32 on it is a mask.  May be MI_NO_LIMIT; 0: not valid.
 */
ULONGLONG mi_zero_bits_limit(ULONG_PTR zero_bits);

/* ---- sections (section.c) and views (view.c, image.c) ---- */

/*
 * The body of a Section object.  An image: pe describes bytes.  Data: a file's
 * bytes, or (bytes NULL) pages of its own, pfns[] of them.
 */
struct mi_section {
    const void *bytes;
    SIZE_T size;
    PFN_NUMBER *pfns;
    ULONG mask;             /* SectionPageProtection */
    BOOLEAN image;
    struct rtl_pe pe;
    struct mm_image_information information;
};

/*
 * May pages of a view have mask where allowed is the most they can have?
 * STATUS_SECTION_PROTECTION, STATUS_DYNAMIC_CODE_BLOCKED,
 * STATUS_NOT_SUPPORTED: copy on write of a section's own pages.
 */
NTSTATUS mi_check_view_mask(const struct mi_section *section, ULONG allowed,
                            ULONG mask);

/*
 * Map all of an image.  hint 0: where it wants to be, else exactly there.
 * limit: a place that is chosen here ends below it.  Failures leave nothing.
 * STATUS_INVALID_IMAGE_FORMAT: code for the other kind of process.
 */
NTSTATUS mi_map_image_view(EPROCESS *process, struct mi_section *section,
                           ULONGLONG hint, ULONGLONG limit, ULONGLONG *base);

/* A region, its pages and its section reference go. */
void mi_delete_region(EPROCESS *process, struct mi_vad *vad);
