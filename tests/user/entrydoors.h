/*
 * entrydoors.h - paths of entrypaths.c, one set for each door: with no
 * arguments, four, and eighteen, with a number that is none, and with
 * arguments that cannot be read.
 *
 * Who includes it has, before that, services: the numbers by name; and then
 * prepare, take_stack_away, walk and check, which know how its code calls.
 */
#pragma once

#include "entrypaths.h"

#define NO_NUMBER 0xFFF
#define ECHOED 18

static ULONG number_of(const char *name)
{
    for (ULONG at = 0; at < ARRAY_SIZE(services); at++)
        if (!strcmp(services[at].name, name))
            return services[at].number;
    CHECK_SAY(FALSE, "there is no service %s", name);
    return NO_NUMBER;
}

/* at: the door's place in doors. */
#define DOOR(at, name) \
    static void prepare_##name##_none(void) \
    { \
        prepare(at, number_of("NtTestAlert"), 0, STATUS_SUCCESS); \
    } \
    static void prepare_##name##_4(void) \
    { \
        prepare(at, number_of("NtwEcho0"), 4, STATUS_SUCCESS); \
    } \
    static void prepare_##name##_18(void) \
    { \
        prepare(at, number_of("NtwEcho14"), ECHOED, STATUS_SUCCESS); \
    } \
    static void prepare_##name##_number(void) \
    { \
        prepare(at, NO_NUMBER, 0, STATUS_INVALID_SYSTEM_SERVICE); \
    } \
    static void prepare_##name##_fault(void) \
    { \
        prepare(at, number_of("NtwEcho14"), 0, STATUS_ACCESS_VIOLATION); \
        take_stack_away(); \
    }

#define PATHS(name) \
    { #name ", no arguments", prepare_##name##_none, walk, check }, \
    { #name ", 4 arguments", prepare_##name##_4, walk, check }, \
    { #name ", 18 arguments", prepare_##name##_18, walk, check }, \
    { #name ", no such number", prepare_##name##_number, walk, check }, \
    { #name ", no stack", prepare_##name##_fault, walk, check }
