/*
 * measure.c - counting ticks, and the table's lines.
 */
#include "bench.h"

#define NAME_WIDTH 25
#define GROWTH_WIDTH 34
#define REGIONS_WIDTH 28

void must(NTSTATUS status, const char *what)
{
    if (NT_SUCCESS(status))
        return;
    print("%s: %08X %s\n", what, (ULONG)status, status_name(status));
    NtTerminateProcess(NtCurrentProcess(), status);
}

static void nothing(void *context)
{
    (void)context;
}

static ULONGLONG fewest_raw(operation *run, void *context)
{
    ULONGLONG best = ~0ULL;

    for (ULONG i = 0; i < TRIES; i++) {
        ULONGLONG start = ticks(), gone;

        run(context);
        gone = ticks() - start;
        if (gone < best)
            best = gone;
    }
    return best;
}

ULONGLONG fewest(operation *run, void *context)
{
    ULONGLONG empty = fewest_raw(nothing, NULL);
    ULONGLONG best = fewest_raw(run, context);

    return best > empty ? best - empty : 0;
}

/*
 * The longest step of a loop that does nothing else, less a usual one. The
 * interrupt may come between the loop's last two reads, so one more follows.
 */
ULONGLONG clock_tick(void)
{
    const volatile KUSER_SHARED_DATA *shared =
        (const volatile void *)USER_SHARED_DATA;
    ULONG before = shared->InterruptTime.LowPart;
    ULONGLONG last = ticks(), longest = 0, shortest = ~0ULL;
    BOOLEAN over = FALSE;

    for (;;) {
        ULONGLONG now = ticks();
        ULONGLONG step = now - last;

        last = now;
        if (step > longest)
            longest = step;
        if (step < shortest)
            shortest = step;
        if (over)
            return longest - shortest;
        over = shared->InterruptTime.LowPart != before;
    }
}

void figure(const char *name, ULONGLONG count, const char *what)
{
    print("   %-*s %5llu  %s\n", NAME_WIDTH, name, count, what);
}

void growth(const char *name, ULONGLONG few, ULONGLONG many)
{
    print("   %-*s %8llu %9llu\n", GROWTH_WIDTH, name, few, many);
}

void growth_of_three(const char *name, ULONGLONG few, ULONGLONG more,
                     ULONGLONG many)
{
    print("   %-*s %7llu %9llu %9llu\n", REGIONS_WIDTH, name, few, more,
          many);
}
