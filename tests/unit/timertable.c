/*
 * timertable.c - the timer table: slots, the lower bounds of due times, and
 * what is taken out, sorted.
 */
#include "unit.h"

#include <ke/timertable.h>

#define TIMERS 5000
#define SLOT (1ULL << TIMER_SLOT_SHIFT)

static KTIMER_TABLE table;
static KTIMER timers[TIMERS];
static ULONGLONG seed;
static ULONG links;                     /* so far; a timer's is its Period */

static int reset(void **state)
{
    (void)state;
    memset(&table, 0, sizeof table);
    memset(timers, 0, sizeof timers);
    ki_initialize_timer_table(&table);
    seed = 19041;
    return 0;
}

static void link_at(KTIMER *timer, ULONGLONG due)
{
    timer->DueTime = due;
    timer->Period = links++;
    ki_link_timer(&table, timer);
}

/* How many a slot gives at now; they must come in order. */
static ULONG take(ULONGLONG slot, ULONGLONG now)
{
    LIST_ENTRY due, *at;
    const KTIMER *before = NULL;
    ULONG found = 0;

    InitializeListHead(&due);
    ki_take_due_timers(ki_timer_entry(&table, slot), slot, now, &due);
    for (at = due.Flink; at != &due; at = at->Flink, found++) {
        const KTIMER *timer = CONTAINING_RECORD(at, KTIMER, TimerListEntry);

        assert_ptr_equal(at->Flink->Blink, at);
        assert_true(timer->DueTime <= now);
        assert_int_equal(ki_timer_slot(timer->DueTime), slot);
        if (before)
            assert_true(before->DueTime < timer->DueTime ||
                        (before->DueTime == timer->DueTime &&
                         before->Period < timer->Period));
        before = timer;
    }
    return found;
}

/* As the clock and its DPC do it. */
static BOOLEAN find(ULONGLONG *slot, ULONGLONG now)
{
    ki_advance_timer_table(&table, now);
    return ki_find_due_slot(&table, slot, now);
}

static void an_empty_table_has_nothing(void **state)
{
    ULONGLONG slot = 0;

    (void)state;
    assert_false(find(&slot, 100 * SLOT));
    slot = 0;
    assert_false(find(&slot, 10000 * SLOT));
}

static void a_timer_is_found_when_it_is_due(void **state)
{
    ULONGLONG slot = 3;

    (void)state;
    link_at(&timers[0], 5 * SLOT + 10);
    assert_false(find(&slot, 5 * SLOT + 9));
    slot = 3;
    assert_true(find(&slot, 5 * SLOT + 10));
    assert_int_equal(slot, 5);
    ki_unlink_timer(&table, &timers[0]);
    assert_false(find(&slot, 5 * SLOT + 10));
}

/* The same entry, one round of the table later: not yet, and not lost. */
static void later_rounds_stay(void **state)
{
    ULONGLONG later = (5 + TIMER_TABLE_SIZE) * SLOT, slot = 5;

    (void)state;
    link_at(&timers[0], later + 1);
    link_at(&timers[1], 5 * SLOT + 1);
    assert_int_equal(take(5, 6 * SLOT), 1);
    assert_false(find(&slot, 7 * SLOT));
    slot = 5 + TIMER_TABLE_SIZE;
    assert_true(find(&slot, later + 1));
    assert_int_equal(take(slot, later + 1), 1);
}

/* A new round asks for its timers; those of another round are let alone. */
static void rounds_come_near(void **state)
{
    ULONGLONG round = 1ULL << TIMER_ROUND_SHIFT, slot = 250;

    (void)state;
    link_at(&timers[0], round + 3);
    link_at(&timers[1], round + TIMER_TABLE_SIZE * round + 3);
    link_at(&timers[2], 7 * SLOT);
    assert_int_equal(timers[0].TimerType, TIMER_ROW_FAR);
    assert_int_equal(timers[2].TimerType, TIMER_ROW_NEAR);
    assert_true(ki_find_due_slot(&table, &slot, round));
    assert_false(find(&slot, round));
    assert_int_equal(timers[0].TimerType, TIMER_ROW_NEAR);
    assert_int_equal(timers[1].TimerType, TIMER_ROW_FAR);
    ki_unlink_timer(&table, &timers[1]);
    slot = 256;
    assert_true(find(&slot, round + 3));
    assert_int_equal(take(slot, round + 3), 1);
    link_at(&timers[0], round + 5 * SLOT);
    assert_int_equal(timers[0].TimerType, TIMER_ROW_NEAR);
}

/* A clock that stood still for many rounds finds everything, in order. */
static void after_a_long_sleep(void **state)
{
    ULONGLONG now = 40 * TIMER_TABLE_SIZE * SLOT, slot = 0;
    ULONG found = 0;

    (void)state;
    for (ULONG i = 0; i < TIMERS; i++)
        link_at(&timers[i], unit_random(&seed) % now);
    assert_true(find(&slot, now));
    assert_int_equal(slot, 0);
    for (; slot <= ki_timer_slot(now); slot++)
        found += take(slot, now);
    assert_int_equal(found, TIMERS);
}

/* Thousands in one slot, many of them at the same time. */
static void one_slot_is_sorted(void **state)
{
    (void)state;
    for (ULONG i = 0; i < TIMERS; i++)
        link_at(&timers[i], 9 * SLOT + unit_random(&seed) % 1000 * 262);
    assert_int_equal(take(9, 10 * SLOT), TIMERS);
}

/* What was taken out can still be cancelled, until it is signalled. */
static void taken_out_and_cancelled(void **state)
{
    LIST_ENTRY due;

    (void)state;
    for (ULONG i = 0; i < 3; i++)
        link_at(&timers[i], SLOT + 3 - i);
    InitializeListHead(&due);
    ki_take_due_timers(ki_timer_entry(&table, 1), 1, 2 * SLOT, &due);
    ki_unlink_timer(&table, &timers[1]);
    assert_ptr_equal(due.Flink, &timers[2].TimerListEntry);
    assert_ptr_equal(due.Flink->Flink, &timers[0].TimerListEntry);
    assert_ptr_equal(due.Flink->Flink->Flink, &due);
}

/* Against a plain array: nothing early, nothing late, nothing twice. */
static void random_use(void **state)
{
    static BOOLEAN set[TIMERS];
    ULONGLONG now = 0;

    (void)state;
    for (ULONG step = 0; step < 3000; step++) {
        ULONGLONG slot = ki_timer_slot(now);
        ULONG expected = 0, found = 0;

        for (ULONG i = 0; i < 20; i++) {
            ULONG at = (ULONG)(unit_random(&seed) >> 8) % TIMERS;

            if (set[at])
                ki_unlink_timer(&table, &timers[at]);
            else
                link_at(&timers[at], now + 1 + unit_random(&seed) %
                                               (900 * SLOT));
            set[at] = !set[at];
        }
        now += 156250 * (1 + unit_random(&seed) % 3);
        for (ULONG i = 0; i < TIMERS; i++) {
            if (set[i] && timers[i].DueTime <= now) {
                set[i] = FALSE;
                expected++;
            }
        }
        if (ki_find_due_slot(&table, &slot, now)) {
            ki_advance_timer_table(&table, now);
            for (; slot <= ki_timer_slot(now); slot++)
                found += take(slot, now);
        }
        assert_int_equal(found, expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_empty_table_has_nothing, reset),
        cmocka_unit_test_setup(a_timer_is_found_when_it_is_due, reset),
        cmocka_unit_test_setup(later_rounds_stay, reset),
        cmocka_unit_test_setup(rounds_come_near, reset),
        cmocka_unit_test_setup(after_a_long_sleep, reset),
        cmocka_unit_test_setup(one_slot_is_sorted, reset),
        cmocka_unit_test_setup(taken_out_and_cancelled, reset),
        cmocka_unit_test_setup(random_use, reset),
    };

    return cmocka_run_group_tests_name("timertable", tests, NULL, NULL);
}
