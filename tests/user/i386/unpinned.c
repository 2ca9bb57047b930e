/*
 * i386/unpinned.c - a service of 32-bit code that clears CR4.SMEP: the way back
 * of 32-bit code looks, too.  Ends in bugcheck 109.
 *
 * Scenarios: F9.
 */
#include "../test.h"

#include "../../../programs/lib/find.h"

#define SMEP_OFF 0x155                  /* tests/kernel/selftest.c */

typedef NTSTATUS NTAPI self_test(ULONG test, void *argument);

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    self_test *ask_kernel = (self_test *)find_stub("NtwSelfTest");

    (void)peb;
    return ask_kernel ? ask_kernel(SMEP_OFF, NULL)
                      : STATUS_PROCEDURE_NOT_FOUND;
}
