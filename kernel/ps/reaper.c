/*
 * ps/reaper.c - what is left of a thread that has ended.
 *
 * A thread cannot free the stack it stands on.  The processor that has left it
 * puts it into a list (at DISPATCH_LEVEL, inside the switch); a system thread
 * frees the stack and drops the thread's reference to itself, which frees the
 * rest unless somebody still has a handle.
 */
#include "psp.h"

#include <mm.h>

#define REAPER_PRIORITY 17

static ETHREAD *volatile PspReaperListHead;
static KEVENT PspReaperEvent;

static void put(KTHREAD *tcb)
{
    ETHREAD *thread = CONTAINING_RECORD(tcb, ETHREAD, Tcb);

    do {
        thread->ReaperLink = PspReaperListHead;
    } while (!__sync_bool_compare_and_swap(&PspReaperListHead,
                                           thread->ReaperLink, thread));
    KeSetEvent(&PspReaperEvent, IO_NO_INCREMENT, FALSE);
}

static void reap(ETHREAD *thread)
{
    while (thread) {
        ETHREAD *next = thread->ReaperLink;
        void *stack = thread->Tcb.StackBase;

        thread->Tcb.StackBase = NULL;
        MmDeleteKernelStack(stack);
        ObDereferenceObject(thread);
        thread = next;
    }
}

static void PspReaper(void *argument)
{
    (void)argument;
    KeSetPriorityThread(KeGetCurrentThread(), REAPER_PRIORITY);
    for (;;) {
        KeWaitForSingleObject(&PspReaperEvent, Executive, KernelMode, FALSE,
                              NULL);
        reap(__sync_lock_test_and_set(&PspReaperListHead, NULL));
    }
}

void psp_start_reaper(void)
{
    NTSTATUS status;

    KeInitializeEvent(&PspReaperEvent, EventSynchronizationObject, FALSE);
    ke_thread_reaper = put;
    status = ps_create_system_thread(PspReaper, NULL, NULL);
    if (!NT_SUCCESS(status))
        KeBugCheckEx(PHASE1_INITIALIZATION_FAILED, (ULONG)status, 1, 0, 0);
}
