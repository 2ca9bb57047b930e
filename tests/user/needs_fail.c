/*
 * needs_fail.c - imports a DLL whose DllMain returns FALSE, so it must never
 * run: the exit status is the loader's.
 */
#include "dll/ldr.h"

ULONG fail_value(void);

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    (void)peb;
    return fail_value();
}
