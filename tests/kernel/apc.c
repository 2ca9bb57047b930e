/*
 * tests/kernel/apc.c - which kernel APCs run where, and when.
 *
 * The current thread queues to itself.  "Runs" is: before the call that makes
 * it possible is over, or, where vector 1Fh brings it, as soon as the APIC
 * does; "waits" is: not until the thread has left the place that keeps it.
 *
 * Scenarios: I4, I6.
 */
#include "selftest.h"

#include <arch/apic.h>
#include <mm.h>
#include <ps.h>

#define APCS 6
#define TAG 0x54637041                  /* "ApcT" */
#define UNEXPECTED_VECTOR 0xE4

enum routine { KERNEL_ROUTINE, NORMAL_ROUTINE };

/* What ran, in the order in which it did. */
static struct {
    enum routine routine;
    KAPC *apc;
    KIRQL irql;
    UCHAR in_progress;
} ran[32];
static volatile ULONG count;
static ULONG rundowns;
static KAPC apcs[APCS];

static void note(enum routine routine, KAPC *apc)
{
    ran[count].routine = routine;
    ran[count].apc = apc;
    ran[count].irql = KeGetCurrentIrql();
    ran[count].in_progress = KeGetCurrentThread()->ApcState.InProgressFlags;
    count++;
}

static void kernel_routine(KAPC *apc, KNORMAL_ROUTINE **routine,
                           void **context, void **argument1,
                           void **argument2)
{
    (void)routine, (void)context, (void)argument1, (void)argument2;
    note(KERNEL_ROUTINE, apc);
}

static void cancel_routine(KAPC *apc, KNORMAL_ROUTINE **routine,
                           void **context, void **argument1,
                           void **argument2)
{
    kernel_routine(apc, routine, context, argument1, argument2);
    *routine = NULL;
}

static void normal_routine(void *context, void *argument1, void *argument2)
{
    (void)argument1, (void)argument2;
    note(NORMAL_ROUTINE, context);
}

static void count_rundown(KAPC *apc)
{
    (void)apc;
    rundowns++;
}

static void make(ULONG at, BOOLEAN special)
{
    KeInitializeApc(&apcs[at], KeGetCurrentThread(), CurrentApcEnvironment,
                    kernel_routine, NULL, special ? NULL : normal_routine,
                    KernelMode, &apcs[at]);
}

static BOOLEAN insert(ULONG at)
{
    return KeInsertQueueApc(&apcs[at], NULL, NULL, 0);
}

/* What must come does; what must not is given the time of a few interrupts. */
static BOOLEAN wait_for(ULONG expected)
{
    ULONGLONG start = KeQueryInterruptTime();

    while (count < expected)
        continue;
    if (KeGetCurrentIrql() < DISPATCH_LEVEL && expected == 0) {
        while (KeQueryInterruptTime() == start)
            continue;
    }
    return count == expected;
}

static BOOLEAN is(ULONG at, enum routine routine, ULONG apc, KIRQL irql)
{
    return ran[at].routine == routine && ran[at].apc == &apcs[apc] &&
           ran[at].irql == irql;
}

/* ---- One of each kind ---- */

static BOOLEAN test_kinds(void)
{
    BOOLEAN good;

    count = 0;
    make(0, TRUE);
    good = insert(0) && wait_for(1) && is(0, KERNEL_ROUTINE, 0, APC_LEVEL);
    count = 0;
    make(1, FALSE);
    good &= insert(1) && wait_for(2) &&
            is(0, KERNEL_ROUTINE, 1, APC_LEVEL) &&
            is(1, NORMAL_ROUTINE, 1, PASSIVE_LEVEL) &&
            ran[1].in_progress == KERNEL_APC_IN_PROGRESS;
    count = 0;
    make(2, FALSE);
    apcs[2].KernelRoutine = cancel_routine;
    good &= insert(2) && wait_for(1) && insert(2) && wait_for(2) &&
            ran[1].routine == KERNEL_ROUTINE;
    return good && KeGetCurrentIrql() == PASSIVE_LEVEL &&
           KeGetCurrentThread()->ApcState.InProgressFlags == 0;
}

/* Special ones first, each kind in its order; no one twice in a queue. */
static BOOLEAN test_order(void)
{
    static const struct {
        enum routine routine;
        UCHAR apc;
    } order[] = {
        { KERNEL_ROUTINE, 1 }, { KERNEL_ROUTINE, 3 }, { KERNEL_ROUTINE, 0 },
        { NORMAL_ROUTINE, 0 }, { KERNEL_ROUTINE, 2 }, { NORMAL_ROUTINE, 2 },
    };
    KIRQL old = KfRaiseIrql(APC_LEVEL);
    BOOLEAN good = TRUE;

    count = 0;
    for (ULONG i = 0; i < 5; i++) {
        make(i, i == 1 || i == 3);
        good &= insert(i);
    }
    good &= !insert(2) && count == 0 &&
            KeGetCurrentThread()->ApcState.KernelApcPending &&
            KeRemoveQueueApc(&apcs[4]) && !KeRemoveQueueApc(&apcs[4]);
    KfLowerIrql(old);
    good &= wait_for(ARRAY_SIZE(order));
    for (ULONG i = 0; i < ARRAY_SIZE(order); i++)
        good &= ran[i].routine == order[i].routine &&
                ran[i].apc == &apcs[order[i].apc];
    return good;
}

/* In a normal one: special ones run, normal ones wait for its end. */
static BOOLEAN inside_good;

static void inside(void *context, void *argument1, void *argument2)
{
    normal_routine(context, argument1, argument2);
    make(1, FALSE);
    make(2, TRUE);
    inside_good = insert(1) && insert(2) && wait_for(3) &&
                  is(2, KERNEL_ROUTINE, 2, APC_LEVEL) && apcs[1].Inserted;
    normal_routine(context, argument1, argument2);
}

static BOOLEAN test_in_progress(void)
{
    count = 0;
    make(0, FALSE);
    apcs[0].NormalRoutine = inside;
    return insert(0) && wait_for(6) && inside_good &&
           is(3, NORMAL_ROUTINE, 0, PASSIVE_LEVEL) &&
           is(4, KERNEL_ROUTINE, 1, APC_LEVEL) &&
           is(5, NORMAL_ROUTINE, 1, PASSIVE_LEVEL);
}

/* ---- Which kind runs in which place ---- */

static const struct {
    UCHAR irql, critical, guarded;      /* levels and depths */
    BOOLEAN special_runs, normal_runs;
} places[] = {
    { PASSIVE_LEVEL, 0, 0, TRUE, TRUE },
    { PASSIVE_LEVEL, 1, 0, TRUE, FALSE },
    { PASSIVE_LEVEL, 3, 0, TRUE, FALSE },
    { PASSIVE_LEVEL, 0, 1, FALSE, FALSE },
    { PASSIVE_LEVEL, 0, 2, FALSE, FALSE },
    { PASSIVE_LEVEL, 2, 2, FALSE, FALSE },
    { APC_LEVEL, 0, 0, FALSE, FALSE },
    { APC_LEVEL, 1, 0, FALSE, FALSE },
    { APC_LEVEL, 0, 1, FALSE, FALSE },
    { APC_LEVEL, 1, 1, FALSE, FALSE },
};

static BOOLEAN counts_are(ULONG critical, ULONG guarded)
{
    const KTHREAD *thread = KeGetCurrentThread();

    return thread->KernelApcDisable == -(LONG)critical &&
           thread->SpecialApcDisable == -(LONG)guarded &&
           KeAreApcsDisabled() == (critical + guarded != 0);
}

/* Leave step by step: it comes with the step that makes it possible. */
static BOOLEAN leave(ULONG place, BOOLEAN special, ULONG wanted)
{
    ULONG critical = places[place].critical, guarded = places[place].guarded;
    BOOLEAN at_apc = places[place].irql == APC_LEVEL;
    BOOLEAN good = counts_are(critical, guarded);

    while (guarded != 0) {
        KeLeaveGuardedRegion();
        good &= counts_are(critical, --guarded);
        if (guarded == 0 && special && !at_apc)
            good &= wait_for(wanted);
    }
    while (critical != 0) {
        KeLeaveCriticalRegion();
        good &= counts_are(--critical, 0);
        if (critical == 0 && !at_apc)
            good &= wait_for(wanted);
    }
    if (at_apc) {
        good &= special || count == 0;
        KfLowerIrql(PASSIVE_LEVEL);
    }
    return good && wait_for(wanted);
}

static BOOLEAN test_place(ULONG place, BOOLEAN special)
{
    ULONG wanted = special ? 1 : 2;
    BOOLEAN runs = special ? places[place].special_runs
                           : places[place].normal_runs;
    BOOLEAN good;

    count = 0;
    make(0, special);
    if (places[place].irql == APC_LEVEL)
        KfRaiseIrql(APC_LEVEL);
    for (ULONG i = 0; i < places[place].critical; i++)
        KeEnterCriticalRegion();
    for (ULONG i = 0; i < places[place].guarded; i++)
        KeEnterGuardedRegion();
    good = insert(0) && wait_for(runs ? wanted : 0);
    return leave(place, special, wanted) && good;
}

static BOOLEAN test_places(void)
{
    BOOLEAN good = TRUE;

    for (ULONG i = 0; i < ARRAY_SIZE(places); i++)
        good &= test_place(i, TRUE) && test_place(i, FALSE);
    return good;
}

/* At DISPATCH_LEVEL they can be queued; they come at the way down. */
static BOOLEAN test_dispatch(void)
{
    KIRQL old = KfRaiseIrql(DISPATCH_LEVEL);
    BOOLEAN good;

    count = 0;
    make(0, FALSE);
    good = insert(0) && count == 0 && KeGetCurrentIrql() == DISPATCH_LEVEL;
    KfLowerIrql(old);
    return good && wait_for(2);
}

/* ---- Another process ---- */

static BOOLEAN attached_good(KTHREAD *thread, const KPROCESS *own)
{
    KPROCESS *system = &PsInitialSystemProcess->Pcb;
    KAPC_STATE nested;
    BOOLEAN good = thread->ApcStateIndex == 1 &&
                   thread->ApcState.Process == system &&
                   thread->SavedApcState.Process == own && count == 0 &&
                   insert(0) && wait_for(0);

    make(1, TRUE);
    good &= insert(1) && wait_for(1) && ran[0].apc == &apcs[1];
    KeStackAttachProcess(system, &nested);
    KeUnstackDetachProcess(&nested);
    good &= thread->ApcState.Process == system;
    KeStackAttachProcess((KPROCESS *)own, &nested);
    good &= thread->ApcState.Process == own && thread->ApcStateIndex == 1 &&
            apcs[0].Inserted;
    KeUnstackDetachProcess(&nested);
    return good && thread->ApcState.Process == system &&
           arch_read_cr3() == system->DirectoryTableBase && count == 1;
}

/* An APC of the process left behind waits until the thread is back. */
static BOOLEAN test_attach(void)
{
    KTHREAD *thread = KeGetCurrentThread();
    KPROCESS *own = thread->ApcState.Process;
    ULONGLONG directory = arch_read_cr3();
    KAPC_STATE state;
    BOOLEAN good;

    count = 0;
    KfRaiseIrql(APC_LEVEL);
    make(0, FALSE);
    make(2, TRUE);
    good = insert(2);
    KeStackAttachProcess(&PsInitialSystemProcess->Pcb, &state);
    KfLowerIrql(PASSIVE_LEVEL);
    good &= attached_good(thread, own);
    KeUnstackDetachProcess(&state);
    return good && wait_for(4) && ran[1].apc == &apcs[2] &&
           is(3, NORMAL_ROUTINE, 0, PASSIVE_LEVEL) &&
           thread->ApcStateIndex == 0 && thread->ApcState.Process == own &&
           arch_read_cr3() == directory;
}

/* ---- Alerts ---- */

static BOOLEAN test_alerts(void)
{
    KTHREAD *thread = KeGetCurrentThread();

    return !KeTestAlertThread(KernelMode) &&
           !KeAlertThread(thread, KernelMode) &&
           KeAlertThread(thread, KernelMode) &&
           !KeTestAlertThread(UserMode) && KeTestAlertThread(KernelMode) &&
           !KeTestAlertThread(KernelMode);
}

/* ---- A thread that ends ---- */

/* Each gets its rundown routine once, or is freed; then nothing gets in. */
static BOOLEAN test_rundown(void)
{
    static KTHREAD thread;
    KAPC *allocated = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof *allocated,
                                      TAG);
    BOOLEAN good = allocated != NULL;

    memset(&thread, 0, sizeof thread);
    ki_initialize_thread_apcs(&thread, &PsInitialSystemProcess->Pcb);
    rundowns = count = 0;
    for (ULONG i = 0; i < APCS; i++) {
        KeInitializeApc(&apcs[i], &thread, OriginalApcEnvironment,
                        kernel_routine, count_rundown, normal_routine,
                        UserMode, NULL);
        good &= insert(i);
    }
    KeInitializeApc(allocated, &thread, OriginalApcEnvironment,
                    kernel_routine, NULL, normal_routine, UserMode, NULL);
    good &= KeInsertQueueApc(allocated, NULL, NULL, 0) &&
            KeRemoveQueueApc(&apcs[3]);
    KeRundownApcQueues(&thread);
    return good && rundowns == APCS - 1 && count == 0 &&
           !apcs[0].Inserted && !insert(0) && rundowns == APCS - 1 &&
           IsListEmpty(&thread.ApcState.ApcListHead[UserMode]);
}

/* Bytes of a KTHREAD that lie in its KAPC. */
static BOOLEAN test_spare_bytes(void)
{
    static KTHREAD thread;

    memset(&thread, 0xA5, sizeof thread);
    KeInitializeApc(&thread.SchedulerApc, &thread, OriginalApcEnvironment,
                    kernel_routine, NULL, normal_routine, KernelMode, NULL);
    return thread.QuantumReset == 0xA5 && thread.KernelTime == 0xA5A5A5A5 &&
           thread.WaitPrcb == (void *)0xA5A5A5A5A5A5A5A5 &&
           thread.CallbackNestingLevel == 0xA5 &&
           thread.UserTime == 0xA5A5A5A5;
}

BOOLEAN test_apc(void)
{
    return test_spare_bytes() && test_kinds() && test_order() &&
           test_in_progress() && test_places() && test_dispatch() &&
           test_attach() && test_alerts() && test_rundown();
}

/* ---- For tests/user/apc.c ---- */

static void free_routine(KAPC *apc, KNORMAL_ROUTINE **routine,
                         void **context, void **argument1, void **argument2)
{
    (void)routine, (void)context, (void)argument1, (void)argument2;
    ExFreePoolWithTag(apc, TAG);
}

static void queue_user_apc(KDPC *dpc, void *context, void *argument1,
                           void *argument2)
{
    (void)dpc, (void)argument1, (void)argument2;
    KeInsertQueueApc(context, NULL, NULL, 0);
}

/* A DPC that queues a special user APC to this thread. */
KDPC *make_user_apc_dpc(ULONGLONG routine)
{
    static KDPC dpc;
    KAPC *apc = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof *apc, TAG);

    ASSERT(apc != NULL);
    KeInitializeApc(apc, KeGetCurrentThread(), OriginalApcEnvironment,
                    free_routine, NULL, (KNORMAL_ROUTINE *)routine, UserMode,
                    NULL);
    ke_make_special_user_apc(apc);
    KeInitializeDpc(&dpc, queue_user_apc, apc);
    return &dpc;
}

/*
 * The next tick of the clock queues it: with luck while the thread is in ring
 * 3, where it waits for that.
 */
BOOLEAN queue_user_apc_later(ULONGLONG routine)
{
    KDPC *dpc = make_user_apc_dpc(routine);

    KeSetImportanceDpc(dpc, LowImportance);
    return KeInsertQueueDpc(dpc, NULL, NULL);
}

/*
 * Inside a trap out of ring 3.  Interrupts stay off until SYSRET.  Then a
 * vector comes that nobody expects, the better of two; its handler lets
 * interrupts in, and the DPC.
 */
BOOLEAN queue_user_apc_in_trap(ULONGLONG routine)
{
    arch_disable_interrupts();
    arch_request_software_interrupt(UNEXPECTED_VECTOR);
    return KeInsertQueueDpc(make_user_apc_dpc(routine), NULL, NULL);
}

/* ---- Crashes ---- */

void crash_apc_pending_at_exit(void)
{
    static KTHREAD thread;

    ki_initialize_thread_apcs(&thread, &PsInitialSystemProcess->Pcb);
    make(0, TRUE);
    apcs[0].Thread = &thread;
    insert(0);
    KeRundownApcQueues(&thread);
}

static void attach_and_stay(void *context, void *argument1, void *argument2)
{
    static KAPC_STATE state;

    (void)context, (void)argument1, (void)argument2;
    KeStackAttachProcess(&PsInitialSystemProcess->Pcb, &state);
}

void crash_apc_attached(void)
{
    count = 0;
    make(0, FALSE);
    apcs[0].NormalRoutine = attach_and_stay;
    insert(0);
    wait_for(2);
}
