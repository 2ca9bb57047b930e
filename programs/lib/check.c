/*
 * lib/check.c - counting checks.
 */
#include "check.h"
#include "print.h"

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

NTSTATUS checks_end(void)
{
    if (failures) {
        print("\nThe tour ends badly: %u of %u checks failed, first: %s\n",
              failures, checks, first_failure);
        return 1;
    }
    print("\nThe tour ends well: %u checks held.\n", checks);
    return 0;
}
