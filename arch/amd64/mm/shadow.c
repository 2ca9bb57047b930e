/*
 * arch/amd64/mm/shadow.c - the page tables of ring 3 under KVA shadow.
 *
 * A process then has two top tables.  The kernel's is what it is without KVA
 * shadow, but ring 3's half of it cannot be executed: a door that forgets to
 * change CR3 on the way out faults at ring 3's first instruction.  Ring 3's
 * has the same tables below in that half, and of the kernel the pages that
 * mi_start_shadow lists.  Those are the same for all processes: each top table
 * starts as a copy of one that has only them.
 */
#include <mm/mi.h>

#include <arch/entry.h>
#include <bug.h>
#include <kd.h>
#include <x86/registers.h>

#define TABLE_BITS (MI_PTE_VALID | MI_PTE_READ_WRITE | MI_PTE_ACCESSED)
#define CODE (MI_PTE_VALID | MI_PTE_ACCESSED)
#define CONSTANT (CODE | MI_PTE_NO_EXECUTE)
#define DATA (CONSTANT | MI_PTE_READ_WRITE | MI_PTE_DIRTY)
#define TOP_LEVEL 3
#define FIRST_KERNEL_SLOT 256

static PFN_NUMBER common_top SEALED;

static ULONG index_of(ULONG_PTR va, ULONG level)
{
    return (ULONG)(va >> (PAGE_SHIFT + 9 * level)) & (MI_ENTRIES - 1);
}

static PFN_NUMBER new_page(void)
{
    PFN_NUMBER pfn = mi_allocate_page();

    if (!pfn)
        KeBugCheckEx(PHASE0_INITIALIZATION_FAILED, 7, 0, 0, 0);
    return pfn;
}

/* The table that an entry of this one leads to; a new one if to none yet. */
static PFN_NUMBER table_below(PFN_NUMBER table, ULONG index)
{
    MMPTE *entries;
    PFN_NUMBER fresh = new_page(), below;
    KIRQL irql;

    entries = mi_map_temporary(table, &irql);
    if (!entries[index].u.Hard.Valid) {
        entries[index].u.Long = fresh << PAGE_SHIFT | TABLE_BITS;
        fresh = 0;
    }
    below = entries[index].u.Hard.PageFrameNumber;
    mi_unmap_temporary(irql);
    if (fresh)
        mi_free_page(fresh);
    return below;
}

static void share_page(ULONG_PTR va, ULONGLONG rights)
{
    PFN_NUMBER table = common_top;
    MMPTE *entries;
    KIRQL irql;

    for (ULONG level = TOP_LEVEL; level > 0; level--)
        table = table_below(table, index_of(va, level));
    entries = mi_map_temporary(table, &irql);
    entries[index_of(va, 0)].u.Long =
        (ULONGLONG)MiGetPteAddress((void *)va)->u.Hard.PageFrameNumber
            << PAGE_SHIFT | rights;
    mi_unmap_temporary(irql);
}

static void share(const char *what, const void *first, const void *end,
                  ULONGLONG rights)
{
    ULONG_PTR start = ALIGN_DOWN((ULONG_PTR)first, PAGE_SIZE);

    for (ULONG_PTR va = start; va < (ULONG_PTR)end; va += PAGE_SIZE)
        share_page(va, rights);
    DbgPrintEx(DPFLTR_MM_ID, DPFLTR_TRACE_LEVEL, "KVA   %p-%p  %s  %s\n",
               (void *)start, (void *)ALIGN_UP((ULONG_PTR)end, PAGE_SIZE),
               rights == CODE ? "R X" : rights == DATA ? "RW " : "R  ", what);
}

/* The last page may have words above the top (stacks.asm). */
static void share_stack(const char *what, ULONG_PTR top, SIZE_T size)
{
    ULONG_PTR end = ALIGN_UP(top, PAGE_SIZE);

    share(what, (void *)(end - size), (void *)end, DATA);
}

void mi_share_processor(const KPCR *pcr)
{
    const UCHAR *prcb = (const UCHAR *)&pcr->Prcb.KernelDirectoryTableBase;
    const KTSS64 *tss = pcr->TssBase;

    if (!ki_shadow_tables)
        return;
    share("GDT", pcr->GdtBase, (UCHAR *)pcr->GdtBase + 1, CONSTANT);
    share("TSS", pcr->TssBase, pcr->TssBase + 1, CONSTANT);
    share("KPCR from KernelDirectoryTableBase on", prcb, prcb + 1, DATA);
    if (!BUG(kva_lacks_stack))
        share_stack("transition stack", tss->Rsp0, PAGE_SIZE);
    share_stack("#DF stack", tss->Ist[TSS_IST_PANIC], IST_STACK_SIZE);
    share_stack("#MC stack", tss->Ist[TSS_IST_MCA], IST_STACK_SIZE);
    share_stack("NMI stack", tss->Ist[TSS_IST_NMI], IST_STACK_SIZE);
    share_stack("#DB stack", tss->Ist[TSS_IST_DEBUG], IST_STACK_SIZE);
}

void mi_start_shadow(const KPCR *pcr)
{
    if (!ki_shadow_tables)
        return;
    common_top = new_page();
    share("doors", kvas_start, kvas_end, CODE);
    share("IDT", pcr->IdtBase, (UCHAR *)pcr->IdtBase + 1, CONSTANT);
    share("system directory", kvas_constants, kvas_constants_end, CONSTANT);
    mi_share_processor(pcr);
}

NTSTATUS mi_create_shadow_top(ULONGLONG *directory)
{
    PFN_NUMBER pfn;

    *directory = 0;
    if (!ki_shadow_tables)
        return STATUS_SUCCESS;
    pfn = mi_allocate_page();
    if (!pfn)
        return STATUS_INSUFFICIENT_RESOURCES;
    mi_copy_page(pfn, BUG(kva_maps_kernel) ? arch_read_cr3() >> PAGE_SHIFT
                                           : common_top);
    *directory = pfn << PAGE_SHIFT |
                 (arch_read_cr4() & CR4_PCIDE ? CR3_PCID_USER : 0);
    return STATUS_SUCCESS;
}

void mi_mirror_top_entry(MMPTE *entry)
{
    ULONGLONG directory =
        KeGetCurrentThread()->ApcState.Process->UserDirectoryTableBase;
    MMPTE *top;
    KIRQL irql;

    if (!directory)
        return;
    top = mi_map_temporary(directory >> PAGE_SHIFT, &irql);
    top[entry - (MMPTE *)mi_pxe_window] = *entry;
    mi_unmap_temporary(irql);
    entry->u.Hard.NoExecute = entry->u.Hard.Valid &&
                              !BUG(kva_user_half_executable);
}

void mi_delete_shadow_top(ULONGLONG directory)
{
    if (directory)
        mi_free_page(directory >> PAGE_SHIFT);
}
