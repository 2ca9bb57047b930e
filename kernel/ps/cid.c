/*
 * ps/cid.c - who is behind a process or thread id.
 *
 * Ids are handles of one table of the kernel's, so they are multiples of 4
 * and no process has the id of a thread.  An id is its object's for as long
 * as the object is there, also after the end of what it stood for.
 *
 * The table holds no references: an object takes itself out when it is
 * deleted (psp_free_cid).  So a lookup may find one whose last reference has
 * just gone; that one is not to be had any more.
 */
#include "psp.h"

#include <ex.h>

HANDLE_TABLE *PspCidTable;
static EX_PUSH_LOCK psp_cid_lock;

void psp_initialize_cids(void)
{
    PspCidTable = ExCreateHandleTable(NULL);
    if (!PspCidTable)
        KeBugCheckEx(PHASE0_INITIALIZATION_FAILED, 0, 0, 0, 0);
}

HANDLE psp_allocate_cid(void *object)
{
    HANDLE id;

    ke_acquire_exclusive(&psp_cid_lock);
    id = ExCreateHandle(PspCidTable, object, 0);
    ke_release_exclusive(&psp_cid_lock);
    return id;
}

void psp_free_cid(HANDLE id)
{
    HANDLE_TABLE_ENTRY *entry;

    if (!id)
        return;
    ke_acquire_exclusive(&psp_cid_lock);
    entry = ExMapHandleToPointer(PspCidTable, id);
    ASSERT(entry != NULL);
    ExDestroyHandle(PspCidTable, entry);
    ke_release_exclusive(&psp_cid_lock);
}

/* A reference if there is one left to share. */
static BOOLEAN reference_living(void *object)
{
    OBJECT_HEADER *header = CONTAINING_RECORD(object, OBJECT_HEADER, Body);
    LONGLONG count = header->PointerCount;

    while (count > 0) {
        LONGLONG seen = __sync_val_compare_and_swap(&header->PointerCount,
                                                    count, count + 1);

        if (seen == count)
            return TRUE;
        count = seen;
    }
    return FALSE;
}

static NTSTATUS look_up(HANDLE id, OBJECT_TYPE *type, void **result)
{
    NTSTATUS status = STATUS_INVALID_PARAMETER;
    HANDLE_TABLE_ENTRY *entry;
    void *object;

    ke_acquire_shared(&psp_cid_lock);
    entry = ExMapHandleToPointer(PspCidTable, id);
    object = entry ? ex_entry_object(entry) : NULL;
    if (object && ObGetObjectType(object) == type &&
        reference_living(object)) {
        *result = object;
        status = STATUS_SUCCESS;
    }
    ke_release_shared(&psp_cid_lock);
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
