/*
 * ps/cid.c - who is behind a process or thread id.
 *
 * Ids are handles of one table of the kernel's, so they are multiples of 4
 * and no process has the id of a thread.  An id is its object's for as long
 * as the object is there, also after the end of what it stood for.
 *
 * The table holds no references: an object takes itself out when it is
 * deleted (psp_free_cid), before which the entry's lock keeps it there.  So a
 * lookup may find one whose last reference has just gone; that one is not to
 * be had any more.
 */
#include "psp.h"

#include <ex.h>

HANDLE_TABLE *PspCidTable SEALED;

void psp_initialize_cids(void)
{
    PspCidTable = ExCreateHandleTable(NULL);
    if (!PspCidTable)
        KeBugCheckEx(PHASE0_INITIALIZATION_FAILED, 0, 0, 0, 0);
}

HANDLE psp_allocate_cid(void *object)
{
    return ExCreateHandle(PspCidTable, object, 0, 0);
}

void psp_free_cid(HANDLE id)
{
    HANDLE_TABLE_ENTRY *entry;
    KIRQL irql;

    if (!id)
        return;
    entry = ExMapHandleToPointer(PspCidTable, id, &irql);
    ASSERT(entry != NULL);
    ExDestroyHandle(PspCidTable, entry, irql);
}

static NTSTATUS look_up(HANDLE id, OBJECT_TYPE *type, void **result)
{
    NTSTATUS status = STATUS_INVALID_PARAMETER;
    HANDLE_TABLE_ENTRY *entry;
    void *object;
    KIRQL irql;

    entry = ExMapHandleToPointer(PspCidTable, id, &irql);
    if (!entry)
        return status;
    object = ex_entry_object(entry);
    if (ObGetObjectType(object) == type && ObReferenceObjectSafe(object)) {
        *result = object;
        status = STATUS_SUCCESS;
    }
    ExUnlockHandleTableEntry(entry, irql);
    return status;
}

NTSTATUS PsLookupProcessByProcessId(HANDLE id, EPROCESS **process)
{
    return look_up(id, PsProcessType, (void **)process);
}

NTSTATUS PsLookupThreadByThreadId(HANDLE id, ETHREAD **thread)
{
    return look_up(id, PsThreadType, (void **)thread);
}
