/*
 * objects.h - what events, mutants, semaphores and timers have in common, as
 * services: how they are created, named, opened and asked (objects.c).
 */
#pragma once

#include "test.h"

struct kind {
    const char *name;
    NTSTATUS (*create)(HANDLE *handle, ACCESS_MASK access,
                       OBJECT_ATTRIBUTES *attributes);
    NTSTATUS (NTAPI *open)(HANDLE *handle, ACCESS_MASK access,
                           OBJECT_ATTRIBUTES *attributes);
    NTSTATUS (NTAPI *query)(HANDLE handle, ULONG class, void *buffer,
                            ULONG length, ULONG *return_length);
    ACCESS_MASK all;            /* bit 0 is the right to ask */
    ULONG size;                 /* of the basic information */

    /* Of another type: objects are not taken for each other. */
    NTSTATUS (NTAPI *open_other)(HANDLE *handle, ACCESS_MASK access,
                                 OBJECT_ATTRIBUTES *attributes);
};

void check_kind(const struct kind *kind);

/* One without a name. */
HANDLE make(const struct kind *kind, ACCESS_MASK access);

/* STATUS_TIMEOUT or what a wait that does not wait has. */
NTSTATUS poll(HANDLE handle);

#define NO_HANDLE ((HANDLE)(LONG_PTR)0x1234)
#define UNMAPPED ((void *)0x10)
