/*
 * lockcount.h - RTL_CRITICAL_SECTION.LockCount of Windows XP.
 *
 * -1 for a free lock; each entry adds one, the owner's own further entries as
 * well as those of threads that wait. A lock that is left while others wait is
 * handed to one of them, by the event, and never was free.
 */
#pragma once

#include <ntdll.h>

/* Take the lock if it is free. */
static inline BOOLEAN lock_count_try(volatile LONG *count)
{
    LONG free = -1;

    return __atomic_compare_exchange_n(count, &free, 0, FALSE,
                                       __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}

/* TRUE: taken; FALSE: counted as one that waits. */
static inline BOOLEAN lock_count_queue(volatile LONG *count)
{
    return __atomic_add_fetch(count, 1, __ATOMIC_SEQ_CST) == 0;
}

/* The event came, and the lock with it. */
static inline BOOLEAN lock_count_woken(volatile LONG *count)
{
    (void)count;
    return TRUE;
}

/* TRUE: set the event. */
static inline BOOLEAN lock_count_leave(volatile LONG *count)
{
    return __atomic_sub_fetch(count, 1, __ATOMIC_SEQ_CST) >= 0;
}

/* by: 1 when the owner enters once more, -1 when it leaves that again. */
static inline void lock_count_again(volatile LONG *count, LONG by)
{
    __atomic_add_fetch(count, by, __ATOMIC_SEQ_CST);
}
