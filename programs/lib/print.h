/*
 * lib/print.h - output for programs.
 */
#pragma once

#include <ntdll.h>

/* printf to standard output (see ntdll.h for the format); at most 500 bytes. */
void print(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* "STATUS_INVALID_HANDLE", or "" for one that nt/ntstatus.h does not name. */
const char *status_name(NTSTATUS status);
