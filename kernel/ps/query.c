/*
 * ps/query.c - NtQueryInformationThread and NtQueryInformationProcess.
 *
 * Windows' order of checks: the class, the buffer's alignment and range, the
 * length, the handle.  A class is a row: its size, the right it needs, and
 * the routine that fills a buffer in kernel memory.
 */
#include "psp.h"

#include <nt/ntapi.h>

#define LIMITED_THREAD THREAD_QUERY_LIMITED_INFORMATION
#define LIMITED_PROCESS PROCESS_QUERY_LIMITED_INFORMATION

/* A class of either: object is an ETHREAD or an EPROCESS. */
struct row {
    ULONG class, size;
    ACCESS_MASK access;
    NTSTATUS (*fill)(void *object, void *data);
};

union information {
    PROCESS_BASIC_INFORMATION process;
    THREAD_BASIC_INFORMATION thread;
    KERNEL_USER_TIMES times;
    VM_COUNTERS memory;
    ULONGLONG number;
};

static LONGLONG ticks(ULONG count)
{
    return (LONGLONG)count * KeQueryTimeIncrement();
}

static NTSTATUS thread_basic(void *object, void *data)
{
    const ETHREAD *thread = object;

    *(THREAD_BASIC_INFORMATION *)data = (THREAD_BASIC_INFORMATION){
        .ExitStatus = thread->Tcb.Header.SignalState > 0
                          ? thread->ExitStatus : STATUS_PENDING,
        .TebBaseAddress = thread->Tcb.Teb,
        .ClientId = thread->Cid,
        .AffinityMask = thread->Tcb.UserAffinity.Mask,
        .Priority = thread->Tcb.Priority,
        .BasePriority = KeQueryBasePriorityThread(&thread->Tcb),
    };
    return STATUS_SUCCESS;
}

static NTSTATUS thread_times(void *object, void *data)
{
    const ETHREAD *thread = object;
    KERNEL_USER_TIMES *times = data;

    times->CreateTime = thread->CreateTime;
    if (thread->Tcb.Header.SignalState > 0)
        times->ExitTime = thread->ExitTime;
    times->KernelTime.QuadPart = ticks(thread->Tcb.KernelTime);
    times->UserTime.QuadPart = ticks(thread->Tcb.UserTime);
    return STATUS_SUCCESS;
}

static NTSTATUS thread_start(void *object, void *data)
{
    *(void **)data = ((const ETHREAD *)object)->Win32StartAddress;
    return STATUS_SUCCESS;
}

static NTSTATUS thread_counter(void *object, void *data)
{
    (void)object;
    *(LARGE_INTEGER *)data = (LARGE_INTEGER){ .QuadPart = 0 };
    return STATUS_SUCCESS;
}

/* Of the caller's process, whatever the handle is. */
static NTSTATUS thread_is_last(void *object, void *data)
{
    (void)object;
    *(ULONG *)data = PsGetCurrentProcess()->ActiveThreads == 1;
    return STATUS_SUCCESS;
}

static NTSTATUS thread_boost(void *object, void *data)
{
    *(ULONG *)data = (((const ETHREAD *)object)->Tcb.ThreadFlags &
                      THREAD_FLAGS_DISABLE_BOOST) != 0;
    return STATUS_SUCCESS;
}

static NTSTATUS thread_hidden(void *object, void *data)
{
    *(BOOLEAN *)data = (((const ETHREAD *)object)->CrossThreadFlags &
                        PS_CROSS_THREAD_FLAGS_HIDEFROMDBG) != 0;
    return STATUS_SUCCESS;
}

static NTSTATUS thread_terminated(void *object, void *data)
{
    *(ULONG *)data = (((const ETHREAD *)object)->CrossThreadFlags &
                      PS_CROSS_THREAD_FLAGS_TERMINATED) != 0;
    return STATUS_SUCCESS;
}

static NTSTATUS thread_suspended(void *object, void *data)
{
    *(ULONG *)data = (ULONG)((const ETHREAD *)object)->Tcb.SuspendCount;
    return STATUS_SUCCESS;
}

static const struct row thread_rows[] = {
    { ThreadBasicInformation, sizeof(THREAD_BASIC_INFORMATION),
      LIMITED_THREAD, thread_basic },
    { ThreadTimes, sizeof(KERNEL_USER_TIMES), LIMITED_THREAD, thread_times },
    { ThreadQuerySetWin32StartAddress, sizeof(void *),
      THREAD_QUERY_INFORMATION, thread_start },
    { ThreadPerformanceCount, sizeof(LARGE_INTEGER),
      THREAD_QUERY_INFORMATION, thread_counter },
    { ThreadAmILastThread, sizeof(ULONG), 0, thread_is_last },
    { ThreadPriorityBoost, sizeof(ULONG), LIMITED_THREAD, thread_boost },
    { ThreadHideFromDebugger, sizeof(BOOLEAN), THREAD_QUERY_INFORMATION,
      thread_hidden },
    { ThreadIsTerminated, sizeof(ULONG), LIMITED_THREAD, thread_terminated },
    { ThreadSuspendCount, sizeof(ULONG), LIMITED_THREAD, thread_suspended },
};

static NTSTATUS process_basic(void *object, void *data)
{
    const EPROCESS *process = object;

    *(PROCESS_BASIC_INFORMATION *)data = (PROCESS_BASIC_INFORMATION){
        .ExitStatus = process->Pcb.Header.SignalState > 0
                          ? process->ExitStatus : STATUS_PENDING,
        .PebBaseAddress = process->Peb,
        .AffinityMask = ke_process_affinity(&process->Pcb),
        .BasePriority = process->Pcb.BasePriority,
        .UniqueProcessId = process->UniqueProcessId,
        .InheritedFromUniqueProcessId =
            process->InheritedFromUniqueProcessId,
    };
    return STATUS_SUCCESS;
}

static NTSTATUS process_memory(void *object, void *data)
{
    const EPROCESS *process = object;

    *(VM_COUNTERS *)data = (VM_COUNTERS){
        .PeakVirtualSize = process->PeakVirtualSize,
        .VirtualSize = process->VirtualSize,
        .PageFaultCount = process->Vm.PageFaultCount,
        .PeakWorkingSetSize = process->Vm.PeakWorkingSetSize * PAGE_SIZE,
        .WorkingSetSize = process->Vm.WorkingSetSize * PAGE_SIZE,
        .PagefileUsage = process->CommitCharge * PAGE_SIZE,
        .PeakPagefileUsage = process->CommitChargePeak * PAGE_SIZE,
    };
    return STATUS_SUCCESS;
}

static NTSTATUS process_times(void *object, void *data)
{
    const EPROCESS *process = object;
    KERNEL_USER_TIMES *times = data;

    times->CreateTime = process->CreateTime;
    times->ExitTime = process->ExitTime;
    times->KernelTime.QuadPart = ticks(process->Pcb.KernelTime);
    times->UserTime.QuadPart = ticks(process->Pcb.UserTime);
    return STATUS_SUCCESS;
}

/* No debugger, no session but the first. */
static NTSTATUS process_zero(void *object, void *data)
{
    (void)object;
    *(ULONGLONG *)data = 0;
    return STATUS_SUCCESS;
}

static NTSTATUS process_handles(void *object, void *data)
{
    *(ULONG *)data = ObGetProcessHandleCount(object);
    return STATUS_SUCCESS;
}

/* Where a 32-bit program has its PEB, 0 for others. */
static NTSTATUS process_wow64(void *object, void *data)
{
    const EWOW64PROCESS *wow64 = ((const EPROCESS *)object)->WoW64Process;

    *(ULONG_PTR *)data = wow64 ? (ULONG_PTR)wow64->Peb : 0;
    return STATUS_SUCCESS;
}

static const struct row process_rows[] = {
    { ProcessBasicInformation, sizeof(PROCESS_BASIC_INFORMATION),
      LIMITED_PROCESS, process_basic },
    { ProcessVmCounters, sizeof(VM_COUNTERS), LIMITED_PROCESS,
      process_memory },
    { ProcessTimes, sizeof(KERNEL_USER_TIMES), LIMITED_PROCESS,
      process_times },
    { ProcessDebugPort, sizeof(HANDLE), PROCESS_QUERY_INFORMATION,
      process_zero },
    { ProcessHandleCount, sizeof(ULONG), LIMITED_PROCESS, process_handles },
    { ProcessSessionInformation, sizeof(ULONG), LIMITED_PROCESS,
      process_zero },
    { ProcessWow64Information, sizeof(ULONG_PTR), LIMITED_PROCESS,
      process_wow64 },
};

static const struct row *find(const struct row *rows, ULONG count,
                              ULONG class)
{
    for (ULONG i = 0; i < count; i++) {
        if (rows[i].class == class)
            return &rows[i];
    }
    return NULL;
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

static NTSTATUS give(void *buffer, ULONG *return_length, const void *data,
                     ULONG size)
{
    NTSTATUS status = mm_copy_to_user(buffer, data, size);

    if (NT_SUCCESS(status) && return_length)
        status = mm_copy_to_user(return_length, &size, sizeof size);
    return status;
}

static NTSTATUS query(const struct row *row, OBJECT_TYPE *type, HANDLE handle,
                      void *buffer, ULONG length, ULONG *return_length)
{
    union information information;
    void *object;
    NTSTATUS status = check(buffer, length, row->size, return_length);

    if (NT_SUCCESS(status))
        status = ObReferenceObjectByHandle(handle, row->access, type,
                                           ExGetPreviousMode(), &object);
    if (!NT_SUCCESS(status))
        return status;
    memset(&information, 0, sizeof information);
    status = row->fill(object, &information);
    ObDereferenceObject(object);
    return NT_SUCCESS(status) ? give(buffer, return_length, &information,
                                     row->size) : status;
}

/*
 * A part of the thread's TEB; the structure says which and where it goes.
 * STATUS_INVALID_PARAMETER: there is no such part, or no TEB any more.
 */
static NTSTATUS read_teb(ETHREAD *thread,
                         const THREAD_TEB_INFORMATION *information)
{
    UCHAR *copy = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(TEB),
                                  PSP_CONTEXT_TAG);
    KAPC_STATE state;
    NTSTATUS status = STATUS_INVALID_PARAMETER;

    if (!copy)
        return STATUS_INSUFFICIENT_RESOURCES;
    KeStackAttachProcess(thread->Tcb.Process, &state);
    if (thread->Tcb.Teb)
        status = mm_copy_from_mode(UserMode, copy,
                                   (UCHAR *)thread->Tcb.Teb +
                                       information->TebOffset,
                                   information->BytesToRead);
    KeUnstackDetachProcess(&state);
    if (NT_SUCCESS(status))
        status = mm_copy_to_user(information->TebInformation, copy,
                                 information->BytesToRead);
    ExFreePoolWithTag(copy, PSP_CONTEXT_TAG);
    return status;
}

static NTSTATUS query_teb(HANDLE handle, void *buffer, ULONG length,
                          ULONG *return_length)
{
    THREAD_TEB_INFORMATION information;
    void *thread;
    NTSTATUS status = check(buffer, length, sizeof information,
                            return_length);

    if (NT_SUCCESS(status))
        status = mm_copy_from_user(&information, buffer, sizeof information);
    if (NT_SUCCESS(status) &&
        (information.TebOffset > sizeof(TEB) ||
         information.BytesToRead > sizeof(TEB) - information.TebOffset))
        status = STATUS_INVALID_PARAMETER;
    if (NT_SUCCESS(status))
        status = ObReferenceObjectByHandle(handle, THREAD_QUERY_INFORMATION,
                                           PsThreadType, ExGetPreviousMode(),
                                           &thread);
    if (!NT_SUCCESS(status))
        return status;
    status = read_teb(thread, &information);
    ObDereferenceObject(thread);
    return NT_SUCCESS(status) && return_length
               ? mm_copy_to_user(return_length, &length, sizeof length)
               : status;
}

NTSTATUS NtQueryInformationThread(HANDLE handle, ULONG class, void *buffer,
                                  ULONG length, ULONG *return_length)
{
    const struct row *row = find(thread_rows, ARRAY_SIZE(thread_rows), class);

    if (class == ThreadTebInformation)
        return query_teb(handle, buffer, length, return_length);
    return row ? query(row, PsThreadType, handle, buffer, length,
                       return_length) : STATUS_INVALID_INFO_CLASS;
}

NTSTATUS NtQueryInformationProcess(HANDLE handle, ULONG class, void *buffer,
                                   ULONG length, ULONG *return_length)
{
    const struct row *row = find(process_rows, ARRAY_SIZE(process_rows),
                                 class);

    return row ? query(row, PsProcessType, handle, buffer, length,
                       return_length) : STATUS_INVALID_INFO_CLASS;
}

NTSTATUS NtYieldExecution(void)
{
    return ke_yield();
}
