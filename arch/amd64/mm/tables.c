/*
 * arch/amd64/mm/tables.c - page tables, seen through the self map.
 *
 * One slot of the top table (PXE) points to the top table itself.  Then every
 * table of the current address space appears as a page in that slot's 512
 * GiB, and the entry for an address is found by arithmetic alone
 * (arch/selfmap.h).  A new table is linked first and then seen; it is zero
 * already when it is linked (pfn.c).
 *
 * Hyperspace is two pages of addresses behind which any physical page can be
 * put for a moment, to be zeroed, filled or copied.
 */
#include <ke/ki.h>
#include <mm/mi.h>

#include <arch/entry.h>
#include <bug.h>
#include <init.h>
#include <kd.h>
#include <x86/registers.h>

#define DEFAULT_SELFMAP_SLOT 0x1ED
#define FIRST_KERNEL_SLOT 256
#define TABLE_BITS (MI_PTE_VALID | MI_PTE_READ_WRITE | MI_PTE_ACCESSED)
#define TOP_LEVEL 3
#define USER_TOP 0x0000800000000000ULL

ULONGLONG MmPteBase SEALED;
ULONGLONG mi_pde_window SEALED, mi_ppe_window SEALED, mi_pxe_window SEALED;
ULONG mi_selfmap_slot SEALED;

static KSPIN_LOCK hyperspace_lock;

/* Parts of system space that every process shares from the beginning. */
static const ULONGLONG shared_parts[] = {
    MI_HYPERSPACE, KI_USER_SHARED_DATA, MI_SYSTEM_PTE_START, MI_PFN_DATABASE,
    MI_KERNEL_IMAGE,
};

MMPTE *MiGetPteAddress(const void *va)
{
    return (MMPTE *)mi_pte_address(MmPteBase, (ULONG_PTR)va);
}

MMPTE *MiGetPdeAddress(const void *va)
{
    return (MMPTE *)mi_pde_address(mi_pde_window, (ULONG_PTR)va);
}

MMPTE *MiGetPpeAddress(const void *va)
{
    return (MMPTE *)mi_ppe_address(mi_ppe_window, (ULONG_PTR)va);
}

MMPTE *MiGetPxeAddress(const void *va)
{
    return (MMPTE *)mi_pxe_address(mi_pxe_window, (ULONG_PTR)va);
}

BOOLEAN mi_tables_present(const void *va)
{
    return MiGetPxeAddress(va)->u.Hard.Valid &&
           MiGetPpeAddress(va)->u.Hard.Valid &&
           MiGetPdeAddress(va)->u.Hard.Valid;
}

BOOLEAN MmIsAddressValid(const void *va)
{
    ULONG_PTR address = (ULONG_PTR)va;

    if (mi_canonical(address) != address ||
        !MiGetPxeAddress(va)->u.Hard.Valid ||
        !MiGetPpeAddress(va)->u.Hard.Valid ||
        !MiGetPdeAddress(va)->u.Hard.Valid)
        return FALSE;
    return MiGetPdeAddress(va)->u.Hard.LargePage ||
           MiGetPteAddress(va)->u.Hard.Valid;
}

static NTSTATUS make_table(MMPTE *entry, BOOLEAN user)
{
    PFN_NUMBER pfn;

    if (entry->u.Hard.Valid)
        return STATUS_SUCCESS;
    pfn = mi_allocate_page();
    if (!pfn)
        return STATUS_NO_MEMORY;
    entry->u.Long = pfn << PAGE_SHIFT | TABLE_BITS |
                    (user ? MI_PTE_OWNER : 0);
    return STATUS_SUCCESS;
}

NTSTATUS mi_make_tables(const void *va)
{
    BOOLEAN user = (ULONG_PTR)va < USER_TOP;
    MMPTE *top = MiGetPxeAddress(va);
    BOOLEAN is_new = !top->u.Hard.Valid;
    NTSTATUS status = make_table(top, user);

    if (NT_SUCCESS(status) && is_new && user)
        mi_mirror_top_entry(top);
    if (NT_SUCCESS(status))
        status = make_table(MiGetPpeAddress(va), user);
    if (NT_SUCCESS(status))
        status = make_table(MiGetPdeAddress(va), user);
    return status;
}

void mi_flush_page_here(const void *va)
{
    arch_invlpg(va);
    if ((ULONG_PTR)va < USER_TOP && !BUG(kva_keeps_translations))
        KeGetCurrentPrcb()->ShadowFlags |= KI_SHADOW_FLUSH_PENDING;
}

static void flush_page(void *va)
{
    mi_flush_page_here(va);
}

/* SDM: 3A, 4.10.4.1: global ones, too, where CR4.PGE changes. */
static void flush_everything(void *unused)
{
    ULONGLONG flags = arch_save_and_disable_interrupts();
    ULONGLONG cr4 = arch_read_cr4();

    (void)unused;
    if (cr4 & CR4_PGE) {
        arch_write_cr4(cr4 & ~CR4_PGE);
        arch_write_cr4(cr4);
    } else {
        arch_write_cr3(arch_read_cr3());
    }
    arch_restore_interrupts(flags);
}

/* Ring 3's half, and the tables in the self map, are each process's own. */
static BOOLEAN is_of_process(const void *va)
{
    return (ULONG_PTR)va < USER_TOP ||
           ((ULONG_PTR)va >> 39 & (MI_ENTRIES - 1)) == mi_selfmap_slot;
}

/*
 * The entry has changed already.  A processor that loads this address space
 * from here on, and is not in the set yet, sees the new one.
 */
void mi_flush_page(const void *va)
{
    KIRQL irql;

    if (KeNumberProcessors == 1) {
        mi_flush_page_here(va);
        return;
    }
    irql = KfRaiseIrql(DISPATCH_LEVEL);
    mi_flush_page_here(va);
    __sync_synchronize();
    ki_send_packets(is_of_process(va)
                        ? &KeGetCurrentThread()->ApcState.Process
                               ->ActiveProcessors
                        : NULL, flush_page, (void *)va);
    KfLowerIrql(irql);
}

void mi_flush_all(void)
{
    KIRQL irql = KfRaiseIrql(DISPATCH_LEVEL);

    flush_everything(NULL);
    ki_send_packets(NULL, flush_everything, NULL);
    KfLowerIrql(irql);
}

static void *open_window(ULONG window, PFN_NUMBER pfn)
{
    UCHAR *va = (UCHAR *)MI_HYPERSPACE + window * PAGE_SIZE;

    MiGetPteAddress(va)->u.Long = pfn << PAGE_SHIFT | MI_PTE_VALID |
        MI_PTE_READ_WRITE | MI_PTE_ACCESSED | MI_PTE_NO_EXECUTE;
    arch_invlpg(va);
    return va;
}

static void close_window(ULONG window)
{
    UCHAR *va = (UCHAR *)MI_HYPERSPACE + window * PAGE_SIZE;

    MiGetPteAddress(va)->u.Long = 0;
    arch_invlpg(va);
}

void *mi_map_temporary(PFN_NUMBER pfn, KIRQL *irql)
{
    *irql = KeAcquireSpinLock(&hyperspace_lock);
    return open_window(0, pfn);
}

void mi_unmap_temporary(KIRQL irql)
{
    close_window(0);
    KeReleaseSpinLock(&hyperspace_lock, irql);
}

void mi_copy_page(PFN_NUMBER to, PFN_NUMBER from)
{
    KIRQL irql = KeAcquireSpinLock(&hyperspace_lock);

    memcpy(open_window(0, to), open_window(1, from), PAGE_SIZE);
    close_window(0);
    close_window(1);
    KeReleaseSpinLock(&hyperspace_lock, irql);
}

static BOOLEAN slot_is_shared(ULONG slot)
{
    for (ULONG i = 0; i < ARRAY_SIZE(shared_parts); i++) {
        if ((shared_parts[i] >> 39 & (MI_ENTRIES - 1)) == slot)
            return TRUE;
    }
    return FALSE;
}

/* "0x1ED" or "1ED"; 0, which is no kernel slot, for anything else. */
static ULONG read_slot(const char *text)
{
    ULONG slot = 0;

    if (text[0] == '0' && (text[1] | 0x20) == 'x')
        text += 2;
    for (; *text; text++) {
        char digit = *text | 0x20;

        if (*text >= '0' && *text <= '9')
            slot = slot * 16 + (*text - '0');
        else if (digit >= 'a' && digit <= 'f')
            slot = slot * 16 + (digit - 'a' + 10);
        else
            return 0;
        if (slot >= MI_ENTRIES)
            return 0;
    }
    return slot;
}

/* The option's slot, or with "random" any that nothing else has. */
static ULONG choose_slot(void)
{
    const char *option = init_option("selfmap");
    ULONG slot = read_slot(option);

    if (strcmp(option, "random") != 0) {
        if (slot >= FIRST_KERNEL_SLOT && !slot_is_shared(slot))
            return slot;
        DbgPrintEx(DPFLTR_MM_ID, DPFLTR_WARNING_LEVEL,
                   "OPT   selfmap=%s is not a free kernel slot; %#x is used\n",
                   option, DEFAULT_SELFMAP_SLOT);
        return DEFAULT_SELFMAP_SLOT;
    }
    slot = (ULONG)(arch_read_tsc() * 0x9E3779B97F4A7C15ULL >> 40);
    do
        slot = FIRST_KERNEL_SLOT + (slot + 1) % FIRST_KERNEL_SLOT;
    while (slot_is_shared(slot));
    return slot;
}

/* A zeroed table while physical addresses are still pointers. */
static ULONGLONG early_table(void)
{
    ULONGLONG physical = mi_early_physical();

    memset((void *)physical, 0, PAGE_SIZE);
    return physical | TABLE_BITS;
}

void mi_start_page_tables(void)
{
    ULONGLONG *pml4 = (ULONGLONG *)(arch_read_cr3() & MI_PTE_ADDRESS);
    void *window = (void *)MI_HYPERSPACE;

    mi_selfmap_slot = choose_slot();
    MmPteBase = mi_pte_base(mi_selfmap_slot);
    mi_pde_window = mi_pde_base(mi_selfmap_slot);
    mi_ppe_window = mi_ppe_base(mi_selfmap_slot);
    mi_pxe_window = mi_pxe_base(mi_selfmap_slot);
    pml4[mi_selfmap_slot] = (ULONG_PTR)pml4 | TABLE_BITS | MI_PTE_NO_EXECUTE;
    MiGetPxeAddress(window)->u.Long = early_table();
    MiGetPpeAddress(window)->u.Long = early_table();
    MiGetPdeAddress(window)->u.Long = early_table();
    ki_system_directory = (ULONG_PTR)pml4;
}

void mi_share_system_space(void)
{
    for (ULONG i = 0; i < ARRAY_SIZE(shared_parts); i++) {
        if (!NT_SUCCESS(make_table(MiGetPxeAddress((void *)shared_parts[i]),
                                   FALSE)))
            KeBugCheckEx(PHASE0_INITIALIZATION_FAILED, 3, i, 0, 0);
    }
}

void mm_end_boot_mappings(void)
{
    for (ULONG slot = 0; slot < FIRST_KERNEL_SLOT; slot++)
        ((MMPTE *)mi_pxe_window)[slot].u.Long = 0;
    arch_write_cr3(arch_read_cr3());
}

/* The tables below one entry, then the entry's own table. */
static void free_table(MMPTE *entry, ULONG level)
{
    MMPTE *table = (MMPTE *)mi_va_of_pte(MmPteBase, (ULONG_PTR)entry);
    PFN_NUMBER pfn = entry->u.Hard.PageFrameNumber;

    for (ULONG i = 0; level > 1 && i < MI_ENTRIES; i++) {
        if (table[i].u.Hard.Valid)
            free_table(&table[i], level - 1);
    }
    entry->u.Long = 0;
    mi_flush_page(table);
    mi_free_page(pfn);
}

void mi_free_user_tables(void)
{
    MMPTE *top = (MMPTE *)mi_pxe_window;

    for (ULONG slot = 0; slot < FIRST_KERNEL_SLOT; slot++) {
        if (!top[slot].u.Hard.Valid)
            continue;
        free_table(&top[slot], TOP_LEVEL);
        mi_mirror_top_entry(&top[slot]);
    }
    arch_write_cr3(arch_read_cr3());
}

/*
 * A new top table: system space as it is, its own self map.  Returns what CR3
 * gets, 0 without memory.
 */
ULONGLONG mi_create_top_table(void)
{
    PFN_NUMBER pfn = mi_allocate_page();
    MMPTE *top;
    KIRQL irql;

    if (!pfn)
        return 0;
    top = mi_map_temporary(pfn, &irql);
    for (ULONG slot = FIRST_KERNEL_SLOT; slot < MI_ENTRIES; slot++)
        top[slot] = ((MMPTE *)mi_pxe_window)[slot];
    top[mi_selfmap_slot].u.Hard.PageFrameNumber = pfn;
    mi_unmap_temporary(irql);
    return pfn << PAGE_SHIFT | (arch_read_cr3() & CR3_PCID_KERNEL);
}
