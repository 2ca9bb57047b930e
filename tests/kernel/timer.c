/*
 * tests/kernel/timer.c - when timers expire, in which order, and what they
 * cost.
 */
#include "selftest.h"

#include <kd.h>
#include <mm.h>

#define TIMERS 200
#define MANY 10000
#define TICKS 32
#define MS 10000LL                      /* in 100-ns units */
#define TICK 156250ULL

/* One timer, its DPC, and what is expected of it. */
static struct slot {
    KTIMER timer;
    KDPC dpc;
    ULONGLONG due;
    BOOLEAN set;
    ULONG ran;
} slots[TIMERS];

static struct slot *volatile order[TIMERS];
static volatile ULONG count;
static volatile BOOLEAN wrong;          /* what a DPC has to complain of */
static volatile ULONGLONG ran_at;

static LARGE_INTEGER in(LONGLONG time)
{
    return (LARGE_INTEGER){ .QuadPart = -time };
}

static ULONGLONG precise(void)
{
    ULONGLONG counter;

    return KeQueryInterruptTimePrecise(&counter);
}

static ULONG random(ULONG below)
{
    static ULONG seed = 20041;

    seed = seed * 1664525 + 1013904223;
    return (ULONG)((ULONGLONG)seed * below >> 32);
}

static void note(KDPC *dpc, void *context, void *argument1, void *argument2)
{
    struct slot *slot = context;

    (void)dpc, (void)argument1, (void)argument2;
    ran_at = KeQueryInterruptTime();
    wrong |= ran_at < slot->due || !slot->set;
    slot->set = slot->timer.Period != 0;
    slot->ran++;
    order[count++ % TIMERS] = slot;
}

static void prepare(KOBJECTS type)
{
    count = 0;
    wrong = FALSE;
    for (ULONG i = 0; i < TIMERS; i++) {
        memset(&slots[i], 0, sizeof slots[i]);
        KeInitializeTimerEx(&slots[i].timer, type);
        KeInitializeDpc(&slots[i].dpc, note, &slots[i]);
    }
}

/* What KeSetTimerEx answers; no DPC can come between. */
static BOOLEAN set(struct slot *slot, LARGE_INTEGER due, LONG period)
{
    KIRQL old = KfRaiseIrql(DISPATCH_LEVEL);
    BOOLEAN was_set = KeSetTimerEx(&slot->timer, due, period, &slot->dpc);

    slot->due = due.QuadPart == 0 ? 0 : slot->timer.DueTime;
    slot->set = TRUE;
    KfLowerIrql(old);
    return was_set;
}

static void wait_for_tick(void)
{
    ULONGLONG before = KeQueryInterruptTime();

    while (KeQueryInterruptTime() == before)
        continue;
}

static BOOLEAN wait_for(struct slot *slot)
{
    return KeWaitForSingleObject(&slot->timer, Executive, KernelMode, FALSE,
                                 NULL) == STATUS_WAIT_0;
}

/*
 * Never early; at the first tick from then on.  A host that stops the machine
 * may make one later: once in eight must be right.
 */
static BOOLEAN accurate(LONGLONG interval)
{
    BOOLEAN prompt = FALSE;

    for (ULONG i = 0; i < 8; i++) {
        ULONGLONG start;

        prepare(TimerNotificationObject);
        start = precise();
        set(&slots[0], in(interval), 0);
        if (slots[0].due < start + (ULONGLONG)interval ||
            !wait_for(&slots[0]) || precise() < slots[0].due)
            return FALSE;
        while (count == 0)
            continue;
        prompt |= ran_at < slots[0].due + TICK;
        if (wrong || count != 1)
            return FALSE;
    }
    return prompt;
}

static BOOLEAN test_accuracy(void)
{
    return accurate(1) && accurate((LONGLONG)TICK) && accurate(20 * MS) &&
           accurate(50 * MS + 1);
}

/* A wait is over no sooner than its timeout says, and says so. */
static BOOLEAN test_timeout(void)
{
    LARGE_INTEGER timeout = in(30 * MS);
    ULONGLONG start = precise();

    prepare(TimerNotificationObject);
    if (KeWaitForSingleObject(&slots[0].timer, Executive, KernelMode, FALSE,
                              &timeout) != STATUS_TIMEOUT ||
        precise() < start + 30 * MS)
        return FALSE;
    start = precise();
    return KeDelayExecutionThread(KernelMode, FALSE, &timeout) ==
               STATUS_SUCCESS &&
           precise() >= start + 30 * MS;
}

/* One kind keeps its signal, the other gives it to one wait. */
static BOOLEAN test_kinds(void)
{
    LARGE_INTEGER none = { .QuadPart = 0 };
    static const NTSTATUS second[] = { STATUS_WAIT_0, STATUS_TIMEOUT };

    for (ULONG i = 0; i < 2; i++) {
        prepare(i == 0 ? TimerNotificationObject
                       : TimerSynchronizationObject);
        set(&slots[0], in(MS), 0);
        if (!wait_for(&slots[0]) ||
            KeReadStateTimer(&slots[0].timer) != (i == 0) ||
            KeWaitForSingleObject(&slots[0].timer, Executive, KernelMode,
                                  FALSE, &none) != second[i])
            return FALSE;
    }
    return TRUE;
}

/* A time that has passed: signalled when the call returns, by both counts. */
static BOOLEAN test_passed(void)
{
    LARGE_INTEGER now;
    KIRQL old;
    BOOLEAN good;

    prepare(TimerNotificationObject);
    KeQuerySystemTime(&now);
    old = KfRaiseIrql(DISPATCH_LEVEL);
    good = !set(&slots[0], (LARGE_INTEGER){ .QuadPart = 0 }, 0) &&
           !set(&slots[1], now, 0) &&
           KeReadStateTimer(&slots[0].timer) &&
           KeReadStateTimer(&slots[1].timer) && count == 0 &&
           !KeCancelTimer(&slots[0].timer);
    KfLowerIrql(old);
    while (count < 2)
        continue;
    return good && count == 2 && order[0] == &slots[0] &&
           order[1] == &slots[1];
}

/* Before it expires, afterwards, and with its DPC queued in between. */
static BOOLEAN test_cancel(void)
{
    BOOLEAN good;
    KIRQL old;

    prepare(TimerNotificationObject);
    good = !KeCancelTimer(&slots[0].timer) && !set(&slots[0], in(MS), 0) &&
           KeCancelTimer(&slots[0].timer) && !KeCancelTimer(&slots[0].timer);
    wait_for_tick();
    wait_for_tick();
    good &= count == 0 && !KeReadStateTimer(&slots[0].timer);

    set(&slots[1], in(MS), 0);
    good &= wait_for(&slots[1]) && !KeCancelTimer(&slots[1].timer) &&
            KeReadStateTimer(&slots[1].timer);
    while (count == 0)
        continue;

    old = KfRaiseIrql(DISPATCH_LEVEL);
    set(&slots[2], (LARGE_INTEGER){ .QuadPart = 0 }, 0);
    good &= !KeCancelTimer(&slots[2].timer) &&
            KeRemoveQueueDpc(&slots[2].dpc);
    set(&slots[3], in(1), 0);           /* due, but not expired */
    wait_for_tick();
    wait_for_tick();
    good &= KeCancelTimer(&slots[3].timer) &&
            !KeRemoveQueueDpc(&slots[3].dpc);
    KfLowerIrql(old);
    wait_for_tick();
    return good && count == 1 && !wrong;
}

/* Set while it is set: only the last time counts. */
static BOOLEAN test_again(void)
{
    KIRQL old = KfRaiseIrql(DISPATCH_LEVEL);
    BOOLEAN good;

    prepare(TimerNotificationObject);
    good = !set(&slots[0], in(MS), 0) && set(&slots[0], in(60 * MS), 0) &&
           set(&slots[0], in(40 * MS), 0);
    KfLowerIrql(old);
    good &= wait_for(&slots[0]);
    while (slots[0].set)
        continue;
    wait_for_tick();
    wait_for_tick();
    return good && !wrong && count == 1;
}

/*
 * N periods after the first time it is due N periods after it, to the unit.
 * A tick that came too late may have covered more than one.
 */
static BOOLEAN periodic(LONG period, ULONG times)
{
    ULONGLONG first, gone;

    prepare(TimerSynchronizationObject);
    set(&slots[0], in(5 * MS), period);
    first = slots[0].due;
    for (ULONG i = 0; i < times; i++) {
        if (!wait_for(&slots[0]))
            return FALSE;
    }
    if (!KeCancelTimer(&slots[0].timer))
        return FALSE;
    gone = slots[0].timer.DueTime - first;
    wait_for_tick();
    return gone % ((ULONG)period * MS) == 0 &&
           gone / ((ULONG)period * MS) >= times && !wrong &&
           precise() >= first + (times - 1) * (ULONGLONG)period * MS &&
           count >= times && !KeReadStateTimer(&slots[0].timer);
}

static BOOLEAN test_periodic(void)
{
    return periodic(20, 30) && periodic(1, 10) && periodic(47, 5);
}

/*
 * All due in one pass, over several slots of the table: by due time, those of
 * one time as they were set.  Absolute times, which can be the same.
 */
static BOOLEAN test_order(void)
{
    LARGE_INTEGER now, due;
    BOOLEAN good;
    KIRQL old;

    prepare(TimerNotificationObject);
    old = KfRaiseIrql(DISPATCH_LEVEL);
    KeQuerySystemTime(&now);
    for (ULONG i = 0; i < TIMERS; i++) {
        due.QuadPart = now.QuadPart + 20 * MS + random(50) * 20011;
        set(&slots[i], due, 0);
    }
    do {
        KeQuerySystemTime(&due);
    } while (due.QuadPart < now.QuadPart + 121 * MS);
    good = count == 0;
    KfLowerIrql(old);
    while (count < TIMERS)
        continue;
    for (ULONG i = 1; i < TIMERS; i++)
        good &= order[i - 1]->due < order[i]->due ||
                (order[i - 1]->due == order[i]->due &&
                 order[i - 1] < order[i]);
    return good && !wrong;
}

/* A thousand steps, after each of which timer and model must agree. */
static BOOLEAN step(struct slot *slot)
{
    KIRQL old = KfRaiseIrql(DISPATCH_LEVEL);
    ULONG ran = slot->ran;
    BOOLEAN was_set = slot->set, good = TRUE;

    if (random(3) == 0) {
        good = KeCancelTimer(&slot->timer) == was_set;
        slot->set = FALSE;
    } else {
        good = set(slot, in(1 + random(60 * MS)), 0) == was_set &&
               !KeReadStateTimer(&slot->timer);
    }
    good &= slot->ran == ran;
    KfLowerIrql(old);
    return good;
}

static BOOLEAN test_random(void)
{
    BOOLEAN good = TRUE;

    prepare(TimerNotificationObject);
    for (ULONG i = 0; i < 1000 && good; i++) {
        good = step(&slots[random(TIMERS)]);
        if (i % 20 == 0)
            wait_for_tick();
    }
    for (ULONG i = 0; i < TIMERS; i++) {
        while (good && slots[i].set)
            continue;
        good &= !KeCancelTimer(&slots[i].timer);
    }
    wait_for_tick();
    return good && !wrong;
}

BOOLEAN test_timer(void)
{
    static BOOLEAN (*const tests[])(void) = {
        test_accuracy, test_timeout, test_kinds, test_passed, test_cancel,
        test_again, test_periodic, test_order, test_random,
    };

    for (ULONG i = 0; i < ARRAY_SIZE(tests); i++) {
        if (!tests[i]()) {
            DbgPrint("timer: part %u has failed\n", i);
            return FALSE;
        }
    }
    return TRUE;
}

/* ---- what it costs ---- */

/* Set and cancel one; the best of many, since others interrupt. */
static ULONGLONG cost(KTIMER *timer)
{
    ULONGLONG best = ~0ULL;

    for (ULONG i = 0; i < 200; i++) {
        ULONGLONG start = arch_read_tsc(), gone;

        KeSetTimerEx(timer, in((LONGLONG)(100 + i) * 1000 * MS), 0, NULL);
        KeCancelTimer(timer);
        gone = arch_read_tsc() - start;
        if (gone < best)
            best = gone;
    }
    return best;
}

/* DPCs of so many ticks: only the kernel's own timers expire. */
static ULONG dpcs_of_ticks(void)
{
    ULONG before = KeGetCurrentPrcb()->DpcData[0].DpcCount;

    for (ULONG i = 0; i < TICKS; i++)
        wait_for_tick();
    return KeGetCurrentPrcb()->DpcData[0].DpcCount - before;
}

static BOOLEAN set_many(KTIMER *timers, ULONG from, ULONG to)
{
    BOOLEAN fresh = TRUE;

    for (ULONG i = from; i < to; i++) {
        KeInitializeTimerEx(&timers[i], TimerNotificationObject);
        fresh &= !KeSetTimerEx(&timers[i],
                               in((100LL * 1000 + random(500000)) * MS), 0,
                               NULL);
    }
    return fresh;
}

/* Flat: a tenth more at most.  Meant for a clock that counts instructions. */
BOOLEAN test_timer_cost(void)
{
    KTIMER *timers = ExAllocatePool2(POOL_FLAG_NON_PAGED,
                                     (MANY + 1) * sizeof *timers, 0);
    ULONGLONG few, many;
    ULONG dpcs;
    BOOLEAN good;

    if (!timers)
        return FALSE;
    KeInitializeTimerEx(&timers[MANY], TimerNotificationObject);
    good = set_many(timers, 0, 10);
    few = cost(&timers[MANY]);
    dpcs = dpcs_of_ticks();
    good &= set_many(timers, 10, MANY);
    many = cost(&timers[MANY]);
    good &= dpcs_of_ticks() <= dpcs + TICKS / 4;
    for (ULONG i = 0; i < MANY; i++)
        good &= KeCancelTimer(&timers[i]);
    ExFreePoolWithTag(timers, 0);
    DbgPrint("timer: set and cancel among 10: %llu, among %u: %llu\n", few,
             MANY, many);
    return good && many * 10 <= few * 11;
}
