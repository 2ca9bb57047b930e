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

static void show_first(void)
{
    stay_on_first_processor();
    show_where();
}

NTSTATUS NtProcessStartup(PEB *peb)
{
    static const struct {
        const char *title;
        void (*show)(void);
    } chapters[] = {
        { "where am I", show_first },
        { "the calls", show_stops },
        { "the doors", show_doors },
        { "APCs", show_apcs },
        { "an exception", show_exception },
        { "a page", show_page },
        { "instrumentation", show_instrumentation },
        { "this machine", show_machine },
    };
    ULONG at;

    (void)peb;
    print("ntwalk: the walk of a system call, told from ring 3\n\n");
    for (at = 0; at < ARRAY_SIZE(chapters); at++) {
        check_begin(chapters[at].title);
        chapters[at].show();
    }
    return checks_end();
}
