/*
 * mm/vad.h - the upper half of Mm: what a process's user addresses are for.
 *
 * A region (NT: a virtual address descriptor) says which addresses are taken
 * and by what; the page tables say which pages of it are committed, how they
 * may be used and where they are.  An entry of zero inside a region is a page
 * that is only reserved; a committed page has its memory when it is touched.
 *
 * All of it works on the process whose address space is loaded, and between
 * mi_enter_space and mi_leave_space.
 */
#pragma once

#include "gap.h"
#include "pfn.h"

#include <bug.h>
#include <ps.h>
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
    return mi_highest_user_address(process) + 1 +
           (BUG(last_pages_mappable) ? 0x10000 : -0x10000);
}

struct mi_section;

/*
 * The addresses of a range are page aligned.  protect is what the region was
 * made with (AllocationProtect), type MEM_PRIVATE, MEM_MAPPED or MEM_IMAGE.
 * section: referenced, of a view.
 */
struct mi_vad {
    struct mi_range range;
    ULONG protect, type;
    struct mi_section *section;
    BOOLEAN permanent;      /* the shared page: cannot be changed or freed */
};

static inline ULONGLONG mi_vad_start(const struct mi_vad *vad)
{
    return mi_range_start(&vad->range);
}

static inline ULONGLONG mi_vad_end(const struct mi_vad *vad)
{
    return vad->range.end;
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

/* May it be touched at all; is it copied when written; may it be used so? */
BOOLEAN mi_is_accessible(ULONG mask);
BOOLEAN mi_is_copy(ULONG mask);
BOOLEAN mi_allows(ULONG mask, enum mm_access access);

/*
 * Entries: valid (mask is accessible; dirty: its first write has been), never
 * touched, in transition, a section's.
 */
MMPTE mi_make_pte(PFN_NUMBER pfn, ULONG mask, BOOLEAN dirty);
MMPTE mi_make_software_pte(ULONG mask);
MMPTE mi_make_transition_pte(PFN_NUMBER pfn, ULONG mask);
MMPTE mi_make_prototype_pte(const MMPTE *prototype, ULONG mask);

/* What any entry but zero says; the page only of a valid one. */
ULONG mi_pte_mask(MMPTE pte);
PFN_NUMBER mi_pte_page(MMPTE pte);

/* ---- entries (entry.c) of the current process ---- */

/* The entry of a user page; 0 when there is not even a table for it. */
MMPTE mi_read_pte(ULONGLONG va);

/* The table is there.  Counts the working set, and what is locked in it. */
void mi_write_pte(EPROCESS *process, ULONGLONG va, MMPTE pte);

/* The first page in [va, end) that has a table, end if none has. */
ULONGLONG mi_skip_missing_tables(ULONGLONG va, ULONGLONG end);

/* The first page in [va, end) whose entry is not zero, or end. */
ULONGLONG mi_next_entry(ULONGLONG va, ULONGLONG end);

/* Its page stays where it is (lock.c). */
static inline BOOLEAN mi_is_locked(MMPTE pte)
{
    return pte.u.Hard.Valid && (pte.u.Long & MI_PTE_LOCKED);
}

static inline BOOLEAN mi_is_prototype(MMPTE pte)
{
    return !pte.u.Hard.Valid && pte.u.Proto.Prototype;
}

static inline MMPTE *mi_prototype_of(MMPTE pte)
{
    return (MMPTE *)(LONG_PTR)pte.u.Proto.ProtoAddress;
}

/* A page, or an entry, of a section's; not the process's own copy. */
BOOLEAN mi_is_shared(MMPTE pte);

/* Pages that the process is charged for because of an entry: 0 or 1. */
ULONG mi_pte_charge(MMPTE pte);

/* The mask of a committed page; 0 when it is not. */
ULONG mi_committed_mask(ULONGLONG va);

/* Add to or take from a process's charge; the promise is the caller's. */
void mi_add_charge(EPROCESS *process, ULONG_PTR pages);
void mi_remove_charge(EPROCESS *process, ULONG_PTR pages);

/*
 * A valid page leaves the working set: its entry says with mask where it is
 * now.
 */
void mi_remove_from_set(EPROCESS *process, ULONGLONG va, ULONG mask);

/* ---- pages (commit.c): whole pages of the current process ---- */

/* Are all committed? */
BOOLEAN mi_is_committed(ULONGLONG start, ULONGLONG end);

/*
 * Make sure of page tables for [start, end) and of count pages, *charge, of
 * which what is left in the end goes back with mi_uncharge_pages.
 * STATUS_COMMITMENT_LIMIT, STATUS_NO_MEMORY: nothing was promised.
 */
NTSTATUS mi_prepare_pages(ULONGLONG start, ULONGLONG end, ULONG_PTR count,
                          ULONG_PTR *charge);

/* The same for as many as mi_commit will need. */
NTSTATUS mi_prepare_commit(ULONGLONG start, ULONGLONG end, ULONG_PTR *charge);

/* After mi_prepare_commit: all are committed, and have mask. */
void mi_commit(EPROCESS *process, ULONGLONG start, ULONGLONG end, ULONG mask,
               ULONG_PTR *charge);

/*
 * One page that is not committed becomes one of its own with a whole page of
 * bytes, for which there is a charge.  STATUS_NO_MEMORY: no page just now,
 * and no place in the page file.
 */
NTSTATUS mi_commit_filled(EPROCESS *process, ULONGLONG va, ULONG mask,
                          const void *bytes, ULONG_PTR *charge);

/* Pages of a section at [start, end), from prototype on; tables are there. */
void mi_map_prototypes(EPROCESS *process, ULONGLONG start, ULONGLONG end,
                       const MMPTE *prototype, ULONG mask,
                       ULONG_PTR *charge);

/* Pages away; memory and promises that were theirs alone go back. */
void mi_decommit(EPROCESS *process, const struct mi_vad *vad, ULONGLONG start,
                 ULONGLONG end);

/* ---- another protection (change.c) ---- */

/*
 * Committed pages get mask.  In an image and in a copy-on-write view, to write
 * is to have a page of one's own: masks are adapted page by page.
 * STATUS_COMMITMENT_LIMIT: too many pages may now be written; nothing is done.
 * STATUS_WAS_UNLOCKED (a success): one was locked, and nobody may touch it now.
 */
NTSTATUS mi_protect(EPROCESS *process, const struct mi_vad *vad,
                    ULONGLONG start, ULONGLONG end, ULONG mask);

/* One page without such adaptation and charges. */
void mi_change_private(EPROCESS *process, ULONGLONG va, ULONG mask);

/* ---- locked pages (lock.c, trim.c) ---- */

/* The process has no page any more. */
void mi_end_locks(EPROCESS *process);

/* Pages that are not locked leave the working set. */
void mi_empty_range(EPROCESS *process, ULONGLONG start, ULONGLONG end);

/* ---- faults ---- */

/*
 * What an access to the page at va means, and what is to be done for it (NT:
 * MiDispatchFault).  Not always enough: the access is done again and comes
 * here again.  STATUS_ACCESS_VIOLATION, STATUS_GUARD_PAGE_VIOLATION,
 * STATUS_RETRY.
 */
NTSTATUS mi_resolve_fault(EPROCESS *process, ULONGLONG va,
                          enum mm_access access);

/*
 * The page at va is committed and access is allowed: make it so.  Each knows
 * one form of entry.  STATUS_RETRY: no page just now.
 */
NTSTATUS mi_demand_zero_fault(EPROCESS *process, ULONGLONG va,
                              enum mm_access access);
NTSTATUS mi_prototype_fault(EPROCESS *process, ULONGLONG va,
                            enum mm_access access);
NTSTATUS mi_transition_fault(EPROCESS *process, ULONGLONG va,
                             enum mm_access access);

NTSTATUS mi_page_file_fault(EPROCESS *process, ULONGLONG va,
                            enum mm_access access);

/* A valid entry of a section's page becomes one of a copy. */
NTSTATUS mi_copy_on_write(EPROCESS *process, ULONGLONG va);

/*
 * What was not done for lack of a page (STATUS_RETRY), which happens only
 * where there is a page file, is to be done again after this.  No locks, no
 * other's address space.  (trim.c)
 */
void mi_wait_for_pages(void);

/* ---- pages of sections (share.c) ---- */

/*
 * One user more, who will write (dirty) or not: the page if it is in memory,
 * else 0.
 */
PFN_NUMBER mi_share_page(MMPTE *prototype, BOOLEAN dirty);

/* One user less. */
void mi_unshare_page(PFN_NUMBER pfn);

/* Put it into memory if it is not.  STATUS_RETRY: no page just now. */
NTSTATUS mi_read_shared_page(MMPTE *prototype);

/*
 * A section goes, and no view is left: memory, or the promise of it.  Returns
 * how many promises are to be given back.
 */
ULONG mi_delete_prototype(MMPTE *prototype);

/* ---- stacks of ring 3 (userstack.c) ---- */

/*
 * The current thread has touched a guard page, which is one no more.
 * STATUS_SUCCESS: its stack has grown; STATUS_STACK_OVERFLOW: it cannot;
 * STATUS_GUARD_PAGE_VIOLATION: the page is not in its stack.
 */
NTSTATUS mi_grow_user_stack(ULONGLONG address);

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
 * The same for a service about whole pages: [*start, *end).
 * STATUS_INVALID_PARAMETER_2 and _3.
 */
NTSTATUS mi_capture_pages(void **user_base, SIZE_T *user_size,
                          ULONGLONG *start, ULONGLONG *end);

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
 * What sections of one file, as data or as an image, have in common, or a
 * section without a file: an entry for each page, a prototype of those of the
 * views.  (segment.c)  NT: CONTROL_AREA and SEGMENT.
 */
struct mi_segment {
    struct mi_segment *next;    /* of files: segments_lock */
    ULONG references;
    const void *bytes;          /* the file; NULL: none */
    SIZE_T size;
    BOOLEAN image;
    struct rtl_pe pe;           /* of an image */
    SIZE_T pages;
    MMPTE *prototypes;
    ULONG subsection_count;
    struct mi_subsection {
        struct mi_segment *segment;
        SIZE_T first, pages;    /* of the segment */
        SIZE_T offset, size;    /* in the file; what is behind it is zero */
        ULONG mask;
    } subsections[];
};

/*
 * The segment of a file's bytes, made if there is none yet; referenced.
 * STATUS_COMMITMENT_LIMIT, STATUS_INSUFFICIENT_RESOURCES, and what rtl/pe.c
 * says of a broken image.
 */
NTSTATUS mi_reference_file_segment(const void *bytes, SIZE_T size,
                                   BOOLEAN image, struct mi_segment **result);

/* Without a file; reserve: its pages are to be committed in a view. */
NTSTATUS mi_create_segment(SIZE_T pages, BOOLEAN reserve,
                           struct mi_segment **result);
void mi_dereference_segment(struct mi_segment *segment);

/* A page of a file, zeroed behind its end: what an untouched page holds. */
void mi_read_file_page(const struct mi_segment *segment,
                       const struct mi_subsection *subsection, SIZE_T page,
                       void *to);

/*
 * Commit the pages of a reserved section that are seen at [start, end).
 * STATUS_COMMITMENT_LIMIT: none was.
 */
NTSTATUS mi_commit_view(ULONGLONG start, ULONGLONG end);

/* The body of a Section object. */
struct mi_section {
    struct mi_segment *segment;
    SIZE_T size;
    ULONG mask;             /* SectionPageProtection */
    ULONG attributes;       /* SEC_, as NtQuerySection tells them */
    BOOLEAN image;
    BOOLEAN reserve;        /* SEC_RESERVE */
    struct mm_image_information information;
};

/*
 * May pages of a view have mask where allowed is the most they can have?
 * STATUS_SECTION_PROTECTION, STATUS_DYNAMIC_CODE_BLOCKED.
 */
NTSTATUS mi_check_view_mask(ULONG allowed, ULONG mask);

/*
 * Map all of an image.  hint 0: where it wants to be, else exactly there.
 * limit: a place that is chosen here ends below it.  Failures leave nothing.
 * STATUS_INVALID_IMAGE_FORMAT: code for the other kind of process.
 */
NTSTATUS mi_map_image_view(EPROCESS *process, struct mi_section *section,
                           ULONGLONG hint, ULONGLONG limit, ULONGLONG *base);

/* A region, its pages and its section reference go. */
void mi_delete_region(EPROCESS *process, struct mi_vad *vad);
