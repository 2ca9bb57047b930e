/*
 * mm/transfault.c - a private page left the working set and is still whole.
 *
 * It comes off the list that it waits on; nothing is read (NT: a soft fault).
 * Somebody may have got it just before we looked under the lock: then the
 * next fault reads it from the page file.
 */
#include "vad.h"

NTSTATUS mi_transition_fault(EPROCESS *process, ULONGLONG va,
                             enum mm_access access)
{
    KIRQL irql = KeAcquireSpinLock(&mi_pfn_lock);
    MMPTE pte = mi_read_pte(va);
    PFN_NUMBER pfn = pte.u.Trans.PageFrameNumber;
    BOOLEAN dirty = access == MM_ACCESS_WRITE;

    if (pte.u.Hard.Valid || !pte.u.Trans.Transition) {
        KeReleaseSpinLock(&mi_pfn_lock, irql);
        return STATUS_SUCCESS;
    }
    mi_unlink_page(pfn);
    mi_pfn_at(pfn)->ShareCount = 1;
    if (dirty)
        mi_note_write(pfn);
    mi_write_pte(process, va, mi_make_pte(pfn, mi_pte_mask(pte), dirty));
    KeGetCurrentPrcb()->MmTransitionCount++;
    KeReleaseSpinLock(&mi_pfn_lock, irql);
    return STATUS_SUCCESS;
}
