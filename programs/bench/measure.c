/*
 * measure.c - counting ticks, and the table's lines.
 */
#include "bench.h"

#define NAME_WIDTH 30
#define GROWTH_WIDTH 34
#define REGIONS_WIDTH 28

ULONG per_try = 100;

void must(NTSTATUS status, const char *what)
{
    if (NT_SUCCESS(status))
        return;
    print("%s: %08X %s\n", what, (ULONG)status, status_name(status));
    NtTerminateProcess(NtCurrentProcess(), status);
}

/* Is it one of the program's words, behind its name? */
BOOLEAN has_word(const WCHAR *word)
{
    const UNICODE_STRING *line =
        &NtCurrentPeb()->ProcessParameters->CommandLine;
    SIZE_T length = wcslen(word), count = line->Length / sizeof(WCHAR);

    for (SIZE_T at = 1; at + length <= count; at++)
        if (line->Buffer[at - 1] == ' ' &&
            memcmp(line->Buffer + at, word, length * sizeof(WCHAR)) == 0 &&
            (at + length == count || line->Buffer[at + length] == ' '))
            return TRUE;
    return FALSE;
}

static void nothing(void *context)
{
    (void)context;
}

static ULONGLONG fewest_of(operation *run, void *context, ULONG runs)
{
    ULONGLONG best = ~0ULL;

    for (ULONG i = 0; i < TRIES; i++) {
        ULONGLONG start = ticks(), gone;

        for (ULONG n = runs; n; n--)
            run(context);
        gone = ticks() - start;
        if (gone < best)
            best = gone;
    }
    return best;
}

/* What the compiler must not see through. */
static operation *volatile idle = nothing;

static ULONGLONG fewest_by(operation *run, void *context, ULONG runs)
{
    ULONGLONG empty = fewest_of(idle, NULL, runs);
    ULONGLONG best = fewest_of(run, context, runs);

    return best > empty ? (best - empty) / runs : 0;
}

ULONGLONG fewest(operation *run, void *context)
{
    return fewest_by(run, context, per_try);
}

ULONGLONG fewest_single(operation *run, void *context)
{
    return fewest_by(run, context, 1);
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
    print("   %-*s %6llu  %s\n", NAME_WIDTH, name, count, what);
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
