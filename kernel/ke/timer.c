/*
 * ke/timer.c - timers: set, cancelled, expired.
 *
 *   KeSetTimerEx       puts it into this processor's table
 *   ki_check_timers    the clock finds a slot with something due: queue
 *                      KPRCB.TimerExpirationDpc, from that slot on
 *   KiTimerExpiration  slot by slot, in the order of DueTime: signal, queue
 *                      the timer's DPC, and a periodic one is set again
 *
 * TIMER_INSERTED changes under the object's lock.  Locks: the object's, then
 * the table entry's.  Expiry comes the other way, so it only tries the
 * object's; who has that is about to take the timer away or to leave it.
 */
#include "ki.h"
#include "timertable.h"

#include <arch/processor.h>

#define TIMER_ABSOLUTE 0x01             /* Header.Signalling, of a timer */
#define TIMER_EXPIRE_INCREMENT 0
#define MS 10000ULL                     /* in 100-ns units */

void KeInitializeTimerEx(KTIMER *timer, KOBJECTS type)
{
    memset(timer, 0, sizeof *timer);
    timer->Header.Type = (UCHAR)type;
    timer->Header.Size = sizeof *timer / sizeof(ULONG);
    InitializeListHead(&timer->Header.WaitListHead);
}

BOOLEAN KeReadStateTimer(const KTIMER *timer)
{
    return timer->Header.SignalState != 0;
}

/*
 * FALSE: DueTime has passed.  The clock may have looked just before the timer
 * stood in the table; so the time is read when it does.
 */
static BOOLEAN insert(KTIMER *timer)
{
    KPRCB *prcb = KeGetCurrentPrcb();

    timer->Processor = (USHORT)prcb->Number;
    timer->Header.DebugActive |= TIMER_INSERTED;
    ki_link_timer(&prcb->TimerTable, timer);
    if (timer->DueTime > KeQueryInterruptTime())
        return TRUE;
    ki_unlink_timer(&prcb->TimerTable, timer);
    timer->Header.DebugActive &= ~TIMER_INSERTED;
    return FALSE;
}

static BOOLEAN remove(KTIMER *timer)
{
    if (!(timer->Header.DebugActive & TIMER_INSERTED))
        return FALSE;
    ki_unlink_timer(&KiProcessorBlock[timer->Processor]->TimerTable, timer);
    timer->Header.DebugActive &= ~TIMER_INSERTED;
    return TRUE;
}

/*
 * Counted from when it was due, so that no delay adds up; periods that have
 * gone by already are left out.
 */
static void set_again(KTIMER *timer)
{
    ULONGLONG period = timer->Period * MS;

    do {
        ULONGLONG late = KeQueryInterruptTime() - timer->DueTime;

        timer->DueTime += (late / period + 1) * period;
    } while (!insert(timer));
}

/*
 * It is due, and in no table.  Its lock is held until the DPC is queued: who
 * cancels it then finds the one or the other.
 */
static void expire(KTIMER *timer)
{
    LARGE_INTEGER now;

    KeQuerySystemTime(&now);
    timer->Header.SignalState = 1;
    ki_signal_object(&timer->Header, TIMER_EXPIRE_INCREMENT);
    if (timer->Period)
        set_again(timer);
    if (timer->Dpc)
        KeInsertQueueDpc(timer->Dpc, (void *)(ULONG_PTR)now.LowPart,
                         (void *)(LONG_PTR)now.HighPart);
}

static void start(KTIMER *timer, ULONGLONG due)
{
    timer->Header.SignalState = 0;
    timer->DueTime = due;
    if (!insert(timer))
        expire(timer);
}

BOOLEAN KeSetTimerEx(KTIMER *timer, LARGE_INTEGER due, LONG period, KDPC *dpc)
{
    KIRQL old = KfRaiseIrql(DISPATCH_LEVEL);
    BOOLEAN was_set;

    ki_lock_object(&timer->Header);
    was_set = remove(timer);
    timer->Header.Signalling = due.QuadPart < 0 ? 0 : TIMER_ABSOLUTE;
    timer->Period = (ULONG)period;
    timer->Dpc = dpc;
    start(timer, ke_due_time(&due));
    ki_unlock_object(&timer->Header);
    KiExitDispatcher(old);
    return was_set;
}

void ki_set_wait_timer(KTIMER *timer, ULONGLONG due)
{
    ki_lock_object(&timer->Header);
    remove(timer);
    start(timer, due);
    ki_unlock_object(&timer->Header);
}

BOOLEAN KeCancelTimer(KTIMER *timer)
{
    KIRQL old = KfRaiseIrql(DISPATCH_LEVEL);
    BOOLEAN was_set;

    ki_lock_object(&timer->Header);
    was_set = remove(timer);
    ki_unlock_object(&timer->Header);
    KfLowerIrql(old);
    return was_set;
}

/* ---- expiry ---- */

/* The first that is due, locked and out of the table; NULL: none is left. */
static KTIMER *take_first(KTIMER_TABLE_ENTRY *entry, LIST_ENTRY *due)
{
    KTIMER *timer = NULL;

    KxAcquireSpinLock(&entry->Lock);
    while (!IsListEmpty(due)) {
        timer = CONTAINING_RECORD(due->Flink, KTIMER, TimerListEntry);
        if (ki_try_lock_object(&timer->Header))
            break;
        timer = NULL;
        KxReleaseSpinLock(&entry->Lock);
        arch_pause();
        KxAcquireSpinLock(&entry->Lock);
    }
    if (timer) {
        RemoveEntryList(&timer->TimerListEntry);
        timer->Header.DebugActive &= ~TIMER_INSERTED;
    }
    KxReleaseSpinLock(&entry->Lock);
    return timer;
}

static void expire_slot(KTIMER_TABLE_ENTRY *entry, ULONGLONG slot,
                        ULONGLONG now)
{
    LIST_ENTRY due;
    KTIMER *timer;

    InitializeListHead(&due);
    KxAcquireSpinLock(&entry->Lock);
    ki_take_due_timers(entry, slot, now, &due);
    KxReleaseSpinLock(&entry->Lock);
    while ((timer = take_first(entry, &due)) != NULL) {
        expire(timer);
        ki_unlock_object(&timer->Header);
    }
}

/* argument1: the slot where the clock found something first. */
static void KiTimerExpiration(KDPC *dpc, void *context, void *argument1,
                              void *argument2)
{
    KTIMER_TABLE *table = context;
    ULONGLONG slot = (ULONGLONG)argument1;
    ULONGLONG now = KeQueryInterruptTime();

    (void)dpc, (void)argument2;
    ki_advance_timer_table(table, now);
    for (; slot <= ki_timer_slot(now); slot++) {
        KTIMER_TABLE_ENTRY *entry = ki_timer_entry(table, slot);

        if (entry->Time <= now)
            expire_slot(entry, slot, now);
    }
    KiExitDispatcher(DISPATCH_LEVEL);
}

/*
 * Above DISPATCH_LEVEL.  If the DPC is still queued for an earlier tick, it
 * will come here as well.
 */
void ki_check_timers(KPRCB *prcb)
{
    ULONGLONG now = KeQueryInterruptTime();
    ULONGLONG slot = ki_timer_slot(prcb->TimerTable.looked);

    prcb->TimerTable.looked = now;
    if (ki_find_due_slot(&prcb->TimerTable, &slot, now))
        KeInsertQueueDpc(&prcb->TimerExpirationDpc, (void *)slot, NULL);
}

void ki_initialize_timers(KPRCB *prcb)
{
    ki_initialize_timer_table(&prcb->TimerTable);
    KeInitializeDpc(&prcb->TimerExpirationDpc, KiTimerExpiration,
                    &prcb->TimerTable);
}
