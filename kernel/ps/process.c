/*
 * ps/process.c - a process's object: made of an image, listed, deleted.
 *
 * Address space, handles and threads are gone before the object is: the last
 * thread takes them with it (exit.c).
 */
#include "psp.h"

#include <ex.h>
#include <kd.h>
#include <mm.h>

#define PROCESS_PRIORITY 8

LIST_ENTRY PsActiveProcessHead;
static EX_PUSH_LOCK active_lock;
static ULONGLONG last_domain;           /* EPROCESS.SecurityDomain */

void psp_insert_process(EPROCESS *process)
{
    ke_acquire_exclusive(&active_lock);
    InsertTailList(&PsActiveProcessHead, &process->ActiveProcessLinks);
    ke_release_exclusive(&active_lock);
}

void psp_remove_process(EPROCESS *process)
{
    ke_acquire_exclusive(&active_lock);
    RemoveEntryList(&process->ActiveProcessLinks);
    ke_release_exclusive(&active_lock);
}

void psp_lock_processes(void)
{
    ke_acquire_shared(&active_lock);
}

void psp_unlock_processes(void)
{
    ke_release_shared(&active_lock);
}

EPROCESS *ps_reference_process(ULONG index)
{
    LIST_ENTRY *entry;
    EPROCESS *process = NULL;

    psp_lock_processes();
    for (entry = PsActiveProcessHead.Flink;
         entry != &PsActiveProcessHead && index > 0; entry = entry->Flink)
        index--;
    if (entry != &PsActiveProcessHead) {
        process = CONTAINING_RECORD(entry, EPROCESS, ActiveProcessLinks);
        ObReferenceObject(process);
    }
    psp_unlock_processes();
    return process;
}

/* The 15th character is always 0. */
static void set_name(EPROCESS *process, const UNICODE_STRING *name)
{
    for (ULONG i = 0; i < sizeof process->ImageFileName - 1 &&
                      i < name->Length / sizeof(WCHAR); i++)
        process->ImageFileName[i] = (CHAR)name->Buffer[i];
}

static NTSTATUS allocate(void *section, const UNICODE_STRING *name,
                         EPROCESS *parent, EPROCESS **result)
{
    EPROCESS *process;
    void *object;
    NTSTATUS status = ob_create_object(PsProcessType, sizeof *process,
                                       &object);

    if (!NT_SUCCESS(status))
        return status;
    process = object;
    KeInitializeProcess(&process->Pcb, PROCESS_PRIORITY, 0);
    InitializeListHead(&process->ThreadListHead);
    process->InheritedFromUniqueProcessId = parent->UniqueProcessId;
    process->ExitStatus = STATUS_PENDING;
    process->SecurityDomain = __sync_add_and_fetch(&last_domain, 1);
    KeQuerySystemTime(&process->CreateTime);
    set_name(process, name);
    ObReferenceObject(section);
    process->SectionObject = section;
    process->UniqueProcessId = psp_allocate_cid(process);
    process->ObjectTable = ExCreateHandleTable(process);
    if (!process->UniqueProcessId || !process->ObjectTable) {
        ObKillProcess(process);
        ObDereferenceObject(process);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    ex_insert_handle_table(process->ObjectTable, process->UniqueProcessId);
    *result = process;
    return STATUS_SUCCESS;
}

/* What the last thread does for its process, from outside. */
static void empty(EPROCESS *process)
{
    KAPC_STATE state;

    ObKillProcess(process);
    if (!process->Pcb.DirectoryTableBase)
        return;
    KeStackAttachProcess(&process->Pcb, &state);
    mm_clean_address_space(process);
    KeUnstackDetachProcess(&state);
}

static NTSTATUS fill(EPROCESS *process,
                     const struct psp_parameters *parameters)
{
    struct psp_start start = {
        .process = process,
        .kind = psp_kind_of(process->SectionObject),
        .given = parameters,
    };
    KAPC_STATE state;
    NTSTATUS status = start.kind->prepare(process);

    if (NT_SUCCESS(status))
        status = MmCreateProcessAddressSpace(process);
    if (!NT_SUCCESS(status))
        return status;
    KeStackAttachProcess(&process->Pcb, &state);
    status = psp_build_user_space(&start);
    KeUnstackDetachProcess(&state);
    return status;
}

NTSTATUS psp_create_process(void *section, const UNICODE_STRING *name,
                            const struct psp_parameters *parameters,
                            EPROCESS *parent, EPROCESS **result)
{
    EPROCESS *process;
    NTSTATUS status = allocate(section, name, parent, &process);

    if (!NT_SUCCESS(status))
        return status;
    if (parameters->inherited)
        status = ob_inherit_handles(parent, process);
    if (NT_SUCCESS(status))
        status = fill(process, parameters);
    if (!NT_SUCCESS(status)) {
        empty(process);
        ObDereferenceObject(process);
        return status;
    }
    psp_insert_process(process);
    DbgPrintEx(KD_PS_ID, DPFLTR_INFO_LEVEL, "PS    process %llu %s is made\n",
               (ULONGLONG)process->UniqueProcessId, process->ImageFileName);
    *result = process;
    return STATUS_SUCCESS;
}

void psp_abandon_process(EPROCESS *process)
{
    psp_remove_process(process);
    empty(process);
    KeSetProcess(&process->Pcb, 0);
}

/* Runs when nobody refers to a process any more, never inside it. */
void psp_delete_process(void *object)
{
    EPROCESS *process = object;

    psp_free_cid(process->UniqueProcessId);
    ob_delete_handle_table(process);
    if (process->Pcb.DirectoryTableBase)
        mm_delete_address_space(process);
    if (process->SectionObject)
        ObDereferenceObject(process->SectionObject);
    if (process->WoW64Process)
        ExFreePoolWithTag(process->WoW64Process, PSP_WOW64_TAG);
}
