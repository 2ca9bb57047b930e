/*
 * lib/check.h - what the tours say is checked, and their last line tells.
 */
#pragma once

#include <ntdll.h>

struct chapter {
    const char *title;                          /* NULL: there are none */
    ULONG checks, failures;
    const char *first_failure;
};

/* A chapter begins, of at most eight: the checks from here on are its own. */
void check_begin(const char *title);

/* Record a check; text names it when it did not hold. */
void check(BOOLEAN held, const char *text);

/* What has come of the chapter, from 1 on; NULL: it has not begun. */
const struct chapter *check_chapter(ULONG number);

/* The last line; the program's exit status, 0 if all held. */
NTSTATUS checks_end(void);
