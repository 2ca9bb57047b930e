/*
 * ps/query.c - what a program may ask about processes and threads.
 *
 * Windows' order of checks: the class, the length, the buffer's alignment and
 * range, the handle.
 */
#include "psp.h"

#include <mm.h>
#include <nt/ntapi.h>

static NTSTATUS give(void *buffer, ULONG *return_length, const void *data,
                     ULONG size)
{
    NTSTATUS status = mm_copy_to_user(buffer, data, size);

    if (NT_SUCCESS(status) && return_length)
        status = mm_copy_to_user(return_length, &size, sizeof size);
    return status;
}

/* What every query checks before it looks at the object. */
static NTSTATUS check(void *buffer, ULONG length, ULONG wanted,
                      ULONG *return_length)
{
    NTSTATUS status = mm_probe_for_write(buffer, length, sizeof(ULONG));

    if (NT_SUCCESS(status) && return_length)
        status = mm_probe_for_write(return_length, sizeof *return_length,
                                    sizeof(ULONG));
    if (NT_SUCCESS(status) && length != wanted)
        status = STATUS_INFO_LENGTH_MISMATCH;
    return status;
}

NTSTATUS NtQueryInformationProcess(HANDLE handle, ULONG class, void *buffer,
                                   ULONG length, ULONG *return_length)
{
    PROCESS_BASIC_INFORMATION basic = { 0 };
    EPROCESS *process;
    void *object;
    NTSTATUS status;

    if (class != ProcessBasicInformation)
        return STATUS_INVALID_INFO_CLASS;
    status = check(buffer, length, sizeof basic, return_length);
    if (NT_SUCCESS(status))
        status = ObReferenceObjectByHandle(
            handle, PROCESS_QUERY_LIMITED_INFORMATION, PsProcessType,
            ExGetPreviousMode(), &object);
    if (!NT_SUCCESS(status))
        return status;
    process = object;
    basic.ExitStatus = process->ExitStatus;
    basic.PebBaseAddress = process->Peb;
    basic.AffinityMask = 1;
    basic.BasePriority = process->Pcb.BasePriority;
    basic.UniqueProcessId = process->UniqueProcessId;
    basic.InheritedFromUniqueProcessId = process->InheritedFromUniqueProcessId;
    ObDereferenceObject(process);
    return give(buffer, return_length, &basic, sizeof basic);
}

/* NT: of the caller, whatever the handle. */
static NTSTATUS am_i_last(void *buffer, ULONG length, ULONG *return_length)
{
    ULONG last = PsGetCurrentProcess()->ActiveThreads == 1;
    NTSTATUS status = check(buffer, length, sizeof last, return_length);

    return NT_SUCCESS(status) ? give(buffer, return_length, &last, sizeof last)
                              : status;
}

NTSTATUS NtQueryInformationThread(HANDLE handle, ULONG class, void *buffer,
                                  ULONG length, ULONG *return_length)
{
    THREAD_BASIC_INFORMATION basic = { 0 };
    ETHREAD *thread;
    void *object;
    NTSTATUS status;

    if (class == ThreadAmILastThread)
        return am_i_last(buffer, length, return_length);
    if (class != ThreadBasicInformation)
        return STATUS_INVALID_INFO_CLASS;
    status = check(buffer, length, sizeof basic, return_length);
    if (NT_SUCCESS(status))
        status = ObReferenceObjectByHandle(
            handle, THREAD_QUERY_LIMITED_INFORMATION, PsThreadType,
            ExGetPreviousMode(), &object);
    if (!NT_SUCCESS(status))
        return status;
    thread = object;
    basic.ExitStatus = thread->ExitStatus;
    basic.TebBaseAddress = thread->Tcb.Teb;
    basic.ClientId = thread->Cid;
    basic.AffinityMask = 1;
    basic.Priority = thread->Tcb.Priority;
    basic.BasePriority = thread->Tcb.BasePriority;
    ObDereferenceObject(thread);
    return give(buffer, return_length, &basic, sizeof basic);
}

NTSTATUS NtYieldExecution(void)
{
    return ke_yield();
}
