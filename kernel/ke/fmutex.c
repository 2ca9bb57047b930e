/*
 * ke/fmutex.c - fast mutexes.
 *
 * Count is 1 less the threads that have the mutex or wait for it.  Who brings
 * it from 1 to 0 is the owner; others wait for the event, and whoever gives
 * the mutex back while Count is below 1 sets it, which wakes one of them and
 * makes it the owner.
 */
#include <ke.h>
#include <ke_lock.h>

void ExInitializeFastMutex(FAST_MUTEX *mutex)
{
    *mutex = (FAST_MUTEX){ .Count = 1 };
    KeInitializeEvent(&mutex->Event, EventSynchronizationObject, FALSE);
}

void ExAcquireFastMutex(FAST_MUTEX *mutex)
{
    KIRQL irql = KfRaiseIrql(APC_LEVEL);

    ASSERT(mutex->Owner != KeGetCurrentThread());
    if (__sync_sub_and_fetch(&mutex->Count, 1) != 0) {
        __sync_fetch_and_add(&mutex->Contention, 1);
        KeWaitForSingleObject(&mutex->Event, WrFastMutex, KernelMode, FALSE,
                              NULL);
    }
    mutex->Owner = KeGetCurrentThread();
    mutex->OldIrql = irql;
}

void ExReleaseFastMutex(FAST_MUTEX *mutex)
{
    KIRQL irql = (KIRQL)mutex->OldIrql;

    ASSERT(mutex->Owner == KeGetCurrentThread());
    mutex->Owner = NULL;
    if (__sync_add_and_fetch(&mutex->Count, 1) <= 0)
        KeSetEvent(&mutex->Event, EVENT_INCREMENT, FALSE);
    KfLowerIrql(irql);
}
