/*
 * mm/allocate.c - NtAllocateVirtualMemory.
 *
 * To reserve is to take addresses, in steps of 64 KiB; to commit is to be
 * promised memory for addresses that are reserved, page by page, and to be
 * charged for it; the memory comes when it is touched.  A caller may do both
 * at once, and one that commits without naming a place gets both.
 *
 * Parameters are checked in Windows' order, so that a call with several
 * mistakes gets Windows' status.  NT: large, physical and watched pages are
 * not here; asking for them is an invalid AllocationType.
 */
#include "vad.h"

#include <nt/ntapi.h>

#define VALID_TYPES (MEM_COMMIT | MEM_RESERVE | MEM_RESET | MEM_TOP_DOWN)

struct request {
    ULONGLONG base;
    SIZE_T size;
    ULONGLONG limit;        /* of a place that is chosen here */
    ULONG type, protect, mask;
};

/* Everything that does not need the caller's memory. */
static NTSTATUS check_numbers(struct request *request)
{
    if (request->limit == 0)
        return STATUS_INVALID_PARAMETER_3;
    if ((request->type & ~VALID_TYPES) ||
        !(request->type & (MEM_COMMIT | MEM_RESERVE | MEM_RESET)) ||
        ((request->type & MEM_RESET) && request->type != MEM_RESET))
        return STATUS_INVALID_PARAMETER_5;
    request->mask = MiMakeProtectionMask(request->protect);
    if (request->mask == MM_INVALID_PROTECTION ||
        (request->mask & MM_BASE_MASK) == MM_WRITECOPY ||
        (request->mask & MM_BASE_MASK) == MM_EXECUTE_WRITECOPY)
        return STATUS_INVALID_PAGE_PROTECTION;
    return mi_is_write_execute(request->mask) ? STATUS_DYNAMIC_CODE_BLOCKED
                                              : STATUS_SUCCESS;
}

static NTSTATUS check_region(const struct request *request)
{
    const EPROCESS *process = PsGetCurrentProcess();
    ULONGLONG end = request->base + request->size;

    if (request->base > mi_highest_user_address(process))
        return STATUS_INVALID_PARAMETER_2;
    if (request->size == 0 || end < request->base ||
        end > mi_regions_end(process))
        return STATUS_INVALID_PARAMETER_4;
    return STATUS_SUCCESS;
}

/* Where a reservation goes: *start, *end. */
static NTSTATUS choose_place(EPROCESS *process, const struct request *request,
                             ULONGLONG *start, ULONGLONG *end)
{
    SIZE_T size = ALIGN_UP(request->size, PAGE_SIZE);

    if (request->base == 0) {
        *start = mi_find_gap(process, size, MM_LOWEST_USER_ADDRESS,
                             request->limit,
                             (request->type & MEM_TOP_DOWN) != 0);
        *end = *start + size;
        return *start ? STATUS_SUCCESS : STATUS_NO_MEMORY;
    }
    *start = ALIGN_DOWN(request->base, ALLOCATION_GRANULARITY);
    *end = ALIGN_UP(request->base + request->size, PAGE_SIZE);
    if (*start < MM_LOWEST_USER_ADDRESS)
        return STATUS_INVALID_PARAMETER_2;
    return mi_is_range_free(process, *start, *end)
               ? STATUS_SUCCESS : STATUS_CONFLICTING_ADDRESSES;
}

static NTSTATUS reserve(EPROCESS *process, struct request *request)
{
    struct mi_vad *vad;
    ULONGLONG start, end;
    ULONG_PTR charge = 0;
    NTSTATUS status = choose_place(process, request, &start, &end);

    if (NT_SUCCESS(status) && (request->type & MEM_COMMIT))
        status = mi_prepare_commit(start, end, &charge);
    if (NT_SUCCESS(status))
        status = mi_insert_vad(process, start, end, MEM_PRIVATE,
                               request->protect, &vad);
    if (NT_SUCCESS(status) && (request->type & MEM_COMMIT))
        mi_commit(process, start, end, request->mask, &charge);
    mi_uncharge_pages(charge);
    if (!NT_SUCCESS(status))
        return status;
    request->base = start;
    request->size = end - start;
    return STATUS_SUCCESS;
}

static NTSTATUS commit_private(EPROCESS *process, ULONGLONG start,
                               ULONGLONG end, ULONG mask)
{
    ULONG_PTR charge;
    NTSTATUS status = mi_prepare_commit(start, end, &charge);

    if (!NT_SUCCESS(status))
        return status;
    mi_commit(process, start, end, mask, &charge);
    mi_uncharge_pages(charge);
    return STATUS_SUCCESS;
}

/* Pages of a reserved section, for all its views; the protection is ours. */
static NTSTATUS commit_mapped(EPROCESS *process, const struct mi_vad *vad,
                              ULONGLONG start, ULONGLONG end, ULONG mask)
{
    NTSTATUS status;

    if (vad->type != MEM_MAPPED || !vad->section->reserve)
        return STATUS_ALREADY_COMMITTED;
    status = mi_check_view_mask(MiMakeProtectionMask(vad->protect), mask);
    if (NT_SUCCESS(status))
        status = mi_commit_view(start, end);
    return NT_SUCCESS(status) ? mi_protect(process, vad, start, end, mask)
                              : status;
}

/*
 * Inside an existing region: commit pages.  MEM_RESET says that the contents
 * need not be kept; they are kept, which is allowed.
 */
static NTSTATUS commit(EPROCESS *process, struct request *request)
{
    ULONGLONG start = ALIGN_DOWN(request->base, PAGE_SIZE);
    ULONGLONG end = ALIGN_UP(request->base + request->size, PAGE_SIZE);
    struct mi_vad *vad = mi_find_vad(process, start);
    NTSTATUS status = STATUS_SUCCESS;

    if (!vad || end > mi_vad_end(vad) || vad->permanent)
        return STATUS_CONFLICTING_ADDRESSES;
    if (request->type & MEM_COMMIT)
        status = vad->type == MEM_PRIVATE
                     ? commit_private(process, start, end, request->mask)
                     : commit_mapped(process, vad, start, end, request->mask);
    request->base = start;
    request->size = end - start;
    return status;
}

static NTSTATUS allocate(EPROCESS *process, struct request *request)
{
    struct mi_visit visit;
    NTSTATUS status = mi_enter_space(process, &visit);

    if (!NT_SUCCESS(status))
        return status;
    if (request->base == 0 && (request->type & MEM_COMMIT))
        request->type |= MEM_RESERVE;
    status = request->type & MEM_RESERVE ? reserve(process, request)
                                         : commit(process, request);
    mi_leave_space(&visit);
    return status;
}

/*
 * STATUS_INVALID_PARAMETER_2 to _5, STATUS_INVALID_PAGE_PROTECTION,
 * STATUS_DYNAMIC_CODE_BLOCKED, STATUS_CONFLICTING_ADDRESSES: taken, or (commit
 * alone) not reserved; STATUS_ALREADY_COMMITTED: a view; STATUS_NO_MEMORY: no
 * such gap, or no page tables; STATUS_COMMITMENT_LIMIT: not enough pages;
 * STATUS_PROCESS_IS_TERMINATING.
 */
NTSTATUS NtAllocateVirtualMemory(HANDLE ProcessHandle, void **BaseAddress,
                                 ULONG_PTR ZeroBits, SIZE_T *RegionSize,
                                 ULONG AllocationType, ULONG Protect)
{
    struct request request = {
        .limit = mi_zero_bits_limit(ZeroBits),
        .type = AllocationType,
        .protect = Protect,
    };
    EPROCESS *process;
    NTSTATUS status = check_numbers(&request);

    if (NT_SUCCESS(status))
        status = mi_capture_region(BaseAddress, RegionSize, &request.base,
                                   &request.size);
    if (NT_SUCCESS(status))
        status = check_region(&request);
    if (NT_SUCCESS(status))
        status = mi_reference_process(ProcessHandle, PROCESS_VM_OPERATION,
                                      &process);
    if (!NT_SUCCESS(status))
        return status;
    status = allocate(process, &request);
    ObDereferenceObject(process);
    if (NT_SUCCESS(status))
        mi_return_region(BaseAddress, RegionSize, request.base, request.size);
    return status;
}

static NTSTATUS allocate_here(void **base, SIZE_T size, ULONG type,
                              ULONG protect)
{
    struct request request = {
        .base = (ULONG_PTR)*base,
        .size = size,
        .limit = MI_NO_LIMIT,
        .type = type,
        .protect = protect,
    };
    NTSTATUS status = check_numbers(&request);

    if (NT_SUCCESS(status))
        status = check_region(&request);
    if (NT_SUCCESS(status))
        status = allocate(PsGetCurrentProcess(), &request);
    if (NT_SUCCESS(status))
        *base = (void *)request.base;
    return status;
}

NTSTATUS mm_allocate_user(void **base, SIZE_T size, ULONG protect)
{
    return allocate_here(base, size, MEM_COMMIT | MEM_RESERVE | MEM_TOP_DOWN,
                         protect);
}

NTSTATUS mm_reserve_user(void **base, SIZE_T size)
{
    return allocate_here(base, size, MEM_RESERVE | MEM_TOP_DOWN,
                         PAGE_READWRITE);
}

NTSTATUS mm_commit_user(void *base, SIZE_T size, ULONG protect)
{
    return allocate_here(&base, size, MEM_COMMIT, protect);
}
