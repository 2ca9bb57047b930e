/*
 * tests/kernel/nmistorm.c - NMIs from inside, as many as the machine makes.
 *
 * Counter 0 of the PIT, which the kernel does not use, counts down once; the
 * I/O APIC turns its end into an NMI, and NMI's handler (ist.c) starts it
 * again.  So there is time between two of them on the slowest machine.  They
 * come between any two instructions, in ring 3 or in ring 0, and need no
 * acknowledgement.  (Scenario D13.)
 */
#include "selftest.h"

#include <arch/cpu.h>
#include <arch/entry.h>
#include <mm.h>

#define IO_APIC 0xFEC00000ULL
#define IO_APIC_INDEX 0x00
#define IO_APIC_WINDOW 0x10
#define TIMER_PIN 2                     /* where a PC's IRQ 0 ends */
#define ENTRY_LOW (0x10 + TIMER_PIN * 2)
#define ENTRY_HIGH (ENTRY_LOW + 1)
#define DELIVER_NMI 0x400
#define MASKED 0x10000
#define APIC_ID_SHIFT 24

#define PIT_COUNTER0 0x40
#define PIT_COMMAND 0x43
#define COUNTER0_ONCE 0x10              /* one byte, mode 0 */
#define MOST 0xFF

extern ULONG ki_nmi_count;               /* thread/nmi.c */

static volatile UCHAR *io_apic;
static volatile UCHAR interval;         /* ticks of the PIT; 0: none */

static void write_io_apic(ULONG index, ULONG value)
{
    *(volatile ULONG *)(io_apic + IO_APIC_INDEX) = index;
    *(volatile ULONG *)(io_apic + IO_APIC_WINDOW) = value;
}

/* One byte starts it: an NMI in the middle of this does no harm. */
void send_next_nmi(void)
{
    if (interval)
        arch_out8(PIT_COUNTER0, interval);
}

BOOLEAN send_nmis(ULONGLONG every)
{
    if (every > MOST)
        return FALSE;
    if (!io_apic)
        io_apic = MmMapIoSpace(IO_APIC, PAGE_SIZE, MmNonCached);
    if (!io_apic)
        return FALSE;
    interval = 0;
    write_io_apic(ENTRY_LOW, MASKED);
    if (!every)
        return TRUE;
    arch_out8(PIT_COMMAND, COUNTER0_ONCE);
    write_io_apic(ENTRY_HIGH,
                  KeGetCurrentPrcb()->InitialApicId << APIC_ID_SHIFT);
    write_io_apic(ENTRY_LOW, DELIVER_NMI);
    interval = (UCHAR)every;
    send_next_nmi();
    return TRUE;
}

BOOLEAN tell_nmis(ULONGLONG user)
{
    ULONG count = ki_nmi_count;

    return NT_SUCCESS(mm_copy_to_user((void *)(ULONG_PTR)user, &count,
                                      sizeof count));
}
