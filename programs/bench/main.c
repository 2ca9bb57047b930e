/*
 * main.c - bench: what threads, waits, APCs, timers, exceptions and memory
 * cost.
 */
#include "bench.h"

NTSTATUS NtProcessStartup(PEB *peb)
{
    (void)peb;
    set_priority(NtCurrentThread(), HIGH);
    print("bench: what it costs\n\n"
          "   Ticks of the time-stamp counter, the fewest of %u tries. "
          "Booted with\n   --icount they are instructions.\n\n", TRIES);
    show_threads();
    show_events();
    show_apcs();
    show_timers();
    show_exceptions();
    show_memory();
    print("\n   The same with so many others       %8u %9u\n\n", FEW, MANY);
    show_ready_growth();
    show_timer_growth();
    show_apc_growth();
    print("\n   Among so many regions     %10u %9u %9u\n\n", REGIONS_FEW,
          REGIONS_MORE, REGIONS_MANY);
    show_region_growth();
    return STATUS_SUCCESS;
}
