/*
 * needs_ordinal.c - imports an ordinal that its DLL does not export, so it
 * must never run: the exit status is the loader's.
 */
#include "dll/ldr.h"

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    (void)peb;
    return b_missing_ordinal();
}
