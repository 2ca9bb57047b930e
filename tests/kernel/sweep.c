/*
 * tests/kernel/sweep.c - a user APC to the caller that an interrupt queues
 * after so many counts of the local APIC's timer, or a change of the caller's
 * memory that a kernel APC makes then.
 *
 * With a clock that counts instructions (--icount) a count is one, and a
 * caller that asks for 1, 2, 3... has it queued at each in turn
 * (tests/user/sweep.c, meanwhile.c).  The timer comes as vector E1h, a packet
 * to oneself (ke/ipi.c); the clock stands still until then.
 */
#include "selftest.h"

#include <arch/apic.h>
#include <arch/processor.h>
#include <mm.h>
#include <nt/ntapi.h>
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

static void prepare(KDPC *dpc)
{
    REQUEST_MAILBOX *mailbox = &KeGetCurrentPrcb()->RequestMailbox[0];

    mailbox->RequestPacket.WorkerRoutine = fire;
    mailbox->RequestPacket.CurrentPacket[0] = dpc;
    mailbox->RequestSummary = IPI_PACKET_READY;
    clock_lvt = ki_read_apic(APIC_LVT_TIMER);
    clock_initial = ki_read_apic(APIC_TIMER_INITIAL);
    ki_write_apic(APIC_LVT_TIMER, IPI_VECTOR);
    ki_write_apic(APIC_TIMER_DIVIDE, APIC_DIVIDE_BY_1);
}

/* In a trap: vector 1Fh, right behind SYSRET, which lets interrupts in. */
BOOLEAN queue_user_apc_after(ULONGLONG user)
{
    struct sweep order;

    if (!NT_SUCCESS(mm_copy_from_user(&order, (void *)user, sizeof order)))
        return FALSE;
    prepare(make_user_apc_dpc(order.routine));
    if (order.in_trap) {
        arch_disable_interrupts();
        arch_request_software_interrupt(APC_VECTOR);
    }
    ki_write_apic(APIC_TIMER_INITIAL, order.count);
    return TRUE;
}

/* Interrupts of the clock's come meanwhile from whoever sends them. */
void let_clock_go(BOOLEAN go)
{
    ULONG lvt = ki_read_apic(APIC_LVT_TIMER) & ~APIC_LVT_MASKED;

    ki_write_apic(APIC_LVT_TIMER, go ? lvt : lvt | APIC_LVT_MASKED);
}

/* ---- Ring 3's memory changes in the middle of a service ---- */

struct disturbance {                    /* ring 3's order */
    ULONGLONG to, from;                 /* what is copied where */
    ULONG size;                         /* 0: nothing */
    ULONG protect;                      /* of to's page, then; 0: as it is */
    ULONG count;
    ULONG done;                         /* set to 1 */
};

static struct {
    struct disturbance order, *user;
    KAPC apc;
} disturbed;

NTSTATUS ZwProtectVirtualMemory(HANDLE process, void **base, SIZE_T *size,
                                ULONG protect, ULONG *before);

static void free_nothing(KAPC *apc, KNORMAL_ROUTINE **routine, void **context,
                         void **argument1, void **argument2)
{
    (void)apc, (void)routine, (void)context, (void)argument1, (void)argument2;
}

/* A normal kernel APC: whoever holds a lock of the memory is not disturbed. */
static void disturb(void *context, void *argument1, void *argument2)
{
    const struct disturbance *order = &disturbed.order;
    void *page = (void *)order->to;
    SIZE_T size = 1;
    ULONG before, done = 1;

    (void)context, (void)argument1, (void)argument2;
    if (order->size)
        mm_copy_to_mode(UserMode, page, (void *)order->from, order->size);
    if (order->protect)
        ZwProtectVirtualMemory(NtCurrentProcess(), &page, &size,
                               order->protect, &before);
    mm_copy_to_mode(UserMode, &disturbed.user->done, &done, sizeof done);
}

static void queue_disturbance(KDPC *dpc, void *context, void *argument1,
                              void *argument2)
{
    (void)dpc, (void)context, (void)argument1, (void)argument2;
    KeInsertQueueApc(&disturbed.apc, NULL, NULL, 0);
}

BOOLEAN disturb_after(ULONGLONG user)
{
    static KDPC dpc;

    disturbed.user = (void *)user;
    if (!NT_SUCCESS(mm_copy_from_user(&disturbed.order, disturbed.user,
                                      sizeof disturbed.order)))
        return FALSE;
    KeInitializeApc(&disturbed.apc, KeGetCurrentThread(),
                    OriginalApcEnvironment, free_nothing, NULL, disturb,
                    KernelMode, NULL);
    KeInitializeDpc(&dpc, queue_disturbance, NULL);
    prepare(&dpc);
    ki_write_apic(APIC_TIMER_INITIAL, disturbed.order.count);
    return TRUE;
}
