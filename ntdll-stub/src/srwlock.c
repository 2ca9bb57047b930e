/*
 * srwlock.c - slim reader-writer locks.
 *
 * A lock is one pointer, 0 when free; threads that find it taken mark that
 * somebody waits and wait until it changes (waitaddr.c). Whoever makes it free
 * wakes all of them, who try again. Shared owners that come while somebody
 * waits wait, too: writers get their turn.
 *
 * NT: bits 0, 1 and the count from bit 4 mean the same; Windows links those
 * who wait in a list whose head is in the pointer's place, and wakes fewer.
 */
#include <ntdll.h>

#define LOCKED          ((ULONG_PTR)1)
#define WAITING         ((ULONG_PTR)2)
#define ONE_SHARED      ((ULONG_PTR)16)

static BOOLEAN change(volatile ULONG_PTR *word, ULONG_PTR from, ULONG_PTR to)
{
    return __atomic_compare_exchange_n(word, &from, to, FALSE,
                                       __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}

static volatile ULONG_PTR *word_of(RTL_SRWLOCK *lock)
{
    return (volatile ULONG_PTR *)&lock->Ptr;
}

void NTAPI RtlInitializeSRWLock(RTL_SRWLOCK *Lock)
{
    Lock->Ptr = NULL;
}

static void wait_for(volatile ULONG_PTR *word, ULONG_PTR seen)
{
    if ((seen & WAITING) || change(word, seen, seen | WAITING)) {
        seen |= WAITING;
        RtlWaitOnAddress(word, &seen, sizeof seen, NULL);
    }
}

BOOLEAN NTAPI RtlTryAcquireSRWLockExclusive(RTL_SRWLOCK *Lock)
{
    return change(word_of(Lock), 0, LOCKED);
}

/* What shared owners make of a word, or 0 when they must wait. */
static ULONG_PTR one_more_shared(ULONG_PTR word)
{
    if (!word)
        return LOCKED | ONE_SHARED;
    return word >= ONE_SHARED && !(word & WAITING) ? word + ONE_SHARED : 0;
}

BOOLEAN NTAPI RtlTryAcquireSRWLockShared(RTL_SRWLOCK *Lock)
{
    for (;;) {
        ULONG_PTR old = *word_of(Lock), new = one_more_shared(old);

        if (!new)
            return FALSE;
        if (change(word_of(Lock), old, new))
            return TRUE;
    }
}

void NTAPI RtlAcquireSRWLockExclusive(RTL_SRWLOCK *Lock)
{
    while (!RtlTryAcquireSRWLockExclusive(Lock)) {
        ULONG_PTR seen = *word_of(Lock);

        if (seen)
            wait_for(word_of(Lock), seen);
    }
}

void NTAPI RtlAcquireSRWLockShared(RTL_SRWLOCK *Lock)
{
    while (!RtlTryAcquireSRWLockShared(Lock)) {
        ULONG_PTR seen = *word_of(Lock);

        if (seen && !one_more_shared(seen))
            wait_for(word_of(Lock), seen);
    }
}

void NTAPI RtlReleaseSRWLockExclusive(RTL_SRWLOCK *Lock)
{
    ULONG_PTR old = __atomic_exchange_n(word_of(Lock), 0, __ATOMIC_SEQ_CST);

    if (!(old & LOCKED))
        RtlRaiseStatus(STATUS_RESOURCE_NOT_OWNED);
    if (old & WAITING)
        RtlWakeAddressAll(Lock);
}

void NTAPI RtlReleaseSRWLockShared(RTL_SRWLOCK *Lock)
{
    ULONG_PTR old, new;

    do {
        old = *word_of(Lock);
        if (old < ONE_SHARED)
            RtlRaiseStatus(STATUS_RESOURCE_NOT_OWNED);
        new = old - ONE_SHARED;
        if (new < ONE_SHARED)
            new = 0;
    } while (!change(word_of(Lock), old, new));
    if (!new && (old & WAITING))
        RtlWakeAddressAll(Lock);
}
