/*
 * ex/timerapc.c - a timer's routine, in the thread that has set it.
 *
 * The clock finds the timer due and queues its DPC; the DPC queues its APC;
 * the thread, at its next alertable moment, calls the routine in ring 3 with
 * the timer's context and the system time at which the DPC ran.  exp.h has
 * the life of that association, and who holds which reference.
 *
 * An APC that its thread is about to deliver is no longer in a queue.  If the
 * timer was cancelled or set anew in that moment, the kernel routine finds so
 * and ring 3 hears nothing.
 *
 * The DPC has no reference: who takes an association away waits, without the
 * lock, until the DPC that may be running has ended.
 */
#include "exp.h"

static void drop(struct exp_timer *timer, ULONG references)
{
    while (references--)
        ObDereferenceObject(timer);
}

/* An association's, and perhaps more: nothing refers to it any more. */
static void drop_association(struct exp_timer *timer, ULONG references)
{
    if (references)
        ke_wait_for_dpc(&timer->dpc);
    drop(timer, references);
}

/* How many references to drop when the lock, which is held, is released. */
static ULONG dissolve(struct exp_timer *timer)
{
    ETHREAD *thread = CONTAINING_RECORD(timer->apc.Thread, ETHREAD, Tcb);

    KxAcquireSpinLock(&thread->ActiveTimerListLock);
    RemoveEntryList(&timer->entry);
    KxReleaseSpinLock(&thread->ActiveTimerListLock);
    timer->associated = FALSE;
    KeRemoveQueueDpc(&timer->dpc);
    return KeRemoveQueueApc(&timer->apc) ? 2 : 1;
}

static BOOLEAN is_of(const struct exp_timer *timer, const KTHREAD *thread)
{
    return timer->associated && timer->apc.Thread == thread;
}

/* In the thread, at APC_LEVEL: the routine will be called, or not any more. */
static void deliver(KAPC *apc, KNORMAL_ROUTINE **routine, void **context,
                    void **argument1, void **argument2)
{
    struct exp_timer *timer = CONTAINING_RECORD(apc, struct exp_timer, apc);
    KIRQL irql = KeAcquireSpinLock(&timer->lock);
    ULONG references = 1;

    (void)context, (void)argument1, (void)argument2;
    if (!is_of(timer, KeGetCurrentThread()))
        *routine = NULL;
    else if (timer->period == 0)
        references += dissolve(timer);
    KeReleaseSpinLock(&timer->lock, irql);
    drop_association(timer, references);
}

static void run_down(KAPC *apc)
{
    drop(CONTAINING_RECORD(apc, struct exp_timer, apc), 1);
}

static void expire(KDPC *dpc, void *context, void *argument1, void *argument2)
{
    struct exp_timer *timer = context;
    LARGE_INTEGER now;

    (void)dpc, (void)argument1, (void)argument2;
    KeQuerySystemTime(&now);
    KxAcquireSpinLock(&timer->lock);
    if (timer->associated &&
        KeInsertQueueApc(&timer->apc, (void *)(ULONG_PTR)now.LowPart,
                         (void *)(LONG_PTR)now.HighPart, IO_NO_INCREMENT))
        ObReferenceObject(timer);
    KxReleaseSpinLock(&timer->lock);
}

void exp_initialize_timer(struct exp_timer *timer, KOBJECTS type)
{
    KeInitializeTimerEx(&timer->timer, type);
    KeInitializeDpc(&timer->dpc, expire, timer);
}

static void associate(struct exp_timer *timer, PTIMER_APC_ROUTINE routine,
                      void *context)
{
    ETHREAD *thread = PsGetCurrentThread();

    KeInitializeApc(&timer->apc, &thread->Tcb, CurrentApcEnvironment, deliver,
                    run_down, (KNORMAL_ROUTINE *)(ULONG_PTR)routine,
                    ExGetPreviousMode(), context);
    KxAcquireSpinLock(&thread->ActiveTimerListLock);
    InsertTailList(&thread->ActiveTimerListHead, &timer->entry);
    KxReleaseSpinLock(&thread->ActiveTimerListLock);
    timer->associated = TRUE;
    ObReferenceObject(timer);
}

BOOLEAN exp_set_timer(struct exp_timer *timer, LARGE_INTEGER due, ULONG period,
                      PTIMER_APC_ROUTINE routine, void *context)
{
    KIRQL irql = KeAcquireSpinLock(&timer->lock);
    ULONG references;
    BOOLEAN state;

    KeCancelTimer(&timer->timer);
    references = timer->associated ? dissolve(timer) : 0;
    state = KeReadStateTimer(&timer->timer);
    timer->period = period;
    if (routine)
        associate(timer, routine, context);
    KeSetTimerEx(&timer->timer, due, period, routine ? &timer->dpc : NULL);
    KeReleaseSpinLock(&timer->lock, irql);
    drop_association(timer, references);
    return state;
}

BOOLEAN exp_cancel_timer(struct exp_timer *timer)
{
    KIRQL irql = KeAcquireSpinLock(&timer->lock);
    ULONG references;
    BOOLEAN state;

    KeCancelTimer(&timer->timer);
    references = timer->associated ? dissolve(timer) : 0;
    state = KeReadStateTimer(&timer->timer);
    KeReleaseSpinLock(&timer->lock, irql);
    drop_association(timer, references);
    return state;
}

/* While it is in the list, the timer's association keeps it alive. */
static struct exp_timer *reference_first(ETHREAD *thread)
{
    KIRQL irql = KeAcquireSpinLock(&thread->ActiveTimerListLock);
    struct exp_timer *timer = NULL;

    if (!IsListEmpty(&thread->ActiveTimerListHead)) {
        timer = CONTAINING_RECORD(thread->ActiveTimerListHead.Flink,
                                  struct exp_timer, entry);
        ObReferenceObject(timer);
    }
    KeReleaseSpinLock(&thread->ActiveTimerListLock, irql);
    return timer;
}

void ExTimerRundown(void)
{
    ETHREAD *thread = PsGetCurrentThread();
    struct exp_timer *timer;

    while ((timer = reference_first(thread)) != NULL) {
        KIRQL irql = KeAcquireSpinLock(&timer->lock);
        ULONG references = 1;

        if (is_of(timer, &thread->Tcb)) {
            KeCancelTimer(&timer->timer);
            references += dissolve(timer);
        }
        KeReleaseSpinLock(&timer->lock, irql);
        drop_association(timer, references);
    }
}
