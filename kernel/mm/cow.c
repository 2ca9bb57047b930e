/*
 * mm/cow.c - the first write to a page that is copied when it is written.
 *
 * The section keeps its page; the process gets one of its own with the same
 * bytes, which it was charged for when the page was mapped.
 */
#include "vad.h"

NTSTATUS mi_copy_on_write(EPROCESS *process, ULONGLONG va)
{
    MMPTE *pte = MiGetPteAddress((void *)va), copy;
    PFN_NUMBER old = mi_pte_page(*pte), new;
    ULONG mask = (mi_pte_mask(*pte) & ~MM_BASE_MASK) | MM_READWRITE;

    new = mi_take_private_page(pte, mi_make_software_pte(mask), FALSE);
    if (!new)
        return STATUS_RETRY;
    mi_copy_page(new, old);
    process->NumberOfPrivatePages++;
    KeGetCurrentPrcb()->MmCopyOnWriteCount++;
    copy = mi_make_pte(new, mask, TRUE);
    copy.u.Long |= pte->u.Long & MI_PTE_LOCKED;
    mi_write_pte(process, va, copy);
    mi_unshare_page(old);
    return STATUS_SUCCESS;
}
