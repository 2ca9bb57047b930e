/*
 * tests/kernel/apcwait.c - APCs, alerts and suspension of another thread,
 * while it waits, runs, or keeps APCs away.
 *
 * The target says by an event how far it is, and waits for one to go on; at a
 * higher priority than ours it has always done all that it can.
 */
#include "selftest.h"

#include <mm.h>
#include <ps.h>

#define BETTER 14
#define WORSE 4
#define GO_ON (-10000LL)                /* 1 ms */

static KEVENT gate;
static volatile NTSTATUS answer;
static volatile ULONG kernel_runs, normal_runs, rundowns, turns;
static volatile BOOLEAN stop;
static KAPC apc;

struct waiting {
    KPROCESSOR_MODE mode;
    BOOLEAN alertable, critical, guarded;
};

static void kernel_routine(KAPC *which, KNORMAL_ROUTINE **routine,
                           void **context, void **argument1,
                           void **argument2)
{
    (void)which, (void)routine, (void)context;
    (void)argument1, (void)argument2;
    kernel_runs++;
}

static void normal_routine(void *context, void *argument1, void *argument2)
{
    (void)context, (void)argument1, (void)argument2;
    normal_runs++;
}

static void rundown_routine(KAPC *which)
{
    (void)which;
    rundowns++;
}

static void wait_once(void *argument)
{
    const struct waiting *how = argument;

    if (how->critical)
        KeEnterCriticalRegion();
    if (how->guarded)
        KeEnterGuardedRegion();
    answer = KeWaitForSingleObject(&gate, Executive, how->mode,
                                   how->alertable, NULL);
    if (how->guarded)
        KeLeaveGuardedRegion();
    if (how->critical)
        KeLeaveCriticalRegion();
    ps_exit_thread(STATUS_SUCCESS);
}

static ETHREAD *start(void (*routine)(void *), const void *argument,
                      KPRIORITY priority)
{
    KPRIORITY mine = KeSetPriorityThread(KeGetCurrentThread(), HIGH_PRIORITY);
    ETHREAD *thread;
    NTSTATUS status;

    kernel_runs = normal_runs = rundowns = 0;
    answer = STATUS_PENDING;
    KeInitializeEvent(&gate, EventSynchronizationObject, FALSE);
    status = ps_create_system_thread(routine, (void *)argument, &thread);
    ASSERT(NT_SUCCESS(status));
    KeSetPriorityThread(&thread->Tcb, priority);
    KeSetPriorityThread(KeGetCurrentThread(), mine);
    return thread;
}

static void join(ETHREAD *thread)
{
    KeWaitForSingleObject(thread, Executive, KernelMode, FALSE, NULL);
    ObDereferenceObject(thread);
}

static BOOLEAN queue(ETHREAD *thread, KNORMAL_ROUTINE *normal,
                     KPROCESSOR_MODE mode, BOOLEAN special_user)
{
    KeInitializeApc(&apc, &thread->Tcb, OriginalApcEnvironment,
                    kernel_routine, rundown_routine, normal, mode, NULL);
    if (special_user)
        ke_make_special_user_apc(&apc);
    return KeInsertQueueApc(&apc, NULL, NULL, 0);
}

/* ---- Kernel APCs: they run inside the wait, which goes on ---- */

static BOOLEAN test_kernel_apc(BOOLEAN special, BOOLEAN critical,
                               BOOLEAN guarded)
{
    struct waiting how = { KernelMode, FALSE, critical, guarded };
    ETHREAD *thread = start(wait_once, &how, BETTER);
    BOOLEAN runs = !guarded && (special || !critical);
    BOOLEAN good = thread->Tcb.State == Waiting &&
                   queue(thread, special ? NULL : normal_routine, KernelMode,
                         FALSE);

    good &= kernel_runs == runs && normal_runs == (runs && !special) &&
            answer == STATUS_PENDING && thread->Tcb.State == Waiting;
    KeSetEvent(&gate, 0, FALSE);
    join(thread);
    return good && answer == STATUS_WAIT_0 && kernel_runs == 1 &&
           normal_runs == !special;
}

/* ---- User APCs: they end the waits that they may ---- */

static BOOLEAN test_user_apc(KPROCESSOR_MODE mode, BOOLEAN alertable,
                             BOOLEAN special)
{
    struct waiting how = { mode, alertable, FALSE, FALSE };
    ETHREAD *thread = start(wait_once, &how, BETTER);
    BOOLEAN ends = mode == UserMode && alertable;
    BOOLEAN good = queue(thread, normal_routine, UserMode, special) &&
                   answer == (ends ? STATUS_USER_APC : STATUS_PENDING);

    KeSetEvent(&gate, 0, FALSE);
    join(thread);
    return good && answer == (ends ? STATUS_USER_APC : STATUS_WAIT_0) &&
           kernel_runs == 0 && rundowns == 1;
}

/* ---- Alerts ---- */

static BOOLEAN test_alert(KPROCESSOR_MODE wait_mode, BOOLEAN alertable,
                          KPROCESSOR_MODE mode)
{
    struct waiting how = { wait_mode, alertable, FALSE, FALSE };
    ETHREAD *thread = start(wait_once, &how, BETTER);
    BOOLEAN ends = alertable && mode <= wait_mode;
    BOOLEAN good = !KeAlertThread(&thread->Tcb, mode) &&
                   answer == (ends ? STATUS_ALERTED : STATUS_PENDING);

    if (!ends)
        good &= KeAlertThread(&thread->Tcb, mode);
    KeSetEvent(&gate, 0, FALSE);
    join(thread);
    return good && answer == (ends ? STATUS_ALERTED : STATUS_WAIT_0);
}

/* ---- Suspension ---- */

static void count_turns(void *argument)
{
    (void)argument;
    while (!stop)
        turns++;
    ps_exit_thread(STATUS_SUCCESS);
}

static void sleep(void)
{
    LARGE_INTEGER time = { .QuadPart = GO_ON };

    KeDelayExecutionThread(KernelMode, FALSE, &time);
}

/* Ours is the better priority, so it runs only while we sleep. */
static BOOLEAN advances(void)
{
    ULONG before = turns;

    for (ULONG i = 0; i < 100 && turns == before; i++)
        sleep();
    return turns != before;
}

static BOOLEAN stands(ETHREAD *thread)
{
    ULONG before;

    while (thread->Tcb.State != Waiting)
        sleep();
    before = turns;
    sleep();
    return turns == before && thread->Tcb.WaitReason == Suspended;
}

static BOOLEAN test_suspend(void)
{
    ETHREAD *thread;
    KTHREAD *tcb;
    ULONG before = 99;
    BOOLEAN good = TRUE;

    stop = FALSE;
    thread = start(count_turns, NULL, WORSE);
    tcb = &thread->Tcb;
    good &= advances() && KeResumeThread(tcb) == 0;
    good &= ke_suspend_thread(tcb, &before) == STATUS_SUCCESS && before == 0 &&
            stands(thread);
    good &= ke_suspend_thread(tcb, &before) == STATUS_SUCCESS && before == 1;
    good &= KeResumeThread(tcb) == 2 && stands(thread);
    good &= KeResumeThread(tcb) == 1 && advances();
    for (ULONG i = 0; i < 127; i++)
        good &= ke_suspend_thread(tcb, &before) == STATUS_SUCCESS &&
                before == i;
    good &= ke_suspend_thread(tcb, &before) == STATUS_SUSPEND_COUNT_EXCEEDED;
    good &= stands(thread) && KeAlertResumeThread(tcb) == 127 &&
            stands(thread);
    KeForceResumeThread(tcb);
    good &= advances() && KeResumeThread(tcb) == 0;
    stop = TRUE;
    join(thread);
    return good;
}

/* In a critical region it goes on until it leaves that. */
static BOOLEAN test_suspend_in_region(void)
{
    struct waiting how = { KernelMode, FALSE, TRUE, FALSE };
    ETHREAD *thread = start(wait_once, &how, BETTER);
    ULONG before;
    BOOLEAN good = ke_suspend_thread(&thread->Tcb, &before) ==
                       STATUS_SUCCESS &&
                   thread->Tcb.WaitReason == Executive;

    KeSetEvent(&gate, 0, FALSE);
    good &= answer == STATUS_WAIT_0 && thread->Tcb.State == Waiting &&
            thread->Tcb.WaitReason == Suspended &&
            KeResumeThread(&thread->Tcb) == 1;
    join(thread);
    return good;
}

/* ---- Preempted at APC_LEVEL: it runs when the level falls ---- */

static volatile BOOLEAN raised, lower;

static void stay_raised(void *argument)
{
    KIRQL old = KfRaiseIrql(APC_LEVEL);

    (void)argument;
    raised = TRUE;
    while (!lower)
        turns++;
    answer = kernel_runs == 0 ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
    KfLowerIrql(old);
    while (kernel_runs == 0)
        turns++;
    ps_exit_thread(STATUS_SUCCESS);
}

static BOOLEAN test_at_apc_level(void)
{
    ETHREAD *thread;
    BOOLEAN good;

    raised = lower = FALSE;
    thread = start(stay_raised, NULL, WORSE);
    while (!raised)
        sleep();
    good = queue(thread, NULL, KernelMode, FALSE);
    sleep();
    good &= kernel_runs == 0;
    lower = TRUE;
    join(thread);
    return good && answer == STATUS_SUCCESS && kernel_runs == 1;
}

BOOLEAN test_apc_wait(void)
{
    KPRIORITY mine = KeSetPriorityThread(KeGetCurrentThread(), 10);
    BOOLEAN good = TRUE;

    for (ULONG i = 0; i < 8; i++)
        good &= test_kernel_apc(i & 1, i >> 1 & 1, i >> 2 & 1) &&
                test_user_apc(i & 1, i >> 1 & 1, i >> 2 & 1) &&
                test_alert(i & 1, i >> 1 & 1, i >> 2 & 1);
    good &= test_suspend() && test_suspend_in_region() &&
            test_at_apc_level();
    KeSetPriorityThread(KeGetCurrentThread(), mine);
    return good;
}
