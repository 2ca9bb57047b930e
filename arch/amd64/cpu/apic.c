/*
 * cpu/apic.c - the local APIC, through memory or through MSRs (x2APIC).
 *
 * The old interrupt controllers are masked: nothing comes through them.
 */
#include <arch/apic.h>

#include <mm.h>
#include <x86/apic.h>
#include <x86/registers.h>

#define CPUID1_ECX_X2APIC (1U << 21)
#define XAPIC_HIGHEST_ID 0xFE

static volatile UCHAR *apic SEALED;     /* NULL: through MSRs (x2APIC) */

void ki_write_apic(ULONG reg, ULONG value)
{
    if (apic)
        *(volatile ULONG *)(apic + reg) = value;
    else
        arch_write_msr(X2APIC_MSR_BASE + (reg >> 4), value);
}

ULONG ki_read_apic(ULONG reg)
{
    if (apic)
        return *(volatile ULONG *)(apic + reg);
    return (ULONG)arch_read_msr(X2APIC_MSR_BASE + (reg >> 4));
}

static BOOLEAN has_x2apic(void)
{
    return (arch_cpuid(1, 0).ecx & CPUID1_ECX_X2APIC) != 0;
}

/*
 * An id that xAPIC cannot name wants x2APIC; otherwise it is as the firmware
 * has left it, or as it is wished.
 */
void ki_map_apic(ULONG highest_id, BOOLEAN x2apic)
{
    ULONGLONG base = arch_read_msr(MSR_APIC_BASE);

    arch_out8(PIC1_DATA, 0xFF);
    arch_out8(PIC2_DATA, 0xFF);
    if ((base & APIC_BASE_X2APIC) ||
        ((x2apic || highest_id > XAPIC_HIGHEST_ID) && has_x2apic()))
        return;
    apic = MmMapIoSpace(base & APIC_BASE_ADDRESS, PAGE_SIZE, MmNonCached);
    if (!apic)
        KeBugCheckEx(HAL_INITIALIZATION_FAILED, 1, 0, 0, 0);
}

/* SDM: 3A, 11.12.5: x2APIC is entered from xAPIC, and left by a reset. */
void ki_enable_apic(void)
{
    ULONGLONG base = arch_read_msr(MSR_APIC_BASE) | APIC_BASE_ENABLE;

    arch_write_msr(MSR_APIC_BASE, base);
    if (!apic)
        arch_write_msr(MSR_APIC_BASE, base | APIC_BASE_X2APIC);
    /* First: while it is disabled, every LVT stays masked (SDM: 3A, 11.4.7). */
    ki_write_apic(APIC_SPURIOUS, APIC_ENABLE | SPURIOUS_VECTOR);
    ki_write_apic(APIC_LVT_LINT0, APIC_LVT_MASKED);
    ki_write_apic(APIC_LVT_LINT1, APIC_LVT_NMI);
    ki_write_apic(APIC_LVT_ERROR, APIC_LVT_MASKED);
    ki_write_apic(APIC_TIMER_DIVIDE, APIC_DIVIDE_BY_16);
}

BOOLEAN ki_is_x2apic(void)
{
    return apic == NULL;
}

void ki_end_interrupt(void)
{
    ki_write_apic(APIC_EOI, 0);
}

void ki_spurious_interrupt(KTRAP_FRAME *frame)
{
    (void)frame;                        /* SDM: 3A, 11.9: no EOI */
}

void ki_end_unexpected_interrupt(ULONG vector)
{
    if (ki_read_apic(APIC_ISR + vector / 32 * 0x10) >> vector % 32 & 1)
        ki_write_apic(APIC_EOI, 0);
}

/* SDM: 3A, 11.6.1: a fixed interrupt with the shorthand "self". */
void arch_request_software_interrupt(UCHAR vector)
{
    while (apic && (ki_read_apic(APIC_ICR_LOW) & APIC_ICR_PENDING))
        arch_pause();
    ki_write_apic(APIC_ICR_LOW, APIC_ICR_SELF | vector);
}

/*
 * With x2APIC the whole register is one MSR, written at once; and, unlike a
 * store to memory, not behind what was stored before (SDM: 3A, 11.12.3).
 */
void arch_send_interrupt(ULONG apic_id, ULONG command)
{
    ULONGLONG flags = arch_save_and_disable_interrupts();

    if (apic) {
        while (ki_read_apic(APIC_ICR_LOW) & APIC_ICR_PENDING)
            arch_pause();
        ki_write_apic(APIC_ICR_HIGH, apic_id << 24);
        ki_write_apic(APIC_ICR_LOW, command);
    } else {
        __asm__ volatile("mfence; lfence" : : : "memory");
        arch_write_msr(X2APIC_MSR_BASE + (APIC_ICR_LOW >> 4),
                       (ULONGLONG)apic_id << 32 | command);
    }
    arch_restore_interrupts(flags);
}
