/*
 * main.c - bench: what calls, threads, waits, APCs, timers, exceptions and
 * memory cost.
 *
 *     bench            all of it
 *     bench figures    without what grows with how many there are
 *     bench time       the same as averages, for a clock that does not count
 *                      instructions
 */
#include "bench.h"

static void show_figures(void)
{
    show_calls();
    show_floors();
    show_calls32();
    show_threads();
    show_events();
    show_apcs();
    show_timers();
    show_exceptions();
    show_memory();
}

static void show_growth(void)
{
    print("\n   The same with so many others       %8u %9u\n\n", FEW, MANY);
    show_ready_growth();
    show_timer_growth();
    show_apc_growth();
    print("\n   Among so many regions     %10u %9u %9u\n\n", REGIONS_FEW,
          REGIONS_MORE, REGIONS_MANY);
    show_region_growth();
}

NTSTATUS NtProcessStartup(PEB *peb)
{
    BOOLEAN time = has_word(L"time");
    LARGE_INTEGER counter, frequency;

    (void)peb;
    NtQueryPerformanceCounter(&counter, &frequency);
    per_try = time ? per_try : 1;
    set_priority(NtCurrentThread(), HIGH);
    print("bench: what it costs\n\n"
          "   Ticks of the time-stamp counter, %llu a second, the fewest of %u "
          "tries.\n   Booted with --icount they are instructions.\n\n",
          frequency.QuadPart, TRIES);
    show_figures();
    if (!time && !has_word(L"figures"))
        show_growth();
    return STATUS_SUCCESS;
}
