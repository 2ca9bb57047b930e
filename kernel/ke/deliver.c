/*
 * ke/deliver.c - room 6: the current thread runs its APCs.
 *
 * From vector 1Fh and from the end of a region in which APCs had to wait:
 * the kernel APCs.  From every way back to ring 3 (KiInitiateUserApc): those,
 * and then one user APC, whose frame goes onto the user's stack.  The next
 * one is made pending when ring 3 continues behind it (NtContinue), so that
 * they run one after the other.
 *
 * UserApcPendingAll has, beside NT's two bits, the same two once more for
 * APCs that have to wait because a 32-bit program's thread is in 64-bit code
 * just now: only a way back to 32-bit code looks at these (entry/traps.asm).
 */
#include "ki.h"

#include <arch/apic.h>
#include <arch/thread.h>

/* A KAPC's contents: from its kernel routine on it is not ours any more. */
struct call {
    KAPC *apc;
    KKERNEL_ROUTINE *kernel;
    KNORMAL_ROUTINE *normal;
    void *context, *argument1, *argument2;
    BOOLEAN special;
};

static KAPC *first(LIST_ENTRY *head)
{
    return IsListEmpty(head) ? NULL
                             : CONTAINING_RECORD(head->Flink, KAPC,
                                                 ApcListEntry);
}

static void take(KAPC *apc, struct call *call)
{
    RemoveEntryList(&apc->ApcListEntry);
    *call = (struct call){
        .apc = apc,
        .kernel = apc->KernelRoutine,
        .normal = apc->NormalRoutine,
        .context = apc->NormalContext,
        .argument1 = apc->SystemArgument1,
        .argument2 = apc->SystemArgument2,
        .special = ki_is_special_user_apc(apc),
    };
    apc->Inserted = FALSE;
}

static void run_kernel_routine(struct call *call)
{
    KKERNEL_ROUTINE *kernel = call->kernel;

    kernel(call->apc, &call->normal, &call->context, &call->argument1,
           &call->argument2);
    if (KeGetCurrentIrql() != APC_LEVEL)
        KeBugCheckEx(IRQL_UNEXPECTED_VALUE,
                     (ULONG_PTR)KeGetCurrentIrql() << 16 | APC_LEVEL << 8,
                     (ULONG_PTR)kernel, (ULONG_PTR)call->apc,
                     (ULONG_PTR)call->normal);
}

/* The next kernel APC that may run now.  FALSE: there is none. */
static BOOLEAN take_kernel(KTHREAD *thread, struct call *call)
{
    KIRQL old = KeAcquireSpinLock(&thread->ThreadLock);
    KAPC_STATE *state = &thread->ApcState;
    KAPC *apc = first(&state->ApcListHead[KernelMode]);

    state->KernelApcPending = FALSE;
    if (apc && apc->NormalRoutine &&
        (thread->KernelApcDisable != 0 ||
         (state->InProgressFlags & KERNEL_APC_IN_PROGRESS)))
        apc = NULL;
    if (apc)
        take(apc, call);
    KeReleaseSpinLock(&thread->ThreadLock, old);
    return apc != NULL;
}

static void run_normal_routine(KTHREAD *thread, const struct call *call)
{
    thread->ApcState.InProgressFlags |= KERNEL_APC_IN_PROGRESS;
    KfLowerIrql(PASSIVE_LEVEL);
    call->normal(call->context, call->argument1, call->argument2);
    KfRaiseIrql(APC_LEVEL);
    thread->ApcState.InProgressFlags &= ~KERNEL_APC_IN_PROGRESS;
}

static void deliver_kernel(KTHREAD *thread)
{
    struct call call;

    while (take_kernel(thread, &call)) {
        run_kernel_routine(&call);
        if (call.normal)
            run_normal_routine(thread, &call);
    }
}

/*
 * The user APC that is due.  NULL: none, or none for the code the thread is
 * in.  *pending: what was pending when it was taken.
 */
static KAPC *take_user(KTHREAD *thread, const KTRAP_FRAME *frame,
                       struct call *call, UCHAR *pending)
{
    KIRQL old = KeAcquireSpinLock(&thread->ThreadLock);
    KAPC_STATE *state = &thread->ApcState;
    KAPC *apc = first(&state->ApcListHead[UserMode]);

    *pending = (state->UserApcPendingAll |
                state->UserApcPendingAll >> USER_APC_POSTPONED_SHIFT) &
               (SPECIAL_USER_APC_PENDING | USER_APC_PENDING);
    state->UserApcPendingAll = 0;
    if (apc && !(*pending & USER_APC_PENDING) && !ki_is_special_user_apc(apc))
        apc = NULL;
    if (apc && !ki_is_exit_apc(apc) && arch_must_postpone_user_apc(frame)) {
        state->UserApcPendingAll =
            (UCHAR)(*pending << USER_APC_POSTPONED_SHIFT);
        apc = NULL;
    }
    if (apc)
        take(apc, call);
    KeReleaseSpinLock(&thread->ThreadLock, old);
    return apc;
}

/*
 * A special user APC found its thread anywhere, so those that wait for an
 * alertable moment go on waiting, unless one of them was due as well.
 */
static void deliver_user(KTHREAD *thread, KEXCEPTION_FRAME *exception_frame,
                         KTRAP_FRAME *trap_frame)
{
    struct call call;
    UCHAR pending;
    BOOLEAN test_alert;

    if (!take_user(thread, trap_frame, &call, &pending))
        return;
    test_alert = !call.special || (pending & USER_APC_PENDING);
    run_kernel_routine(&call);
    if (call.normal)
        KiInitializeUserApc(exception_frame, trap_frame, call.normal,
                            call.context, call.argument1, call.argument2,
                            test_alert);
    else
        ki_continue_user_apcs(test_alert);
}

void KiDeliverApc(KPROCESSOR_MODE mode, KEXCEPTION_FRAME *exception_frame,
                  KTRAP_FRAME *trap_frame)
{
    KTHREAD *thread = KeGetCurrentThread();
    KPROCESS *process = thread->ApcState.Process;
    KTRAP_FRAME *outer = thread->TrapFrame;

    if (trap_frame)
        KiCheckForSListAddress(trap_frame);
    thread->TrapFrame = trap_frame;
    thread->ApcState.KernelApcPending = FALSE;
    if (thread->SpecialApcDisable == 0) {
        deliver_kernel(thread);
        if (mode == UserMode)
            deliver_user(thread, exception_frame, trap_frame);
    }
    if (thread->ApcState.Process != process)
        KeBugCheckEx(INVALID_PROCESS_ATTACH_ATTEMPT, (ULONG_PTR)process,
                     (ULONG_PTR)thread->ApcState.Process,
                     thread->ApcStateIndex, 0);
    thread->TrapFrame = outer;
}

/* Vector 1Fh's routine (entry/traps.asm), at APC_LEVEL, interrupts off. */
void ki_apc_interrupt(KTRAP_FRAME *frame)
{
    ki_end_interrupt();
    arch_enable_interrupts();
    KiDeliverApc(KernelMode, NULL, frame);
    arch_disable_interrupts();
}

/*
 * Kernel APCs have become possible again: run them, or leave that to the
 * moment when the IRQL is low enough.
 */
void KiCheckForKernelApcDelivery(void)
{
    if (KeGetCurrentIrql() != PASSIVE_LEVEL) {
        KeGetCurrentThread()->ApcState.KernelApcPending = TRUE;
        arch_request_software_interrupt(APC_VECTOR);
        return;
    }
    KfRaiseIrql(APC_LEVEL);
    KiDeliverApc(KernelMode, NULL, NULL);
    KfLowerIrql(PASSIVE_LEVEL);
}
