/*
 * tests/kernel/dpc.c - when a deferred procedure call runs, where, and in
 * which order; and what its interrupt does to a pop of ring 3 (H18).
 */
#include "selftest.h"

#include <arch/thread.h>
#include <mm.h>

#define DPCS 6

/* Ke's own (ke/ipi.c). */
void ki_send_packet(KPRCB *prcb, void (*routine)(void *argument),
                    void *argument);
void ki_dpc_interrupt(KTRAP_FRAME *frame);      /* ke/dpc.c */

/* What ran, in the order in which it did. */
static struct {
    KDPC *dpc;
    void *context, *argument1, *argument2;
    KIRQL irql;
    BOOLEAN on_dpc_stack, interrupts;
} ran[16];
static volatile ULONG count;
static KDPC dpcs[DPCS];

#define RFLAGS_IF 0x200

static void note(KDPC *dpc, void *context, void *argument1, void *argument2)
{
    ULONG_PTR top = (ULONG_PTR)KeGetCurrentPrcb()->DpcStack;
    ULONG_PTR here = (ULONG_PTR)__builtin_frame_address(0);
    ULONGLONG flags = arch_save_and_disable_interrupts();

    arch_restore_interrupts(flags);
    ran[count].dpc = dpc;
    ran[count].context = context;
    ran[count].argument1 = argument1;
    ran[count].argument2 = argument2;
    ran[count].irql = KeGetCurrentIrql();
    ran[count].on_dpc_stack = here < top && here >= top - KERNEL_STACK_SIZE;
    ran[count].interrupts = (flags & RFLAGS_IF) != 0;
    count++;
}

static void again(KDPC *dpc, void *context, void *argument1, void *argument2)
{
    note(dpc, context, argument1, argument2);
    if (count < 3)
        KeInsertQueueDpc(dpc, argument1, argument2);
}

static void prepare(KDEFERRED_ROUTINE *routine)
{
    count = 0;
    for (ULONG i = 0; i < DPCS; i++)
        KeInitializeDpc(&dpcs[i], routine, (void *)(ULONG_PTR)i);
}

/* Below DISPATCH_LEVEL it comes by itself, as soon as the APIC brings it. */
static BOOLEAN test_passive(void)
{
    prepare(note);
    if (!KeInsertQueueDpc(&dpcs[4], (void *)0x11, (void *)0x22))
        return FALSE;
    while (count == 0)
        continue;
    return count == 1 && ran[0].dpc == &dpcs[4] &&
           ran[0].context == (void *)4 && ran[0].argument1 == (void *)0x11 &&
           ran[0].argument2 == (void *)0x22 &&
           ran[0].irql == DISPATCH_LEVEL && ran[0].on_dpc_stack &&
           ran[0].interrupts && dpcs[4].DpcData == NULL &&
           KeGetCurrentIrql() == PASSIVE_LEVEL;
}

/* At DISPATCH_LEVEL they wait; high importance overtakes. */
static BOOLEAN test_order(void)
{
    static const UCHAR order[] = { 3, 0, 1, 2, 5 };
    KIRQL old = KfRaiseIrql(DISPATCH_LEVEL);
    BOOLEAN good;

    prepare(note);
    KeSetImportanceDpc(&dpcs[1], LowImportance);
    KeSetImportanceDpc(&dpcs[3], HighImportance);
    KeSetImportanceDpc(&dpcs[5], MediumHighImportance);
    for (ULONG i = 0; i < DPCS; i++)
        KeInsertQueueDpc(&dpcs[i], NULL, NULL);
    good = count == 0 && !KeInsertQueueDpc(&dpcs[2], NULL, NULL) &&
           KeRemoveQueueDpc(&dpcs[4]) && !KeRemoveQueueDpc(&dpcs[4]);
    KfLowerIrql(old);
    while (count < sizeof order)
        continue;
    for (ULONG i = 0; i < sizeof order; i++)
        good &= ran[i].dpc == &dpcs[order[i]];
    return good && count == sizeof order &&
           KeGetCurrentPrcb()->DpcData[0].DpcQueueDepth == 0;
}

/* The last one taken out: the next to come is found all the same. */
static BOOLEAN test_remove_last(void)
{
    KIRQL old = KfRaiseIrql(HIGH_LEVEL);
    BOOLEAN good;

    prepare(note);
    KeInsertQueueDpc(&dpcs[0], NULL, NULL);
    KeInsertQueueDpc(&dpcs[1], NULL, NULL);
    good = KeRemoveQueueDpc(&dpcs[1]);
    KeInsertQueueDpc(&dpcs[2], NULL, NULL);
    KfLowerIrql(old);
    while (count < 2)
        continue;
    return good && count == 2 && ran[0].dpc == &dpcs[0] &&
           ran[1].dpc == &dpcs[2];
}

/* Low importance: without an interrupt, but not later than the next tick. */
static BOOLEAN test_low(void)
{
    KPRCB *prcb = KeGetCurrentPrcb();
    ULONGLONG flags = arch_save_and_disable_interrupts();
    BOOLEAN quiet;

    prepare(note);
    KeSetImportanceDpc(&dpcs[0], LowImportance);
    KeInsertQueueDpc(&dpcs[0], NULL, NULL);
    quiet = prcb->DpcRequestSummary == 0;
    arch_restore_interrupts(flags);
    while (count == 0)
        continue;
    return quiet && count == 1;
}

/* One that queues itself runs again before the queue is left. */
static BOOLEAN test_again(void)
{
    prepare(again);
    KeInsertQueueDpc(&dpcs[0], NULL, NULL);
    while (count < 3)
        continue;
    return count == 3 && ran[2].dpc == &dpcs[0];
}

static BOOLEAN test_target(void)
{
    prepare(note);
    if (ke_set_target_processor_dpc(&dpcs[0], KeNumberProcessors) !=
            STATUS_INVALID_PARAMETER ||
        ke_set_target_processor_dpc(&dpcs[0], 0) != STATUS_SUCCESS)
        return FALSE;
    KeInsertQueueDpc(&dpcs[0], NULL, NULL);
    while (count == 0)
        continue;
    return count == 1 && ran[0].dpc == &dpcs[0];
}

static volatile ULONG packet_irql;

static void note_irql(void *argument)
{
    packet_irql = KeGetCurrentIrql() + *(ULONG *)argument;
}

/* A packet to oneself is there when the sender goes on, at IPI_LEVEL. */
static BOOLEAN test_packet(void)
{
    ULONG offset = 100;
    KIRQL old = KfRaiseIrql(CLOCK_LEVEL);

    packet_irql = 0;
    ki_send_packet(KeGetCurrentPrcb(), note_irql, &offset);
    KfLowerIrql(old);
    return packet_irql == offset + IPI_LEVEL;
}

/* As if that had come to ring 3, instead of this service. */
static ULONG_PTR rip_after_interrupt(ULONG_PTR rip)
{
    KTRAP_FRAME *frame = KeGetCurrentThread()->TrapFrame, kept = *frame;
    KIRQL old = KfRaiseIrql(DISPATCH_LEVEL);

    arch_disable_interrupts();
    frame->ExceptionActive = KEXCEPTION_ACTIVE_INTERRUPT;
    frame->PreviousIrql = old;
    frame->Rip = rip;
    ki_dpc_interrupt(frame);
    rip = frame->Rip;
    *frame = kept;
    arch_enable_interrupts();
    KfLowerIrql(old);
    return rip;
}

/* A pop that others may follow begins again, from each of its bytes. */
static BOOLEAN test_pop(void)
{
    ULONG_PTR resume = KeUserPopEntrySListResume;
    ULONG_PTR end = KeUserPopEntrySListEnd;
    BOOLEAN good = resume != 0 && end > resume;

    for (ULONG_PTR rip = resume; rip <= end; rip++)
        good &= rip_after_interrupt(rip) == resume;
    return good && rip_after_interrupt(resume - 1) == resume - 1 &&
           rip_after_interrupt(end + 1) == end + 1;
}

BOOLEAN test_dpc(void)
{
    return test_passive() && test_order() && test_remove_last() &&
           test_low() && test_again() && test_target() && test_packet() &&
           test_pop();
}

/* Up and down in every order that is allowed. */
BOOLEAN test_irql(void)
{
    static const KIRQL levels[] = { PASSIVE_LEVEL, APC_LEVEL, DISPATCH_LEVEL,
                                    CLOCK_LEVEL, IPI_LEVEL, HIGH_LEVEL };
    BOOLEAN good = TRUE;

    for (ULONG low = 0; low < ARRAY_SIZE(levels); low++) {
        for (ULONG high = low; high < ARRAY_SIZE(levels); high++) {
            good &= KfRaiseIrql(levels[low]) == PASSIVE_LEVEL;
            good &= KfRaiseIrql(levels[high]) == levels[low];
            good &= KeGetCurrentIrql() == levels[high];
            KfLowerIrql(levels[low]);
            good &= KeGetCurrentIrql() == levels[low];
            KfLowerIrql(PASSIVE_LEVEL);
        }
    }
    return good;
}
