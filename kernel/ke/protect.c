/*
 * ke/protect.c - rundown protection: who uses something that may end.
 *
 * Count is twice the number of users.  Who waits for their end puts a block in
 * its place, its address with bit 0 set, and the block counts from then on;
 * without users the bit is all there is.  The bit turns new users away.
 */
#include "ki.h"

#include <ke_lock.h>

#define ENDING 1ULL
#define USER 2ULL

struct rundown_wait {
    volatile LONGLONG users;
    KEVENT gone;
};

BOOLEAN ExAcquireRundownProtection(EX_RUNDOWN_REF *ref)
{
    ULONGLONG old = ref->Count;

    while (!(old & ENDING)) {
        ULONGLONG found = __sync_val_compare_and_swap(&ref->Count, old,
                                                      old + USER);
        if (found == old)
            return TRUE;
        old = found;
    }
    return FALSE;
}

void ExReleaseRundownProtection(EX_RUNDOWN_REF *ref)
{
    ULONGLONG old = ref->Count;
    struct rundown_wait *wait;

    while (!(old & ENDING)) {
        ULONGLONG found = __sync_val_compare_and_swap(&ref->Count, old,
                                                      old - USER);
        if (found == old)
            return;
        old = found;
    }
    wait = (struct rundown_wait *)(old & ~ENDING);
    if (__sync_sub_and_fetch(&wait->users, 1) == 0)
        KeSetEvent(&wait->gone, 0, FALSE);
}

void ExWaitForRundownProtectionRelease(EX_RUNDOWN_REF *ref)
{
    struct rundown_wait wait;
    ULONGLONG old = 0, found;

    KeInitializeEvent(&wait.gone, EventSynchronizationObject,
                      FALSE);
    for (;;) {
        wait.users = (LONGLONG)(old / USER);
        found = __sync_val_compare_and_swap(
            &ref->Count, old,
            old ? (ULONGLONG)(ULONG_PTR)&wait | ENDING : ENDING);
        if (found == old)
            break;
        old = found;
    }
    if (old)
        KeWaitForSingleObject(&wait.gone, Executive, KernelMode, FALSE, NULL);
    ref->Count = ENDING;
}
