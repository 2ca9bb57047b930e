/*
 * mm/pfn.c - physical pages: who is free.
 *
 * A page is zeroed when it is handed out, through a window in hyperspace:
 * nobody ever sees what it held before.  Only who fills all of it at once
 * gets it as it is.
 *
 * The kernel takes what nobody is promised, ring 3 what it has been promised
 * (charge.c).
 *
 * The database itself and the tables that map it are made from the end of the
 * largest free range below 4 GiB, before the list exists.
 */
#include "pfn.h"

#include <bug.h>
#include <kd.h>

#define PAGES_BELOW_4G (0x100000000ULL >> PAGE_SHIFT)

static PFN_NUMBER lowest_page SEALED, highest_page SEALED;
static ULONG_PTR total_pages SEALED;

/* Those that are not the kernel's, which never go; under mi_pfn_lock. */
static ULONG_PTR MmResidentAvailablePages;

KSPIN_LOCK mi_pfn_lock;

/* Until the list exists: [early_next, early_end) is handed out downwards. */
static PFN_NUMBER early_next, early_end;
static BOOLEAN list_ready;

static PFN_NUMBER early_page(void)
{
    if (early_end == early_next)
        KeBugCheckEx(PHASE0_INITIALIZATION_FAILED, 1, 0, 0, 0);
    return --early_end;
}

/* Under mi_pfn_lock.  reserve: free pages that must stay.  0: none. */
static PFN_NUMBER take_free_page(ULONG reserve)
{
    PFN_NUMBER pfn = MmFreePageListHead.Flink;

    if (MmFreePageListHead.Total <= reserve)
        return mi_reuse_standby_page();
    mi_unlink_page(pfn);
    return pfn;
}

/*
 * A page of the kernel's stays where it is.  So with a page file ring 3 keeps
 * enough to turn over, and one free page more than its faults leave alone,
 * which the first page needs that comes back while everything is full.
 */
static BOOLEAN may_be_kernel(void)
{
    if (!mi_has_page_file())
        return mi_unpromised_pages() > 0;
    return mi_unpromised_pages() > MI_FAULT_RESERVE + 1 &&
           MmResidentAvailablePages > MI_TURNOVER_PAGES;
}

static PFN_NUMBER take_unpromised_page(void)
{
    KIRQL irql = KeAcquireSpinLock(&mi_pfn_lock);
    PFN_NUMBER pfn = may_be_kernel() ? take_free_page(0) : 0;

    if (pfn)
        MmResidentAvailablePages--;
    KeReleaseSpinLock(&mi_pfn_lock, irql);
    mi_note_allocation();
    return pfn;
}

/* new: whose it is.  What comes from the page file is promised no more. */
static PFN_NUMBER take_promised_page(const struct mi_pfn *new)
{
    KIRQL irql = KeAcquireSpinLock(&mi_pfn_lock);
    PFN_NUMBER pfn = take_free_page(mi_has_page_file() ? MI_FAULT_RESERVE
                                                       : 0);

    if (pfn) {
        *mi_pfn_at(pfn) = *new;
        if (mi_page_file_slot(new->OriginalPte))
            mi_page_came_back();
        else
            mi_keep_promise();
    }
    KeReleaseSpinLock(&mi_pfn_lock, irql);
    return pfn;
}

static void zero_page(PFN_NUMBER pfn)
{
    KIRQL irql;

    memset(mi_map_temporary(pfn, &irql), 0, PAGE_SIZE);
    mi_unmap_temporary(irql);
}

PFN_NUMBER mi_allocate_page(void)
{
    PFN_NUMBER pfn = list_ready ? take_unpromised_page() : early_page();

    if (pfn)
        zero_page(pfn);
    return pfn;
}

PFN_NUMBER mi_take_private_page(MMPTE *pte, MMPTE original, BOOLEAN zero)
{
    PFN_NUMBER pfn = take_promised_page(&(struct mi_pfn){
        .PteAddress = pte,
        .OriginalPte = original,
        .PteFrame = (ULONG)MiGetPteAddress(pte)->u.Hard.PageFrameNumber,
        .ShareCount = 1,
        .PageLocation = ActiveAndValid,
        .Modified = TRUE,
    });

    if (pfn && zero && !BUG(user_pages_not_zeroed))
        zero_page(pfn);
    return pfn;
}

PFN_NUMBER mi_take_shared_page(MMPTE *prototype)
{
    PFN_NUMBER pfn = take_promised_page(&(struct mi_pfn){
        .PteAddress = prototype,
        .OriginalPte = *prototype,
        .PageLocation = ActiveAndValid,
        .PrototypePte = TRUE,
    });

    if (pfn)
        zero_page(pfn);
    return pfn;
}

void mi_free_page(PFN_NUMBER pfn)
{
    KIRQL irql = KeAcquireSpinLock(&mi_pfn_lock);
    ULONG slot;

    if (pfn < lowest_page || pfn > highest_page ||
        mi_pfn_at(pfn)->PageLocation == FreePageList)
        KeBugCheckEx(MEMORY_MANAGEMENT, 1, pfn, 0, 0);
    slot = mi_page_file_slot(mi_pfn_at(pfn)->OriginalPte);
    if (slot)
        mi_free_slot(slot);
    if (!mi_pfn_at(pfn)->PteAddress)
        MmResidentAvailablePages++;
    *mi_pfn_at(pfn) = (struct mi_pfn){ 0 };
    mi_insert_page_first(&MmFreePageListHead, pfn);
    KeReleaseSpinLock(&mi_pfn_lock, irql);
}

BOOLEAN mi_set_aside_pages(ULONG_PTR count)
{
    KIRQL irql = KeAcquireSpinLock(&mi_pfn_lock);
    BOOLEAN enough = !mi_has_page_file() ||
                     MmResidentAvailablePages >= MI_TURNOVER_PAGES + count;

    if (enough && mi_has_page_file())
        MmResidentAvailablePages -= count;
    KeReleaseSpinLock(&mi_pfn_lock, irql);
    return enough;
}

void mi_give_back_pages(ULONG_PTR count)
{
    KIRQL irql = KeAcquireSpinLock(&mi_pfn_lock);

    if (mi_has_page_file())
        MmResidentAvailablePages += count;
    KeReleaseSpinLock(&mi_pfn_lock, irql);
}

void mi_set_run(PFN_NUMBER first, ULONG pages)
{
    mi_pfn_at(first)->run = pages;
}

ULONG mi_get_run(PFN_NUMBER first)
{
    return first <= highest_page ? mi_pfn_at(first)->run : 0;
}

/* The database must fit the early pages; memory beyond it stays unused. */
static void limit_database(void)
{
    PFN_NUMBER room = (early_end - early_next) * PAGE_SIZE /
                      (2 * sizeof(struct mi_pfn));

    if (highest_page >= room) {
        DbgPrintEx(DPFLTR_MM_ID, DPFLTR_WARNING_LEVEL,
                   "PFN   pages above %llx do not fit the database\n",
                   (ULONGLONG)room);
        highest_page = room - 1;
    }
}

/* The largest free range that the loader's identity map reaches. */
void mi_choose_early_pages(const LOADER_PARAMETER_BLOCK *block)
{
    for (ULONG i = 0; i < block->memory_count; i++) {
        const struct loader_memory *range = &block->memory[i];
        PFN_NUMBER start = range->base >> PAGE_SHIFT;
        PFN_NUMBER end = (range->base + range->size) >> PAGE_SHIFT;

        if (range->type != LOADER_MEMORY_FREE)
            continue;
        total_pages += end - start;
        if (!lowest_page || start < lowest_page)
            lowest_page = start;
        if (end - 1 > highest_page)
            highest_page = end - 1;
        if (end <= PAGES_BELOW_4G && end - start > early_end - early_next) {
            early_next = start;
            early_end = end;
        }
    }
    limit_database();
}

/* Physical address for the tables that come before hyperspace. */
ULONGLONG mi_early_physical(void)
{
    return early_page() << PAGE_SHIFT;
}

void mi_set_disk_aside(void)
{
    total_pages -= mi_create_page_file();
}

static void map_database(void)
{
    SIZE_T bytes = (highest_page + 1) * sizeof(struct mi_pfn);

    for (SIZE_T at = 0; at < bytes; at += PAGE_SIZE) {
        void *va = (UCHAR *)MI_PFN_DATABASE + at;
        PFN_NUMBER pfn;

        if (!NT_SUCCESS(mi_make_tables(va)) || !(pfn = mi_allocate_page()))
            KeBugCheckEx(PHASE0_INITIALIZATION_FAILED, 2, at, 0, 0);
        MiGetPteAddress(va)->u.Long = pfn << PAGE_SHIFT | MI_PTE_VALID |
            MI_PTE_READ_WRITE | MI_PTE_GLOBAL | MI_PTE_NO_EXECUTE;
    }
}

static void add_free_pages(PFN_NUMBER first, PFN_NUMBER end)
{
    KIRQL irql = KeAcquireSpinLock(&mi_pfn_lock);

    mi_insert_new_pages(&MmFreePageListHead, first, end);
    MmResidentAvailablePages += end - first;
    KeReleaseSpinLock(&mi_pfn_lock, irql);
}

void mi_initialize_pages(const LOADER_PARAMETER_BLOCK *block)
{
    PFN_NUMBER unused_end;

    map_database();
    unused_end = early_end;
    list_ready = TRUE;
    for (ULONG i = 0; i < block->memory_count; i++) {
        const struct loader_memory *range = &block->memory[i];
        PFN_NUMBER start = range->base >> PAGE_SHIFT;
        PFN_NUMBER end = (range->base + range->size) >> PAGE_SHIFT;

        if (range->type != LOADER_MEMORY_FREE || start > highest_page)
            continue;
        if (end > highest_page + 1)
            end = highest_page + 1;
        if (start <= unused_end && unused_end < end)
            end = unused_end;       /* the rest of this range: early pages */
        add_free_pages(start, end);
    }
}

void mm_query_statistics(struct mm_statistics *statistics)
{
    KIRQL irql = KeAcquireSpinLock(&mi_pfn_lock);

    *statistics = (struct mm_statistics){
        .total_pages = total_pages,
        .free_pages = mi_unpromised_pages(),
        .resident_available = MmResidentAvailablePages,
        .lowest_page = lowest_page,
        .highest_page = highest_page,
        .commit_limit = total_pages + mi_page_file_size(),
    };
    KeReleaseSpinLock(&mi_pfn_lock, irql);
}
