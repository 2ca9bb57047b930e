/*
 * ke/attach.c - a thread in another process's address space.
 *
 * It takes an APC state of its own with it: ApcState is always the one of the
 * address space that is loaded, and its own process's waits in SavedApcState
 * (or, nested, in the caller's KAPC_STATE).  APCs queued to the process it
 * came from wait until it is back.
 */
#include "ki.h"

#include <arch/apic.h>
#include <arch/thread.h>

/* KAPC_STATE.Process of a call that had nothing to do. */
#define WAS_ALREADY_THERE ((KPROCESS *)1)

static void move_queue(LIST_ENTRY *from, LIST_ENTRY *to)
{
    InitializeListHead(to);
    if (IsListEmpty(from))
        return;
    *to = *from;
    to->Flink->Blink = to;
    to->Blink->Flink = to;
    InitializeListHead(from);
}

/* Not by assignment: KTHREAD has fields of its own in a KAPC_STATE's end. */
static void move_state(KAPC_STATE *from, KAPC_STATE *to)
{
    move_queue(&from->ApcListHead[KernelMode], &to->ApcListHead[KernelMode]);
    move_queue(&from->ApcListHead[UserMode], &to->ApcListHead[UserMode]);
    to->Process = from->Process;
    to->InProgressFlags = from->InProgressFlags;
    to->KernelApcPending = from->KernelApcPending;
    to->UserApcPendingAll = from->UserApcPendingAll;
}

static void initialize_state(KAPC_STATE *state, KPROCESS *process)
{
    InitializeListHead(&state->ApcListHead[KernelMode]);
    InitializeListHead(&state->ApcListHead[UserMode]);
    state->Process = process;
    state->InProgressFlags = 0;
    state->KernelApcPending = FALSE;
    state->UserApcPendingAll = 0;
}

void ki_initialize_thread_apcs(KTHREAD *thread, KPROCESS *process)
{
    initialize_state(&thread->ApcState, process);
    initialize_state(&thread->SavedApcState, NULL);
    thread->ApcStateIndex = OriginalApcEnvironment;
    thread->MiscFlags |= MISC_FLAGS_APC_QUEUEABLE;
    ki_initialize_suspension(thread);
}

void KeStackAttachProcess(KPROCESS *process, KAPC_STATE *state)
{
    KTHREAD *thread = KeGetCurrentThread();
    KPROCESS *from = thread->ApcState.Process;
    KIRQL old;

    if (KeIsExecutingDpc())
        KeBugCheckEx(INVALID_PROCESS_ATTACH_ATTEMPT, (ULONG_PTR)process,
                     (ULONG_PTR)thread->ApcState.Process,
                     thread->ApcStateIndex, TRUE);
    if (thread->ApcState.Process == process) {
        state->Process = WAS_ALREADY_THERE;
        return;
    }
    old = KeAcquireSpinLock(&thread->ThreadLock);
    if (thread->ApcStateIndex == OriginalApcEnvironment) {
        move_state(&thread->ApcState, &thread->SavedApcState);
        state->Process = NULL;
    } else {
        move_state(&thread->ApcState, state);
    }
    initialize_state(&thread->ApcState, process);
    thread->ApcStateIndex = AttachedApcEnvironment;
    arch_load_address_space(from, process);
    KeReleaseSpinLock(&thread->ThreadLock, old);
}

static BOOLEAN is_idle(const KAPC_STATE *state)
{
    return IsListEmpty(&state->ApcListHead[KernelMode]) &&
           IsListEmpty(&state->ApcListHead[UserMode]) &&
           !(state->InProgressFlags & KERNEL_APC_IN_PROGRESS);
}

/* What was queued meanwhile to the process we are in has to run first. */
static void run_pending(const KTHREAD *thread)
{
    if (!IsListEmpty(&thread->ApcState.ApcListHead[KernelMode]) &&
        KeGetCurrentIrql() == PASSIVE_LEVEL && thread->SpecialApcDisable == 0)
        KiCheckForKernelApcDelivery();
}

void KeUnstackDetachProcess(KAPC_STATE *state)
{
    KTHREAD *thread = KeGetCurrentThread();
    KAPC_STATE *back = state->Process ? state : &thread->SavedApcState;
    KPROCESS *from = thread->ApcState.Process;
    KIRQL old;

    if (state->Process == WAS_ALREADY_THERE)
        return;
    run_pending(thread);
    old = KeAcquireSpinLock(&thread->ThreadLock);
    if (thread->ApcStateIndex == OriginalApcEnvironment ||
        !is_idle(&thread->ApcState))
        KeBugCheckEx(INVALID_PROCESS_DETACH_ATTEMPT, (ULONG_PTR)thread,
                     (ULONG_PTR)thread->ApcState.Process,
                     thread->ApcStateIndex, thread->CombinedApcDisable);
    move_state(back, &thread->ApcState);
    if (back == &thread->SavedApcState) {
        thread->SavedApcState.Process = NULL;
        thread->ApcStateIndex = OriginalApcEnvironment;
    }
    arch_load_address_space(from, thread->ApcState.Process);
    if (!IsListEmpty(&thread->ApcState.ApcListHead[KernelMode])) {
        thread->ApcState.KernelApcPending = TRUE;
        arch_request_software_interrupt(APC_VECTOR);
    }
    KeReleaseSpinLock(&thread->ThreadLock, old);
}
