/*
 * ps/init.c - the first processes: Idle, which the machine boots in, and
 * System, whose threads are the kernel's own.
 *
 * Idle and its thread exist before there is pool, so that KeGetCurrentThread
 * always answers.  They are no objects: nothing in ring 3 can name them.
 */
#include "psp.h"

#include <arch/entry.h>
#include <mm.h>

static EPROCESS idle_process;
static ETHREAD idle_thread;
EPROCESS *PsInitialSystemProcess SEALED;
OBJECT_TYPE *PsProcessType SEALED;
OBJECT_TYPE *PsThreadType SEALED;

#define SYSTEM_PRIORITY 8
#define IDLE_TAG 0x656C6449                     /* "Idle" */

void ps_initialize_boot_thread(void)
{
    memcpy(idle_process.ImageFileName, "Idle", sizeof "Idle");
    InitializeListHead(&idle_process.ThreadListHead);
    KeInitializeProcess(&idle_process.Pcb, LOW_PRIORITY, arch_read_cr3());
    ki_initialize_idle_thread(KeGetCurrentPrcb(), &idle_process.Pcb,
                              &idle_thread.Tcb, ki_idle_stack_base,
                              KERNEL_STACK_SIZE);
}

BOOLEAN ps_create_idle_thread(KPRCB *prcb, void *stack_base)
{
    ETHREAD *thread = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof *thread,
                                      IDLE_TAG);

    if (thread)
        ki_initialize_idle_thread(prcb, &idle_process.Pcb, &thread->Tcb,
                                  stack_base, KERNEL_STACK_SIZE);
    return thread != NULL;
}

static void create_system_process(void)
{
    EPROCESS *process;
    void *object;
    NTSTATUS status = ob_create_object(PsProcessType, sizeof *process,
                                       &object);

    if (!NT_SUCCESS(status))
        KeBugCheckEx(PHASE1_INITIALIZATION_FAILED, (ULONG)status, 0, 0, 0);
    process = object;
    KeInitializeProcess(&process->Pcb, SYSTEM_PRIORITY, arch_read_cr3());
    InitializeListHead(&process->ThreadListHead);
    process->UniqueProcessId = psp_allocate_cid(process);  /* 4, the first */
    process->ExitStatus = STATUS_PENDING;
    memcpy(process->ImageFileName, "System", sizeof "System");
    KeQuerySystemTime(&process->CreateTime);
    PsInitialSystemProcess = process;
    psp_insert_process(process);
}

/* What is dereferenced at a high level, Ob deletes in this thread. */
static void start_deletions(void)
{
    NTSTATUS status = ps_create_system_thread(ob_delete_deferred, NULL, NULL);

    if (!NT_SUCCESS(status))
        KeBugCheckEx(PHASE1_INITIALIZATION_FAILED, (ULONG)status, 2, 0, 0);
}

void ps_initialize(void)
{
    InitializeListHead(&PsActiveProcessHead);
    PsProcessType = ob_create_type(L"Process", PROCESS_ALL_ACCESS,
                                   psp_delete_process);
    PsThreadType = ob_create_type(L"Thread", THREAD_ALL_ACCESS,
                                  psp_delete_thread);
    ob_set_waitable(PsProcessType, offsetof(EPROCESS, Pcb.Header));
    ob_set_waitable(PsThreadType, offsetof(ETHREAD, Tcb.Header));
    psp_initialize_cids();
    create_system_process();
    psp_start_reaper();
    start_deletions();
    psp_publish_list();
}
