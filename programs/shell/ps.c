/*
 * ps.c - ps: the processes, or the threads of one of them.
 */
#include "shell.h"

#define WAITING 5                               /* of the states below */

/* KTHREAD_STATE and KWAIT_REASON, by number. */
static const char *const states[] = {
    "Initialized", "Ready", "Running", "Standby", "Terminated", "Waiting",
    "Transition", "DeferredReady", "GateWait", "WaitingForProcessInSwap",
};

static const char *const reasons[] = {
    "Executive", "FreePage", "PageIn", "PoolAllocation", "DelayExecution",
    "Suspended", "UserRequest", "WrExecutive", "WrFreePage", "WrPageIn",
    "WrPoolAllocation", "WrDelayExecution", "WrSuspended", "WrUserRequest",
    "WrEventPair", "WrQueue", "WrLpcReceive", "WrLpcReply",
    "WrVirtualMemory", "WrPageOut", "WrRendezvous", "WrKeyedEvent",
    "WrTerminated", "WrProcessInSwap", "WrCpuRateControl", "WrCalloutStack",
    "WrKernel", "WrResource", "WrPushLock", "WrMutex", "WrQuantumEnd",
    "WrDispatchInt", "WrPreempted", "WrYieldExecution", "WrFastMutex",
    "WrGuardedMutex", "WrRundown", "WrAlertByThreadId", "WrDeferredPreempt",
};

static const char *name_of(const char *const *names, ULONG count, ULONG number)
{
    return number < count ? names[number] : "?";
}

/* In seconds; times are in 100 ns. */
static void show_time(LARGE_INTEGER time)
{
    print("%6lld.%02lld", time.QuadPart / 10000000,
          time.QuadPart / 100000 % 100);
}

static void show_process(const SYSTEM_PROCESS_INFORMATION *process)
{
    print("%6llu %6llu %7u %7u %8d ", (ULONGLONG)process->UniqueProcessId,
          (ULONGLONG)process->InheritedFromUniqueProcessId,
          process->NumberOfThreads, process->HandleCount,
          process->BasePriority);
    show_time(process->UserTime);
    show_time(process->KernelTime);
    print("  %.*ls\n", process->ImageName.Length / 2,
          process->ImageName.Buffer);
}

static void show_thread(const SYSTEM_THREAD_INFORMATION *thread)
{
    print("%6llu %-12s %-16s %8d ", (ULONGLONG)thread->ClientId.UniqueThread,
          name_of(states, ARRAY_SIZE(states), thread->ThreadState),
          thread->ThreadState != WAITING ? "" :
          name_of(reasons, ARRAY_SIZE(reasons), thread->WaitReason),
          thread->Priority);
    show_time(thread->UserTime);
    show_time(thread->KernelTime);
    print("  %llX\n", (ULONGLONG)thread->StartAddress);
}

/* The threads lie behind their process. */
static void show_threads(const SYSTEM_PROCESS_INFORMATION *process)
{
    const SYSTEM_THREAD_INFORMATION *threads = (const void *)(process + 1);
    ULONG at;

    print("%6s %-12s %-16s %8s %9s%9s  %s\n", "thread", "state", "reason",
          "priority", "user s", "kernel s", "start");
    for (at = 0; at < process->NumberOfThreads; at++)
        show_thread(&threads[at]);
}

static const SYSTEM_PROCESS_INFORMATION *
next_process(const SYSTEM_PROCESS_INFORMATION *process)
{
    if (!process->NextEntryOffset)
        return NULL;
    return (const void *)((const UCHAR *)process + process->NextEntryOffset);
}

static void show_all(const SYSTEM_PROCESS_INFORMATION *process)
{
    print("%6s %6s %7s %7s %8s %9s%9s  %s\n", "pid", "parent", "threads",
          "handles", "priority", "user s", "kernel s", "name");
    for (; process; process = next_process(process))
        show_process(process);
}

/* Ids are multiples of 4; NtOpenProcess does not look at the rest. */
BOOLEAN parse_process_id(const char *command, const struct word *word,
                         ULONGLONG *id)
{
    if (parse_number(word_text(word), id) && *id % 4 == 0)
        return TRUE;
    print("%s: %s is no process id\n", command, word_text(word));
    return FALSE;
}

void command_ps(int count, const struct word *words)
{
    SYSTEM_PROCESS_INFORMATION *list;
    const SYSTEM_PROCESS_INFORMATION *process;
    ULONGLONG id = 0;

    if (count > 1 && !parse_process_id("ps", &words[1], &id))
        return;
    process = list = query_list(SystemProcessInformation);
    if (!list)
        return;
    if (count == 1) {
        show_all(list);
    } else {
        while (process && (ULONGLONG)process->UniqueProcessId != id)
            process = next_process(process);
        if (process)
            show_threads(process);
        else
            print("ps: no process %llu\n", id);
    }
    free_list(list);
}
