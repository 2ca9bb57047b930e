/*
 * ps/userthread.c - threads of programs, from a context to ring 3.
 *
 * A thread begins in ring 0 (PspUserThreadStartup) and stays there if it has
 * been ended meanwhile.  Until it goes on to ring 3 its state is the context
 * in ETHREAD.SetContextState: that is what NtGetContextThread reads and
 * NtSetContextThread writes.
 */
#include "psp.h"

/* Not a moment in which its context is nowhere. */
static NTSTATUS enter(ETHREAD *thread)
{
    CONTEXT *context = thread->SetContextState;
    CONTEXT local = *context;

    thread->SetContextState = NULL;
    ExFreePoolWithTag(context, PSP_CONTEXT_TAG);
    return psp_kind_of_process(PsGetCurrentProcess())->enter(&local);
}

static void PspUserThreadStartup(void *argument)
{
    ETHREAD *thread = PsGetCurrentThread();
    NTSTATUS status;

    (void)argument;
    KfRaiseIrql(APC_LEVEL);
    if (*(volatile ULONG *)&thread->CrossThreadFlags &
        PS_CROSS_THREAD_FLAGS_TERMINATED)
        status = thread->ExitStatus;    /* who ends it has set that first */
    else
        status = enter(thread);
    KfLowerIrql(PASSIVE_LEVEL);
    ps_exit_thread(status);
}

static NTSTATUS prepare(ETHREAD *thread, const struct psp_new_thread *new)
{
    CONTEXT *context = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof *context,
                                       PSP_CONTEXT_TAG);
    TEB *teb;
    NTSTATUS status;

    if (!context)
        return STATUS_INSUFFICIENT_RESOURCES;
    *context = *new->context;
    thread->SetContextState = context;
    status = psp_kind_of_process(new->process)->create_teb(
        &thread->Cid, new->stack, new->teb_flags, &teb);
    if (!NT_SUCCESS(status))
        return status;
    thread->StartAddress = thread->Win32StartAddress = new->start_routine;
    KeInitThread(&thread->Tcb, thread->Tcb.StackBase, KERNEL_STACK_SIZE,
                 PspUserThreadStartup, NULL, teb, &new->process->Pcb,
                 UserMode);
    return STATUS_SUCCESS;
}

NTSTATUS psp_create_user_thread(const struct psp_new_thread *new,
                                ETHREAD **result)
{
    ETHREAD *thread;
    ULONG count;
    NTSTATUS status = psp_allocate_thread(new->process, &thread);

    if (!NT_SUCCESS(status))
        return status;
    status = prepare(thread, new);
    if (NT_SUCCESS(status)) {
        status = psp_insert_thread(thread);
        if (!NT_SUCCESS(status))
            psp_kind_of_process(new->process)->free_teb(thread->Tcb.Teb);
    }
    if (!NT_SUCCESS(status)) {
        ObDereferenceObject(thread);
        return status;
    }
    if (new->suspended)
        (void)ke_suspend_thread(&thread->Tcb, &count);
    *result = thread;
    return STATUS_SUCCESS;
}

static NTSTATUS create_here(struct psp_new_thread *new, ULONG_PTR routine,
                            ULONG_PTR argument, SIZE_T commit, SIZE_T reserve,
                            ETHREAD **thread)
{
    INITIAL_TEB stack;
    CONTEXT context;
    NTSTATUS status = psp_create_stack(commit, reserve, &stack);

    if (!NT_SUCCESS(status))
        return status;
    psp_kind_of_process(new->process)->initial_context(
        new->process, routine, argument, (ULONG_PTR)stack.StackBase,
        &context);
    new->context = &context;
    new->stack = &stack;
    new->start_routine = (void *)routine;
    status = psp_create_user_thread(new, thread);
    if (!NT_SUCCESS(status))
        mm_free_user(stack.StackAllocationBase);
    return status;
}

NTSTATUS psp_create_thread_at(struct psp_new_thread *new, ULONG_PTR routine,
                              ULONG_PTR argument, SIZE_T commit,
                              SIZE_T reserve, ETHREAD **thread)
{
    KAPC_STATE state;
    NTSTATUS status;

    KeStackAttachProcess(&new->process->Pcb, &state);
    status = create_here(new, routine, argument, commit, reserve, thread);
    KeUnstackDetachProcess(&state);
    return status;
}
