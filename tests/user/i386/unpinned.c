/*
 * i386/unpinned.c - a service of 32-bit code that clears CR4.SMEP: the way back
 * of 32-bit code looks, too.  Ends in bugcheck 109.  "unpinned N": what else it
 * looks at, as in "ring0 N".
 *
 * Scenarios: F9.
 */
#include "../test.h"

#include "../../../programs/lib/find.h"

#define SMEP_OFF 0x155                  /* tests/kernel/selftest.c */

typedef NTSTATUS NTAPI self_test(ULONG test, void *argument);

/* The last word, if that is one. */
static ULONG number(const PEB *peb)
{
    const UNICODE_STRING *line = &peb->ProcessParameters->CommandLine;
    const WCHAR *at = line->Buffer, *end = at + line->Length / sizeof *at;
    ULONG value = 0;

    while (at < end && *at != ' ')
        at++;
    while (at < end && *at == ' ')
        at++;
    if (at == end)
        return SMEP_OFF;
    for (; at < end && *at >= '0' && *at <= '9'; at++)
        value = value * 16 + (ULONG)(*at - '0');
    return value;
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    self_test *ask_kernel = (self_test *)find_stub("NtwSelfTest");

    if (!ask_kernel)
        return STATUS_PROCEDURE_NOT_FOUND;
    ask_kernel(number(peb), NULL);
    for (;;)
        continue;                       /* nobody else shall look */
}
