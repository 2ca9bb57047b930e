/*
 * timertable.h - a processor's table of timers that are set.
 *
 * Time is cut into slots of 26.2144 ms, SlotNumber = DueTime >> 18; slot
 * number n is kept in entry n & 255, together with n + 256, n + 512 and so
 * on.  A list is not sorted, so that setting and cancelling take no search.
 *
 * KTIMER_TABLE_ENTRY.Time is not above any due time of its list (~0: empty).
 * The clock reads it without the lock, which is why an insertion first lowers
 * it and then looks what time it is: one of the two sees the other.
 *
 * Lock protects an entry's list, at DISPATCH_LEVEL.  What has been taken out
 * because it is due stands in its processor's own list until it is signalled,
 * still under that lock, so that a cancellation finds it there as well.
 */
#pragma once

#include <ke.h>

#define TIMER_SLOT_SHIFT 18

static inline ULONGLONG ki_timer_slot(ULONGLONG time)
{
    return time >> TIMER_SLOT_SHIFT;
}

void ki_initialize_timer_table(KTIMER_TABLE *table);

static inline KTIMER_TABLE_ENTRY *ki_timer_entry(KTIMER_TABLE *table,
                                                 ULONGLONG slot)
{
    return &table->TimerEntries[0][slot % TIMER_TABLE_SIZE];
}

/* By DueTime.  They take the entry's lock. */
void ki_link_timer(KTIMER_TABLE *table, KTIMER *timer);
void ki_unlink_timer(KTIMER_TABLE *table, KTIMER *timer);

/*
 * The first slot from *slot to the one of now where something is due; FALSE:
 * there is none.  IRQL: any, without locks.
 */
BOOLEAN ki_find_due_slot(KTIMER_TABLE *table, ULONGLONG *slot, ULONGLONG now);

/*
 * Move this slot's timers that are due at now to the empty list due, sorted
 * by DueTime; those of equal DueTime as they were set.  The caller holds the
 * lock.  Costs a look at each timer of the entry, and at most 3 * (n + 64)
 * steps to sort n.
 */
void ki_take_due_timers(KTIMER_TABLE_ENTRY *entry, ULONGLONG slot,
                        ULONGLONG now, LIST_ENTRY *due);
