/*
 * ob/handle.c - from an object to a handle, and back.
 *
 * A handle table maps numbers to object headers and granted access (ex/
 * handle.c).  ObReferenceObjectByHandle is how every service starts that is
 * given a handle: it proves that the number means something, that it means an
 * object of the right type, and that the handle carries the right.
 */
#include "obp.h"
#include <ex.h>

/* NT keeps handle counts per process as well; the object's is enough here. */
static void obp_count_handle(OBJECT_HEADER *header)
{
    OBJECT_TYPE *type = ObGetObjectType(&header->Body);

    header->HandleCount++;
    type->TotalNumberOfHandles++;
    if (type->TotalNumberOfHandles > type->HighWaterNumberOfHandles)
        type->HighWaterNumberOfHandles = type->TotalNumberOfHandles;
}

void obp_drop_handle(void *entry_object)
{
    OBJECT_HEADER *header = entry_object;
    OBJECT_TYPE *type = ObGetObjectType(&header->Body);

    header->HandleCount--;
    type->TotalNumberOfHandles--;
    if (type->TypeInfo.CloseProcedure != NULL)
        type->TypeInfo.CloseProcedure(&header->Body, header->HandleCount);
    ObfDereferenceObject(&header->Body);
}

NTSTATUS ob_create_handle(void *object, ACCESS_MASK access, HANDLE *handle)
{
    OBJECT_TYPE *type = ObGetObjectType(object);
    HANDLE_TABLE *table = obp_current_table();
    ACCESS_MASK granted;
    NTSTATUS status = ob_map_access(type, access,
                                    type->TypeInfo.ValidAccessMask, &granted);

    if (!NT_SUCCESS(status))
        return status;
    if (table == NULL)
        return STATUS_PROCESS_IS_TERMINATING;
    *handle = ExCreateHandle(table, obp_header(object), granted);
    if (*handle == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    ObfReferenceObject(object);
    obp_count_handle(obp_header(object));
    return STATUS_SUCCESS;
}

/* The object and the access its handle carries; a pseudo handle's is full. */
static NTSTATUS obp_look_up(HANDLE handle, void **object, ACCESS_MASK *granted)
{
    HANDLE_TABLE *table = obp_current_table();
    HANDLE_TABLE_ENTRY *entry;
    OBJECT_HEADER *header;

    *object = obp_pseudo_object(handle);
    if (*object != NULL) {
        *granted = ObGetObjectType(*object)->TypeInfo.ValidAccessMask;
        return STATUS_SUCCESS;
    }
    entry = table == NULL ? NULL : ExMapHandleToPointer(table, handle);
    if (entry == NULL)
        return STATUS_INVALID_HANDLE;
    header = ex_entry_object(entry);
    *object = &header->Body;
    *granted = ex_entry_access(entry);
    return STATUS_SUCCESS;
}

NTSTATUS ObReferenceObjectByHandle(HANDLE handle, ACCESS_MASK access,
                                   OBJECT_TYPE *type, KPROCESSOR_MODE mode,
                                   void **object)
{
    ACCESS_MASK granted;
    void *found;
    NTSTATUS status = obp_look_up(handle, &found, &granted);

    if (!NT_SUCCESS(status))
        return status;
    if (type != NULL && ObGetObjectType(found) != type)
        return STATUS_OBJECT_TYPE_MISMATCH;
    if (mode != KernelMode && (access & ~granted) != 0)
        return STATUS_ACCESS_DENIED;
    ObfReferenceObject(found);
    *object = found;
    return STATUS_SUCCESS;
}
