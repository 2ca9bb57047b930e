/*
 * mm/query.c - NtQueryVirtualMemory.
 *
 * The answer describes the run of pages from the one asked for upwards that
 * are all alike: free, reserved, or committed with one protection, and in one
 * region.
 */
#include "vad.h"

#include <nt/ntapi.h>

/* Above the last region it is free as far as the process's addresses go. */
static void describe_free(EPROCESS *process, ULONGLONG va,
                          MEMORY_BASIC_INFORMATION *info)
{
    struct mi_vad *above = mi_find_vad_above(process, va);

    info->RegionSize = (above ? mi_vad_start(above)
                              : mi_highest_user_address(process) + 1) - va;
    info->State = MEM_FREE;
    info->Protect = PAGE_NOACCESS;
}

/* The first page in (va, end) that is not like the page at va. */
static ULONGLONG end_of_run(ULONGLONG va, ULONGLONG end)
{
    ULONG first = mi_committed_mask(va);

    for (va += PAGE_SIZE; va < end; va += PAGE_SIZE) {
        if (first == 0)
            va = mi_skip_missing_tables(va, end);
        if (va == end || mi_committed_mask(va) != first)
            break;
    }
    return va;
}

static void describe_region(const struct mi_vad *vad, ULONGLONG va,
                            MEMORY_BASIC_INFORMATION *info)
{
    ULONG mask = mi_committed_mask(va);

    info->AllocationBase = (void *)mi_vad_start(vad);
    info->AllocationProtect = vad->protect;
    info->RegionSize = end_of_run(va, mi_vad_end(vad)) - va;
    info->Type = vad->type;
    info->State = mask ? MEM_COMMIT : MEM_RESERVE;
    if (mask)
        info->Protect = mi_protect_constant(mask);
}

/* The process may have fewer addresses than the one that asks. */
static NTSTATUS describe(EPROCESS *process, ULONGLONG va,
                         MEMORY_BASIC_INFORMATION *info)
{
    struct mi_vad *vad = mi_find_vad(process, va);

    if (va > mi_highest_user_address(process))
        return STATUS_INVALID_PARAMETER;
    info->BaseAddress = (void *)va;
    if (vad)
        describe_region(vad, va, info);
    else
        describe_free(process, va, info);
    return STATUS_SUCCESS;
}

static NTSTATUS query(HANDLE handle, ULONGLONG va,
                      MEMORY_BASIC_INFORMATION *info)
{
    EPROCESS *process;
    struct mi_visit visit;
    NTSTATUS status = mi_reference_process(handle, PROCESS_QUERY_INFORMATION,
                                           &process);

    if (!NT_SUCCESS(status))
        return status;
    status = mi_enter_space(process, &visit);
    if (NT_SUCCESS(status)) {
        status = describe(process, va, info);
        mi_leave_space(&visit);
    }
    ObDereferenceObject(process);
    return status;
}

/*
 * STATUS_INVALID_INFO_CLASS, STATUS_INFO_LENGTH_MISMATCH,
 * STATUS_INVALID_PARAMETER: not a user address;
 * STATUS_PROCESS_IS_TERMINATING.
 */
NTSTATUS NtQueryVirtualMemory(HANDLE ProcessHandle, void *BaseAddress,
                              ULONG MemoryInformationClass,
                              void *MemoryInformation,
                              SIZE_T MemoryInformationLength,
                              SIZE_T *ReturnLength)
{
    MEMORY_BASIC_INFORMATION info = { 0 };
    SIZE_T length = sizeof info;
    NTSTATUS status;

    if (MemoryInformationClass != MemoryBasicInformation)
        return STATUS_INVALID_INFO_CLASS;
    if (MemoryInformationLength < sizeof info)
        return STATUS_INFO_LENGTH_MISMATCH;
    status = mm_probe_for_write(MemoryInformation, sizeof info,
                                sizeof(ULONG));
    if (NT_SUCCESS(status) && ReturnLength)
        status = mm_probe_for_write(ReturnLength, sizeof length, 1);
    if (!NT_SUCCESS(status))
        return status;
    if ((ULONG_PTR)BaseAddress >
        mi_highest_user_address(PsGetCurrentProcess()))
        return STATUS_INVALID_PARAMETER;
    status = query(ProcessHandle, ALIGN_DOWN(BaseAddress, PAGE_SIZE), &info);
    if (NT_SUCCESS(status))
        status = mm_copy_to_user(MemoryInformation, &info, sizeof info);
    if (NT_SUCCESS(status) && ReturnLength)
        status = mm_copy_to_user(ReturnLength, &length, sizeof length);
    return status;
}
