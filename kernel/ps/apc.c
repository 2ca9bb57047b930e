/*
 * ps/apc.c - user APCs and alerts as services.
 *
 * The KAPC is pool of ours from the call until it is delivered (its kernel
 * routine frees it) or run down.
 */
#include "psp.h"

#include <nt/ntapi.h>

#define APC_TAG 0x50617350              /* "PsaP" */
#define HIGHEST_ADDRESS32 0xFFFFFFFFULL

static void PspQueueApcSpecialApc(KAPC *apc, KNORMAL_ROUTINE **routine,
                                  void **context, void **argument1,
                                  void **argument2)
{
    (void)routine, (void)context, (void)argument1, (void)argument2;
    ExFreePoolWithTag(apc, APC_TAG);
}

static void run_down(KAPC *apc)
{
    ExFreePoolWithTag(apc, APC_TAG);
}

static NTSTATUS reference(HANDLE handle, ACCESS_MASK access, ETHREAD **thread)
{
    void *object;
    NTSTATUS status = ObReferenceObjectByHandle(handle, access, PsThreadType,
                                                ExGetPreviousMode(), &object);

    if (NT_SUCCESS(status))
        *thread = object;
    return status;
}

/*
 * No reserve objects exist here, so a handle is never one.  A routine that a
 * 32-bit program cannot have is refused; NT: its 64-bit ntdll decodes such.
 */
static NTSTATUS check(HANDLE reserve, const ETHREAD *thread,
                      PPS_APC_ROUTINE routine)
{
    const EPROCESS *process = CONTAINING_RECORD(thread->Tcb.Process, EPROCESS,
                                                Pcb);
    void *object;
    NTSTATUS status;

    if (thread->Tcb.MiscFlags & MISC_FLAGS_SYSTEM_THREAD)
        return STATUS_INVALID_HANDLE;
    if (process->WoW64Process && (ULONG_PTR)routine > HIGHEST_ADDRESS32)
        return STATUS_INVALID_PARAMETER;
    if (!reserve || reserve == QUEUE_USER_APC_SPECIAL_USER_APC)
        return STATUS_SUCCESS;
    status = ObReferenceObjectByHandle(reserve, 0, NULL, ExGetPreviousMode(),
                                       &object);
    if (!NT_SUCCESS(status))
        return status;
    ObDereferenceObject(object);
    return STATUS_OBJECT_TYPE_MISMATCH;
}

static NTSTATUS queue(ETHREAD *thread, BOOLEAN special,
                      PPS_APC_ROUTINE routine, void *argument1,
                      void *argument2, void *argument3)
{
    KAPC *apc = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof *apc, APC_TAG);

    if (!apc)
        return STATUS_NO_MEMORY;
    KeInitializeApc(apc, &thread->Tcb, OriginalApcEnvironment,
                    PspQueueApcSpecialApc, run_down,
                    (KNORMAL_ROUTINE *)routine, UserMode, argument1);
    if (special)
        ke_make_special_user_apc(apc);
    if (KeInsertQueueApc(apc, argument2, argument3, IO_NO_INCREMENT))
        return STATUS_SUCCESS;
    ExFreePoolWithTag(apc, APC_TAG);
    return STATUS_UNSUCCESSFUL;
}

NTSTATUS NtQueueApcThreadEx(HANDLE handle, HANDLE reserve,
                            PPS_APC_ROUTINE routine, void *argument1,
                            void *argument2, void *argument3)
{
    ETHREAD *thread;
    NTSTATUS status = reference(handle, THREAD_SET_CONTEXT, &thread);

    if (!NT_SUCCESS(status))
        return status;
    status = check(reserve, thread, routine);
    if (NT_SUCCESS(status))
        status = queue(thread, reserve == QUEUE_USER_APC_SPECIAL_USER_APC,
                       routine, argument1, argument2, argument3);
    ObDereferenceObject(thread);
    return status;
}

NTSTATUS NtQueueApcThread(HANDLE handle, PPS_APC_ROUTINE routine,
                          void *argument1, void *argument2, void *argument3)
{
    return NtQueueApcThreadEx(handle, NULL, routine, argument1, argument2,
                              argument3);
}

/* Room 5 delivers the user APCs that it has made pending. */
NTSTATUS NtTestAlert(void)
{
    return KeTestAlertThread(ExGetPreviousMode()) ? STATUS_ALERTED
                                                  : STATUS_SUCCESS;
}

NTSTATUS NtAlertThread(HANDLE handle)
{
    ETHREAD *thread;
    NTSTATUS status = reference(handle, THREAD_ALERT, &thread);

    if (!NT_SUCCESS(status))
        return status;
    KeAlertThread(&thread->Tcb, ExGetPreviousMode());
    ObDereferenceObject(thread);
    return STATUS_SUCCESS;
}
