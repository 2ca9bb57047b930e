/*
 * ldrq.h - what the quiet DLL says to its test.
 */
#pragma once

#include <ntdll.h>

ULONG q_calls(void);                            /* of threads */

BOOLEAN NTAPI DllMain(void *base, ULONG reason, void *reserved);
