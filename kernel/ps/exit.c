/*
 * ps/exit.c - how threads and processes end.
 *
 * The last thread takes its process with it: handles are closed and memory is
 * freed while the address space is still loaded, then the thread switches
 * away for good.  The reaper frees its kernel stack.
 */
#include "psp.h"

#include <arch/thread.h>
#include <kd.h>
#include <mm.h>
#include <nt/ntapi.h>
#include <win32k.h>

void ps_exit_thread(NTSTATUS status)
{
    ETHREAD *thread = PsGetCurrentThread();
    EPROCESS *process = PsGetCurrentProcess();

    if (thread->Tcb.Win32Thread)
        win32k_thread_exit(thread);
    thread->ExitStatus = status;
    KeQuerySystemTime(&thread->ExitTime);
    RemoveEntryList(&thread->ThreadListEntry);
    process->LastThreadExitStatus = status;
    if (--process->ActiveThreads == 0) {
        if (!(process->Flags & PS_PROCESS_FLAGS_PROCESS_EXITING))
            process->ExitStatus = status;
        KeQuerySystemTime(&process->ExitTime);
        thread->Tcb.Teb = NULL;
        ObKillProcess(process);
        mm_clean_address_space(process);
        KeSetProcess(&process->Pcb, 0);
    }
    KeTerminateThread(0);
}

void ps_exit_process(NTSTATUS status)
{
    EPROCESS *process = PsGetCurrentProcess();

    process->Flags |= PS_PROCESS_FLAGS_PROCESS_EXITING;
    process->ExitStatus = status;
    ps_exit_thread(status);
}

/*
 * Handle NULL: every other thread of the caller's process, of which there is
 * none yet.
 */
NTSTATUS NtTerminateProcess(HANDLE handle, NTSTATUS exit_status)
{
    EPROCESS *process;
    void *object;
    NTSTATUS status;

    if (!handle)
        return STATUS_SUCCESS;
    status = ObReferenceObjectByHandle(handle, PROCESS_TERMINATE,
                                       PsProcessType, ExGetPreviousMode(),
                                       &object);
    if (!NT_SUCCESS(status))
        return status;
    process = object;
    ObDereferenceObject(process);
    ASSERT(process == PsGetCurrentProcess());
    ps_exit_process(exit_status);
}

/* Handle NULL: the caller, unless it is its process's last thread. */
NTSTATUS NtTerminateThread(HANDLE handle, NTSTATUS exit_status)
{
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
    ObDereferenceObject(object);
    ASSERT(object == PsGetCurrentThread());
    ps_exit_thread(exit_status);
}
