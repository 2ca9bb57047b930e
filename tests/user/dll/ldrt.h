/*
 * ldrt.h - what the DLL that watches threads says to its test.
 */
#pragma once

#include <ntdll.h>

#define T_TLS_FIRST 0x77778888

/* ldrt: each call that it gets is a letter in a log, with the thread's id. */
void t_log(char event);

/* A thread's part of the log, which then is empty: ids come again. */
void t_text(HANDLE thread, char *text, ULONG size);
ULONG *t_tls(void);

/* A thread that its DllMain made, before the process was initialized. */
HANDLE t_early_thread(void);
ULONG t_early_result(void);                     /* what that thread found */

BOOLEAN NTAPI DllMain(void *base, ULONG reason, void *reserved);
