/*
 * mm/system.c - addresses of system space, and memory behind them.
 *
 * One bit for each page of addresses in the system PTE region.  Kernel
 * stacks, pool pages, device memory and buffers all come from here; NT has a
 * region for each of them.
 *
 * Bits and the tables of this region are under system_lock; entries belong to
 * whoever has reserved their addresses.  Tables, once made, stay.
 *
 * Other processors may remember what was behind an address that was given
 * back.  Nobody uses it any more, so that does no harm, until it is somebody's
 * again.  Therefore it is stale first: when there are many of those, all
 * processors forget everything once, and all of them are free.
 */
#include "mi.h"

#include <bug.h>

#define SYSTEM_PAGES 0x20000U               /* 512 MiB of addresses */
#define BITS 64
#define MOST_STALE 4096                     /* pages of addresses */

static KSPIN_LOCK system_lock;
static ULONGLONG bitmap[SYSTEM_PAGES / BITS], stale[SYSTEM_PAGES / BITS];
static ULONG lowest_free;                   /* nothing below is free */
static ULONG stale_count;

static void mark(ULONGLONG *bits, ULONG first, ULONG count)
{
    for (ULONG page = first; page < first + count; page++)
        bits[page / BITS] |= 1ULL << page % BITS;
}

static void unmark(ULONG first, ULONG count)
{
    for (ULONG page = first; page < first + count; page++)
        bitmap[page / BITS] &= ~(1ULL << page % BITS);
    if (first < lowest_free)
        lowest_free = first;
}

static void free_stale(void)
{
    mi_flush_all();
    for (ULONG i = 0; i < ARRAY_SIZE(bitmap); i++) {
        bitmap[i] &= ~stale[i];
        stale[i] = 0;
    }
    lowest_free = stale_count = 0;
}

/* The first page in [page, end) that is used or is not; end if none is. */
static ULONG next_page(ULONG page, ULONG end, BOOLEAN used)
{
    while (page < end) {
        ULONGLONG word = bitmap[page / BITS];
        ULONGLONG wanted = (used ? word : ~word) >> page % BITS;

        if (wanted) {
            page += (ULONG)__builtin_ctzll(wanted);
            return page < end ? page : end;
        }
        page = ALIGN_DOWN(page, BITS) + BITS;
    }
    return end;
}

/* First fit; SYSTEM_PAGES when there is none. */
static ULONG find_gap(ULONG count)
{
    ULONG page = next_page(lowest_free, SYSTEM_PAGES, FALSE);

    lowest_free = page;
    while (page < SYSTEM_PAGES && count <= SYSTEM_PAGES - page) {
        ULONG end = next_page(page, page + count, TRUE);

        if (end == page + count)
            return page;
        page = next_page(end, SYSTEM_PAGES, FALSE);
    }
    return SYSTEM_PAGES;
}

static void *page_address(ULONG page)
{
    return (UCHAR *)MI_SYSTEM_PTE_START + (SIZE_T)page * PAGE_SIZE;
}

static BOOLEAN make_tables(ULONG page, ULONG count)
{
    for (ULONG i = 0; i < count; i++) {
        if (!NT_SUCCESS(mi_make_tables(page_address(page + i))))
            return FALSE;
    }
    return TRUE;
}

void *mi_reserve_system(ULONG count)
{
    KIRQL irql = KeAcquireSpinLock(&system_lock);
    ULONG page = find_gap(count);
    BOOLEAN found;

    if (page == SYSTEM_PAGES && stale_count) {
        free_stale();
        page = find_gap(count);
    }
    found = page < SYSTEM_PAGES && make_tables(page, count);
    if (found)
        mark(bitmap, page, count);
    KeReleaseSpinLock(&system_lock, irql);
    return found ? page_address(page) : NULL;
}

void mi_release_system(void *address, ULONG count)
{
    ULONG page = (ULONG)(((UCHAR *)address - (UCHAR *)MI_SYSTEM_PTE_START) >>
                         PAGE_SHIFT);
    KIRQL irql = KeAcquireSpinLock(&system_lock);

    if (KeNumberProcessors == 1) {
        unmark(page, count);
    } else {
        mark(stale, page, count);
        stale_count += count;
        if (stale_count >= MOST_STALE)
            free_stale();
    }
    KeReleaseSpinLock(&system_lock, irql);
}

void mi_unback_system(void *address, ULONG count)
{
    for (ULONG i = 0; i < count; i++) {
        UCHAR *va = (UCHAR *)address + (SIZE_T)i * PAGE_SIZE;
        MMPTE *pte = MiGetPteAddress(va);
        PFN_NUMBER pfn = pte->u.Hard.PageFrameNumber;

        pte->u.Long = 0;
        mi_flush_page_here(va);
        mi_free_page(pfn);
    }
}

NTSTATUS mi_back_system(void *address, ULONG count)
{
    for (ULONG i = 0; i < count; i++) {
        PFN_NUMBER pfn = mi_allocate_page();

        if (!pfn) {
            mi_unback_system(address, i);
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        MiGetPteAddress((UCHAR *)address + (SIZE_T)i * PAGE_SIZE)->u.Long =
            pfn << PAGE_SHIFT | MI_PTE_VALID | MI_PTE_READ_WRITE |
            MI_PTE_ACCESSED | MI_PTE_GLOBAL | MI_PTE_NO_EXECUTE;
    }
    return STATUS_SUCCESS;
}

/* Pages of addresses behind each, in a checked build. */
#define GUARD_PAGES (DBG ? 1 : 0)

void *mi_allocate_system(ULONG count)
{
    void *address = mi_reserve_system(count + GUARD_PAGES);

    if (!address)
        return NULL;
    if (!NT_SUCCESS(mi_back_system(address, count))) {
        mi_release_system(address, count + GUARD_PAGES);
        return NULL;
    }
    mi_set_run(MiGetPteAddress(address)->u.Hard.PageFrameNumber, count);
    return address;
}

void mi_free_system(void *address)
{
    PFN_NUMBER first = MiGetPteAddress(address)->u.Hard.PageFrameNumber;
    ULONG count = mi_get_run(first);

    if (count == 0)
        KeBugCheckEx(BAD_POOL_CALLER, 7, (ULONG_PTR)address, 0, 0);
    mi_unback_system(address, count);
    mi_release_system(address, count + GUARD_PAGES);
}

void *MmMapIoSpace(ULONGLONG physical, SIZE_T size, MEMORY_CACHING_TYPE type)
{
    static const ULONGLONG bits[] = {
        [MmNonCached] = MI_PTE_CACHE_DISABLE,
        [MmCached] = 0,
        [MmWriteCombined] = MI_PTE_WRITE_THROUGH,
    };
    ULONGLONG first = ALIGN_DOWN(physical, PAGE_SIZE);
    ULONG count = (ULONG)((ALIGN_UP(physical + size, PAGE_SIZE) - first) >>
                          PAGE_SHIFT);
    UCHAR *address = mi_reserve_system(count);

    if (!address)
        return NULL;
    for (ULONG i = 0; i < count; i++)
        MiGetPteAddress(address + (SIZE_T)i * PAGE_SIZE)->u.Long =
            (first + (SIZE_T)i * PAGE_SIZE) | MI_PTE_VALID |
            MI_PTE_READ_WRITE | MI_PTE_ACCESSED | MI_PTE_GLOBAL |
            MI_PTE_NO_EXECUTE | bits[type];
    return address + (physical - first);
}

ULONGLONG MmGetPhysicalAddress(const void *address)
{
    return (ULONGLONG)MiGetPteAddress(address)->u.Hard.PageFrameNumber <<
           PAGE_SHIFT | ((ULONG_PTR)address & (PAGE_SIZE - 1));
}

#define STACK_PAGES (KERNEL_STACK_SIZE / PAGE_SIZE)

/*
 * Threads come and go: a few stacks of dead ones are kept for the next.  A
 * kept stack holds the address of the next one below its top.
 */
#define DEAD_STACKS 5
static KSPIN_LOCK dead_stack_lock;
static void *dead_stacks;
static ULONG dead_stack_count;

static void *take_dead_stack(void)
{
    KIRQL irql = KeAcquireSpinLock(&dead_stack_lock);
    void **top = dead_stacks;

    if (top) {
        dead_stacks = top[-1];
        dead_stack_count--;
    }
    KeReleaseSpinLock(&dead_stack_lock, irql);
    return top;
}

static BOOLEAN keep_dead_stack(void **top)
{
    KIRQL irql = KeAcquireSpinLock(&dead_stack_lock);
    BOOLEAN keep = dead_stack_count < DEAD_STACKS;

    if (keep) {
        top[-1] = dead_stacks;
        dead_stacks = top;
        dead_stack_count++;
    }
    KeReleaseSpinLock(&dead_stack_lock, irql);
    return keep;
}

/* The lowest page of the reservation is never backed: the guard. */
static void *create_stack(void)
{
    UCHAR *base = mi_reserve_system(STACK_PAGES + 1);

    if (!base)
        return NULL;
    if (BUG(thread_stack_guards_mapped))
        mi_back_system(base, 1);
    if (!NT_SUCCESS(mi_back_system(base + PAGE_SIZE, STACK_PAGES))) {
        mi_release_system(base, STACK_PAGES + 1);
        return NULL;
    }
    return base + PAGE_SIZE + KERNEL_STACK_SIZE;
}

void *MmCreateKernelStack(void)
{
    void *top = take_dead_stack();

    if (top) {
        if (DBG)
            mi_check_dead_stack(top);
        return top;
    }
    top = create_stack();
    if (DBG && top)
        mi_paint_stack(top);
    return top;
}

void MmDeleteKernelStack(void *top)
{
    UCHAR *base = (UCHAR *)top - KERNEL_STACK_SIZE - PAGE_SIZE;

    if (DBG) {
        mi_note_stack(top);
        mi_paint_stack(top);
    }
    if (keep_dead_stack(top))
        return;
    mi_unback_system(base + PAGE_SIZE, STACK_PAGES);
    mi_release_system(base, STACK_PAGES + 1);
}
