/*
 * ps/system.c - threads of the kernel's own.
 */
#include "psp.h"

#include <mm.h>

#define START_TAG 0x74537350            /* "PsSt" */

/* What a system thread is to do; its own to free. */
struct system_start {
    void (*routine)(void *argument);
    void *argument;
};

static void PspSystemThreadStartup(void *argument)
{
    struct system_start start = *(struct system_start *)argument;

    ExFreePoolWithTag(argument, START_TAG);
    start.routine(start.argument);
    ps_exit_thread(STATUS_SUCCESS);
}

static NTSTATUS create(struct system_start *start, ETHREAD **result)
{
    EPROCESS *process = PsInitialSystemProcess;
    ETHREAD *thread;
    NTSTATUS status = psp_allocate_thread(process, &thread);

    if (!NT_SUCCESS(status))
        return status;
    thread->StartAddress = (void *)start->routine;
    KeInitThread(&thread->Tcb, thread->Tcb.StackBase, KERNEL_STACK_SIZE,
                 PspSystemThreadStartup, start, NULL, &process->Pcb,
                 KernelMode);
    status = psp_insert_thread(thread);
    if (NT_SUCCESS(status))
        *result = thread;
    else
        ObDereferenceObject(thread);
    return status;
}

NTSTATUS ps_create_system_thread(void (*routine)(void *argument),
                                 void *argument, ETHREAD **result)
{
    struct system_start *start = ExAllocatePool2(POOL_FLAG_NON_PAGED,
                                                 sizeof *start, START_TAG);
    ETHREAD *thread;
    NTSTATUS status;

    if (!start)
        return STATUS_INSUFFICIENT_RESOURCES;
    start->routine = routine;
    start->argument = argument;
    status = create(start, &thread);
    if (!NT_SUCCESS(status)) {
        ExFreePoolWithTag(start, START_TAG);
        return status;
    }
    KeReadyThread(&thread->Tcb);
    if (result)
        *result = thread;
    else
        ObDereferenceObject(thread);
    return STATUS_SUCCESS;
}
