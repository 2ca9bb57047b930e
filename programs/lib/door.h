/*
 * lib/door.h - the doors into the kernel, as a table to walk.
 *
 *     for (door = doors; door < doors_end(); door++)
 *
 * SYSENTER is the last one, so that a processor without it in long mode (any
 * that is not Intel's) has a table that ends before.
 */
#pragma once

#include "call.h"

struct door {
    const char *name;
    void (*raw)(void);                          /* targets: call.h */
    void (*raw_on_stack)(void);
    const void *raw_behind;
    ULONG_PTR (*call)(ULONG number, ...);       /* ntdll's */
};

extern const struct door doors[];

/* One behind the last door that this processor has. */
const struct door *doors_end(void);

/* The one of that name, whether this processor has it or not; NULL: none. */
const struct door *door_named(const char *name);
