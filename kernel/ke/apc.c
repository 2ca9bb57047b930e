/*
 * ke/apc.c - an APC is made, queued, and taken out of its queue again.
 *
 * Each of a thread's two APC states (its own process's, and while it is
 * attached that one's) has a queue for each mode.  In one queue stand
 *   kernel   the special ones, then the normal ones
 *   user     the exit APC, the special ones, then the others
 * and among their like in the order in which they came.  deliver.c empties
 * them from the front.
 *
 * Whoever queues also sees to it that the thread notices: by vector 1Fh if it
 * is the current one, by the end of its wait if it waits.  A thread that does
 * neither is told when it is switched to (kernel APCs), and every thread
 * looks for user APCs on its way to ring 3.
 */
#include "ki.h"

#include <arch/apic.h>
#include <arch/processor.h>

/* KAPC.SpareByte0 of a user APC, where NT 10 has nothing. */
#define SPECIAL_USER_APC 1

/* Spare bytes are left alone: KTHREAD.SchedulerApc's belong to others. */
void KeInitializeApc(KAPC *apc, KTHREAD *thread, KAPC_ENVIRONMENT environment,
                     KKERNEL_ROUTINE *kernel, KRUNDOWN_ROUTINE *rundown,
                     KNORMAL_ROUTINE *normal, KPROCESSOR_MODE mode,
                     void *context)
{
    apc->Type = ApcObject;
    apc->Size = sizeof *apc;
    apc->Thread = thread;
    apc->KernelRoutine = kernel;
    apc->RundownRoutine = rundown;
    apc->NormalRoutine = normal;
    apc->NormalContext = normal ? context : NULL;
    apc->ApcMode = normal ? (UCHAR)mode : KernelMode;
    apc->ApcStateIndex = environment == CurrentApcEnvironment
                             ? thread->ApcStateIndex : (UCHAR)environment;
    apc->Inserted = FALSE;
    if (apc->ApcMode == UserMode)
        apc->SpareByte0 = 0;
}

void ke_make_special_user_apc(KAPC *apc)
{
    apc->SpareByte0 = SPECIAL_USER_APC;
}

BOOLEAN ki_is_exit_apc(const KAPC *apc)
{
    return apc->ApcMode == UserMode && apc->KernelRoutine == PsExitSpecialApc;
}

BOOLEAN ki_is_special_user_apc(const KAPC *apc)
{
    return apc->ApcMode == UserMode && apc->SpareByte0 == SPECIAL_USER_APC;
}

/* Does it come before those that have to wait for something? */
static BOOLEAN is_first_class(const KAPC *apc)
{
    if (apc->ApcMode == KernelMode)
        return apc->NormalRoutine == NULL;
    return ki_is_exit_apc(apc) || ki_is_special_user_apc(apc);
}

static KAPC_STATE *state_of(KTHREAD *thread, const KAPC *apc)
{
    return apc->ApcStateIndex == thread->ApcStateIndex
               ? &thread->ApcState : &thread->SavedApcState;
}

static BOOLEAN entry_is_first_class(LIST_ENTRY *entry)
{
    return is_first_class(CONTAINING_RECORD(entry, KAPC, ApcListEntry));
}

/*
 * The last of the first class, or head.  From both ends at once: many of one
 * kind cost nothing when there are few of the other.
 */
static LIST_ENTRY *last_of_first_class(LIST_ENTRY *head)
{
    LIST_ENTRY *front = head, *back = head->Blink;

    for (;;) {
        if (back == head || entry_is_first_class(back))
            return back;
        if (!entry_is_first_class(front->Flink))
            return front;
        front = front->Flink;
        back = back->Blink;
    }
}

static void insert(LIST_ENTRY *head, KAPC *apc)
{
    LIST_ENTRY *before = head;

    if (!is_first_class(apc))
        before = head->Blink;
    else if (!ki_is_exit_apc(apc))
        before = last_of_first_class(head);
    InsertHeadList(before, &apc->ApcListEntry);
}

/* Would thread, which waits, run this kernel APC if it were woken? */
static BOOLEAN may_interrupt_wait(const KTHREAD *thread, const KAPC *apc)
{
    if (thread->WaitIrql != PASSIVE_LEVEL || thread->SpecialApcDisable != 0)
        return FALSE;
    return apc->NormalRoutine == NULL ||
           (thread->KernelApcDisable == 0 &&
            !(thread->ApcState.InProgressFlags & KERNEL_APC_IN_PROGRESS));
}

/* Either it is seen Running here, or sees what is pending (schedule.c). */
static void signal_kernel_apc(KTHREAD *thread, const KAPC *apc,
                              KPRIORITY increment)
{
    thread->ApcState.KernelApcPending = TRUE;
    __sync_synchronize();
    if (thread->State == Running)
        ki_request_interrupt(KiProcessorBlock[thread->NextProcessor],
                             APC_VECTOR);
    else if (thread->State == Waiting && may_interrupt_wait(thread, apc))
        KiUnwaitThread(thread, STATUS_KERNEL_APC, increment);
}

/* It may be in ring 3, on another processor: on its way back it will look. */
static void hurry(const KTHREAD *thread)
{
    __sync_synchronize();
    if (thread->State == Running && thread != KeGetCurrentThread())
        ki_request_interrupt(KiProcessorBlock[thread->NextProcessor],
                             APC_VECTOR);
}

static void signal_user_apc(KTHREAD *thread, const KAPC *apc,
                            KPRIORITY increment)
{
    if (ki_is_exit_apc(apc))
        thread->ApcState.UserApcPendingAll |= USER_APC_PENDING;
    if (ki_is_special_user_apc(apc))
        thread->ApcState.UserApcPendingAll |= SPECIAL_USER_APC_PENDING;
    if (thread->ApcState.UserApcPendingAll)
        hurry(thread);
    if (thread->State != Waiting || thread->WaitMode != UserMode)
        return;
    if (!(thread->MiscFlags & MISC_FLAGS_ALERTABLE) && !ki_is_exit_apc(apc))
        return;
    if (!ki_is_special_user_apc(apc))
        thread->ApcState.UserApcPendingAll |= USER_APC_PENDING;
    KiUnwaitThread(thread, STATUS_USER_APC, increment);
}

/* ThreadLock is held. */
static void queue(KTHREAD *thread, KAPC *apc, KPRIORITY increment)
{
    if (apc->ApcStateIndex == InsertApcEnvironment)
        apc->ApcStateIndex = thread->ApcStateIndex;
    insert(&state_of(thread, apc)->ApcListHead[apc->ApcMode], apc);
    apc->Inserted = TRUE;
    if (apc->ApcStateIndex != thread->ApcStateIndex)
        return;                         /* detaching will notice it */
    if (apc->ApcMode == KernelMode)
        signal_kernel_apc(thread, apc, increment);
    else
        signal_user_apc(thread, apc, increment);
}

BOOLEAN KeInsertQueueApc(KAPC *apc, void *argument1, void *argument2,
                         KPRIORITY increment)
{
    KTHREAD *thread = apc->Thread;
    KIRQL old = KeAcquireSpinLock(&thread->ThreadLock);
    BOOLEAN inserted = (thread->MiscFlags & MISC_FLAGS_APC_QUEUEABLE) &&
                       !apc->Inserted;

    if (inserted) {
        apc->SystemArgument1 = argument1;
        apc->SystemArgument2 = argument2;
        queue(thread, apc, increment);
    }
    KxReleaseSpinLock(&thread->ThreadLock);
    KiExitDispatcher(old);
    return inserted;
}

/* What is pending after one has gone, by what is left. */
static void update_pending(KAPC_STATE *state, ULONG mode)
{
    if (!IsListEmpty(&state->ApcListHead[mode]))
        return;
    if (mode == KernelMode)
        state->KernelApcPending = FALSE;
    else
        state->UserApcPendingAll = 0;
}

BOOLEAN KeRemoveQueueApc(KAPC *apc)
{
    KTHREAD *thread = apc->Thread;
    KIRQL old = KeAcquireSpinLock(&thread->ThreadLock);
    BOOLEAN inserted = apc->Inserted;

    if (inserted) {
        RemoveEntryList(&apc->ApcListEntry);
        apc->Inserted = FALSE;
        update_pending(state_of(thread, apc), apc->ApcMode);
    }
    KeReleaseSpinLock(&thread->ThreadLock, old);
    return inserted;
}
