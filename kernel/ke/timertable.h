/*
 * timertable.h - a processor's table of timers that are set.
 *
 * Time is cut into slots of 26.2144 ms, SlotNumber = DueTime >> 18, and 256 of
 * those are a round of 6.7 s.  Row 0 has an entry for each slot of the round
 * that it is, row 1 one for each of 256 rounds (and those 256 later, and so
 * on).  KTIMER_TABLE.round is the one that row 0 shows: when time enters the
 * next one its timers move from row 1 to row 0, each once.  So an entry of row
 * 0 has nothing but what is due within its 26 ms, and expiry never looks at
 * what is far away.  No list is sorted: setting and cancelling take no search.
 *
 * KTIMER_TABLE_ENTRY.Time is not above any due time of its list (~0: empty).
 * The clock reads it without the lock, which is why an insertion first lowers
 * it and then looks what time it is: one of the two sees the other.
 *
 * Lock protects an entry's list, at DISPATCH_LEVEL.  What has been taken out
 * because it is due stands in its processor's own list until it is signalled,
 * still under that lock, so that a cancellation finds it there as well.  A
 * timer's TimerType, the row of its list, changes under the locks of both.
 */
#pragma once

#include <ke.h>

#define TIMER_SLOT_SHIFT 18
#define TIMER_ROUND_SHIFT 26

enum { TIMER_ROW_NEAR, TIMER_ROW_FAR };

static inline ULONGLONG ki_timer_slot(ULONGLONG time)
{
    return time >> TIMER_SLOT_SHIFT;
}

static inline ULONG ki_timer_round(ULONGLONG time)
{
    return (ULONG)(time >> TIMER_ROUND_SHIFT);
}

void ki_initialize_timer_table(KTIMER_TABLE *table);

static inline KTIMER_TABLE_ENTRY *ki_timer_entry(KTIMER_TABLE *table,
                                                 ULONGLONG slot)
{
    return &table->TimerEntries[TIMER_ROW_NEAR][slot % TIMER_TABLE_SIZE];
}

/* By DueTime.  They take the entry's lock. */
void ki_link_timer(KTIMER_TABLE *table, KTIMER *timer);
void ki_unlink_timer(KTIMER_TABLE *table, KTIMER *timer);

/* To now's round, with all that is due in it; takes locks, too. */
void ki_advance_timer_table(KTIMER_TABLE *table, ULONGLONG now);

/*
 * The first slot from *slot to the one of now where something is due; FALSE:
 * there is none.  Also TRUE when the table shows a round that is over.  IRQL:
 * any, without locks.
 */
BOOLEAN ki_find_due_slot(KTIMER_TABLE *table, ULONGLONG *slot, ULONGLONG now);

/*
 * Move this slot's timers that are due at now to the empty list due, sorted
 * by DueTime; those of equal DueTime as they were set.  The caller holds the
 * lock.  Costs a look at each timer of the entry; to sort n takes at most
 * 3 * (n + 64) steps, or a few for each when n is small.
 */
void ki_take_due_timers(KTIMER_TABLE_ENTRY *entry, ULONGLONG slot,
                        ULONGLONG now, LIST_ENTRY *due);
