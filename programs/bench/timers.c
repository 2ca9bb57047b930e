/*
 * timers.c - timers set and cancelled, and what one that expires costs.
 *
 * Expiry happens in the clock's interrupt and its DPC, so it is seen from
 * outside: how long a tick keeps a thread away that does nothing but read the
 * clock, with a timer due and without.
 */
#include "bench.h"

#define TICKS 16
#define SPREAD 501003LL                 /* times many: all slots, evenly */

static HANDLE others[MANY];
static volatile BOOLEAN stop;

static HANDLE new_timer(void)
{
    HANDLE timer;

    must(NtCreateTimer(&timer, TIMER_ALL_ACCESS, NULL, SynchronizationTimer),
         "NtCreateTimer");
    return timer;
}

static void set(HANDLE timer, LONGLONG time)
{
    LARGE_INTEGER due = { .QuadPart = -time };

    NtSetTimer(timer, &due, NULL, NULL, FALSE, 0, NULL);
}

static void set_and_cancel(void *timer)
{
    set(timer, 1000 * SECOND);
    NtCancelTimer(timer, NULL);
}

/*
 * timer: due at the next tick; NULL: none is. One after the other, because
 * every second one ends a quantum as well.
 */
static ULONGLONG fewest_tick(HANDLE timer)
{
    ULONGLONG best = ~0ULL;

    clock_tick();
    for (ULONG i = 0; i < TICKS; i++) {
        ULONGLONG gone;

        if (timer)
            set(timer, 1);
        gone = clock_tick();
        if (gone < best)
            best = gone;
    }
    return best;
}

static void NTAPI wait_again(void *timer)
{
    while (!stop)
        NtWaitForSingleObject(timer, FALSE, NULL);
    NtTerminateThread(NtCurrentThread(), STATUS_SUCCESS);
}

static ULONGLONG fewest_wake(HANDLE timer)
{
    HANDLE thread;
    ULONGLONG best;

    stop = FALSE;
    thread = start_thread(wait_again, timer, HIGHER);
    best = fewest_tick(timer);
    stop = TRUE;
    set(timer, 1);
    join(thread);
    return best;
}

/* Too few tries for time: a tick has to be waited for. */
static void show_ticks(HANDLE timer)
{
    ULONGLONG plain = fewest_tick(NULL);

    figure("tick", plain, "of the clock, where nothing is due");
    figure("expiry", fewest_tick(timer) - plain,
           "of one timer: what it adds to a tick");
    figure("expiry that wakes", fewest_wake(timer) - plain,
           "a better thread, until it waits again");
}

void show_timers(void)
{
    HANDLE timer = new_timer();

    figure("timer", fewest(set_and_cancel, timer),
           "NtSetTimer, NtCancelTimer");
    if (per_try == 1)
        show_ticks(timer);
    must(NtClose(timer), "close");
}

static void set_others(ULONG from, ULONG to)
{
    for (ULONG i = from; i < to; i++) {
        others[i] = new_timer();
        set(others[i], 1000 * SECOND + i * SPREAD);
    }
}

struct cost {
    ULONGLONG set, tick, expiry;
};

static struct cost measure(HANDLE timer)
{
    ULONGLONG plain = fewest_tick(NULL);

    return (struct cost){
        .set = fewest(set_and_cancel, timer),
        .tick = plain,
        .expiry = fewest_tick(timer) - plain,
    };
}

void show_timer_growth(void)
{
    HANDLE timer = new_timer();
    struct cost few, many;

    set_others(0, FEW);
    few = measure(timer);
    set_others(FEW, MANY);
    many = measure(timer);
    for (ULONG i = 0; i < MANY; i++)
        must(NtClose(others[i]), "close");
    must(NtClose(timer), "close");
    growth("set and cancel a timer", few.set, many.set);
    growth("tick of the clock", few.tick, many.tick);
    growth("expiry of one timer", few.expiry, many.expiry);
}
