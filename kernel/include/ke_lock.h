/*
 * ke_lock.h - ring 1: locks that let a thread wait.
 *
 * EX_PUSH_LOCK: one exclusive holder or any number of shared ones; not
 * recursive.  The holder is in a critical region (it must not be suspended or
 * ended meanwhile), which the calls here enter and leave.
 *
 * FAST_MUTEX: exclusive, its holder is at APC_LEVEL, so not even a special
 * kernel APC runs meanwhile.
 *
 * EX_RUNDOWN_REF: any number of users, until somebody waits for the last one;
 * from then on there are no new ones.  Zero is its first state.  A user is in
 * a critical region of its own making: suspended, it would keep the waiter.
 *
 * IRQL: PASSIVE_LEVEL or APC_LEVEL.  NT: the critical region is the caller's
 * to enter; the rest has NT's names and layouts.
 */
#pragma once

#include <ke_object.h>

typedef struct _EX_PUSH_LOCK {
    volatile ULONGLONG Value;                   /* 000, 0: free */
} EX_PUSH_LOCK;

void ke_acquire_exclusive(EX_PUSH_LOCK *lock);
void ke_acquire_shared(EX_PUSH_LOCK *lock);
void ke_release_exclusive(EX_PUSH_LOCK *lock);
void ke_release_shared(EX_PUSH_LOCK *lock);

typedef struct _FAST_MUTEX {
    volatile LONG Count;                        /* 000, 1: free */
    UCHAR pad_4[0x4];
    void *Owner;                                /* 008 */
    ULONG Contention;                           /* 010 */
    UCHAR pad_14[0x4];
    KEVENT Event;                               /* 018 */
    ULONG OldIrql;                              /* 030 */
    UCHAR pad_34[0x4];
} FAST_MUTEX;

void ExInitializeFastMutex(FAST_MUTEX *mutex);
void ExAcquireFastMutex(FAST_MUTEX *mutex);
void ExReleaseFastMutex(FAST_MUTEX *mutex);

typedef struct _EX_RUNDOWN_REF {
    volatile ULONGLONG Count;                   /* 000, 2 for each user */
} EX_RUNDOWN_REF;

/* FALSE: the end has begun. */
BOOLEAN ExAcquireRundownProtection(EX_RUNDOWN_REF *ref);
void ExReleaseRundownProtection(EX_RUNDOWN_REF *ref);

/* Once; no user is left afterwards, and none comes. */
void ExWaitForRundownProtectionRelease(EX_RUNDOWN_REF *ref);
