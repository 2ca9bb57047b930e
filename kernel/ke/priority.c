/*
 * ke/priority.c - what a thread's priority is, and changing it.
 *
 * A process has a base, a thread an increment to it; the sum is the thread's
 * BasePriority.  Boosts raise Priority above that for a while (wait.c), unless
 * it is real-time.
 */
#include "ki.h"

#include <arch/apic.h>

/* A running thread has become worse, or somebody standby has. */
static void reconsider(KPRCB *prcb)
{
    KTHREAD *next = prcb->NextThread;
    KTHREAD *best = next ? next : prcb->CurrentThread;
    KTHREAD *better = KiSelectReadyThread(best->Priority + 1, prcb);

    if (!better)
        return;
    prcb->NextThread = NULL;
    if (next)
        KiQueueReadyThread(prcb, next);
    ki_set_next_thread(prcb, better);
}

/* ThreadLock is held. */
static void KiSetPriorityThread(KTHREAD *thread, KPRIORITY priority)
{
    KPRCB *prcb = ki_lock_processor_of(thread);

    thread->PriorityDecrement = 0;
    if (thread->State == Ready) {
        ki_remove_ready_thread(prcb, thread);
        thread->Priority = (CHAR)priority;
        ki_defer_ready(thread);
    } else {
        thread->Priority = (CHAR)priority;
        if (thread->State == Running || thread->State == Standby)
            reconsider(prcb);
    }
    KxReleaseSpinLock(&prcb->PrcbLock);
}

KPRIORITY KeSetPriorityThread(KTHREAD *thread, KPRIORITY priority)
{
    KIRQL irql = KfRaiseIrql(DISPATCH_LEVEL);
    KPRIORITY before;

    ASSERT(priority > LOW_PRIORITY && priority <= HIGH_PRIORITY);
    KxAcquireSpinLock(&thread->ThreadLock);
    before = thread->Priority;
    KiSetPriorityThread(thread, priority);
    KxReleaseSpinLock(&thread->ThreadLock);
    KiExitDispatcher(irql);
    return before;
}

/* The ends of a base's class: dynamic 1-15, real-time 16-31. */
static KPRIORITY clamp(KPRIORITY base, KPRIORITY priority)
{
    KPRIORITY low = base >= LOW_REALTIME_PRIORITY ? LOW_REALTIME_PRIORITY
                                                  : LOW_PRIORITY + 1;
    KPRIORITY high = base >= LOW_REALTIME_PRIORITY ? HIGH_PRIORITY
                                                   : LOW_REALTIME_PRIORITY - 1;

    return priority < low ? low : priority > high ? high : priority;
}

/* Saturation: the increment was one of the ends, whatever the base is. */
static KPRIORITY base_priority(const KTHREAD *thread)
{
    KPRIORITY base = thread->Process->BasePriority;

    return clamp(base, base + thread->Saturation * LOW_REALTIME_PRIORITY);
}

LONG KeQueryBasePriorityThread(const KTHREAD *thread)
{
    if (thread->Saturation)
        return thread->Saturation * LOW_REALTIME_PRIORITY;
    return thread->BasePriority - thread->Process->BasePriority;
}

LONG KeSetBasePriorityThread(KTHREAD *thread, LONG increment)
{
    KIRQL irql = KfRaiseIrql(DISPATCH_LEVEL);
    KPRIORITY process = thread->Process->BasePriority;
    LONG before;

    KxAcquireSpinLock(&thread->ThreadLock);
    before = KeQueryBasePriorityThread(thread);
    thread->Saturation = (CHAR)(increment >= LOW_REALTIME_PRIORITY
                                    ? 1 : increment <= -LOW_REALTIME_PRIORITY
                                    ? -1 : 0);
    thread->BasePriority = (CHAR)(thread->Saturation
                                      ? base_priority(thread)
                                      : clamp(process, process + increment));
    KiSetPriorityThread(thread, thread->BasePriority);
    KxReleaseSpinLock(&thread->ThreadLock);
    KiExitDispatcher(irql);
    return before;
}

/* Every thread of the process moves with it. */
KPRIORITY KeSetPriorityProcess(KPROCESS *process, KPRIORITY base)
{
    KIRQL irql = ki_lock_process(process);
    KPRIORITY before = process->BasePriority;

    process->BasePriority = (UCHAR)base;
    for (LIST_ENTRY *entry = process->ThreadListHead.Flink;
         entry != &process->ThreadListHead; entry = entry->Flink) {
        KTHREAD *thread = CONTAINING_RECORD(entry, KTHREAD, ThreadListEntry);
        LONG increment = thread->BasePriority - before;

        KxAcquireSpinLock(&thread->ThreadLock);
        thread->BasePriority = (CHAR)(thread->Saturation
                                          ? base_priority(thread)
                                          : clamp(base, base + increment));
        KiSetPriorityThread(thread, thread->BasePriority);
        KxReleaseSpinLock(&thread->ThreadLock);
    }
    ki_unlock_process(process);
    KiExitDispatcher(irql);
    return before;
}
