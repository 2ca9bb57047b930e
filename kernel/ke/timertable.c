/*
 * ke/timertable.c - the lists that hold the timers (timertable.h).
 */
#include "timertable.h"

#define NEVER (~0ULL)

/* A slot's due times differ in 18 bits: three digits of six. */
#define DIGIT_BITS 6
#define PILES (1 << DIGIT_BITS)

/* So few are sorted faster by looking for each one's place. */
#define SMALL 16

static KTIMER *timer_of(LIST_ENTRY *entry)
{
    return CONTAINING_RECORD(entry, KTIMER, TimerListEntry);
}

void ki_initialize_timer_table(KTIMER_TABLE *table)
{
    KTIMER_TABLE_ENTRY *entry = table->TimerEntries[0];

    for (ULONG i = 0; i < 2 * TIMER_TABLE_SIZE; i++) {
        InitializeListHead(&entry[i].Entry);
        entry[i].Time = NEVER;
    }
}

/* May change on another processor. */
static ULONG round_of(const KTIMER_TABLE *table)
{
    return __atomic_load_n(&table->round, __ATOMIC_SEQ_CST);
}

static KTIMER_TABLE_ENTRY *entry_of(KTIMER_TABLE *table, USHORT row,
                                    ULONGLONG due)
{
    ULONGLONG number = row == TIMER_ROW_NEAR ? ki_timer_slot(due)
                                             : ki_timer_round(due);

    return &table->TimerEntries[row][number % TIMER_TABLE_SIZE];
}

static void append_timer(KTIMER_TABLE_ENTRY *entry, KTIMER *timer)
{
    InsertTailList(&entry->Entry, &timer->TimerListEntry);
    if (timer->DueTime < entry->Time)
        entry->Time = timer->DueTime;
}

/* The round changes before its far list is emptied: look again, locked. */
void ki_link_timer(KTIMER_TABLE *table, KTIMER *timer)
{
    ULONG round = ki_timer_round(timer->DueTime);
    KTIMER_TABLE_ENTRY *entry;
    USHORT row;

    for (;;) {
        row = round > round_of(table) ? TIMER_ROW_FAR : TIMER_ROW_NEAR;
        entry = entry_of(table, row, timer->DueTime);
        KxAcquireSpinLock(&entry->Lock);
        if (row == TIMER_ROW_NEAR || round > round_of(table))
            break;
        KxReleaseSpinLock(&entry->Lock);
    }
    timer->TimerType = row;
    append_timer(entry, timer);
    KxReleaseSpinLock(&entry->Lock);
}

static KTIMER_TABLE_ENTRY *lock_entry_of(KTIMER_TABLE *table,
                                         const KTIMER *timer)
{
    const volatile USHORT *row = &timer->TimerType;

    for (;;) {
        USHORT now = *row;
        KTIMER_TABLE_ENTRY *entry = entry_of(table, now, timer->DueTime);

        KxAcquireSpinLock(&entry->Lock);
        if (*row == now)
            return entry;
        KxReleaseSpinLock(&entry->Lock);
    }
}

/* Time stays: it need not be the least. */
void ki_unlink_timer(KTIMER_TABLE *table, KTIMER *timer)
{
    KTIMER_TABLE_ENTRY *entry = lock_entry_of(table, timer);

    RemoveEntryList(&timer->TimerListEntry);
    if (IsListEmpty(&entry->Entry))
        entry->Time = NEVER;
    KxReleaseSpinLock(&entry->Lock);
}

static void bring_near(KTIMER_TABLE *table, KTIMER *timer)
{
    KTIMER_TABLE_ENTRY *entry = entry_of(table, TIMER_ROW_NEAR,
                                         timer->DueTime);

    RemoveEntryList(&timer->TimerListEntry);
    KxAcquireSpinLock(&entry->Lock);
    timer->TimerType = TIMER_ROW_NEAR;
    append_timer(entry, timer);
    KxReleaseSpinLock(&entry->Lock);
}

/* What an entry of row 1 has of the rounds up to last. */
static void empty_far(KTIMER_TABLE *table, KTIMER_TABLE_ENTRY *entry,
                      ULONG last)
{
    LIST_ENTRY *at;
    ULONGLONG least = NEVER;

    KxAcquireSpinLock(&entry->Lock);
    at = entry->Entry.Flink;
    while (at != &entry->Entry) {
        KTIMER *timer = timer_of(at);

        at = at->Flink;
        if (ki_timer_round(timer->DueTime) <= last)
            bring_near(table, timer);
        else if (timer->DueTime < least)
            least = timer->DueTime;
    }
    entry->Time = least;
    KxReleaseSpinLock(&entry->Lock);
}

void ki_advance_timer_table(KTIMER_TABLE *table, ULONGLONG now)
{
    ULONG last = ki_timer_round(now);
    ULONG rounds = last - round_of(table);

    if (rounds > TIMER_TABLE_SIZE)
        rounds = TIMER_TABLE_SIZE;
    __atomic_store_n(&table->round, last, __ATOMIC_SEQ_CST);
    for (ULONG i = 0; i < rounds; i++)
        empty_far(table, &table->TimerEntries[TIMER_ROW_FAR]
                             [(last - i) % TIMER_TABLE_SIZE], last);
}

/* After a long sleep each entry is looked at once. */
BOOLEAN ki_find_due_slot(KTIMER_TABLE *table, ULONGLONG *slot, ULONGLONG now)
{
    ULONGLONG last = ki_timer_slot(now);

    if (ki_timer_round(now) != round_of(table))
        return TRUE;
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

static void sort_by_digits(LIST_ENTRY *list)
{
    for (ULONG shift = 0; shift < TIMER_SLOT_SHIFT; shift += DIGIT_BITS)
        sort_by_digit(list, shift);
}

/* Behind those that are due before it or with it. */
static void insert_sorted(LIST_ENTRY *list, LIST_ENTRY *entry)
{
    LIST_ENTRY *before = list->Blink;

    while (before != list &&
           timer_of(before)->DueTime > timer_of(entry)->DueTime)
        before = before->Blink;
    InsertHeadList(before, entry);
}

static void sort_few(LIST_ENTRY *list)
{
    LIST_ENTRY *at = list->Flink, *next;

    InitializeListHead(list);
    for (; at != list; at = next) {
        next = at->Flink;
        insert_sorted(list, at);
    }
}

void ki_take_due_timers(KTIMER_TABLE_ENTRY *entry, ULONGLONG slot,
                        ULONGLONG now, LIST_ENTRY *due)
{
    LIST_ENTRY *at = entry->Entry.Flink;
    ULONGLONG least = NEVER;
    ULONG count = 0;

    while (at != &entry->Entry) {
        KTIMER *timer = timer_of(at);

        at = at->Flink;
        if (timer->DueTime <= now && ki_timer_slot(timer->DueTime) <= slot) {
            RemoveEntryList(&timer->TimerListEntry);
            InsertTailList(due, &timer->TimerListEntry);
            count++;
        } else if (timer->DueTime < least) {
            least = timer->DueTime;
        }
    }
    entry->Time = least;
    if (count > SMALL)
        sort_by_digits(due);
    else
        sort_few(due);
}
