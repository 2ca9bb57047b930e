/*
 * mm/system.c - addresses of system space, and memory behind them.
 *
 * One bit for each page of addresses in the system PTE region.  Kernel
 * stacks, pool pages, device memory and buffers all come from here; NT has a
 * region for each of them.
 */
#include "mi.h"

#define SYSTEM_PAGES 0x20000U               /* 512 MiB of addresses */
#define BITS 64

static ULONGLONG bitmap[SYSTEM_PAGES / BITS];
static ULONG hint;

static BOOLEAN is_used(ULONG page)
{
    return bitmap[page / BITS] >> page % BITS & 1;
}

static void mark(ULONG first, ULONG count, BOOLEAN used)
{
    for (ULONG page = first; page < first + count; page++) {
        if (used)
            bitmap[page / BITS] |= 1ULL << page % BITS;
        else
            bitmap[page / BITS] &= ~(1ULL << page % BITS);
    }
}

/* First fit from start on; SYSTEM_PAGES when there is none. */
static ULONG find_gap(ULONG start, ULONG count)
{
    ULONG found = 0;

    for (ULONG page = start; page < SYSTEM_PAGES; page++) {
        found = is_used(page) ? 0 : found + 1;
        if (found == count)
            return page + 1 - count;
    }
    return SYSTEM_PAGES;
}

static void *page_address(ULONG page)
{
    return (UCHAR *)MI_SYSTEM_PTE_START + (SIZE_T)page * PAGE_SIZE;
}

void *mi_reserve_system(ULONG count)
{
    ULONG page = find_gap(hint, count);

    if (count == 0 || count > SYSTEM_PAGES)
        return NULL;
    if (page == SYSTEM_PAGES)
        page = find_gap(0, count);
    if (page == SYSTEM_PAGES)
        return NULL;
    for (ULONG i = 0; i < count; i++) {
        if (!NT_SUCCESS(mi_make_tables(page_address(page + i))))
            return NULL;
    }
    mark(page, count, TRUE);
    hint = page + count;
    return page_address(page);
}

void mi_release_system(void *address, ULONG count)
{
    ULONG page = (ULONG)(((UCHAR *)address - (UCHAR *)MI_SYSTEM_PTE_START) >>
                         PAGE_SHIFT);

    mark(page, count, FALSE);
    if (page < hint)
        hint = page;
}

void mi_unback_system(void *address, ULONG count)
{
    for (ULONG i = 0; i < count; i++) {
        UCHAR *va = (UCHAR *)address + (SIZE_T)i * PAGE_SIZE;
        MMPTE *pte = MiGetPteAddress(va);

        mi_free_page(pte->u.Hard.PageFrameNumber);
        pte->u.Long = 0;
        mi_flush_page(va);
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

void *mi_allocate_system(ULONG count)
{
    void *address = mi_reserve_system(count);

    if (!address)
        return NULL;
    if (!NT_SUCCESS(mi_back_system(address, count))) {
        mi_release_system(address, count);
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
    mi_release_system(address, count);
}

void *MmMapIoSpace(ULONGLONG physical, SIZE_T size, BOOLEAN cached)
{
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
            MI_PTE_NO_EXECUTE | (cached ? 0 : MI_PTE_CACHE_DISABLE);
    return address + (physical - first);
}

#define STACK_PAGES (KERNEL_STACK_SIZE / PAGE_SIZE)

/* The lowest page of the reservation is never backed: the guard. */
void *MmCreateKernelStack(void)
{
    UCHAR *base = mi_reserve_system(STACK_PAGES + 1);

    if (!base)
        return NULL;
    if (!NT_SUCCESS(mi_back_system(base + PAGE_SIZE, STACK_PAGES))) {
        mi_release_system(base, STACK_PAGES + 1);
        return NULL;
    }
    return base + PAGE_SIZE + KERNEL_STACK_SIZE;
}

void MmDeleteKernelStack(void *top)
{
    UCHAR *base = (UCHAR *)top - KERNEL_STACK_SIZE - PAGE_SIZE;

    mi_unback_system(base + PAGE_SIZE, STACK_PAGES);
    mi_release_system(base, STACK_PAGES + 1);
}
