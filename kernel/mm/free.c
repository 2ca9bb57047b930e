/*
 * mm/free.c - NtFreeVirtualMemory.
 *
 * To decommit gives the memory back and keeps the addresses; to release gives
 * the addresses back as well.  Releasing the middle of a region leaves two
 * regions.  Views are not freed but unmapped.
 */
#include "vad.h"

#include <nt/ntapi.h>

/* May type be done to [*start, *end)?  Size 0 becomes the whole region. */
static NTSTATUS check_free(const struct mi_vad *vad, ULONG type,
                           ULONGLONG *start, ULONGLONG *end)
{
    if (!vad)
        return STATUS_MEMORY_NOT_ALLOCATED;
    if (*end > mi_vad_end(vad) || vad->permanent)
        return STATUS_UNABLE_TO_FREE_VM;
    if (vad->type != MEM_PRIVATE)
        return type == MEM_RELEASE ? STATUS_UNABLE_TO_DELETE_SECTION
                                   : STATUS_UNABLE_TO_DECOMMIT_VM;
    if (*start == *end) {
        if (*start != mi_vad_start(vad))
            return STATUS_FREE_VM_NOT_AT_BASE;
        *end = mi_vad_end(vad);
    }
    return STATUS_SUCCESS;
}

/* A region's struct may vanish in the cut; what decommit needs of it stays. */
static NTSTATUS release(EPROCESS *process, struct mi_vad *vad,
                        ULONGLONG start, ULONGLONG end)
{
    const struct mi_vad copy = *vad;
    NTSTATUS status = mi_cut_vad(process, vad, start, end);

    if (NT_SUCCESS(status))
        mi_decommit(process, &copy, start, end);
    return status;
}

static NTSTATUS free_locked(EPROCESS *process, ULONG type, ULONGLONG *base,
                            SIZE_T *size)
{
    ULONGLONG start = ALIGN_DOWN(*base, PAGE_SIZE);
    ULONGLONG end = *size ? ALIGN_UP(*base + *size, PAGE_SIZE) : start;
    struct mi_vad *vad = mi_find_vad(process, start);
    NTSTATUS status = check_free(vad, type, &start, &end);

    if (!NT_SUCCESS(status))
        return status;
    if (type == MEM_RELEASE)
        status = release(process, vad, start, end);
    else
        mi_decommit(process, vad, start, end);
    *base = start;
    *size = end - start;
    return status;
}

static NTSTATUS free_region(EPROCESS *process, ULONG type, ULONGLONG *base,
                            SIZE_T *size)
{
    struct mi_visit visit;
    NTSTATUS status = mi_enter_space(process, &visit);

    if (!NT_SUCCESS(status))
        return status;
    status = free_locked(process, type, base, size);
    mi_leave_space(&visit);
    return status;
}

/*
 * STATUS_INVALID_PARAMETER_2 to _4, STATUS_MEMORY_NOT_ALLOCATED,
 * STATUS_UNABLE_TO_FREE_VM: the range leaves its region; STATUS_FREE_VM_NOT_
 * AT_BASE: size 0 needs the region's first page; STATUS_UNABLE_TO_DELETE_
 * SECTION, STATUS_UNABLE_TO_DECOMMIT_VM: a view; STATUS_INSUFFICIENT_RESOURCES:
 * no memory for the second half; STATUS_PROCESS_IS_TERMINATING.
 */
NTSTATUS NtFreeVirtualMemory(HANDLE ProcessHandle, void **BaseAddress,
                             SIZE_T *RegionSize, ULONG FreeType)
{
    ULONGLONG highest = mi_highest_user_address(PsGetCurrentProcess());
    EPROCESS *process;
    ULONGLONG base;
    SIZE_T size;
    NTSTATUS status;

    if (FreeType != MEM_DECOMMIT && FreeType != MEM_RELEASE)
        return STATUS_INVALID_PARAMETER_4;
    status = mi_capture_region(BaseAddress, RegionSize, &base, &size);
    if (!NT_SUCCESS(status))
        return status;
    if (base > highest)
        return STATUS_INVALID_PARAMETER_2;
    if (highest - base < size)
        return STATUS_INVALID_PARAMETER_3;
    status = mi_reference_process(ProcessHandle, PROCESS_VM_OPERATION,
                                  &process);
    if (!NT_SUCCESS(status))
        return status;
    status = free_region(process, FreeType, &base, &size);
    ObDereferenceObject(process);
    if (NT_SUCCESS(status))
        mi_return_region(BaseAddress, RegionSize, base, size);
    return status;
}

void mm_free_user(void *address)
{
    ULONGLONG base = (ULONG_PTR)address;
    SIZE_T size = 0;

    (void)free_region(PsGetCurrentProcess(), MEM_RELEASE, &base, &size);
}
