/*
 * lib/check.h - what the tours say is checked, and their last line tells.
 */
#pragma once

#include <ntdll.h>

/* Record a check; text names it when it did not hold. */
void check(BOOLEAN held, const char *text);

/* The last line; the program's exit status, 0 if all held. */
NTSTATUS checks_end(void);
