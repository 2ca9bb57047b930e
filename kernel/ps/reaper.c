/*
 * ps/reaper.c - what is left of a thread that has ended.
 *
 * A thread cannot free the stack it stands on.  The processor that has left it
 * puts it into a list (at DISPATCH_LEVEL, inside the switch); a system thread
 * drops the thread's reference to itself, which frees the rest unless somebody
 * still has a handle.
 */
#include "psp.h"

#define REAPER_PRIORITY 17

static LIST_ENTRY ended;
static KSPIN_LOCK ended_lock;
static KEVENT some_ended;

/* WaitListEntry: a thread that has ended waits for nothing any more. */
static void put(KTHREAD *thread)
{
    KxAcquireSpinLock(&ended_lock);
    InsertTailList(&ended, &thread->WaitListEntry);
    KxReleaseSpinLock(&ended_lock);
    KeSetEvent(&some_ended, IO_NO_INCREMENT, FALSE);
}

static ETHREAD *take(void)
{
    KIRQL irql = KeAcquireSpinLock(&ended_lock);
    ETHREAD *thread = NULL;

    if (!IsListEmpty(&ended)) {
        thread = CONTAINING_RECORD(ended.Flink, ETHREAD, Tcb.WaitListEntry);
        RemoveEntryList(&thread->Tcb.WaitListEntry);
    }
    KeReleaseSpinLock(&ended_lock, irql);
    return thread;
}

static void reap(void *argument)
{
    ETHREAD *thread;

    (void)argument;
    KeSetPriorityThread(KeGetCurrentThread(), REAPER_PRIORITY);
    for (;;) {
        while ((thread = take()) != NULL)
            ObDereferenceObject(thread);
        KeWaitForSingleObject(&some_ended, Executive, KernelMode, FALSE, NULL);
    }
}

void psp_start_reaper(void)
{
    ETHREAD *thread;
    NTSTATUS status;

    InitializeListHead(&ended);
    KeInitializeEvent(&some_ended, EventSynchronizationObject, FALSE);
    ke_thread_reaper = put;
    status = ps_create_system_thread(reap, NULL, &thread);
    if (!NT_SUCCESS(status))
        KeBugCheckEx(PHASE1_INITIALIZATION_FAILED, (ULONG)status, 1, 0, 0);
    ObDereferenceObject(thread);
}
