/*
 * ps/list.c - SystemProcessInformation: every process with its threads.
 *
 * The answer is made in kernel memory while the list is locked, as long as it
 * has to be, and given out afterwards by kernel/ex/sysinfo.c.  Names lie
 * behind each process's threads; their addresses are the caller's, so a block
 * is made for the place it will have there.
 */
#include "psp.h"

#include <ex.h>

#define LIST_TAG 0x734C7350             /* "PsLs" */

/* local: NULL while only the length counts; user: unprobed. */
struct list {
    UCHAR *local;
    ULONG_PTR user;
    SIZE_T used, capacity;
};

static LONGLONG ticks(ULONG count)
{
    return (LONGLONG)count * KeQueryTimeIncrement();
}

/* The next size bytes, or NULL where there is no room. */
static void *take(struct list *list, SIZE_T size)
{
    SIZE_T at = list->used;

    list->used += size;
    return list->local && list->used <= list->capacity ? list->local + at
                                                       : NULL;
}

/* Addresses of the kernel are told with debug=on only (ex/handlelist.c). */
static void *start_address(const ETHREAD *thread)
{
    return thread->Tcb.MiscFlags & MISC_FLAGS_SYSTEM_THREAD &&
                   !ex_is_debugged() ? NULL : thread->StartAddress;
}

static void put_thread(struct list *list, const ETHREAD *thread)
{
    SYSTEM_THREAD_INFORMATION *to = take(list, sizeof *to);

    if (!to)
        return;
    to->KernelTime.QuadPart = ticks(thread->Tcb.KernelTime);
    to->UserTime.QuadPart = ticks(thread->Tcb.UserTime);
    to->CreateTime = thread->CreateTime;
    to->WaitTime = thread->Tcb.WaitTime;
    to->StartAddress = start_address(thread);
    to->ClientId = thread->Cid;
    to->Priority = thread->Tcb.Priority;
    to->BasePriority = thread->Tcb.BasePriority;
    to->ContextSwitches = thread->Tcb.ContextSwitches;
    to->ThreadState = thread->Tcb.State;
    to->WaitReason = thread->Tcb.WaitReason;
}

static void put_name(struct list *list, const EPROCESS *process,
                     SYSTEM_PROCESS_INFORMATION *to)
{
    SIZE_T length = strlen(process->ImageFileName);
    ULONG_PTR user = list->user + list->used;
    WCHAR *name = take(list, ALIGN_UP((length + 1) * sizeof(WCHAR), 8));

    if (!name)
        return;
    for (SIZE_T i = 0; i < length; i++)
        name[i] = (UCHAR)process->ImageFileName[i];
    to->ImageName = (UNICODE_STRING){
        .Length = (USHORT)(length * sizeof(WCHAR)),
        .MaximumLength = (USHORT)((length + 1) * sizeof(WCHAR)),
        .Buffer = (WCHAR *)user,
    };
}

static void describe(EPROCESS *process, SYSTEM_PROCESS_INFORMATION *to)
{
    to->NumberOfThreads = process->ActiveThreads;
    to->CreateTime = process->CreateTime;
    to->UserTime.QuadPart = ticks(process->Pcb.UserTime);
    to->KernelTime.QuadPart = ticks(process->Pcb.KernelTime);
    to->BasePriority = process->Pcb.BasePriority;
    to->UniqueProcessId = process->UniqueProcessId;
    to->InheritedFromUniqueProcessId = process->InheritedFromUniqueProcessId;
    to->HandleCount = ObGetProcessHandleCount(process);
    to->PeakVirtualSize = process->PeakVirtualSize;
    to->VirtualSize = process->VirtualSize;
    to->PageFaultCount = process->Vm.PageFaultCount;
    to->PeakWorkingSetSize = process->Vm.PeakWorkingSetSize * PAGE_SIZE;
    to->WorkingSetSize = process->Vm.WorkingSetSize * PAGE_SIZE;
    to->PagefileUsage = process->CommitCharge * PAGE_SIZE;
    to->PeakPagefileUsage = process->CommitChargePeak * PAGE_SIZE;
    to->PrivatePageCount = process->CommitCharge * PAGE_SIZE;
}

static void put_process(struct list *list, EPROCESS *process)
{
    SYSTEM_PROCESS_INFORMATION none, *to = take(list, sizeof *to);
    SIZE_T begin = list->used - sizeof *to;
    ULONG threads = 0;

    if (!to)
        to = &none;
    memset(to, 0, sizeof *to);
    ke_acquire_shared(&process->ProcessLock);
    describe(process, to);
    for (LIST_ENTRY *entry = process->ThreadListHead.Flink;
         entry != &process->ThreadListHead; entry = entry->Flink, threads++)
        put_thread(list, CONTAINING_RECORD(entry, ETHREAD, ThreadListEntry));
    ke_release_shared(&process->ProcessLock);
    to->NumberOfThreads = threads;
    put_name(list, process, to);
    to->NextEntryOffset = (ULONG)(list->used - begin);
}

/* The last one has no next. */
static void end_list(const struct list *list)
{
    SYSTEM_PROCESS_INFORMATION *at = (void *)list->local;

    while ((UCHAR *)at + at->NextEntryOffset < list->local + list->used)
        at = (void *)((UCHAR *)at + at->NextEntryOffset);
    at->NextEntryOffset = 0;
}

static void put_all(struct list *list)
{
    psp_lock_processes();
    for (LIST_ENTRY *entry = PsActiveProcessHead.Flink;
         entry != &PsActiveProcessHead; entry = entry->Flink)
        put_process(list, CONTAINING_RECORD(entry, EPROCESS,
                                            ActiveProcessLinks));
    psp_unlock_processes();
}

static NTSTATUS query_list(void *user, ULONG length, ULONG *needed)
{
    struct list list = { .user = (ULONG_PTR)user };
    NTSTATUS status = STATUS_INFO_LENGTH_MISMATCH;

    put_all(&list);
    *needed = (ULONG)list.used;
    if (length < list.used)
        return status;
    list.capacity = list.used;
    list.local = ExAllocatePool2(POOL_FLAG_NON_PAGED, list.capacity,
                                 LIST_TAG);
    if (!list.local)
        return STATUS_INSUFFICIENT_RESOURCES;
    list.used = 0;
    put_all(&list);
    *needed = (ULONG)list.used;
    if (list.used <= list.capacity) {           /* else it has grown */
        end_list(&list);
        status = mm_copy_to_user(user, list.local, list.used);
    }
    ExFreePoolWithTag(list.local, LIST_TAG);
    return status;
}

void psp_publish_list(void)
{
    ex_query_processes = query_list;
}
