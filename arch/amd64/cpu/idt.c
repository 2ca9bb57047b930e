/*
 * cpu/idt.c - 256 interrupt gates.
 *
 * All are interrupt gates: the processor clears IF, so nothing comes between
 * a gate and the first instructions behind it.  Ring 3 may use six of them by
 * INT n; the rest are #GP for it.
 */
#include <bug.h>
#include <arch/processor.h>

#include <arch/entry.h>
#include <kd.h>

#define VECTORS 256
#define INTERRUPT_GATE 0xE

/* Exactly a page: ring 3's page tables have it, too (mm/shadow.c). */
static KIDTENTRY64 boot_idt[VECTORS] SEALED
    __attribute__((aligned(PAGE_SIZE)));

static const struct {
    UCHAR vector, dpl, ist;
} special[] = {
    { 0x01, 0, UNLESS_BUG(debug_without_ist, TSS_IST_DEBUG) },
    { 0x02, 0, UNLESS_BUG(nmi_without_ist, TSS_IST_NMI) },
    { 0x03, 3, 0 },             { 0x04, 3, 0 },
    { 0x08, 0, UNLESS_BUG(df_without_ist, TSS_IST_PANIC) },
    { 0x12, 0, UNLESS_BUG(mc_without_ist, TSS_IST_MCA) },
    { 0x29, 3, 0 },             { 0x2C, 3, 0 },
    { 0x2D, 3, 0 },             { 0x2E, 3, 0 },
};

static void set_gate(ULONG vector, const void *handler)
{
    ULONG_PTR offset = (ULONG_PTR)handler;

    boot_idt[vector] = (KIDTENTRY64){
        .OffsetLow = (USHORT)offset,
        .OffsetMiddle = (USHORT)(offset >> 16),
        .OffsetHigh = (ULONG)(offset >> 32),
        .Selector = KGDT_R0_CODE,
        .Type = INTERRUPT_GATE,
        .Dpl = BUG(gates_for_ring_3) ? 3 : 0,
        .Present = 1,
    };
}

static void set_gates(void *const *handlers)
{
    for (ULONG vector = 0; vector < VECTORS; vector++)
        set_gate(vector, handlers[vector]);
    for (ULONG i = 0; i < ARRAY_SIZE(special); i++) {
        boot_idt[special[i].vector].Dpl |= special[i].dpl;
        boot_idt[special[i].vector].IstIndex = special[i].ist;
    }
}

void ki_use_shadow_gates(void)
{
    set_gates(ki_shadow_vectors);
}

void ki_initialize_idt(void)
{
    set_gates(ki_vectors);
}

/* One table is enough: its stacks are by number, and each TSS has its own. */
void ki_load_idt(KPCR *pcr)
{
    struct __attribute__((packed)) {
        USHORT limit;
        ULONGLONG base;
    } pointer = { sizeof boot_idt - 1, (ULONG_PTR)boot_idt };

    pcr->IdtBase = boot_idt;
    __asm__ volatile("lidt %0" : : "m"(pointer));
}

static ULONG_PTR handler_of(const KIDTENTRY64 *gate)
{
    return (ULONG_PTR)gate->OffsetHigh << 32 |
           (ULONG_PTR)gate->OffsetMiddle << 16 | gate->OffsetLow;
}

/* Rows of the gates that have a handler of their own or are ring 3's. */
void ki_show_idt(const KPCR *pcr)
{
    DbgPrintEx(KD_KE_ID, DPFLTR_TRACE_LEVEL,
               "IDT   %p  limit %04x; 256 gates, the rest unexpected:\n",
               (void *)pcr->IdtBase, (ULONG)sizeof boot_idt - 1);
    for (ULONG vector = 0; vector < VECTORS; vector++) {
        const KIDTENTRY64 *gate = &pcr->IdtBase[vector];
        char buffer[KD_NAME_LENGTH];
        const char *name;

        if (ki_is_unexpected(vector) && !gate->Dpl)
            continue;
        name = kd_symbol(handler_of(gate), buffer, NULL);
        DbgPrintEx(KD_KE_ID, DPFLTR_TRACE_LEVEL,
                   "    %02x  %p  %-31s DPL %u  IST %u\n", vector,
                   (void *)handler_of(gate), name ? name : "", gate->Dpl,
                   gate->IstIndex);
    }
}
