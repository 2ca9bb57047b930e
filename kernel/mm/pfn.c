/*
 * mm/pfn.c - physical pages: who is free.
 *
 * The page-frame database has one entry for each page up to the highest free
 * one.  Free pages form a list through it; the newest freed is the first
 * used.  A page is zeroed when it is handed out, through a window in
 * hyperspace: nobody ever sees what it held before.
 *
 * Who must not fail half-way has pages set aside first (a charge); nobody else
 * gets those meanwhile.
 *
 * The database itself and the tables that map it are made from the end of the
 * largest free range below 4 GiB, before the list exists.
 */
#include "mi.h"

#include <kd.h>

struct mi_pfn {
    ULONG next;         /* free: the next free page, 0 ends the list */
    UCHAR free;
    ULONG run;          /* in use: pages of the block that begins here */
};

#define PAGES_BELOW_4G (0x100000000ULL >> PAGE_SHIFT)

static struct mi_pfn *const database = (struct mi_pfn *)MI_PFN_DATABASE;
static PFN_NUMBER lowest_page, highest_page;
static ULONG_PTR total_pages;

/* Under pfn_lock, with the list's links; charged_pages <= free_pages. */
static KSPIN_LOCK pfn_lock;
static PFN_NUMBER first_free;
static ULONG_PTR free_pages, charged_pages;

/* Until the list exists: [early_next, early_end) is handed out downwards. */
static PFN_NUMBER early_next, early_end;
static BOOLEAN list_ready;

static PFN_NUMBER early_page(void)
{
    if (early_end == early_next)
        KeBugCheckEx(PHASE0_INITIALIZATION_FAILED, 1, 0, 0, 0);
    return --early_end;
}

static PFN_NUMBER take_free_page(BOOLEAN charged)
{
    KIRQL irql = KeAcquireSpinLock(&pfn_lock);
    PFN_NUMBER pfn = 0;

    if (charged || free_pages > charged_pages) {
        pfn = first_free;
        first_free = database[pfn].next;
        database[pfn] = (struct mi_pfn){ 0 };
        free_pages--;
        charged_pages -= charged;
    }
    KeReleaseSpinLock(&pfn_lock, irql);
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
    PFN_NUMBER pfn = list_ready ? take_free_page(FALSE) : early_page();

    if (pfn)
        zero_page(pfn);
    return pfn;
}

PFN_NUMBER mi_allocate_charged_page(void)
{
    PFN_NUMBER pfn = take_free_page(TRUE);

    zero_page(pfn);
    return pfn;
}

BOOLEAN mi_charge_pages(ULONG_PTR count)
{
    KIRQL irql = KeAcquireSpinLock(&pfn_lock);
    ULONG_PTR left = free_pages - charged_pages;
    BOOLEAN enough = left >= MI_KERNEL_PAGES &&
                     left - MI_KERNEL_PAGES >= count;

    if (enough)
        charged_pages += count;
    KeReleaseSpinLock(&pfn_lock, irql);
    return enough;
}

void mi_uncharge_pages(ULONG_PTR count)
{
    KIRQL irql = KeAcquireSpinLock(&pfn_lock);

    ASSERT(count <= charged_pages);
    charged_pages -= count;
    KeReleaseSpinLock(&pfn_lock, irql);
}

void mi_free_page(PFN_NUMBER pfn)
{
    KIRQL irql = KeAcquireSpinLock(&pfn_lock);

    if (pfn < lowest_page || pfn > highest_page || database[pfn].free)
        KeBugCheckEx(MEMORY_MANAGEMENT, 1, pfn, 0, 0);
    database[pfn] = (struct mi_pfn){ .next = (ULONG)first_free, .free = TRUE };
    first_free = pfn;
    free_pages++;
    KeReleaseSpinLock(&pfn_lock, irql);
}

void mi_set_run(PFN_NUMBER first, ULONG pages)
{
    database[first].run = pages;
}

ULONG mi_get_run(PFN_NUMBER first)
{
    return first <= highest_page ? database[first].run : 0;
}

/* The database must fit the early pages; memory beyond it stays unused. */
static void limit_database(void)
{
    PFN_NUMBER room = (early_end - early_next) * PAGE_SIZE /
                      (2 * sizeof(struct mi_pfn));

    if (highest_page >= room) {
        DbgPrint("PFN   pages above %llx do not fit the database\n",
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

static void map_database(void)
{
    SIZE_T bytes = (highest_page + 1) * sizeof *database;

    for (SIZE_T at = 0; at < bytes; at += PAGE_SIZE) {
        void *va = (UCHAR *)database + at;
        PFN_NUMBER pfn;

        if (!NT_SUCCESS(mi_make_tables(va)) || !(pfn = mi_allocate_page()))
            KeBugCheckEx(PHASE0_INITIALIZATION_FAILED, 2, at, 0, 0);
        MiGetPteAddress(va)->u.Long = pfn << PAGE_SHIFT | MI_PTE_VALID |
            MI_PTE_READ_WRITE | MI_PTE_GLOBAL | MI_PTE_NO_EXECUTE;
    }
}

void mi_initialize_pages(const LOADER_PARAMETER_BLOCK *block)
{
    PFN_NUMBER unused_end;

    map_database();
    unused_end = early_end;
    list_ready = TRUE;
    for (ULONG i = 0; i < block->memory_count; i++) {
        const struct loader_memory *range = &block->memory[i];
        PFN_NUMBER end = (range->base + range->size) >> PAGE_SHIFT;

        if (range->type != LOADER_MEMORY_FREE)
            continue;
        if (end > highest_page + 1)
            end = highest_page + 1;
        for (PFN_NUMBER pfn = range->base >> PAGE_SHIFT; pfn < end; pfn++) {
            if (pfn == unused_end)
                break;              /* the rest of this range: early pages */
            mi_free_page(pfn);
        }
    }
}

void mm_query_statistics(struct mm_statistics *statistics)
{
    KIRQL irql = KeAcquireSpinLock(&pfn_lock);

    *statistics = (struct mm_statistics){
        .total_pages = total_pages,
        .free_pages = free_pages,
        .lowest_page = lowest_page,
        .highest_page = highest_page,
    };
    KeReleaseSpinLock(&pfn_lock, irql);
}
