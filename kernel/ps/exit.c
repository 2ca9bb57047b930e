/*
 * ps/exit.c - how the current thread ends, and with the last one its process.
 *
 * The order is NT's: no more APCs, win32k's part, out of the count of active
 * threads, timers, TEB and user stack; the last thread then waits until no
 * other uses the address space, closes the process's handles, frees its
 * memory and signals it.  At last what is still queued is run down, and
 * KeTerminateThread goes to another thread for good; the reaper (reaper.c)
 * frees the kernel stack.
 *
 * All of it is one critical region: a thread that ends cannot be suspended.
 */
#include "psp.h"

#include <etw.h>
#include <ex.h>
#include <kd.h>
#include <mm.h>
#include <win32k.h>

/* What must not happen: an end in somebody else's process, or with locks. */
static void check_state(const KTHREAD *thread)
{
    if (thread->ApcStateIndex != OriginalApcEnvironment)
        KeBugCheckEx(INVALID_PROCESS_ATTACH_ATTEMPT,
                     (ULONG_PTR)thread->ApcState.Process,
                     (ULONG_PTR)thread->Process, thread->ApcStateIndex,
                     (ULONG_PTR)thread);
    if (thread->CombinedApcDisable != 0)
        KeBugCheckEx(KERNEL_APC_PENDING_DURING_EXIT, 0,
                     thread->CombinedApcDisable, KeGetCurrentIrql(), 0);
}

/*
 * From here on nothing can be queued to the thread, so nothing can stop it
 * either; what is queued already runs at the end of the region.
 */
static void close_apc_queues(KTHREAD *thread)
{
    KIRQL irql = KeAcquireSpinLock(&thread->ThreadLock);

    thread->MiscFlags &= ~MISC_FLAGS_APC_QUEUEABLE;
    KeReleaseSpinLock(&thread->ThreadLock, irql);
    KeForceResumeThread(thread);
}

/* Out of the count; TRUE: the thread was the last one. */
static BOOLEAN leave_count(EPROCESS *process, NTSTATUS status)
{
    BOOLEAN last;

    ke_acquire_exclusive(&process->ProcessLock);
    last = --process->ActiveThreads == 0;
    process->LastThreadExitStatus = status;
    if (last) {
        if (process->ExitStatus == STATUS_PENDING)
            process->ExitStatus = status;
        __sync_fetch_and_or(&process->Flags,
                            PS_PROCESS_FLAGS_PROCESS_EXITING);
    }
    ke_release_exclusive(&process->ProcessLock);
    return last;
}

/* A thread of the list that is not this one, referenced, or NULL. */
static ETHREAD *another_thread(EPROCESS *process, const ETHREAD *thread)
{
    ETHREAD *found = NULL;

    ke_acquire_shared(&process->ProcessLock);
    for (LIST_ENTRY *entry = process->ThreadListHead.Flink;
         !found && entry != &process->ThreadListHead; entry = entry->Flink) {
        ETHREAD *other = CONTAINING_RECORD(entry, ETHREAD, ThreadListEntry);

        if (other != thread) {
            ObReferenceObject(other);
            found = other;
        }
    }
    ke_release_shared(&process->ProcessLock);
    return found;
}

/* A thread leaves the list when it needs the address space no more. */
static void wait_for_others(EPROCESS *process, const ETHREAD *thread)
{
    ETHREAD *other;

    while ((other = another_thread(process, thread)) != NULL) {
        KeWaitForSingleObject(other, Executive, KernelMode, FALSE, NULL);
        ObDereferenceObject(other);
    }
}

static void leave_list(EPROCESS *process, ETHREAD *thread)
{
    ke_acquire_exclusive(&process->ProcessLock);
    RemoveEntryList(&thread->ThreadListEntry);
    ke_release_exclusive(&process->ProcessLock);
}

static void end_process(EPROCESS *process)
{
    KeQuerySystemTime(&process->ExitTime);
    DbgPrintEx(KD_PS_ID, DPFLTR_INFO_LEVEL,
               "PS    process %llu %s ends: %08x\n",
               (ULONGLONG)process->UniqueProcessId, process->ImageFileName,
               process->ExitStatus);
    psp_remove_process(process);
    ObKillProcess(process);
    mm_clean_address_space(process);
    KeSetProcess(&process->Pcb, 0);
}

/* Its user memory: only where the process goes on, for else all goes. */
static void free_user_part(EPROCESS *process, ETHREAD *thread)
{
    if (!thread->Tcb.Teb)
        return;
    psp_kind_of_process(process)->free_teb(thread->Tcb.Teb);
    thread->Tcb.Teb = NULL;
}

__attribute__((noreturn)) static void PspExitThread(NTSTATUS status)
{
    ETHREAD *thread = PsGetCurrentThread();
    EPROCESS *process = PsGetCurrentProcess();
    BOOLEAN last;

    check_state(&thread->Tcb);
    etw_tell_end();
    KeEnterCriticalRegion();
    __sync_fetch_and_or(&thread->CrossThreadFlags,
                        PS_CROSS_THREAD_FLAGS_TERMINATED);
    close_apc_queues(&thread->Tcb);
    if (thread->Tcb.Win32Thread)
        win32k_thread_exit(thread);
    thread->ExitStatus = status;
    KeQuerySystemTime(&thread->ExitTime);
    last = leave_count(process, status);
    DbgPrintEx(KD_PS_ID, DPFLTR_INFO_LEVEL,
               "PS    thread %llu of process %llu ends: %08x\n",
               (ULONGLONG)thread->Cid.UniqueThread,
               (ULONGLONG)thread->Cid.UniqueProcess, status);
    ExTimerRundown();
    if (last) {
        wait_for_others(process, thread);
        thread->Tcb.Teb = NULL;
        end_process(process);
    } else {
        free_user_part(process, thread);
    }
    leave_list(process, thread);
    KeLeaveCriticalRegion();
    KeRundownApcQueues(&thread->Tcb);
    KeTerminateThread(0);
}

void ps_exit_thread(NTSTATUS status)
{
    PspExitThread(status);
}

/*
 * The kernel routine of a thread's exit APC (terminate.c), on its way to ring
 * 3, at APC_LEVEL: it does not come back.
 */
void PsExitSpecialApc(KAPC *apc, KNORMAL_ROUTINE **routine, void **context,
                      void **argument1, void **argument2)
{
    NTSTATUS status = (NTSTATUS)(ULONG_PTR)apc->NormalContext;

    (void)routine, (void)context, (void)argument1, (void)argument2;
    psp_free_exit_apc(apc);
    KfLowerIrql(PASSIVE_LEVEL);
    PspExitThread(status);
}
