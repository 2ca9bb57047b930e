/*
 * ps/terminate.c - threads and processes that somebody ends.
 *
 * A thread ends itself, always: another one can only queue it an APC whose
 * kernel routine does it (PsExitSpecialApc).  A thread in ring 3, or waiting
 * for ring 3's sake, gets there at once; one in the middle of a service when
 * it is done.  PS_CROSS_THREAD_FLAGS_TERMINATED is set by whoever is first,
 * so there is one such APC at most.
 */
#include "psp.h"

#include <mm.h>
#include <nt/ntapi.h>

#define EXIT_TAG 0x78457350             /* "PsEx" */
#define RETRY_DELAY (-1000000LL)        /* 100 ms, as NT waits for memory */

void psp_free_exit_apc(KAPC *apc)
{
    ExFreePoolWithTag(apc, EXIT_TAG);
}

/* What ends a thread does not give up because memory is short. */
static KAPC *allocate_exit_apc(void)
{
    LARGE_INTEGER delay = { .QuadPart = RETRY_DELAY };
    KAPC *apc;

    while (!(apc = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof *apc,
                                   EXIT_TAG)))
        KeDelayExecutionThread(KernelMode, FALSE, &delay);
    return apc;
}

/* ke_apc.h: its normal routine is never called; it makes it a user APC. */
static void never_called(void *context, void *argument1, void *argument2)
{
    (void)context, (void)argument1, (void)argument2;
    KeBugCheckEx(KERNEL_APC_PENDING_DURING_EXIT, 0, 0, 0, 0);
}

void psp_terminate_thread(ETHREAD *thread, NTSTATUS status)
{
    KAPC *apc = allocate_exit_apc();
    ULONG before;

    /* For a thread that has not begun; one that has ended keeps its own. */
    __sync_bool_compare_and_swap(&thread->ExitStatus, STATUS_PENDING, status);
    before = __sync_fetch_and_or(&thread->CrossThreadFlags,
                                 PS_CROSS_THREAD_FLAGS_TERMINATED);
    if (before & PS_CROSS_THREAD_FLAGS_TERMINATED) {
        psp_free_exit_apc(apc);
        return;
    }
    KeInitializeApc(apc, &thread->Tcb, OriginalApcEnvironment,
                    PsExitSpecialApc, psp_free_exit_apc, never_called,
                    UserMode, (void *)(ULONG_PTR)(ULONG)status);
    if (!KeInsertQueueApc(apc, NULL, NULL, 2))
        psp_free_exit_apc(apc);
    KeForceResumeThread(&thread->Tcb);
}

/* All but the current thread. */
static void terminate_threads(EPROCESS *process, NTSTATUS status)
{
    ke_acquire_shared(&process->ProcessLock);
    for (LIST_ENTRY *entry = process->ThreadListHead.Flink;
         entry != &process->ThreadListHead; entry = entry->Flink) {
        ETHREAD *thread = CONTAINING_RECORD(entry, ETHREAD, ThreadListEntry);

        if (thread != PsGetCurrentThread())
            psp_terminate_thread(thread, status);
    }
    ke_release_shared(&process->ProcessLock);
}

/*
 * FALSE: it ends already.  The first one's status is the process's.  No
 * thread can be added from here on.
 */
static BOOLEAN mark_process(EPROCESS *process, NTSTATUS status)
{
    BOOLEAN first;

    ke_acquire_exclusive(&process->ProcessLock);
    first = !(process->Flags & (PS_PROCESS_FLAGS_PROCESS_EXITING |
                                PS_PROCESS_FLAGS_PROCESS_DELETE));
    if (first) {
        process->ExitStatus = status;
        __sync_fetch_and_or(&process->Flags,
                            PS_PROCESS_FLAGS_PROCESS_DELETE);
    }
    ke_release_exclusive(&process->ProcessLock);
    return first;
}

NTSTATUS psp_terminate_process(EPROCESS *process, NTSTATUS status)
{
    if (!mark_process(process, status))
        return STATUS_PROCESS_IS_TERMINATING;
    terminate_threads(process, status);
    return STATUS_SUCCESS;
}

void ps_exit_process(NTSTATUS status)
{
    (void)psp_terminate_process(PsGetCurrentProcess(), status);
    ps_exit_thread(status);
}

/*
 * Handle NULL: every other thread of the caller's process.  NT: a process
 * that is ending says STATUS_PROCESS_IS_TERMINATING.
 */
NTSTATUS NtTerminateProcess(HANDLE handle, NTSTATUS exit_status)
{
    EPROCESS *process;
    void *object;
    NTSTATUS status;

    if (!handle) {
        terminate_threads(PsGetCurrentProcess(), exit_status);
        return STATUS_SUCCESS;
    }
    status = ObReferenceObjectByHandle(handle, PROCESS_TERMINATE,
                                       PsProcessType, ExGetPreviousMode(),
                                       &object);
    if (!NT_SUCCESS(status))
        return status;
    process = object;
    if (process == PsInitialSystemProcess)
        status = STATUS_ACCESS_DENIED;
    else
        status = psp_terminate_process(process, exit_status);
    ObDereferenceObject(process);
    if (process == PsGetCurrentProcess())
        ps_exit_thread(exit_status);
    return status;
}

/* Handle NULL: the caller, unless it is its process's last thread. */
NTSTATUS NtTerminateThread(HANDLE handle, NTSTATUS exit_status)
{
    ETHREAD *thread;
    void *object;
    NTSTATUS status;

    if (!handle) {
        if (PsGetCurrentProcess()->ActiveThreads == 1)
            return STATUS_CANT_TERMINATE_SELF;
        ps_exit_thread(exit_status);
    }
    status = ObReferenceObjectByHandle(handle, THREAD_TERMINATE, PsThreadType,
                                       ExGetPreviousMode(), &object);
    if (!NT_SUCCESS(status))
        return status;
    thread = object;
    if (thread->Tcb.MiscFlags & MISC_FLAGS_SYSTEM_THREAD)
        status = STATUS_INVALID_PARAMETER;
    else if (thread != PsGetCurrentThread())
        psp_terminate_thread(thread, exit_status);
    ObDereferenceObject(thread);
    if (thread == PsGetCurrentThread())
        ps_exit_thread(exit_status);
    return status;
}
