/*
 * lib/start.h - a program of \SystemRoot\System32, as a process.
 */
#pragma once

#include <ntdll.h>

#define PROGRAM_PATH 600                        /* WCHARs, with the 0 */

/* name's first characters up to end; without a dot it is an .exe. */
void program_path(const WCHAR *name, ULONG length, WCHAR path[PROGRAM_PATH]);

/*
 * Its console is the one that every program gets.  flags: of its first thread,
 * THREAD_CREATE_FLAGS_.
 */
NTSTATUS start_program(const WCHAR *path, const WCHAR *command_line,
                       ULONG flags, HANDLE *process, HANDLE *thread,
                       CLIENT_ID *client);
