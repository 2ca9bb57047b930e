/*
 * mm/protect.c - NtProtectVirtualMemory.
 *
 * The range lies in one region and all of it is committed, or nothing is
 * changed.  The protection that is returned is the first page's.
 *
 * In an image PAGE_READWRITE means PAGE_WRITECOPY for a page that is still the
 * section's, and what has been copied is PAGE_READWRITE under either name; to
 * let more pages be copied is to be charged for them.  A view of a data
 * section cannot get more than the section allows.
 */
#include "vad.h"

#include <nt/ntapi.h>

/* Can pages of this region have mask? */
static NTSTATUS check_region(const struct mi_vad *vad, ULONG mask)
{
    if (vad->permanent)
        return STATUS_INVALID_PAGE_PROTECTION;
    if (vad->type == MEM_PRIVATE)
        return mi_is_copy(mask) ? STATUS_INVALID_PAGE_PROTECTION
                              : STATUS_SUCCESS;
    if (vad->type == MEM_MAPPED)
        return mi_check_view_mask(MiMakeProtectionMask(vad->protect), mask);
    return STATUS_SUCCESS;
}

static NTSTATUS protect_locked(EPROCESS *process, ULONGLONG start,
                               ULONGLONG end, ULONG mask, ULONG *old)
{
    struct mi_vad *vad = mi_find_vad(process, start);
    NTSTATUS status;

    if (!vad || end > mi_vad_end(vad))
        return STATUS_CONFLICTING_ADDRESSES;
    status = check_region(vad, mask);
    if (!NT_SUCCESS(status))
        return status;
    if (!mi_is_committed(start, end))
        return STATUS_NOT_COMMITTED;
    *old = mi_protect_constant(mi_committed_mask(start));
    return mi_protect(process, vad, start, end, mask);
}

static NTSTATUS protect(EPROCESS *process, ULONGLONG start, ULONGLONG end,
                        ULONG mask, ULONG *old)
{
    struct mi_visit visit;
    NTSTATUS status = mi_enter_space(process, &visit);

    if (!NT_SUCCESS(status))
        return status;
    status = protect_locked(process, start, end, mask, old);
    mi_leave_space(&visit);
    return status;
}

static NTSTATUS check_mask(ULONG mask)
{
    if (mask == MM_INVALID_PROTECTION)
        return STATUS_INVALID_PAGE_PROTECTION;
    return mi_is_write_execute(mask) ? STATUS_DYNAMIC_CODE_BLOCKED
                                     : STATUS_SUCCESS;
}

/*
 * STATUS_INVALID_PAGE_PROTECTION, STATUS_DYNAMIC_CODE_BLOCKED,
 * STATUS_INVALID_PARAMETER_2 and _3, STATUS_CONFLICTING_ADDRESSES: not one
 * region; STATUS_NOT_COMMITTED; STATUS_SECTION_PROTECTION;
 * STATUS_COMMITMENT_LIMIT; STATUS_PROCESS_IS_TERMINATING; and a success,
 * STATUS_WAS_UNLOCKED.
 */
NTSTATUS NtProtectVirtualMemory(HANDLE ProcessHandle, void **BaseAddress,
                                SIZE_T *RegionSize, ULONG NewProtect,
                                ULONG *OldProtect)
{
    ULONG mask = MiMakeProtectionMask(NewProtect);
    EPROCESS *process;
    ULONGLONG start, end;
    ULONG old;
    NTSTATUS status = check_mask(mask);

    if (NT_SUCCESS(status))
        status = mm_probe_for_write(OldProtect, sizeof *OldProtect, 1);
    if (NT_SUCCESS(status))
        status = mi_capture_pages(BaseAddress, RegionSize, &start, &end);
    if (NT_SUCCESS(status))
        status = mi_reference_process(ProcessHandle, PROCESS_VM_OPERATION,
                                      &process);
    if (!NT_SUCCESS(status))
        return status;
    status = protect(process, start, end, mask, &old);
    ObDereferenceObject(process);
    if (NT_SUCCESS(status)) {
        mi_return_region(BaseAddress, RegionSize, start, end - start);
        (void)mm_copy_to_user(OldProtect, &old, sizeof old);
    }
    return status;
}
