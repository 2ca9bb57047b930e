/*
 * mm/charge.c - promises: memory that is committed and not there yet.
 *
 * Who commits a page is promised one, and touches it when he likes, or never.
 * A promise is only given if it can be kept: pages that are free, and places
 * in the page file where others could go, less what is promised already, and
 * less 2 MiB that ring 3 does not get.  So a commit is refused
 * (STATUS_COMMITMENT_LIMIT), and a fault on committed memory is not
 * (docs/adr/0029-promises.md).
 *
 * Giving a promise and taking it back does not depend on whose it is; that is
 * EPROCESS.CommitCharge, or a section's own affair.
 */
#include "pfn.h"

/* Under mi_pfn_lock. */
static ULONG_PTR promised;

ULONG_PTR mi_unpromised_pages(void)
{
    return MmFreePageListHead.Total + mi_page_file_room() - promised;
}

void mi_keep_promise(void)
{
    ASSERT(promised > 0);
    promised--;
}

void mi_renew_promise(void)
{
    promised++;
}

BOOLEAN mi_charge_pages(ULONG_PTR count)
{
    KIRQL irql = KeAcquireSpinLock(&mi_pfn_lock);
    ULONG_PTR left = mi_unpromised_pages();
    BOOLEAN enough = count == 0 || (left >= MI_KERNEL_PAGES &&
                                    left - MI_KERNEL_PAGES >= count);

    if (enough)
        promised += count;
    KeReleaseSpinLock(&mi_pfn_lock, irql);
    return enough;
}

void mi_uncharge_pages(ULONG_PTR count)
{
    KIRQL irql = KeAcquireSpinLock(&mi_pfn_lock);

    ASSERT(count <= promised);
    promised -= count;
    KeReleaseSpinLock(&mi_pfn_lock, irql);
}

ULONG_PTR mi_available_pages(void)
{
    KIRQL irql = KeAcquireSpinLock(&mi_pfn_lock);
    ULONG_PTR left = mi_unpromised_pages();

    KeReleaseSpinLock(&mi_pfn_lock, irql);
    return left > MI_KERNEL_PAGES ? left - MI_KERNEL_PAGES : 0;
}
