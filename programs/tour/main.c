/*
 * main.c - the tour: what one system call is, told by the program making it.
 */
#include "tour.h"

static ULONG checks, failures;
static const char *first_failure;

void check(BOOLEAN held, const char *text)
{
    checks++;
    if (held)
        return;
    if (!failures++)
        first_failure = text;
}

NTSTATUS NtProcessStartup(PEB *peb)
{
    (void)peb;
    print("ntwalk: the walk of a system call, told from ring 3\n\n");
    show_where();
    show_stops();
    show_doors();
    if (failures) {
        print("\nThe tour ends badly: %u of %u checks failed, first: %s\n",
              failures, checks, first_failure);
        return 1;
    }
    print("\nThe tour ends well: %u checks held.\n", checks);
    return 0;
}
