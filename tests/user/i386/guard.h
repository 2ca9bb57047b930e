/*
 * guard.h - a handler of the fs:[0] chain by hand: mingw's compilers have no
 * __try.
 *
 *     struct guard guard;
 *
 *     if (GUARDED(&guard, filter))
 *         ... what may fail ...
 *     else
 *         ... filter has answered GUARD_EXECUTE, the stack is unwound ...
 *     guard_leave(&guard);
 *
 * The guard lies in the frame of the function that does so. filter answers
 * with GUARD_EXECUTE, or with what its handler is to return.
 */
#pragma once

#include "../test.h"

#define GUARD_EXECUTE ((EXCEPTION_DISPOSITION)0x100)

struct guard;
typedef EXCEPTION_DISPOSITION guard_filter(struct guard *guard,
                                           EXCEPTION_RECORD *record,
                                           CONTEXT *context);

struct guard {
    EXCEPTION_REGISTRATION_RECORD record;
    guard_filter *filter;
    void (*on_unwind)(struct guard *guard);     /* if not NULL */
    void *back[5];                              /* __builtin_setjmp's */
    ULONG asked, unwound;                       /* how often */
    EXCEPTION_RECORD last, last_unwind;         /* of the last time */
    CONTEXT context;
};

void guard_enter(struct guard *guard, guard_filter *filter);
void guard_leave(struct guard *guard);

/* TRUE: nothing has happened yet. */
#define GUARDED(guard, filter) \
    (guard_enter(guard, filter), __builtin_setjmp((guard)->back) == 0)

/* Filters that always answer the same. */
guard_filter guard_execute, guard_continue, guard_search;

#define guard_chain() (*(void *volatile *)&NtCurrentTeb()->NtTib.ExceptionList)
#define guard_set_chain(record) \
    (*(void *volatile *)&NtCurrentTeb()->NtTib.ExceptionList = (record))

/* An exception of that code, with two parameters. */
#define GUARD_PARAMETER0 0x11112222U
#define GUARD_PARAMETER1 0x33334444U
void guard_raise(NTSTATUS code, ULONG flags);
