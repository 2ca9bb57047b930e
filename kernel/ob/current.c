/*
 * ob/current.c - whose handles they are.
 *
 * Handles belong to the process whose address space is loaded, or to one that
 * the caller names.  The process is Ps's, one layer up: this is the only file
 * of Ob that looks there.
 */
#include "obp.h"
#include <ex.h>
#include <nt/ntps.h>
#include <ps.h>

struct _EPROCESS *obp_current_process(void)
{
    return PsGetCurrentProcess();
}

void obp_show_bad_handle(HANDLE handle, NTSTATUS status)
{
    DbgPrintEx(KD_OB_ID, DPFLTR_INFO_LEVEL,
               "OB    handle %llx, process %llu: %08x\n", (ULONGLONG)handle,
               (ULONGLONG)PsGetCurrentProcess()->UniqueProcessId, status);
}

HANDLE_TABLE *obp_process_table(EPROCESS *process)
{
    return process->ObjectTable;
}

void *obp_pseudo_object(EPROCESS *process, HANDLE handle)
{
    if (handle == OB_CURRENT_PROCESS)
        return process;
    if (handle == OB_CURRENT_THREAD)
        return PsGetCurrentThread();
    return NULL;
}

NTSTATUS obp_reference_process(HANDLE handle, EPROCESS **process)
{
    return ObReferenceObjectByHandle(handle, PROCESS_DUP_HANDLE,
                                     PsProcessType, ExGetPreviousMode(),
                                     (void **)process);
}

void ObKillProcess(EPROCESS *process)
{
    if (process->ObjectTable != NULL)
        ex_sweep_handle_table(process->ObjectTable, obp_drop_handle);
}

void ob_delete_handle_table(EPROCESS *process)
{
    if (process->ObjectTable == NULL)
        return;
    ExRemoveHandleTable(process->ObjectTable);
    ex_free_handle_table(process->ObjectTable);
    process->ObjectTable = NULL;
}

static BOOLEAN obp_keep_handle(EPROCESS *process, void *object,
                               ULONG attributes)
{
    return (attributes & OBJ_INHERIT) &&
           NT_SUCCESS(obp_count_handle(object, process, 0));
}

NTSTATUS ob_inherit_handles(EPROCESS *parent, EPROCESS *child)
{
    HANDLE_TABLE *table = ExDupHandleTable(child, parent->ObjectTable,
                                           obp_keep_handle);

    if (table == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    ob_delete_handle_table(child);
    child->ObjectTable = table;
    ex_insert_handle_table(table, child->UniqueProcessId);
    return STATUS_SUCCESS;
}

ULONG ObGetProcessHandleCount(EPROCESS *process)
{
    return process->ObjectTable != NULL
               ? process->ObjectTable->FreeLists[0].HandleCount : 0;
}
