/*
 * arch/amd64/mm/image.c - the kernel image under its final protections.
 *
 * The loader mapped it with 2-MiB pages, all writable and executable.  Here
 * each 2 MiB gets a table of 4-KiB pages: text read and execute, constants
 * read-only, data writable, guard pages of the boot stacks nothing.  The table
 * is complete before it is linked: this code runs from the very pages it
 * changes.
 *
 * Sealed data (ke.h) is writable until the boot has ended.
 */
#include <bug.h>
#include <mm/mi.h>

#include <arch/entry.h>
#include <kd.h>

#define LARGE_PAGE 0x200000ULL

static BOOLEAN is_guard(ULONG_PTR va)
{
    for (ULONG i = 0; i < ki_stack_guard_count; i++) {
        if ((ULONG_PTR)ki_stack_guards[i] == va)
            return TRUE;
    }
    return FALSE;
}

static ULONGLONG protection_of(ULONG_PTR va)
{
    if (va < (ULONG_PTR)kernel_start || va >= (ULONG_PTR)kernel_end ||
        (is_guard(va) && !BUG(boot_stack_guards_mapped)))
        return 0;
    if (va < (ULONG_PTR)kernel_text_end)
        return MI_PTE_VALID | MI_PTE_GLOBAL | MI_PTE_ACCESSED;
    if (va < (ULONG_PTR)kernel_constants_end && !BUG(tables_writable))
        return MI_PTE_VALID | MI_PTE_GLOBAL | MI_PTE_ACCESSED |
               MI_PTE_NO_EXECUTE;
    return MI_PTE_VALID | MI_PTE_GLOBAL | MI_PTE_ACCESSED |
           MI_PTE_READ_WRITE | MI_PTE_NO_EXECUTE;
}

void mi_protect_image(const LOADER_PARAMETER_BLOCK *block)
{
    ULONG_PTR base = (ULONG_PTR)kernel_start;
    ULONG_PTR at = ALIGN_DOWN(base, LARGE_PAGE);

    for (; at < (ULONG_PTR)kernel_end; at += LARGE_PAGE) {
        PFN_NUMBER table = mi_allocate_page();
        MMPTE *entries;
        KIRQL irql;

        if (!table)
            KeBugCheckEx(PHASE0_INITIALIZATION_FAILED, 5, 0, 0, 0);
        entries = mi_map_temporary(table, &irql);

        for (ULONG i = 0; i < MI_ENTRIES; i++) {
            ULONG_PTR va = at + i * PAGE_SIZE;
            ULONGLONG protection = protection_of(va);

            if (protection)
                entries[i].u.Long =
                    (block->kernel_base + (va - base)) | protection;
        }
        mi_unmap_temporary(irql);
        MiGetPdeAddress((void *)at)->u.Long = table << PAGE_SHIFT |
            MI_PTE_VALID | MI_PTE_READ_WRITE | MI_PTE_ACCESSED;
    }
    /* The rest of the loader's gibibyte is not ours. */
    for (; at >= MI_KERNEL_IMAGE && at < MI_KERNEL_IMAGE + 0x40000000ULL;
         at += LARGE_PAGE)
        MiGetPdeAddress((void *)at)->u.Long = 0;
    for (at = MI_KERNEL_IMAGE; at < ALIGN_DOWN(base, LARGE_PAGE);
         at += LARGE_PAGE)
        MiGetPdeAddress((void *)at)->u.Long = 0;
    arch_write_cr3(arch_read_cr3());
}

void mm_seal_image(void)
{
    for (UCHAR *va = kernel_constants_end; va < kernel_sealed_end;
         va += PAGE_SIZE) {
        if (!BUG(tables_writable))
            MiGetPteAddress(va)->u.Long &= ~MI_PTE_READ_WRITE;
        mi_flush_page(va);
    }
}
