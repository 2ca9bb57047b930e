/*
 * ps/thread.c - a thread's object: made, put into its process, deleted.
 *
 * Who makes a thread fills the object (psp_allocate_thread, KeInitThread),
 * inserts it, does what may still fail, and lets it run (KeReadyThread).  An
 * inserted thread must run: one that nobody wants any more ends itself in
 * ring 0 (psp_abandon_thread).
 */
#include "psp.h"

#include <kd.h>
#include <mm.h>

NTSTATUS psp_allocate_thread(EPROCESS *process, ETHREAD **result)
{
    void *object;
    ETHREAD *thread;
    NTSTATUS status = ob_create_object(PsThreadType, sizeof *thread, &object);

    if (!NT_SUCCESS(status))
        return status;
    thread = object;
    ObReferenceObject(process);
    thread->Tcb.Process = &process->Pcb;
    thread->ExitStatus = STATUS_PENDING;
    thread->Cid.UniqueProcess = process->UniqueProcessId;
    InitializeListHead(&thread->ActiveTimerListHead);
    KeQuerySystemTime(&thread->CreateTime);
    thread->Cid.UniqueThread = psp_allocate_cid(thread);
    thread->Tcb.StackBase = MmCreateKernelStack();
    if (!thread->Cid.UniqueThread || !thread->Tcb.StackBase) {
        ObDereferenceObject(thread);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    *result = thread;
    return STATUS_SUCCESS;
}

/* Runs when nobody refers to it any more; the reaper has had its stack. */
void psp_delete_thread(void *object)
{
    ETHREAD *thread = object;

    psp_free_cid(thread->Cid.UniqueThread);
    if (thread->Tcb.StackBase)
        MmDeleteKernelStack(thread->Tcb.StackBase);
    if (thread->SetContextState)
        ExFreePoolWithTag(thread->SetContextState, PSP_CONTEXT_TAG);
    ObDereferenceObject(CONTAINING_RECORD(thread->Tcb.Process, EPROCESS, Pcb));
}

NTSTATUS psp_insert_thread(ETHREAD *thread)
{
    EPROCESS *process = CONTAINING_RECORD(thread->Tcb.Process, EPROCESS, Pcb);
    NTSTATUS status = STATUS_SUCCESS;

    ke_acquire_exclusive(&process->ProcessLock);
    if (process->Flags & (PS_PROCESS_FLAGS_PROCESS_EXITING |
                          PS_PROCESS_FLAGS_PROCESS_DELETE)) {
        status = STATUS_PROCESS_IS_TERMINATING;
    } else {
        ObReferenceObject(thread);              /* the reaper's */
        InsertTailList(&process->ThreadListHead, &thread->ThreadListEntry);
        process->ActiveThreads++;
        KeStartThread(&thread->Tcb);
    }
    ke_release_exclusive(&process->ProcessLock);
    if (NT_SUCCESS(status))
        DbgPrintEx(KD_PS_ID, DPFLTR_INFO_LEVEL,
                   "PS    thread %llu of process %llu is made\n",
                   (ULONGLONG)thread->Cid.UniqueThread,
                   (ULONGLONG)thread->Cid.UniqueProcess);
    return status;
}

void psp_abandon_thread(ETHREAD *thread, NTSTATUS status)
{
    thread->ExitStatus = status;
    __sync_fetch_and_or(&thread->CrossThreadFlags,
                        PS_CROSS_THREAD_FLAGS_TERMINATED);
    KeForceResumeThread(&thread->Tcb);
    KeReadyThread(&thread->Tcb);
}
