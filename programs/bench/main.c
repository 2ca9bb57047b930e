/*
 * main.c - bench: what threads, waits, APCs and timers cost.
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
    print("\n   The same with so many others       %8u %9u\n\n", FEW, MANY);
    show_ready_growth();
    show_timer_growth();
    show_apc_growth();
    return STATUS_SUCCESS;
}
