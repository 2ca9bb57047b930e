/*
 * ps/init.c - the process and the thread that the machine boots in.
 *
 * They exist before there is pool, so that KeGetCurrentThread always answers.
 * They are no objects: nothing in ring 3 can name them.
 */
#include "psp.h"

#include <arch/entry.h>
#include <mm.h>

static EPROCESS system_process;
ETHREAD psp_system_thread;
EPROCESS *PsInitialSystemProcess;
OBJECT_TYPE *PsProcessType;
OBJECT_TYPE *PsThreadType;

#define SYSTEM_PROCESS_ID ((HANDLE)4)

void ps_initialize_boot_thread(void)
{
    EPROCESS *process = &system_process;
    KTHREAD *thread = &psp_system_thread.Tcb;

    PsInitialSystemProcess = process;
    process->UniqueProcessId = SYSTEM_PROCESS_ID;
    memcpy(process->ImageFileName, "System", sizeof "System");
    process->Pcb.Header.Type = ProcessObject;
    process->Pcb.DirectoryTableBase = arch_read_cr3();
    InitializeListHead(&process->Pcb.ThreadListHead);
    InitializeListHead(&process->ThreadListHead);

    thread->Header.Type = ThreadObject;
    thread->State = Running;
    thread->Process = thread->ApcState.Process = &process->Pcb;
    thread->InitialStack = ki_idle_stack_top;
    thread->StackBase = ki_idle_stack_top;
    thread->StackLimit =
        (void *)((ULONG_PTR)ki_idle_stack_top - KERNEL_STACK_SIZE);
    thread->PreviousMode = KernelMode;
    KeGetCurrentPrcb()->CurrentThread = thread;
    KeGetCurrentPrcb()->IdleThread = thread;
}

/* Runs when nobody refers to a process any more, never inside it. */
static void delete_process(void *object)
{
    EPROCESS *process = object;

    if (process->Pcb.DirectoryTableBase)
        mm_delete_address_space(process);
    if (process->SectionObject)
        ObDereferenceObject(process->SectionObject);
    if (process->WoW64Process)
        ExFreePoolWithTag(process->WoW64Process, PSP_WOW64_TAG);
}

static void delete_thread(void *object)
{
    ETHREAD *thread = object;

    if (thread->Tcb.StackBase)
        MmDeleteKernelStack(thread->Tcb.StackBase);
    ObDereferenceObject(CONTAINING_RECORD(thread->Tcb.Process, EPROCESS, Pcb));
}

void ps_initialize(void)
{
    PsProcessType = ob_create_type(L"Process", PROCESS_ALL_ACCESS,
                                   delete_process);
    PsThreadType = ob_create_type(L"Thread", THREAD_ALL_ACCESS, delete_thread);
}
