/*
 * ob/insert.c - ObInsertObject and ObOpenObjectByName: names and handles meet.
 *
 * The handle is counted while the directory is locked: if an object's last
 * handle closes meanwhile, whoever found the name first keeps it alive, and
 * nobody gets a handle to an object whose name is already gone.
 */
#include "obp.h"
#include <mm.h>
#include <nt/ntapi.h>

/* What of a caller's attributes stays with the handle. */
static ULONG obp_handle_attributes(ULONG attributes)
{
    return attributes & OBJ_INHERIT;
}

/* The name is taken: what does the creator of object get instead? */
static NTSTATUS obp_meet_older(void *object, void *older, ULONG attributes)
{
    if (ObGetObjectType(object) != ObGetObjectType(older))
        return STATUS_OBJECT_TYPE_MISMATCH;
    return attributes & OBJ_OPENIF ? STATUS_OBJECT_NAME_EXISTS
                                   : STATUS_OBJECT_NAME_COLLISION;
}

/* The object's name becomes its last part, in a buffer of its own. */
static BOOLEAN obp_prepare_name(const UNICODE_STRING *path,
                                UNICODE_STRING *name,
                                OBJECT_DIRECTORY_ENTRY **entry)
{
    USHORT length = 0;

    while (length < path->Length &&
           path->Buffer[(path->Length - length) / sizeof(WCHAR) - 1] != L'\\')
        length += sizeof(WCHAR);
    name->Length = name->MaximumLength = length;
    name->Buffer = ExAllocatePool2(POOL_FLAG_NON_PAGED,
                                   length + sizeof(WCHAR), OBP_NAME_TAG);
    *entry = obp_allocate_entry();
    if (name->Buffer == NULL || *entry == NULL)
        return FALSE;
    memcpy(name->Buffer,
           (char *)path->Buffer + path->Length - length, length);
    return TRUE;
}

/*
 * Find what has the name, or give it to object; count a handle to it.
 * *result, referenced, is object or the older one.  *name and *entry are
 * emptied when they are used.
 */
static NTSTATUS obp_enter_name(void *object,
                               const OBJECT_CREATE_INFORMATION *information,
                               const UNICODE_STRING *path,
                               UNICODE_STRING *name,
                               OBJECT_DIRECTORY_ENTRY **entry, void **result)
{
    struct obp_lookup lookup;
    NTSTATUS status = obp_look_up_name(information, path, &lookup);
    NTSTATUS counted;

    if (!NT_SUCCESS(status))
        return status;
    *result = lookup.object != NULL ? lookup.object : object;
    if (lookup.object != NULL)
        status = obp_meet_older(object, lookup.object,
                                information->Attributes);
    counted = NT_SUCCESS(status)
                  ? obp_count_handle(obp_header(*result),
                                     obp_current_process(),
                                     information->Attributes)
                  : status;
    if (NT_SUCCESS(counted) && lookup.object == NULL) {
        obp_insert_entry(lookup.directory, object, name, *entry);
        *name = (UNICODE_STRING){ 0 };
        *entry = NULL;
    }
    obp_end_lookup(&lookup);
    return NT_SUCCESS(counted) ? status : counted;
}

static NTSTATUS obp_insert_named(void *object,
                                 const OBJECT_CREATE_INFORMATION *information,
                                 void **result)
{
    OBJECT_HEADER_NAME_INFO *info = obp_name_info(obp_header(object));
    UNICODE_STRING path = info->Name, name;
    OBJECT_DIRECTORY_ENTRY *entry;
    NTSTATUS status = STATUS_INSUFFICIENT_RESOURCES;

    info->Name = (UNICODE_STRING){ 0 };
    if (obp_prepare_name(&path, &name, &entry))
        status = obp_enter_name(object, information, &path, &name, &entry,
                                result);
    obp_free_entry(entry);
    obp_free_name(&name);
    obp_free_name(&path);
    return status;
}

/* *result has a counted handle, which holds it. */
static NTSTATUS obp_insert(void *object,
                           const OBJECT_CREATE_INFORMATION *information,
                           void **result)
{
    *result = object;
    if (obp_name_info(obp_header(object)) != NULL)
        return obp_insert_named(object, information, result);
    return obp_count_handle(obp_header(object), obp_current_process(),
                            information->Attributes);
}

NTSTATUS ObInsertObject(void *object, ACCESS_MASK access, HANDLE *handle)
{
    OBJECT_HEADER *header = obp_header(object);
    OBJECT_TYPE *type = ObGetObjectType(object);
    OBJECT_CREATE_INFORMATION information = *header->ObjectCreateInfo;
    ACCESS_MASK granted;
    void *result;
    NTSTATUS status, entered;

    ExFreePoolWithTag(header->ObjectCreateInfo, OBP_TAG);
    header->ObjectCreateInfo = NULL;
    status = obp_insert(object, &information, &result);
    if (NT_SUCCESS(status)) {
        entered = ob_map_access(type, access, type->TypeInfo.ValidAccessMask,
                                &granted);
        if (NT_SUCCESS(entered))
            entered = obp_enter_handle(
                obp_header(result), obp_current_process(), granted,
                obp_handle_attributes(information.Attributes), handle);
        else
            obp_drop_handle(obp_header(result));
        if (!NT_SUCCESS(entered))
            status = entered;
    }
    ObfDereferenceObject(object);
    return status;
}

/* Find an object of a type and count a handle to it. */
static NTSTATUS obp_find_named(const OBJECT_CREATE_INFORMATION *information,
                               const UNICODE_STRING *path, OBJECT_TYPE *type,
                               void **result)
{
    struct obp_lookup lookup;
    NTSTATUS status = obp_look_up_name(information, path, &lookup);

    if (!NT_SUCCESS(status))
        return status;
    if (lookup.object == NULL)
        status = STATUS_OBJECT_NAME_NOT_FOUND;
    else if (type != NULL && ObGetObjectType(lookup.object) != type)
        status = STATUS_OBJECT_TYPE_MISMATCH;
    else
        status = obp_count_handle(obp_header(lookup.object),
                                  obp_current_process(),
                                  information->Attributes);
    *result = lookup.object;
    obp_end_lookup(&lookup);
    return status;
}

NTSTATUS ObOpenObjectByName(const OBJECT_ATTRIBUTES *attributes,
                            OBJECT_TYPE *type, KPROCESSOR_MODE mode,
                            ACCESS_MASK access, HANDLE *handle)
{
    OBJECT_CREATE_INFORMATION information;
    UNICODE_STRING path;
    ACCESS_MASK granted;
    void *object;
    NTSTATUS status;

    if (attributes == NULL)
        return STATUS_INVALID_PARAMETER;
    status = obp_capture_attributes(mode, attributes, &information, &path);
    if (!NT_SUCCESS(status))
        return status;
    status = obp_find_named(&information, &path, type, &object);
    obp_free_name(&path);
    if (!NT_SUCCESS(status))
        return status;
    type = ObGetObjectType(object);
    status = ob_map_access(type, access, type->TypeInfo.ValidAccessMask,
                           &granted);
    if (!NT_SUCCESS(status)) {
        obp_drop_handle(obp_header(object));
        return status;
    }
    return obp_enter_handle(obp_header(object), obp_current_process(),
                            granted,
                            obp_handle_attributes(information.Attributes),
                            handle);
}

NTSTATUS ObOpenObjectByPointer(void *object, struct _EPROCESS *process,
                               ULONG attributes, ACCESS_MASK access,
                               OBJECT_TYPE *type, HANDLE *handle)
{
    OBJECT_TYPE *own = ObGetObjectType(object);
    ACCESS_MASK granted;
    NTSTATUS status;

    if (type != NULL && own != type)
        return STATUS_OBJECT_TYPE_MISMATCH;
    if ((attributes & ~OBJ_VALID_ATTRIBUTES) ||
        (attributes & own->TypeInfo.InvalidAttributes))
        return STATUS_INVALID_PARAMETER;
    status = ob_map_access(own, access, own->TypeInfo.ValidAccessMask,
                           &granted);
    if (NT_SUCCESS(status))
        status = obp_count_handle(obp_header(object), process, attributes);
    if (!NT_SUCCESS(status))
        return status;
    return obp_enter_handle(obp_header(object), process, granted,
                            obp_handle_attributes(attributes), handle);
}

NTSTATUS ob_create_handle(void *object, ACCESS_MASK access, HANDLE *handle)
{
    return ObOpenObjectByPointer(object, obp_current_process(), 0, access,
                                 NULL, handle);
}
