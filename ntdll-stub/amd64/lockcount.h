/*
 * lockcount.h - RTL_CRITICAL_SECTION.LockCount of Windows 10 (since Windows
 * Server 2003 SP1).
 *
 *   bit 0      1: free, 0: taken
 *   bit 1      0: a thread that was woken is on its way to try again
 *   the rest   ones' complement of the number of threads that wait
 *
 * So a free lock is -1 and a taken one without company -2. A lock that is left
 * is free for whoever comes first; the woken thread may have to wait again.
 * The owner's own further entries do not count here.
 */
#pragma once

#include <ntdll.h>

#define LOCK_FREE       1
#define LOCK_NO_WOKEN   2
#define LOCK_WAITER     4                       /* subtracted for each */

static inline BOOLEAN lock_count_change(volatile LONG *count, LONG from,
                                        LONG to)
{
    return __atomic_compare_exchange_n(count, &from, to, FALSE,
                                       __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}

/* Take the lock if it is free. */
static inline BOOLEAN lock_count_try(volatile LONG *count)
{
    LONG old = *count;

    return (old & LOCK_FREE) && lock_count_change(count, old, old & ~LOCK_FREE);
}

/* TRUE: taken; FALSE: counted as one that waits. woken: was so before. */
static inline BOOLEAN lock_count_enter(volatile LONG *count, LONG woken)
{
    for (;;) {
        LONG old = *count;
        BOOLEAN free = old & LOCK_FREE;
        LONG new = free ? old & ~LOCK_FREE : old - LOCK_WAITER;

        if (lock_count_change(count, old, new | woken))
            return free;
    }
}

static inline BOOLEAN lock_count_queue(volatile LONG *count)
{
    return lock_count_enter(count, 0);
}

/* The event came: the same, and from now on others may be woken. */
static inline BOOLEAN lock_count_woken(volatile LONG *count)
{
    return lock_count_enter(count, LOCK_NO_WOKEN);
}

/* TRUE: set the event. */
static inline BOOLEAN lock_count_leave(volatile LONG *count)
{
    LONG now = __atomic_add_fetch(count, LOCK_FREE, __ATOMIC_SEQ_CST);

    for (; now != -1 && (now & LOCK_FREE) && (now & LOCK_NO_WOKEN);
         now = *count)
        if (lock_count_change(count, now,
                              (now & ~LOCK_NO_WOKEN) + LOCK_WAITER))
            return TRUE;
    return FALSE;
}

static inline void lock_count_again(volatile LONG *count, LONG by)
{
    (void)count;
    (void)by;
}
