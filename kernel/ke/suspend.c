/*
 * ke/suspend.c - a thread that stands still until it is resumed.
 *
 * It waits inside a normal kernel APC, KTHREAD.SchedulerApc.  So it is
 * stopped at PASSIVE_LEVEL, in no critical region, and holds no lock that
 * would stop others.  SuspendCount is under ThreadLock; SuspendEvent, which
 * is set outside of it, only says "look at the count again".
 */
#include "ki.h"

#define MAXIMUM_SUSPEND_COUNT 127

static void KiSchedulerApcNop(KAPC *apc, KNORMAL_ROUTINE **routine,
                              void **context, void **argument1,
                              void **argument2)
{
    (void)apc, (void)routine, (void)context;
    (void)argument1, (void)argument2;
}

static void KiSchedulerApc(void *context, void *argument1, void *argument2)
{
    KTHREAD *thread = KeGetCurrentThread();

    (void)context, (void)argument1, (void)argument2;
    while (*(volatile CHAR *)&thread->SuspendCount != 0)
        KeWaitForSingleObject(&thread->SuspendEvent, Suspended, KernelMode,
                              FALSE, NULL);
}

void ki_initialize_suspension(KTHREAD *thread)
{
    KeInitializeApc(&thread->SchedulerApc, thread, OriginalApcEnvironment,
                    KiSchedulerApcNop, NULL, KiSchedulerApc, KernelMode,
                    NULL);
    KeInitializeEvent(&thread->SuspendEvent, EventSynchronizationObject,
                      FALSE);
}

NTSTATUS ke_suspend_thread(KTHREAD *thread, ULONG *previous)
{
    KIRQL old = KeAcquireSpinLock(&thread->ThreadLock);
    NTSTATUS status = STATUS_SUCCESS;

    *previous = thread->SuspendCount;
    if (!(thread->MiscFlags & MISC_FLAGS_APC_QUEUEABLE))
        status = STATUS_THREAD_IS_TERMINATING;
    else if (thread->SuspendCount == MAXIMUM_SUSPEND_COUNT)
        status = STATUS_SUSPEND_COUNT_EXCEEDED;
    else
        thread->SuspendCount++;
    KeReleaseSpinLock(&thread->ThreadLock, old);
    if (NT_SUCCESS(status) && *previous == 0)
        KeInsertQueueApc(&thread->SchedulerApc, NULL, NULL, 0);
    return status;
}

/* The count before; from 1 on one less, or none at all. */
static ULONG lower_count(KTHREAD *thread, BOOLEAN to_none)
{
    KIRQL old = KeAcquireSpinLock(&thread->ThreadLock);
    ULONG count = thread->SuspendCount;

    if (count != 0)
        thread->SuspendCount = to_none ? 0 : (CHAR)(count - 1);
    KeReleaseSpinLock(&thread->ThreadLock, old);
    if (count == 1 || (count != 0 && to_none))
        KeSetEvent(&thread->SuspendEvent, EVENT_INCREMENT, FALSE);
    return count;
}

ULONG KeResumeThread(KTHREAD *thread)
{
    return lower_count(thread, FALSE);
}

ULONG KeAlertResumeThread(KTHREAD *thread)
{
    KeAlertThread(thread, KernelMode);
    return lower_count(thread, FALSE);
}

void KeForceResumeThread(KTHREAD *thread)
{
    lower_count(thread, TRUE);
}
