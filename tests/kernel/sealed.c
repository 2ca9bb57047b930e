/*
 * tests/kernel/sealed.c - what is read-only in the kernel's image is so at
 * every address: no other mapping of its pages can be written.  Except the
 * GDT's, whose base of fs changes with the thread (cpu/gdt.c), and nothing
 * else is in that page.
 *
 * Scenarios: G6.
 */
#include "selftest.h"

#include <arch/entry.h>
#include <arch/processor.h>
#include <arch/pte.h>
#include <arch/selfmap.h>

/* Mm's own. */
extern ULONGLONG MmPteBase, mi_pxe_window;
extern ULONG mi_selfmap_slot;
MMPTE *MiGetPteAddress(const void *va);

static ULONG_PTR page_of(const void *address)
{
    return (ULONG_PTR)address >> PAGE_SHIFT;
}

static ULONGLONG frame_of(const void *address)
{
    return MiGetPteAddress(address)->u.Hard.PageFrameNumber;
}

static BOOLEAN is_read_only(ULONGLONG frame)
{
    return frame >= frame_of(kernel_start) &&
           frame < frame_of(kernel_start) + page_of(kernel_sealed_end) -
                       page_of(kernel_start);
}

/* How many writable pages of a table are read-only ones, but allowed. */
static ULONG count(const MMPTE *table, ULONG level, ULONGLONG allowed)
{
    ULONG found = 0;

    for (ULONG i = 0; i < MI_ENTRIES; i++) {
        const MMPTE *pte = &table[i];

        if (!pte->u.Hard.Valid || !pte->u.Hard.Dirty1 ||
            (level == 3 && i == mi_selfmap_slot))
            continue;
        if (level > 0 && !pte->u.Hard.LargePage)
            found += count((MMPTE *)mi_va_of_pte(MmPteBase, (ULONG_PTR)pte),
                           level - 1, allowed);
        else
            found += pte->u.Hard.PageFrameNumber != allowed &&
                     is_read_only(pte->u.Hard.PageFrameNumber);
    }
    return found;
}

BOOLEAN test_sealed(void)
{
    const KPCR *pcr = CONTAINING_RECORD(KeGetCurrentPrcb(), KPCR, Prcb);
    ULONG_PTR gdt = page_of(pcr->GdtBase), idt = page_of(pcr->IdtBase);

    return gdt != idt && gdt != idt + 1 &&
           count((MMPTE *)mi_pxe_window, 3, frame_of(pcr->GdtBase)) == 0 &&
           count((MMPTE *)mi_pxe_window, 3, 0) == 1;
}
