/*
 * ke/semphr.c - semaphores: as many may go through as the count says.
 */
#include "ki.h"

void KeInitializeSemaphore(KSEMAPHORE *semaphore, LONG count, LONG limit)
{
    semaphore->Header.Lock = SemaphoreObject;
    semaphore->Header.Size = sizeof *semaphore / sizeof(LONG);
    semaphore->Header.SignalState = count;
    InitializeListHead(&semaphore->Header.WaitListHead);
    semaphore->Limit = limit;
}

NTSTATUS ke_release_semaphore(KSEMAPHORE *semaphore, KPRIORITY increment,
                              LONG adjustment, LONG *previous)
{
    KIRQL irql = KfRaiseIrql(DISPATCH_LEVEL);
    NTSTATUS status = STATUS_SEMAPHORE_LIMIT_EXCEEDED;
    LONG before;

    ki_lock_object(&semaphore->Header);
    before = semaphore->Header.SignalState;
    if (adjustment > 0 && adjustment <= semaphore->Limit - before) {
        semaphore->Header.SignalState = before + adjustment;
        if (before == 0)
            ki_signal_object(&semaphore->Header, increment);
        status = STATUS_SUCCESS;
    }
    ki_unlock_object(&semaphore->Header);
    KiExitDispatcher(irql);
    if (previous)
        *previous = before;
    return status;
}

LONG KeReadStateSemaphore(const KSEMAPHORE *semaphore)
{
    return semaphore->Header.SignalState;
}
