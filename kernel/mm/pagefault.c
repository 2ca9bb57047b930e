/*
 * mm/pagefault.c - a private page comes back from the page file.
 *
 * What is in the file stays there, and the page is clean: until it is written
 * it can go again without being copied.
 */
#include "vad.h"

NTSTATUS mi_page_file_fault(EPROCESS *process, ULONGLONG va,
                            enum mm_access access)
{
    MMPTE *pte = MiGetPteAddress((void *)va), original = *pte;
    BOOLEAN dirty = access == MM_ACCESS_WRITE;
    PFN_NUMBER pfn = mi_take_private_page(pte, original, FALSE);
    KIRQL irql;

    if (!pfn)
        return STATUS_RETRY;
    mi_read_page(pfn, mi_page_file_slot(original));
    KeGetCurrentPrcb()->MmPageReadCount++;
    KeGetCurrentPrcb()->MmPageReadIoCount++;
    irql = KeAcquireSpinLock(&mi_pfn_lock);
    mi_pfn_at(pfn)->Modified = FALSE;
    if (dirty)
        mi_note_write(pfn);
    mi_write_pte(process, va, mi_make_pte(pfn, mi_pte_mask(original), dirty));
    KeReleaseSpinLock(&mi_pfn_lock, irql);
    return STATUS_SUCCESS;
}
