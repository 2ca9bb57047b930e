/*
 * main.c - the tour: what one system call is, told by the program making it.
 */
#include "tour.h"

/* What it shows happens in one order, and on one processor's stacks. */
static void stay_on_first_processor(void)
{
    ULONG_PTR first = 1;

    check(NT_SUCCESS(NtSetInformationProcess(NtCurrentProcess(),
                                             ProcessAffinityMask, &first,
                                             sizeof first)),
          "a process can stay on one processor");
}

NTSTATUS NtProcessStartup(PEB *peb)
{
    (void)peb;
    stay_on_first_processor();
    print("ntwalk: the walk of a system call, told from ring 3\n\n");
    show_where();
    show_stops();
    show_doors();
    show_apcs();
    show_exception();
    show_page();
    show_instrumentation();
    return checks_end();
}
