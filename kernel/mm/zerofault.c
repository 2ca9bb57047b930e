/*
 * mm/zerofault.c - the first touch of a private page: zeroes.
 *
 * The page has been promised.  A read gets an entry that is clean, so that
 * the first write will fault once more; a write gets a dirty one at once.
 */
#include "vad.h"

NTSTATUS mi_demand_zero_fault(EPROCESS *process, ULONGLONG va,
                              enum mm_access access)
{
    MMPTE *pte = MiGetPteAddress((void *)va);
    PFN_NUMBER pfn = mi_take_private_page(pte, *pte, TRUE);

    if (!pfn)
        return STATUS_RETRY;
    process->NumberOfPrivatePages++;
    KeGetCurrentPrcb()->MmDemandZeroCount++;
    mi_write_pte(process, va, mi_make_pte(pfn, mi_pte_mask(*pte),
                                          access == MM_ACCESS_WRITE));
    return STATUS_SUCCESS;
}
