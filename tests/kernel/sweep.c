/*
 * tests/kernel/sweep.c - a user APC to the caller that an interrupt queues
 * after so many counts of the local APIC's timer.
 *
 * With a clock that counts instructions (--icount) a count is one, and a
 * caller that asks for 1, 2, 3... has it queued at each in turn
 * (tests/user/sweep.c).  The timer comes as vector E1h, a packet to oneself
 * (ke/ipi.c); the clock stands still until then.
 */
#include "selftest.h"

#include <arch/apic.h>
#include <arch/processor.h>
#include <mm.h>
#include <x86/apic.h>

struct sweep {                          /* ring 3's order */
    ULONGLONG routine;
    ULONG count;
    ULONG in_trap;
};

static ULONG clock_lvt, clock_initial;

/* IPI_LEVEL.  The timer is the clock's again; the rest is for the DPC. */
static void fire(void *dpc)
{
    ki_write_apic(APIC_TIMER_DIVIDE, APIC_DIVIDE_BY_16);
    ki_write_apic(APIC_LVT_TIMER, clock_lvt);
    ki_write_apic(APIC_TIMER_INITIAL, clock_initial);
    KeInsertQueueDpc(dpc, NULL, NULL);
}

/* In a trap: vector 1Fh, right behind SYSRET, which lets interrupts in. */
BOOLEAN queue_user_apc_after(ULONGLONG user)
{
    REQUEST_MAILBOX *mailbox = &KeGetCurrentPrcb()->RequestMailbox[0];
    struct sweep order;

    if (!NT_SUCCESS(mm_copy_from_user(&order, (void *)user, sizeof order)))
        return FALSE;
    mailbox->RequestPacket.WorkerRoutine = fire;
    mailbox->RequestPacket.CurrentPacket[0] = make_user_apc_dpc(order.routine);
    mailbox->RequestSummary = IPI_PACKET_READY;
    clock_lvt = ki_read_apic(APIC_LVT_TIMER);
    clock_initial = ki_read_apic(APIC_TIMER_INITIAL);
    ki_write_apic(APIC_LVT_TIMER, IPI_VECTOR);
    ki_write_apic(APIC_TIMER_DIVIDE, APIC_DIVIDE_BY_1);
    if (order.in_trap) {
        arch_disable_interrupts();
        arch_request_software_interrupt(APC_VECTOR);
    }
    ki_write_apic(APIC_TIMER_INITIAL, order.count);
    return TRUE;
}
