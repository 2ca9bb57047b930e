/*
 * mm/lock.c - NtLockVirtualMemory and NtUnlockVirtualMemory.
 *
 * A locked page is in memory and in the working set of its process and stays
 * there: a bit of its entry says so (MI_PTE_LOCKED), and who trims leaves it
 * alone.  Locks do not add up, one unlock undoes any number of them.  They end
 * with the page, with the process, and when the page may not be touched any
 * more (change.c).
 *
 * A process can lock few pages, and with a page file all processes together
 * never those that ring 3 needs to turn over: a locked page is as good as one
 * of the kernel's (MmResidentAvailablePages).
 *
 * NT: a bit of the working set's entry; a process may lock its minimum working
 * set but for 8 pages, and who has the privilege for it, by MAP_SYSTEM, as much
 * as there is.
 */
#include "vad.h"

#include <nt/ntapi.h>

#define MOST_LOCKED 42                  /* NT: 50 pages are the least */

typedef NTSTATUS change_routine(EPROCESS *process, ULONGLONG start,
                                ULONGLONG end);

/* Pages that are not locked; above limit counting stops. */
static ULONG_PTR count_unlocked(ULONGLONG start, ULONGLONG end,
                                ULONG_PTR limit)
{
    ULONG_PTR count = 0;

    for (ULONGLONG va = start; va < end && count <= limit; va += PAGE_SIZE)
        count += !mi_is_locked(mi_read_pte(va));
    return count;
}

/* FALSE: so many cannot stay in memory.  Fewer always can. */
static BOOLEAN set_aside(EPROCESS *process, ULONGLONG pages)
{
    ULONGLONG before = process->Vm.resident;

    if (pages > before && !mi_set_aside_pages(pages - before))
        return FALSE;
    if (pages < before)
        mi_give_back_pages(before - pages);
    process->Vm.resident = pages;
    return TRUE;
}

void mi_end_locks(EPROCESS *process)
{
    ASSERT(process->Vm.locked == 0);
    (void)set_aside(process, 0);
}

/* A page in transition may be somebody else's at the first try. */
static NTSTATUS bring_in(EPROCESS *process, ULONGLONG va)
{
    NTSTATUS status;

    do
        status = mi_resolve_fault(process, va, MM_ACCESS_READ);
    while (NT_SUCCESS(status) && !mi_read_pte(va).u.Hard.Valid);
    return status;
}

/*
 * A place in the page file counts as room as long as its page could give up
 * its memory (pagefile.c), and a locked one cannot.
 */
static void leave_page_file(PFN_NUMBER pfn)
{
    KIRQL irql = KeAcquireSpinLock(&mi_pfn_lock);

    if (mi_page_file_slot(mi_pfn_at(pfn)->OriginalPte))
        mi_note_write(pfn);
    KeReleaseSpinLock(&mi_pfn_lock, irql);
}

static void set_lock(EPROCESS *process, ULONGLONG va, BOOLEAN locked)
{
    MMPTE pte = mi_read_pte(va);

    pte.u.Long &= ~MI_PTE_LOCKED;
    if (locked) {
        pte.u.Long |= MI_PTE_LOCKED;
        leave_page_file(mi_pte_page(pte));
    }
    mi_write_pte(process, va, pte);
}

/* Pages whose locks have ended by themselves are still set aside till now. */
static NTSTATUS lock_pages(EPROCESS *process, ULONGLONG start, ULONGLONG end)
{
    ULONG_PTR limit = MOST_LOCKED - process->Vm.locked;
    ULONG_PTR missing = count_unlocked(start, end, limit);
    NTSTATUS status = STATUS_SUCCESS;

    if (missing > limit)
        return STATUS_WORKING_SET_QUOTA;
    if (!set_aside(process, process->Vm.locked + missing))
        return STATUS_INSUFFICIENT_RESOURCES;
    for (ULONGLONG va = start; va < end && NT_SUCCESS(status);
         va += PAGE_SIZE)
        status = bring_in(process, va);
    if (!NT_SUCCESS(status))
        return status;
    for (ULONGLONG va = start; va < end; va += PAGE_SIZE)
        set_lock(process, va, TRUE);
    return missing < (end - start) >> PAGE_SHIFT ? STATUS_WAS_LOCKED
                                                 : STATUS_SUCCESS;
}

/* All of them, or those that are not locked leave the working set. */
static NTSTATUS unlock_pages(EPROCESS *process, ULONGLONG start,
                             ULONGLONG end)
{
    if (count_unlocked(start, end, 0)) {
        mi_empty_range(process, start, end);
        return STATUS_NOT_LOCKED;
    }
    for (ULONGLONG va = start; va < end; va += PAGE_SIZE)
        set_lock(process, va, FALSE);
    (void)set_aside(process, process->Vm.locked);
    return STATUS_SUCCESS;
}

static NTSTATUS visit(EPROCESS *process, ULONGLONG start, ULONGLONG end,
                      change_routine *change)
{
    struct mi_visit space;
    NTSTATUS status = mi_enter_space(process, &space);

    if (!NT_SUCCESS(status))
        return status;
    status = change(process, start, end);
    mi_leave_space(&space);
    return status;
}

/* Without the lock it waits for pages if there are none. */
static NTSTATUS visit_process(HANDLE handle, ULONGLONG start, ULONGLONG end,
                              change_routine *change)
{
    EPROCESS *process;
    NTSTATUS status = mi_reference_process(handle, PROCESS_VM_OPERATION,
                                           &process);

    if (!NT_SUCCESS(status))
        return status;
    while ((status = visit(process, start, end, change)) == STATUS_RETRY)
        mi_wait_for_pages();
    ObDereferenceObject(process);
    return status;
}

static NTSTATUS check_type(ULONG type)
{
    if (type == 0 || (type & ~(MAP_PROCESS | MAP_SYSTEM)))
        return STATUS_INVALID_PARAMETER;
    return type & MAP_SYSTEM ? STATUS_PRIVILEGE_NOT_HELD : STATUS_SUCCESS;
}

static NTSTATUS change_locks(HANDLE handle, void **user_base,
                             SIZE_T *user_size, ULONG type,
                             change_routine *change)
{
    ULONGLONG start, end;
    NTSTATUS status = check_type(type);

    if (NT_SUCCESS(status))
        status = mi_capture_pages(user_base, user_size, &start, &end);
    if (NT_SUCCESS(status))
        status = visit_process(handle, start, end, change);
    if (NT_SUCCESS(status))
        mi_return_region(user_base, user_size, start, end - start);
    return status;
}

/*
 * STATUS_WAS_LOCKED (a success): some were; STATUS_INVALID_PARAMETER: MapType;
 * STATUS_INVALID_PARAMETER_2 and _3, STATUS_PRIVILEGE_NOT_HELD: MAP_SYSTEM;
 * STATUS_WORKING_SET_QUOTA: too many; STATUS_INSUFFICIENT_RESOURCES: too many
 * of all processes; STATUS_ACCESS_VIOLATION, STATUS_GUARD_PAGE_VIOLATION: a
 * page cannot be touched; STATUS_PROCESS_IS_TERMINATING.
 */
NTSTATUS NtLockVirtualMemory(HANDLE ProcessHandle, void **BaseAddress,
                             SIZE_T *RegionSize, ULONG MapType)
{
    return change_locks(ProcessHandle, BaseAddress, RegionSize, MapType,
                        lock_pages);
}

/* Likewise; STATUS_NOT_LOCKED: one is not. */
NTSTATUS NtUnlockVirtualMemory(HANDLE ProcessHandle, void **BaseAddress,
                               SIZE_T *RegionSize, ULONG MapType)
{
    return change_locks(ProcessHandle, BaseAddress, RegionSize, MapType,
                        unlock_pages);
}
