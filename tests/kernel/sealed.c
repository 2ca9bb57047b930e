/*
 * tests/kernel/sealed.c - what is read-only in the kernel's image is so at
 * every address: no other mapping of its pages can be written.  Except the
 * GDT's, whose base of fs changes with the thread (cpu/gdt.c), and nothing
 * else is in that page.
 *
 * And what only the boot writes is among it: no word of the image that can be
 * written leads to the kernel's code.  Except of what is not the image's alone:
 * DPCs, and the processor's and the idle thread's own.
 *
 * Scenarios: J6.
 */
#include "selftest.h"

#include <arch/entry.h>
#include <arch/processor.h>
#include <arch/pte.h>
#include <arch/selfmap.h>
#include <kd.h>
#include <ps.h>

/* Ob's and Mm's own. */
extern OBJECT_TYPE *ObTypeIndexTable[];
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

static BOOLEAN is_within(const void *at, const void *start, SIZE_T size)
{
    return (ULONG_PTR)at - (ULONG_PTR)start < size;
}

/* Some of what everything else hangs from. */
static BOOLEAN pointers_are_sealed(void)
{
    const void *const sealed[] = {
        KiProcessorBlock, &KeSmapEnabled, &MmPteBase, &mi_pxe_window,
        ObTypeIndexTable, &PsProcessType,
    };

    for (ULONG i = 0; i < ARRAY_SIZE(sealed); i++) {
        if (!is_within(sealed[i], kernel_constants_end,
                       kernel_sealed_end - kernel_constants_end)) {
            DbgPrint("%p is not sealed\n", sealed[i]);
            return FALSE;
        }
    }
    return TRUE;
}

static BOOLEAN is_of_dpc(const ULONG_PTR *word)
{
    return CONTAINING_RECORD((void **)word, KDPC, DeferredRoutine)->Type ==
           DpcObject;
}

static BOOLEAN leads_to_code(const ULONG_PTR *word)
{
    const KPRCB *prcb = KeGetCurrentPrcb();

    return is_within((const void *)*word, kernel_start,
                     kernel_text_end - kernel_start) &&
           !is_of_dpc(word) && !is_within(word, prcb, sizeof *prcb) &&
           !is_within(word, prcb->IdleThread, sizeof *prcb->IdleThread);
}

/* Behind the last of it are the boot's stacks. */
static BOOLEAN no_data_leads_to_code(void)
{
    const ULONG_PTR *end = (const ULONG_PTR *)ki_stack_guards[0];
    BOOLEAN good = TRUE;

    for (const ULONG_PTR *word = (const ULONG_PTR *)kernel_sealed_end;
         word < end; word++) {
        if (leads_to_code(word)) {
            DbgPrint("%p can be written and leads to %p\n", (void *)word,
                     (void *)*word);
            good = FALSE;
        }
    }
    return good;
}

BOOLEAN test_sealed(void)
{
    const KPCR *pcr = CONTAINING_RECORD(KeGetCurrentPrcb(), KPCR, Prcb);
    ULONG_PTR gdt = page_of(pcr->GdtBase), idt = page_of(pcr->IdtBase);

    return pointers_are_sealed() && no_data_leads_to_code() &&
           gdt != idt && gdt != idt + 1 &&
           count((MMPTE *)mi_pxe_window, 3, frame_of(pcr->GdtBase)) == 0 &&
           count((MMPTE *)mi_pxe_window, 3, 0) == 1;
}
