/*
 * mm/standby.c - a page that nobody uses gets another use.
 *
 * It is whole, and a copy is in the page file or in a file; whose it is still
 * points to it.  So that entry is rewritten first: it says where the copy is.
 * A private page's entry lies in a page table of a process that may not be
 * the current one, hence the window.
 */
#include "pfn.h"

static void rewrite(struct mi_pfn *page, MMPTE *entry)
{
    MMPTE new = page->OriginalPte;

    new.u.Soft.Protection = entry->u.Trans.Protection;
    *entry = new;
}

static void rewrite_private(struct mi_pfn *page)
{
    KIRQL irql;
    UCHAR *table = mi_map_temporary(page->PteFrame, &irql);

    rewrite(page, (MMPTE *)(table + ((ULONG_PTR)page->PteAddress &
                                     (PAGE_SIZE - 1))));
    mi_unmap_temporary(irql);
}

PFN_NUMBER mi_reuse_standby_page(void)
{
    PFN_NUMBER pfn = MmStandbyPageListHead.Flink;
    struct mi_pfn *page = mi_pfn_at(pfn);

    if (!pfn)
        return 0;
    mi_unlink_page(pfn);
    if (page->PrototypePte)
        rewrite(page, page->PteAddress);
    else
        rewrite_private(page);
    if (mi_page_file_slot(page->OriginalPte))
        mi_page_left();
    else
        mi_renew_promise();
    *page = (struct mi_pfn){ .PageLocation = ActiveAndValid };
    return pfn;
}

static BOOLEAN free_standby_page(void)
{
    KIRQL irql = KeAcquireSpinLock(&mi_pfn_lock);
    PFN_NUMBER pfn = mi_reuse_standby_page();

    if (pfn) {
        *mi_pfn_at(pfn) = (struct mi_pfn){ 0 };
        mi_insert_page_first(&MmFreePageListHead, pfn);
    }
    KeReleaseSpinLock(&mi_pfn_lock, irql);
    return pfn != 0;
}

void mm_purge_standby_list(void)
{
    while (free_standby_page())
        continue;
}
