/*
 * mm.h - ring 1: memory.
 *
 * Addresses of ring 3 end at MM_HIGHEST_USER_ADDRESS; the 64 KiB above, up to
 * the hole of non-canonical addresses, are never mapped, so that a copy which
 * starts below MmUserProbeAddress faults before it leaves user space.
 */
#pragma once

#include <ke.h>
#include <loader.h>

struct _EPROCESS;
struct _SECTION_IMAGE_INFORMATION;

#define MM_LOWEST_USER_ADDRESS  0x0000000000010000ULL
#define MM_HIGHEST_USER_ADDRESS 0x00007FFFFFFEFFFFULL
#define MM_USER_PROBE_ADDRESS   0x00007FFFFFFF0000ULL
extern const ULONGLONG MmUserProbeAddress;

/*
 * Walks all tables of the current address space; bugchecks on a page writable
 * and executable.
 */
void mm_check_protections(void);

/* ---- pool (mm/pool.c) ---- */

#define POOL_FLAG_NON_PAGED 0x40ULL

/*
 * size bytes, zeroed, 16-byte aligned (page aligned from a page on); NULL
 * when there is no memory.  NT: ExAllocatePool2 zeroes as well.
 * IRQL: <= DISPATCH_LEVEL.
 */
void *ExAllocatePool2(ULONGLONG flags, SIZE_T size, ULONG tag);
void ExFreePoolWithTag(void *address, ULONG tag);

/* ---- user memory (mm/uaccess.c): the only code that touches it ---- */

/*
 * Copies between kernel and the current process.  A user range that leaves
 * user space, or a page that faults, is STATUS_ACCESS_VIOLATION (a guard page
 * STATUS_GUARD_PAGE_VIOLATION); nothing is said about how much was copied.
 * mode KernelMode: both are kernel addresses and the range is not checked
 * (PreviousMode of a Zw caller).  size 0 succeeds without a look at the
 * address, as ProbeForRead does.
 */
NTSTATUS mm_copy_from_mode(KPROCESSOR_MODE mode, void *to, const void *from,
                           SIZE_T size);
NTSTATUS mm_copy_to_mode(KPROCESSOR_MODE mode, void *to, const void *from,
                         SIZE_T size);

/* The same with the mode of the service's caller. */
NTSTATUS mm_copy_from_user(void *to, const void *from, SIZE_T size);
NTSTATUS mm_copy_to_user(void *to, const void *from, SIZE_T size);

/*
 * A look at the current process's memory that changes nothing: only pages that
 * are there already are read, no fault is taken, no guard page used up.
 * STATUS_ACCESS_VIOLATION: some are not.  IRQL: <= DISPATCH_LEVEL.
 */
NTSTATUS mm_peek_user(void *to, const void *from, SIZE_T size);

/* Is a page behind this address, in the current address space?  IRQL: any. */
BOOLEAN MmIsAddressValid(const void *address);

/*
 * Kernel memory that may not be there (a debugger's address, a broken frame
 * chain).  STATUS_ACCESS_VIOLATION for user addresses and missing pages.
 * IRQL: any.
 */
NTSTATUS mm_copy_kernel(void *to, const void *from, SIZE_T size);

/*
 * NT's probes: alignment first (STATUS_DATATYPE_MISALIGNMENT), then the range
 * (STATUS_ACCESS_VIOLATION); size 0 succeeds.  mm_probe_for_write also
 * touches every page of the range.  KernelMode callers always pass.
 */
NTSTATUS mm_probe_for_read(const void *address, SIZE_T size, ULONG alignment);
NTSTATUS mm_probe_for_write(void *address, SIZE_T size, ULONG alignment);

/*
 * A UNICODE_STRING of the caller, captured once into pool with a terminator;
 * free result->Buffer with mm_free_string (an empty string has none).
 * STATUS_ACCESS_VIOLATION, STATUS_OBJECT_NAME_INVALID for an odd length,
 * STATUS_INSUFFICIENT_RESOURCES.
 */
NTSTATUS mm_capture_string(const UNICODE_STRING *from, UNICODE_STRING *result);
void mm_free_string(UNICODE_STRING *string);

enum mm_access {
    MM_ACCESS_READ,
    MM_ACCESS_WRITE,
    MM_ACCESS_EXECUTE,
};

/*
 * What a page fault of ring 3, or of a copy for it, means:
 * STATUS_GUARD_PAGE_VIOLATION for a guard page of the current process, which
 * is then one no more, unless it was one of the thread's own stack, which has
 * grown (STATUS_SUCCESS) or ends there (STATUS_STACK_OVERFLOW);
 * STATUS_SUCCESS: the page is what it should be, and the access is to be done
 * again; else STATUS_ACCESS_VIOLATION.  May wait.
 */
NTSTATUS mm_access_fault(ULONGLONG address, enum mm_access access);

/* ---- address spaces and sections ---- */

/*
 * Boot: memory as Mm has it from now on.  Physical addresses below 4 GiB stay
 * pointers until the second call.
 */
void MmInitSystem(const LOADER_PARAMETER_BLOCK *block);
void mm_end_boot_mappings(void);

/* Boot: sections can be made; what only the boot writes is read-only. */
void mm_initialize_sections(void);
void mm_seal_image(void);

/*
 * Boot: another processor's KPCR, zeroed but for GdtBase and TssBase, and its
 * stacks; NULL: no memory.  Then, when its tables are filled: the GDT is
 * read-only, and ring 3's page tables have what they need of it all.
 */
KPCR *mm_create_processor(const UCHAR **stacks);
void mm_seal_processor(const KPCR *pcr);

/* A process's user half, empty.  STATUS_INSUFFICIENT_RESOURCES. */
NTSTATUS MmCreateProcessAddressSpace(struct _EPROCESS *process);

/*
 * The shared page, in the current process: XP's for a 32-bit program.
 * STATUS_NO_MEMORY.
 */
NTSTATUS mm_map_shared_page(void);

/*
 * Boot, once threads can be made: the threads that make room, if there is a
 * page file.
 */
void mm_start_paging(void);

/*
 * All pages of a process leave its working set.  STATUS_PROCESS_IS_
 * TERMINATING.
 */
NTSTATUS mm_empty_working_set(struct _EPROCESS *process);

/*
 * Every modified page that the page file has a place for is written there, and
 * is a standby page then; every standby page is given up, and free.
 */
void mm_flush_modified_list(void);
void mm_purge_standby_list(void);

/* Free every user page, region and table; process must be current. */
void mm_clean_address_space(struct _EPROCESS *process);

/* Free the top table; process must not be current. */
void mm_delete_address_space(struct _EPROCESS *process);

/*
 * What an image section knows of its PE; entry_point and the sizes are 0
 * where the header says so.
 */
struct mm_image_information {
    ULONGLONG preferred_base;
    ULONGLONG stack_reserve, stack_commit;
    ULONG size_of_image;
    ULONG entry_point;                  /* rva */
    USHORT machine;
    USHORT subsystem, subsystem_major, subsystem_minor;
    USHORT characteristics, dll_characteristics;
};

/*
 * A section object over the bytes of a boot file, which stay where they are.
 * image: checked as a PE (STATUS_INVALID_IMAGE_FORMAT and what rtl/pe.c
 * says); otherwise plain data, mapped read-only.
 */
NTSTATUS mm_create_section(const void *bytes, SIZE_T size, BOOLEAN image,
                           void **section);
extern struct _OBJECT_TYPE *MmSectionObjectType;
const struct mm_image_information *mm_section_image(void *section);

/* The same for ring 3, at the image's preferred base. */
void mm_describe_image(void *section,
                       struct _SECTION_IMAGE_INFORMATION *information);

/*
 * Map an image section into the current process.  *base 0: at its preferred
 * base, or elsewhere; else exactly there.  STATUS_IMAGE_NOT_AT_BASE, a
 * success: with relocations applied.  STATUS_CONFLICTING_ADDRESSES: taken, or
 * it cannot be relocated; STATUS_NO_MEMORY; STATUS_INVALID_IMAGE_FORMAT: a
 * 64-bit image for a 32-bit program, or the other way round.
 */
NTSTATUS mm_map_image(void *section, void **base);

/*
 * Reserve and commit size bytes (rounded up) of zeroed private memory in the
 * current process.  *base 0: the highest free place below a limit the
 * kernel chooses; else exactly there.  protect is a PAGE_ constant.
 */
NTSTATUS mm_allocate_user(void **base, SIZE_T size, ULONG protect);

/*
 * The two halves of it: reserve alone, as above; and commit pages of a private
 * region that is there, or give such pages another protection.
 * STATUS_CONFLICTING_ADDRESSES: not one region.
 */
NTSTATUS mm_reserve_user(void **base, SIZE_T size);
NTSTATUS mm_commit_user(void *base, SIZE_T size, ULONG protect);

/*
 * Guard pages that the current process's stacks have below what is committed,
 * in bytes.
 */
SIZE_T mm_stack_guard_size(void);

/*
 * Release the private region that begins at base in the current process.  If
 * there is none (ring 3 may have released it) nothing happens.
 */
void mm_free_user(void *base);

/* ---- system space ---- */

/* How the processor may keep what is read and written there (the PAT). */
typedef enum _MEMORY_CACHING_TYPE {
    MmNonCached,
    MmCached,
    MmWriteCombined,                    /* a framebuffer: writes are gathered */
} MEMORY_CACHING_TYPE;

/* size bytes of physical memory at a kernel address, for good; or NULL. */
void *MmMapIoSpace(ULONGLONG physical, SIZE_T size, MEMORY_CACHING_TYPE type);

/* Where the page at a kernel address of 4-KiB pages lies. */
ULONGLONG MmGetPhysicalAddress(const void *address);

/*
 * A kernel stack with an unmapped page below; its upper end, or NULL.  What is
 * on it is not zeroed.  IRQL: <= DISPATCH_LEVEL.
 */
void *MmCreateKernelStack(void);
void MmDeleteKernelStack(void *top);
#define KERNEL_STACK_SIZE 0x6000

/*
 * In a checked build what nobody has used of a kernel stack is paint; the
 * processor's own stacks have zeroes there.  mm_stack_use: how many bytes below
 * top have been used, of a stack that ends at limit.  mm_show_stacks
 * tells it of all that have been used.
 */
#define MM_STACK_PAINT 0x5057A15D5057A15DULL
ULONG mm_stack_use(const void *limit, const void *top);
void mm_show_stacks(void);

/*
 * In pages.  free_pages: neither in use nor promised; commit_limit: memory
 * and page file together.
 */
struct mm_statistics {
    ULONG_PTR total_pages, free_pages, lowest_page, highest_page;
    ULONG_PTR commit_limit, resident_available;
};
void mm_query_statistics(struct mm_statistics *statistics);
