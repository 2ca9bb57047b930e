/*
 * arch/amd64/mm/processor.c - room for a processor's own things.
 *
 * One range of system addresses: KPCR, GDT, TSS, each on pages of its own, and
 * stacks in the order and with the guard pages of the boot processor's
 * (entry/stacks.asm), so that one is found from the other there, too.
 */
#include <mm/mi.h>

#include <arch/entry.h>
#include <arch/processor.h>

#define PCR_PAGES (ALIGN_UP(sizeof(KPCR), PAGE_SIZE) / PAGE_SIZE)
#define TABLE_PAGES 2                   /* GDT, TSS */
#define PAGES_KEPT 2048                 /* 8 MiB */

static BOOLEAN is_guard(ULONG_PTR offset)
{
    for (ULONG i = 0; i < ki_stack_guard_count; i++) {
        if ((ULONG_PTR)(ki_stack_guards[i] - ki_stacks) == offset)
            return TRUE;
    }
    return FALSE;
}

static BOOLEAN back_stacks(UCHAR *stacks, ULONG pages)
{
    for (ULONG i = 0; i < pages; i++) {
        UCHAR *page = stacks + (SIZE_T)i * PAGE_SIZE;

        if (!is_guard((SIZE_T)i * PAGE_SIZE) &&
            !NT_SUCCESS(mi_back_system(page, 1)))
            return FALSE;
    }
    return TRUE;
}

static void give_back(UCHAR *base, ULONG pages)
{
    for (ULONG i = 0; i < pages; i++) {
        UCHAR *page = base + (SIZE_T)i * PAGE_SIZE;

        if (MiGetPteAddress(page)->u.Hard.Valid)
            mi_unback_system(page, 1);
    }
    mi_release_system(base, pages);
}

/* Ring 3 needs some memory, too: better with fewer processors than without. */
static BOOLEAN enough_remains(void)
{
    struct mm_statistics memory;

    mm_query_statistics(&memory);
    return memory.free_pages >= PAGES_KEPT;
}

KPCR *mm_create_processor(const UCHAR **stacks)
{
    ULONG stack_pages = (ULONG)(ki_stacks_end - ki_stacks) / PAGE_SIZE;
    ULONG own_pages = PCR_PAGES + TABLE_PAGES;
    UCHAR *base = enough_remains()
                      ? mi_reserve_system(own_pages + stack_pages) : NULL;
    UCHAR *gdt = base + PCR_PAGES * PAGE_SIZE;
    KPCR *pcr = (KPCR *)base;

    if (!base)
        return NULL;
    if (!NT_SUCCESS(mi_back_system(base, own_pages)) ||
        !back_stacks(base + own_pages * PAGE_SIZE, stack_pages)) {
        give_back(base, own_pages + stack_pages);
        return NULL;
    }
    pcr->GdtBase = (KGDTENTRY64 *)gdt;
    pcr->TssBase = (KTSS64 *)(gdt + PAGE_SIZE);
    *stacks = base + own_pages * PAGE_SIZE;
    return pcr;
}

void mm_seal_processor(const KPCR *pcr)
{
    MiGetPteAddress(pcr->GdtBase)->u.Long &= ~MI_PTE_READ_WRITE;
    mi_flush_page(pcr->GdtBase);
    mi_share_processor(pcr);
}
