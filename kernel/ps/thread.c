/*
 * ps/thread.c - making threads, the kernel's own among them.
 */
#include "psp.h"

#include <mm.h>

HANDLE psp_new_id(void)
{
    static ULONG last = 8;              /* multiples of 4, as handles are */

    return (HANDLE)(ULONG_PTR)__sync_add_and_fetch(&last, 4);
}

NTSTATUS psp_create_thread(EPROCESS *process, const CLIENT_ID *cid, void *teb,
                           void (*routine)(void *argument), void *argument,
                           KPROCESSOR_MODE mode, ETHREAD **result)
{
    void *object, *stack;
    ETHREAD *thread;
    NTSTATUS status = ob_create_object(PsThreadType, sizeof *thread, &object);

    if (!NT_SUCCESS(status))
        return status;
    thread = object;
    ObReferenceObject(process);
    thread->Tcb.Process = &process->Pcb;
    stack = MmCreateKernelStack();
    if (!stack) {
        ObDereferenceObject(thread);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    KeInitThread(&thread->Tcb, stack, KERNEL_STACK_SIZE, routine, argument,
                 teb, &process->Pcb, mode);
    thread->Cid = *cid;
    thread->ExitStatus = 0x103;         /* STATUS_PENDING: still running */
    KeQuerySystemTime(&thread->CreateTime);
    InsertTailList(&process->ThreadListHead, &thread->ThreadListEntry);
    process->ActiveThreads++;
    ObReferenceObject(thread);          /* its own, until it has ended */
    KeStartThread(&thread->Tcb);
    *result = thread;
    return STATUS_SUCCESS;
}

NTSTATUS ps_create_system_thread(void (*routine)(void *argument),
                                 void *argument, ETHREAD **thread)
{
    CLIENT_ID cid = { PsInitialSystemProcess->UniqueProcessId, psp_new_id() };
    NTSTATUS status = psp_create_thread(PsInitialSystemProcess, &cid, NULL,
                                        routine, argument, KernelMode, thread);

    if (NT_SUCCESS(status))
        KeReadyThread(&(*thread)->Tcb);
    return status;
}
