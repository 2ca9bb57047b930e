/*
 * ke/ready.c - the threads that could run: a processor's ready queues.
 *
 * One list for each of 32 priorities; bit n of ReadySummary says that list n
 * is not empty, so the best thread is found with one instruction however many
 * are ready.  A thread that was made ready stands in the deferred list first:
 * whoever made it ready may hold locks that the choice does not need.
 *
 * All under PrcbLock, at DISPATCH_LEVEL; the deferred list needs no lock, it
 * belongs to the processor that fills it.
 *
 * With several processors a thread that becomes ready goes to an idle one that
 * it may run on: its ideal one, the one where it ran last, this one, any.  If
 * none is idle, to its ideal one, to run at once or to wait there.  A processor
 * with nothing to run looks what waits at the others.  Either of the two sees
 * the other: who queues a thread then looks who is idle, and who is idle says
 * so before it looks.
 *
 * Two PrcbLocks are taken in the order of the processors' numbers.
 */
#include "ki.h"

#include <arch/apic.h>
#include <arch/processor.h>

#define GROUPS (MAXIMUM_PROCESSORS / PROCESSORS_PER_GROUP)

/* Bits change under the PrcbLock of their processor. */
static volatile ULONGLONG KiIdleSummary[GROUPS];

void ki_initialize_ready_queues(KPRCB *prcb)
{
    for (ULONG i = 0; i < MAXIMUM_PRIORITY; i++)
        InitializeListHead(&prcb->DispatcherReadyListHead[i]);
}

/* The vector that makes it look: its idle thread is at DISPATCH_LEVEL. */
static void kick(const KPRCB *prcb)
{
    if (prcb != KeGetCurrentPrcb())
        arch_send_interrupt(prcb->InitialApicId,
                            prcb->CurrentThread == prcb->IdleThread
                                ? IPI_VECTOR : DPC_VECTOR);
}

static KPRCB *processor_of_bit(ULONG group, ULONGLONG bits)
{
    return KiProcessorBlock[group * PROCESSORS_PER_GROUP +
                            (ULONG)__builtin_ctzll(bits)];
}

static ULONGLONG idle_for(const KTHREAD *thread)
{
    return KiIdleSummary[thread->Affinity.Group] & thread->Affinity.Mask;
}

/* thread waits where it is, and somebody has nothing to do. */
static void offer(const KTHREAD *thread)
{
    ULONGLONG idle;
    KPRCB *prcb;

    if (KeNumberProcessors == 1)
        return;
    __sync_synchronize();
    idle = idle_for(thread);
    if (!idle)
        return;
    prcb = processor_of_bit(thread->Affinity.Group, idle);
    prcb->IdleSchedule = TRUE;
    kick(prcb);
}

/* A thread that was preempted goes on before others of its priority. */
void KiQueueReadyThread(KPRCB *prcb, KTHREAD *thread)
{
    LIST_ENTRY *head = &prcb->DispatcherReadyListHead[(UCHAR)thread->Priority];

    thread->NextProcessor = prcb->Number;
    thread->State = Ready;
    if (thread->Preempted)
        InsertHeadList(head, &thread->WaitListEntry);
    else
        InsertTailList(head, &thread->WaitListEntry);
    thread->Preempted = FALSE;
    prcb->ReadySummary |= 1U << thread->Priority;
    prcb->ReadyThreadCount++;
    offer(thread);
}

void ki_remove_ready_thread(KPRCB *prcb, KTHREAD *thread)
{
    LIST_ENTRY *head = &prcb->DispatcherReadyListHead[(UCHAR)thread->Priority];

    RemoveEntryList(&thread->WaitListEntry);
    if (IsListEmpty(head))
        prcb->ReadySummary &= ~(1U << thread->Priority);
    prcb->ReadyThreadCount--;
}

KTHREAD *KiSelectReadyThread(KPRIORITY lowest, KPRCB *prcb)
{
    ULONG summary = (ULONG)((ULONGLONG)prcb->ReadySummary >> lowest << lowest);
    KTHREAD *thread;

    if (summary == 0)
        return NULL;
    thread = CONTAINING_RECORD(
        prcb->DispatcherReadyListHead[31 - __builtin_clz(summary)].Flink,
        KTHREAD, WaitListEntry);
    ki_remove_ready_thread(prcb, thread);
    return thread;
}

void ki_mark_idle(KPRCB *prcb)
{
    prcb->IdleSchedule = KeNumberProcessors > 1;
    __sync_fetch_and_or(&KiIdleSummary[prcb->Group], prcb->GroupSetMember);
}

static void give(KPRCB *prcb, KTHREAD *thread)
{
    thread->NextProcessor = prcb->Number;
    thread->State = Standby;
    prcb->NextThread = thread;
    if (KiIdleSummary[prcb->Group] & prcb->GroupSetMember)
        __sync_fetch_and_and(&KiIdleSummary[prcb->Group],
                             ~prcb->GroupSetMember);
}

/* It has won against who was to run next, or who runs. */
void ki_set_next_thread(KPRCB *prcb, KTHREAD *thread)
{
    KTHREAD *loser = prcb->NextThread;

    give(prcb, thread);
    if (loser && loser != prcb->IdleThread) {
        loser->Preempted = TRUE;
        KiQueueReadyThread(prcb, loser);
    }
    kick(prcb);
}

static KPRCB *processor_for(const KTHREAD *thread)
{
    KPRCB *ideal = KiProcessorBlock[thread->IdealProcessor], *last, *this;
    ULONGLONG idle;

    if (KeNumberProcessors == 1)
        return ideal;
    idle = idle_for(thread);
    if (!idle)
        return ideal;
    last = KiProcessorBlock[thread->NextProcessor];
    this = KeGetCurrentPrcb();
    if (idle & ideal->GroupSetMember)
        return ideal;
    if (last->Group == ideal->Group && (idle & last->GroupSetMember))
        return last;
    if (this->Group == ideal->Group && (idle & this->GroupSetMember))
        return this;
    return processor_of_bit(ideal->Group, idle);
}

/* Into a queue, or in front of who runs now. */
static void KiDeferredReadyThread(KTHREAD *thread)
{
    KTHREAD *best;
    KPRCB *prcb;

    KxAcquireSpinLock(&thread->ThreadLock);
    prcb = processor_for(thread);
    KxAcquireSpinLock(&prcb->PrcbLock);
    best = prcb->NextThread ? prcb->NextThread : prcb->CurrentThread;
    if (best == prcb->IdleThread || thread->Priority > best->Priority)
        ki_set_next_thread(prcb, thread);
    else
        KiQueueReadyThread(prcb, thread);
    KxReleaseSpinLock(&prcb->PrcbLock);
    KxReleaseSpinLock(&thread->ThreadLock);
}

KPRCB *ki_lock_processor_of(const KTHREAD *thread)
{
    for (;;) {
        KPRCB *prcb = KiProcessorBlock[thread->NextProcessor];

        KxAcquireSpinLock(&prcb->PrcbLock);
        if (thread->NextProcessor == prcb->Number)
            return prcb;
        KxReleaseSpinLock(&prcb->PrcbLock);
    }
}

/* ---- an idle processor ---- */

static void lock_both(KPRCB *one, KPRCB *other)
{
    KxAcquireSpinLock(one->Number < other->Number ? &one->PrcbLock
                                                  : &other->PrcbLock);
    KxAcquireSpinLock(one->Number < other->Number ? &other->PrcbLock
                                                  : &one->PrcbLock);
}

/* The best that waits at from and may run on prcb, or NULL. */
static KTHREAD *best_for(const KPRCB *prcb, KPRCB *from)
{
    for (ULONG left = from->ReadySummary; left;) {
        ULONG priority = 31 - (ULONG)__builtin_clz(left);
        LIST_ENTRY *head = &from->DispatcherReadyListHead[priority];

        for (LIST_ENTRY *at = head->Flink; at != head; at = at->Flink) {
            KTHREAD *thread = CONTAINING_RECORD(at, KTHREAD, WaitListEntry);

            if (ki_may_run_on(thread, prcb))
                return thread;
        }
        left &= ~(1U << priority);
    }
    return NULL;
}

static BOOLEAN take_from(KPRCB *prcb, KPRCB *from)
{
    KTHREAD *thread = NULL;

    lock_both(prcb, from);
    if (!prcb->NextThread)
        thread = best_for(prcb, from);
    if (thread) {
        ki_remove_ready_thread(from, thread);
        give(prcb, thread);
    }
    KxReleaseSpinLock(&prcb->PrcbLock);
    KxReleaseSpinLock(&from->PrcbLock);
    return thread != NULL;
}

void ki_find_ready_thread(KPRCB *prcb)
{
    prcb->IdleSchedule = FALSE;
    __sync_synchronize();
    for (ULONG i = 1; i < KeNumberProcessors && !prcb->NextThread; i++) {
        KPRCB *from = KiProcessorBlock[(prcb->Number + i) %
                                       KeNumberProcessors];

        if (from->Group == prcb->Group &&
            *(volatile ULONG *)&from->ReadySummary && take_from(prcb, from))
            return;
    }
}

/* ---- the deferred list ---- */

void ki_defer_ready(KTHREAD *thread)
{
    SINGLE_LIST_ENTRY *entry = (SINGLE_LIST_ENTRY *)&thread->WaitListEntry;
    KPRCB *prcb = KeGetCurrentPrcb();

    thread->State = DeferredReady;
    entry->Next = prcb->DeferredReadyListHead.Next;
    prcb->DeferredReadyListHead.Next = entry;
}

/* In the order in which they were made ready: the list has the last first. */
void KiProcessDeferredReadyList(KPRCB *prcb)
{
    SINGLE_LIST_ENTRY *entry = prcb->DeferredReadyListHead.Next;
    SINGLE_LIST_ENTRY *ordered = NULL, *next;

    prcb->DeferredReadyListHead.Next = NULL;
    for (; entry; entry = next) {
        next = entry->Next;
        entry->Next = ordered;
        ordered = entry;
    }
    for (; ordered; ordered = next) {
        next = ordered->Next;
        KiDeferredReadyThread(CONTAINING_RECORD(ordered, KTHREAD,
                                                WaitListEntry));
    }
}

void KeReadyThread(KTHREAD *thread)
{
    KIRQL irql = KfRaiseIrql(DISPATCH_LEVEL);

    ki_defer_ready(thread);
    KiExitDispatcher(irql);
}
