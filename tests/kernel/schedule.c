/*
 * tests/kernel/schedule.c - who runs when: priorities, quanta, turns.
 *
 * Every thread ends in an event or a count that the test waits for; a
 * scheduler that forgets one shows as a test that does not end.
 */
#include "selftest.h"

#include <ke_dpc.h>
#include <ps.h>

#define TURNS 4

struct spinner {
    ETHREAD *thread;
    volatile ULONG switches;            /* seen by the thread itself */
};

static volatile BOOLEAN stop;

static void start(void (*routine)(void *), ULONG_PTR argument,
                  KPRIORITY priority, ETHREAD **thread)
{
    KPRIORITY mine = KeSetPriorityThread(KeGetCurrentThread(), HIGH_PRIORITY);
    NTSTATUS status = ps_create_system_thread(routine, (void *)argument,
                                              thread);

    ASSERT(NT_SUCCESS(status));
    KeSetPriorityThread(&(*thread)->Tcb, priority);
    KeSetPriorityThread(KeGetCurrentThread(), mine);
}

static void join(ETHREAD *thread)
{
    KeWaitForSingleObject(thread, Executive, KernelMode, FALSE, NULL);
    ObDereferenceObject(thread);
}

/* Never gives the processor up: only the end of a quantum takes it away. */
static void spin(void *argument)
{
    struct spinner *spinner = argument;

    while (!stop)
        spinner->switches = KeGetCurrentThread()->ContextSwitches;
    ps_exit_thread(STATUS_SUCCESS);
}

/* Two that spin at one priority both come to their turns. */
static BOOLEAN test_sharing(void)
{
    static struct spinner spinners[2];
    KTHREAD *self = KeGetCurrentThread();
    LARGE_INTEGER tick = { .QuadPart = -(LONGLONG)KeQueryTimeIncrement() };
    KPRIORITY mine = KeSetPriorityThread(self, 12);

    stop = FALSE;
    for (ULONG i = 0; i < 2; i++)
        start(spin, (ULONG_PTR)&spinners[i], 9, &spinners[i].thread);
    while (spinners[0].switches < TURNS || spinners[1].switches < TURNS)
        KeDelayExecutionThread(KernelMode, FALSE, &tick);
    stop = TRUE;
    for (ULONG i = 0; i < 2; i++)
        join(spinners[i].thread);
    KeSetPriorityThread(self, mine);
    return TRUE;
}

static volatile ULONG order[8];
static volatile ULONG ran;

static void note(void *argument)
{
    order[ran++] = (ULONG)(ULONG_PTR)argument;
    ps_exit_thread(STATUS_SUCCESS);
}

/* Better ones run before KeReadyThread is back, others when we wait. */
static BOOLEAN test_preemption(void)
{
    static const ULONG expected[] = { 20, 12, 10, 10 };
    KTHREAD *self = KeGetCurrentThread();
    KPRIORITY mine = KeSetPriorityThread(self, 15);
    ETHREAD *thread[4];
    BOOLEAN good = TRUE;

    ran = 0;
    start(note, 10, 10, &thread[0]);
    start(note, 10, 10, &thread[1]);
    start(note, 12, 12, &thread[2]);
    good &= ran == 0;
    start(note, 20, 20, &thread[3]);
    good &= ran == 1;
    for (ULONG i = 0; i < 4; i++)
        join(thread[i]);
    for (ULONG i = 0; i < 4; i++)
        good &= order[i] == expected[i];
    KeSetPriorityThread(self, mine);
    return good;
}

static KEVENT wanted;
static volatile ULONG woken_at;

static void wait_for_interrupt(void *argument)
{
    (void)argument;
    KeWaitForSingleObject(&wanted, Executive, KernelMode, FALSE, NULL);
    woken_at = ke_shared_data_xp->TickCountLow + 1;
    ps_exit_thread(STATUS_SUCCESS);
}

static void set_wanted(KDPC *dpc, void *context, void *argument1,
                       void *argument2)
{
    (void)dpc, (void)context, (void)argument1, (void)argument2;
    KeSetEvent(&wanted, IO_NO_INCREMENT, FALSE);
}

/*
 * A DPC wakes a better thread while we spin, without a call of ours: it runs
 * within the same or the next tick.
 */
static BOOLEAN test_interrupt(void)
{
    static KDPC dpc;
    ETHREAD *thread;
    ULONG tick;
    BOOLEAN good;

    woken_at = 0;
    KeInitializeEvent(&wanted, EventSynchronizationObject, FALSE);
    KeInitializeDpc(&dpc, set_wanted, NULL);
    start(wait_for_interrupt, 0, 18, &thread);
    tick = ke_shared_data_xp->TickCountLow;
    KeInsertQueueDpc(&dpc, NULL, NULL);
    while (!woken_at)
        continue;
    good = woken_at - 1 - tick <= 1;
    join(thread);
    return good;
}

static void yield_and_note(void *argument)
{
    for (ULONG i = 0; i < 2; i++) {
        order[ran++] = (ULONG)(ULONG_PTR)argument;
        ke_yield();
    }
    ps_exit_thread(STATUS_SUCCESS);
}

/* Equals take turns by yielding, in the order in which they came. */
static BOOLEAN test_yield(void)
{
    ETHREAD *thread[2];
    BOOLEAN good;
    KTHREAD *self = KeGetCurrentThread();
    KPRIORITY mine = KeSetPriorityThread(self, 15);

    ran = 0;
    for (ULONG i = 0; i < 2; i++)
        start(yield_and_note, i + 1, 14, &thread[i]);
    for (ULONG i = 0; i < 2; i++)
        join(thread[i]);
    good = order[0] == 1 && order[1] == 2 && order[2] == 1 && order[3] == 2;
    KeSetPriorityThread(self, mine);
    return good;
}

/* Whoever falls below a ready thread gives way at once. */
static BOOLEAN test_lowering(void)
{
    KTHREAD *self = KeGetCurrentThread();
    KPRIORITY mine = KeSetPriorityThread(self, 15);
    ETHREAD *thread;
    BOOLEAN good;

    ran = 0;
    start(note, 1, 14, &thread);
    good = ran == 0;
    KeSetPriorityThread(self, 13);
    good &= ran == 1;
    join(thread);
    KeSetPriorityThread(self, mine);
    return good;
}

BOOLEAN test_schedule(void)
{
    return test_preemption() && test_lowering() && test_yield() &&
           test_interrupt() && test_sharing();
}
