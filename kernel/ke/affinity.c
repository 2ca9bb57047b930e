/*
 * ke/affinity.c - where a thread may run, and where it would like to.
 *
 * Processors are in groups of 64, and a set of them is a word of one group.
 */
#include "ki.h"

#include <arch/processor.h>

/* It was to run next; whoever is better than the current thread is, now. */
static void replace_standby(KPRCB *prcb, KTHREAD *thread)
{
    BOOLEAN idle = prcb->CurrentThread == prcb->IdleThread;
    KTHREAD *next;

    prcb->NextThread = NULL;
    ki_defer_ready(thread);
    next = KiSelectReadyThread(prcb->CurrentThread->Priority + 1, prcb);
    if (next)
        ki_set_next_thread(prcb, next);
    else if (idle)
        ki_mark_idle(prcb);
}

/* It runs, and leaves to whoever there is (switch_to_next). */
static void send_away_running(KPRCB *prcb)
{
    KTHREAD *next;

    if (prcb->NextThread)
        return;
    next = KiSelectReadyThread(LOW_PRIORITY + 1, prcb);
    ki_set_next_thread(prcb, next ? next : prcb->IdleThread);
}

ULONGLONG KeQueryGroupAffinity(ULONG group)
{
    ULONG first = group * PROCESSORS_PER_GROUP;
    ULONG count = KeNumberProcessors > first ? KeNumberProcessors - first : 0;

    return count >= PROCESSORS_PER_GROUP ? ~0ULL : (1ULL << count) - 1;
}

/* mask turned right, so that the bit behind before comes first. */
static ULONG bit_behind(ULONGLONG mask, ULONG before)
{
    ULONG turn = (before + 1) % PROCESSORS_PER_GROUP;
    ULONGLONG turned = turn ? mask >> turn |
                              mask << (PROCESSORS_PER_GROUP - turn) : mask;

    return (turn + (ULONG)__builtin_ctzll(turned)) % PROCESSORS_PER_GROUP;
}

/* NT: in turn, too; which is whose is no promise. */
static void choose_ideal_processor(KTHREAD *thread)
{
    static volatile ULONG turns;
    ULONG turn = __sync_fetch_and_add(&turns, 1) % KeNumberProcessors;

    thread->IdealProcessor = thread->UserIdealProcessor =
        thread->Affinity.Group * PROCESSORS_PER_GROUP +
        bit_behind(thread->Affinity.Mask, turn % PROCESSORS_PER_GROUP);
}

/* System's is the first, and so is the first program's. */
void ki_choose_group(KPROCESS *process)
{
    static volatile ULONG turns;
    ULONG groups = (KeNumberProcessors + PROCESSORS_PER_GROUP - 1) /
                   PROCESSORS_PER_GROUP;
    ULONG turn = groups > 1 ? __sync_fetch_and_add(&turns, 1) : 0;
    ULONG group = turn == 0 ? 0 : (turn - 1) % groups;

    process->ActiveGroupsMask = 1U << group;
    process->Affinity.Count = process->ActiveProcessors.Count =
        (USHORT)(group + 1);
    process->Affinity.Size = process->ActiveProcessors.Size =
        KAFFINITY_EX_GROUPS;
    process->Affinity.Bitmap[group] = KeQueryGroupAffinity(group);
}

ULONGLONG ke_process_affinity(const KPROCESS *process)
{
    return process->Affinity.Bitmap[__builtin_ctz(process->ActiveGroupsMask)];
}

void ki_set_first_affinity(KTHREAD *thread, const KPROCESS *process)
{
    USHORT group = (USHORT)__builtin_ctz(process->ActiveGroupsMask);

    thread->Affinity.Group = thread->UserAffinity.Group = group;
    thread->Affinity.Mask = thread->UserAffinity.Mask =
        ke_process_affinity(process);
    choose_ideal_processor(thread);
    thread->NextProcessor = thread->IdealProcessor;
}

/* At DISPATCH_LEVEL; KiExitDispatcher follows. */
static void set_affinity(KTHREAD *thread, ULONGLONG mask)
{
    KPRCB *prcb;

    KxAcquireSpinLock(&thread->ThreadLock);
    prcb = ki_lock_processor_of(thread);
    thread->UserAffinity.Mask = thread->Affinity.Mask = mask;
    if (!(mask >> thread->IdealProcessor % PROCESSORS_PER_GROUP & 1))
        choose_ideal_processor(thread);
    if (ki_may_run_on(thread, prcb)) {
        /* it stays */
    } else if (thread->State == Ready) {
        ki_remove_ready_thread(prcb, thread);
        ki_defer_ready(thread);
    } else if (thread->State == Standby) {
        replace_standby(prcb, thread);
    } else if (thread->State == Running) {
        send_away_running(prcb);
    }
    KxReleaseSpinLock(&prcb->PrcbLock);
    KxReleaseSpinLock(&thread->ThreadLock);
}

void ke_set_affinity_thread(KTHREAD *thread, ULONGLONG mask)
{
    KIRQL irql = KfRaiseIrql(DISPATCH_LEVEL);

    set_affinity(thread, mask);
    KiExitDispatcher(irql);
}

void ke_set_affinity_process(KPROCESS *process, ULONGLONG mask)
{
    ULONG group = (ULONG)__builtin_ctz(process->ActiveGroupsMask);
    KIRQL irql = ki_lock_process(process);

    process->Affinity.Bitmap[group] = mask;
    for (LIST_ENTRY *entry = process->ThreadListHead.Flink;
         entry != &process->ThreadListHead; entry = entry->Flink)
        set_affinity(CONTAINING_RECORD(entry, KTHREAD, ThreadListEntry),
                     mask);
    ki_unlock_process(process);
    KiExitDispatcher(irql);
}
