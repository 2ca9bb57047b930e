/*
 * entrypaths.h - one path through the kernel's ways in and out.
 *
 * prepare makes what the path needs, check says what must have come of it;
 * both may be NULL.  Between them walk is stepped through by tests/entry.
 */
#pragma once

#include "test.h"

struct path {
    const char *name;
    void (*prepare)(void);
    void (*walk)(void);
    void (*check)(void);
};

/* Calls by each door, with chosen registers (entrydoors.c). */
extern const struct path door_paths[];
extern const ULONG door_path_count;
