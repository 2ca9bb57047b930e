/*
 * ob/handle.c - from an object to a handle, and back.
 *
 * A handle table maps numbers to object headers and granted access (ex/
 * handle.c).  ObReferenceObjectByHandle is how every service starts that is
 * given a handle: it proves that the number means something, that it means an
 * object of the right type, and that the handle carries the right.  The
 * reference is taken while the entry is locked: a thread that closes the
 * handle meanwhile comes before or after, never between.
 */
#include "obp.h"
#include <ex.h>
#include <nt/ntapi.h>

/* Which process has an exclusive object, and how many handles. */
static KSPIN_LOCK obp_exclusive_lock;

/* May process have one more handle to an object that is somebody's own? */
static BOOLEAN obp_claim(OBJECT_HEADER *header, struct _EPROCESS *process)
{
    OBJECT_HEADER_PROCESS_INFO *info = obp_process_info(header);
    KIRQL irql = KeAcquireSpinLock(&obp_exclusive_lock);
    BOOLEAN ours = header->HandleCount == 0 ||
                   info->ExclusiveProcess == process;

    if (ours) {
        info->ExclusiveProcess = process;
        header->HandleCount++;
    }
    KeReleaseSpinLock(&obp_exclusive_lock, irql);
    return ours;
}

/* NT keeps handle counts per process as well; the object's is enough here. */
NTSTATUS obp_count_handle(OBJECT_HEADER *header, struct _EPROCESS *process,
                          ULONG attributes)
{
    OBJECT_TYPE *type = ObGetObjectType(&header->Body);
    BOOLEAN exclusive = (header->Flags & OB_FLAG_EXCLUSIVE_OBJECT) != 0;
    ULONG count;

    if ((attributes & OBJ_EXCLUSIVE) && !exclusive)
        return STATUS_INVALID_PARAMETER;
    if (!exclusive)
        __sync_add_and_fetch(&header->HandleCount, 1);
    else if (!obp_claim(header, process))
        return STATUS_ACCESS_DENIED;
    ObfReferenceObject(&header->Body);
    count = __sync_add_and_fetch(&type->TotalNumberOfHandles, 1);
    if (count > type->HighWaterNumberOfHandles)
        type->HighWaterNumberOfHandles = count;
    return STATUS_SUCCESS;
}

static LONGLONG obp_uncount(OBJECT_HEADER *header)
{
    LONGLONG left;
    KIRQL irql;

    if (!(header->Flags & OB_FLAG_EXCLUSIVE_OBJECT))
        return __sync_sub_and_fetch(&header->HandleCount, 1);
    irql = KeAcquireSpinLock(&obp_exclusive_lock);
    left = --header->HandleCount;
    KeReleaseSpinLock(&obp_exclusive_lock, irql);
    return left;
}

void obp_drop_handle(void *entry_object)
{
    OBJECT_HEADER *header = entry_object;
    OBJECT_TYPE *type = ObGetObjectType(&header->Body);
    LONGLONG left = obp_uncount(header);

    __sync_sub_and_fetch(&type->TotalNumberOfHandles, 1);
    if (type->TypeInfo.CloseProcedure != NULL)
        type->TypeInfo.CloseProcedure(&header->Body, left);
    if (left == 0)
        obp_delete_name_check(header);
    ObfDereferenceObject(&header->Body);
}

NTSTATUS obp_enter_handle(OBJECT_HEADER *header, struct _EPROCESS *process,
                          ACCESS_MASK granted, ULONG attributes,
                          HANDLE *handle)
{
    HANDLE_TABLE *table = obp_process_table(process);

    *handle = table == NULL ? NULL : ExCreateHandle(table, header, granted,
                                                    attributes);
    if (*handle != NULL)
        return STATUS_SUCCESS;
    obp_drop_handle(header);
    return table == NULL || (table->Flags & EX_TABLE_RUNDOWN)
               ? STATUS_PROCESS_IS_TERMINATING
               : STATUS_INSUFFICIENT_RESOURCES;
}

/* A pseudo handle carries every right. */
static BOOLEAN obp_reference_pseudo(struct _EPROCESS *process, HANDLE handle,
                                    struct obp_handle *result)
{
    result->object = obp_pseudo_object(process, handle);
    if (result->object == NULL)
        return FALSE;
    ObfReferenceObject(result->object);
    result->granted = ObGetObjectType(result->object)->TypeInfo.ValidAccessMask;
    result->attributes = 0;
    return TRUE;
}

NTSTATUS obp_reference_handle(struct _EPROCESS *process, HANDLE handle,
                              struct obp_handle *result)
{
    HANDLE_TABLE *table = obp_process_table(process);
    HANDLE_TABLE_ENTRY *entry;
    KIRQL irql;

    if (obp_reference_pseudo(process, handle, result))
        return STATUS_SUCCESS;
    entry = table == NULL ? NULL : ExMapHandleToPointer(table, handle, &irql);
    if (entry == NULL)
        return STATUS_INVALID_HANDLE;
    result->object = &((OBJECT_HEADER *)ex_entry_object(entry))->Body;
    result->granted = ex_entry_access(entry);
    result->attributes = ex_entry_attributes(entry);
    ObfReferenceObject(result->object);
    ExUnlockHandleTableEntry(entry, irql);
    return STATUS_SUCCESS;
}

NTSTATUS ObReferenceObjectByHandle(HANDLE handle, ACCESS_MASK access,
                                   OBJECT_TYPE *type, KPROCESSOR_MODE mode,
                                   void **object)
{
    struct obp_handle found;
    NTSTATUS status = obp_reference_handle(obp_current_process(), handle,
                                           &found);

    if (!NT_SUCCESS(status)) {
        obp_tell_bad_handle(handle, status);
        return status;
    }
    if (type != NULL && ObGetObjectType(found.object) != type)
        status = STATUS_OBJECT_TYPE_MISMATCH;
    else if (mode != KernelMode && (access & ~found.granted) != 0)
        status = STATUS_ACCESS_DENIED;
    if (NT_SUCCESS(status)) {
        *object = found.object;
    } else {
        obp_tell_bad_handle(handle, status);
        ObfDereferenceObject(found.object);
    }
    return status;
}
