/*
 * needs_dll.c - imports a DLL that does not exist, so it must never run: the
 * exit status is the loader's.
 */
#include "dll/ldr.h"

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    (void)peb;
    return ghost_value();
}
