/*
 * main.c - the tour: what one system call is, told by the program making it.
 */
#include "tour.h"

NTSTATUS NtProcessStartup(PEB *peb)
{
    (void)peb;
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
