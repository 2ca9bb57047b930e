/*
 * mm/fault.c - what a page fault means.
 *
 * The entry of the page tells all: whether the access is allowed, and if it
 * is, why the processor did not do it.  Regions are not looked at.
 *
 *     valid, and to be written    its first write (here), or a copy (cow.c)
 *     never touched               a page of zeroes (zerofault.c)
 *     a section's                 the section's page (protofault.c)
 *     in transition               the page is still there (transfault.c)
 *     in the page file            it is read (pagefault.c)
 *
 * A guard page becomes an ordinary page by its first access, which is
 * reported; the second one is a fault like any other.
 *
 * A guard page of the thread's own stack is reported only to userstack.c.
 *
 * Between the access and the look at its page another thread may have made
 * the page what it should be: then nothing is wrong, and the access is done
 * again.  Of two threads that touch a guard page one hears of it.
 *
 * Where there is no page to be had just now, the fault waits for one without
 * the lock, and the access is done again, too.
 */
#include "vad.h"

/* NT: the same bits, by MI_SET_PTE_DIRTY. */
static void write_first(ULONGLONG va)
{
    MMPTE *pte = MiGetPteAddress((void *)va);
    KIRQL irql = KeAcquireSpinLock(&mi_pfn_lock);

    pte->u.Long |= MI_PTE_DIRTY1 | MI_PTE_DIRTY | MI_PTE_ACCESSED;
    mi_note_write(mi_pte_page(*pte));
    mi_flush_page((void *)va);
    KeReleaseSpinLock(&mi_pfn_lock, irql);
}

static NTSTATUS valid_fault(EPROCESS *process, ULONGLONG va, MMPTE pte,
                            enum mm_access access)
{
    if (access == MM_ACCESS_WRITE && pte.u.Hard.CopyOnWrite)
        return mi_copy_on_write(process, va);
    if (access == MM_ACCESS_WRITE && !pte.u.Hard.Dirty1)
        write_first(va);
    else
        mi_flush_page((void *)va);
    return STATUS_SUCCESS;
}

static NTSTATUS invalid_fault(EPROCESS *process, ULONGLONG va, MMPTE pte,
                              enum mm_access access)
{
    if (pte.u.Proto.Prototype)
        return mi_prototype_fault(process, va, access);
    if (pte.u.Soft.Transition)
        return mi_transition_fault(process, va, access);
    if (mi_page_file_slot(pte))
        return mi_page_file_fault(process, va, access);
    return mi_demand_zero_fault(process, va, access);
}

NTSTATUS mi_resolve_fault(EPROCESS *process, ULONGLONG va,
                          enum mm_access access)
{
    ULONG mask = mi_committed_mask(va);
    MMPTE pte = mi_read_pte(va);

    if (mask == 0)
        return STATUS_ACCESS_VIOLATION;
    if (mask != MM_NOACCESS && !mi_is_accessible(mask)) {
        mi_change_private(process, va, mask & MM_BASE_MASK);
        return STATUS_GUARD_PAGE_VIOLATION;
    }
    if (!mi_allows(mask, access))
        return STATUS_ACCESS_VIOLATION;
    return pte.u.Hard.Valid ? valid_fault(process, va, pte, access)
                            : invalid_fault(process, va, pte, access);
}

NTSTATUS mm_access_fault(ULONGLONG address, enum mm_access access)
{
    EPROCESS *process = PsGetCurrentProcess();
    NTSTATUS status;

    if (address > MM_HIGHEST_USER_ADDRESS)
        return STATUS_ACCESS_VIOLATION;
    KeGetCurrentPrcb()->MmPageFaultCount++;
    mi_lock_current_space();
    process->Vm.PageFaultCount++;
    status = mi_resolve_fault(process, ALIGN_DOWN(address, PAGE_SIZE), access);
    mi_unlock_current_space();
    if (status == STATUS_RETRY) {
        mi_wait_for_pages();
        return STATUS_SUCCESS;
    }
    return status == STATUS_GUARD_PAGE_VIOLATION
               ? mi_grow_user_stack(address) : status;
}
