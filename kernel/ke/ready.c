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
 */
#include "ki.h"

void ki_initialize_ready_queues(KPRCB *prcb)
{
    for (ULONG i = 0; i < MAXIMUM_PRIORITY; i++)
        InitializeListHead(&prcb->DispatcherReadyListHead[i]);
}

/* A thread that was preempted goes on before others of its priority. */
void KiQueueReadyThread(KPRCB *prcb, KTHREAD *thread)
{
    LIST_ENTRY *head = &prcb->DispatcherReadyListHead[(UCHAR)thread->Priority];

    thread->State = Ready;
    if (thread->Preempted)
        InsertHeadList(head, &thread->WaitListEntry);
    else
        InsertTailList(head, &thread->WaitListEntry);
    thread->Preempted = FALSE;
    prcb->ReadySummary |= 1U << thread->Priority;
    prcb->ReadyThreadCount++;
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

/* thread is to run next: it has won against who was to, or who runs. */
static void set_next_thread(KPRCB *prcb, KTHREAD *thread)
{
    KTHREAD *loser = prcb->NextThread;

    thread->State = Standby;
    prcb->NextThread = thread;
    if (loser) {
        loser->Preempted = TRUE;
        KiQueueReadyThread(prcb, loser);
    }
}

/* Into the queue, or in front of who runs now. */
static void KiDeferredReadyThread(KPRCB *prcb, KTHREAD *thread)
{
    KTHREAD *best;

    KxAcquireSpinLock(&prcb->PrcbLock);
    best = prcb->NextThread ? prcb->NextThread : prcb->CurrentThread;
    if (best == prcb->IdleThread || thread->Priority > best->Priority)
        set_next_thread(prcb, thread);
    else
        KiQueueReadyThread(prcb, thread);
    KxReleaseSpinLock(&prcb->PrcbLock);
}

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
        KiDeferredReadyThread(prcb, CONTAINING_RECORD(ordered, KTHREAD,
                                                      WaitListEntry));
    }
}

void KeReadyThread(KTHREAD *thread)
{
    KIRQL irql = KfRaiseIrql(DISPATCH_LEVEL);

    ki_defer_ready(thread);
    KiExitDispatcher(irql);
}
