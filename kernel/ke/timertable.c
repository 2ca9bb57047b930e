/*
 * ke/timertable.c - the lists that hold the timers (timertable.h).
 */
#include "timertable.h"

#define NEVER (~0ULL)

/* A slot's due times differ in 18 bits: three digits of six. */
#define DIGIT_BITS 6
#define PILES (1 << DIGIT_BITS)

static KTIMER *timer_of(LIST_ENTRY *entry)
{
    return CONTAINING_RECORD(entry, KTIMER, TimerListEntry);
}

void ki_initialize_timer_table(KTIMER_TABLE *table)
{
    KTIMER_TABLE_ENTRY *entry = table->TimerEntries[0];

    for (ULONG i = 0; i < TIMER_TABLE_SIZE; i++) {
        InitializeListHead(&entry[i].Entry);
        entry[i].Time = NEVER;
    }
}

void ki_link_timer(KTIMER_TABLE *table, KTIMER *timer)
{
    ULONGLONG slot = ki_timer_slot(timer->DueTime);
    KTIMER_TABLE_ENTRY *entry = ki_timer_entry(table, slot);

    KxAcquireSpinLock(&entry->Lock);
    InsertTailList(&entry->Entry, &timer->TimerListEntry);
    if (timer->DueTime < entry->Time)
        entry->Time = timer->DueTime;
    KxReleaseSpinLock(&entry->Lock);
}

/* Time stays: it need not be the least. */
void ki_unlink_timer(KTIMER_TABLE *table, KTIMER *timer)
{
    ULONGLONG slot = ki_timer_slot(timer->DueTime);
    KTIMER_TABLE_ENTRY *entry = ki_timer_entry(table, slot);

    KxAcquireSpinLock(&entry->Lock);
    RemoveEntryList(&timer->TimerListEntry);
    if (IsListEmpty(&entry->Entry))
        entry->Time = NEVER;
    KxReleaseSpinLock(&entry->Lock);
}

/* After a long sleep each entry is looked at once. */
BOOLEAN ki_find_due_slot(KTIMER_TABLE *table, ULONGLONG *slot, ULONGLONG now)
{
    ULONGLONG last = ki_timer_slot(now);

    if (last - *slot < TIMER_TABLE_SIZE) {
        while (*slot <= last) {
            const volatile KTIMER_TABLE_ENTRY *entry =
                ki_timer_entry(table, *slot);

            if (entry->Time <= now)
                return TRUE;
            (*slot)++;
        }
        return FALSE;
    }
    for (ULONG i = 0; i < TIMER_TABLE_SIZE; i++) {
        const volatile KTIMER_TABLE_ENTRY *entry = ki_timer_entry(table, i);

        if (entry->Time <= now)
            return TRUE;
    }
    return FALSE;
}

static void append(LIST_ENTRY *list, LIST_ENTRY *pile)
{
    if (IsListEmpty(pile))
        return;
    pile->Flink->Blink = list->Blink;
    list->Blink->Flink = pile->Flink;
    pile->Blink->Flink = list;
    list->Blink = pile->Blink;
}

/* Equal digits keep their order, so the digits before are not undone. */
static void sort_by_digit(LIST_ENTRY *list, ULONG shift)
{
    LIST_ENTRY piles[PILES];

    for (ULONG i = 0; i < PILES; i++)
        InitializeListHead(&piles[i]);
    while (!IsListEmpty(list)) {
        LIST_ENTRY *entry = list->Flink;

        RemoveEntryList(entry);
        InsertTailList(&piles[timer_of(entry)->DueTime >> shift & (PILES - 1)],
                       entry);
    }
    for (ULONG i = 0; i < PILES; i++)
        append(list, &piles[i]);
}

void ki_take_due_timers(KTIMER_TABLE_ENTRY *entry, ULONGLONG slot,
                        ULONGLONG now, LIST_ENTRY *due)
{
    LIST_ENTRY *at = entry->Entry.Flink;
    ULONGLONG least = NEVER;

    while (at != &entry->Entry) {
        KTIMER *timer = timer_of(at);

        at = at->Flink;
        if (timer->DueTime <= now && ki_timer_slot(timer->DueTime) <= slot) {
            RemoveEntryList(&timer->TimerListEntry);
            InsertTailList(due, &timer->TimerListEntry);
        } else if (timer->DueTime < least) {
            least = timer->DueTime;
        }
    }
    entry->Time = least;
    if (due->Flink == due->Blink)
        return;
    for (ULONG shift = 0; shift < TIMER_SLOT_SHIFT; shift += DIGIT_BITS)
        sort_by_digit(due, shift);
}
