/*
 * ob/create.c - from a caller's OBJECT_ATTRIBUTES to an object that has no
 * name yet.
 *
 * Services that make objects work in two steps.  ObCreateObject captures and
 * checks what the caller says and allocates; the service fills the body; and
 * ObInsertObject (insert.c) looks for the name and gives a handle.  Between
 * the two nobody else knows of the object.
 */
#include "obp.h"
#include <mm.h>

/* Longer names do not leave room for a terminator in a UNICODE_STRING. */
#define OBP_LONGEST_NAME 65532

/* What only the kernel may ask for is not heard from ring 3. */
#define OBP_KERNEL_ATTRIBUTES (OBJ_KERNEL_HANDLE | OBJ_FORCE_ACCESS_CHECK)

void obp_free_name(UNICODE_STRING *name)
{
    if (name->Buffer != NULL)
        ExFreePoolWithTag(name->Buffer, OBP_NAME_TAG);
    *name = (UNICODE_STRING){ 0 };
}

static NTSTATUS obp_probe(KPROCESSOR_MODE mode, const void *address,
                          SIZE_T size, ULONG alignment)
{
    return mode == KernelMode ? STATUS_SUCCESS
                              : mm_probe_for_read(address, size, alignment);
}

static NTSTATUS obp_capture_name(KPROCESSOR_MODE mode,
                                 const UNICODE_STRING *user,
                                 UNICODE_STRING *name)
{
    UNICODE_STRING string;
    NTSTATUS status = obp_probe(mode, user, sizeof *user, sizeof(ULONG));

    if (NT_SUCCESS(status))
        status = mm_copy_from_mode(mode, &string, user, sizeof string);
    if (!NT_SUCCESS(status) || string.Length == 0)
        return status;
    if ((string.Length & 1) || string.Length > OBP_LONGEST_NAME)
        return STATUS_OBJECT_NAME_INVALID;
    status = obp_probe(mode, string.Buffer, string.Length, sizeof(WCHAR));
    if (!NT_SUCCESS(status))
        return status;
    name->Buffer = ExAllocatePool2(POOL_FLAG_NON_PAGED, string.Length,
                                   OBP_NAME_TAG);
    if (name->Buffer == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    status = mm_copy_from_mode(mode, name->Buffer, string.Buffer,
                               string.Length);
    name->Length = name->MaximumLength = string.Length;
    if (!NT_SUCCESS(status))
        obp_free_name(name);
    return status;
}

NTSTATUS obp_capture_attributes(KPROCESSOR_MODE mode,
                                const OBJECT_ATTRIBUTES *user,
                                OBJECT_CREATE_INFORMATION *information,
                                UNICODE_STRING *name)
{
    OBJECT_ATTRIBUTES attributes;
    NTSTATUS status;

    *information = (OBJECT_CREATE_INFORMATION){ .ProbeMode = mode };
    *name = (UNICODE_STRING){ 0 };
    if (user == NULL)
        return STATUS_SUCCESS;
    status = obp_probe(mode, user, sizeof *user, sizeof(ULONG));
    if (NT_SUCCESS(status))
        status = mm_copy_from_mode(mode, &attributes, user,
                                   sizeof attributes);
    if (!NT_SUCCESS(status))
        return status;
    if (attributes.Length != sizeof attributes ||
        (attributes.Attributes & ~OBJ_VALID_ATTRIBUTES))
        return STATUS_INVALID_PARAMETER;
    information->Attributes = attributes.Attributes;
    if (mode != KernelMode)
        information->Attributes &= ~OBP_KERNEL_ATTRIBUTES;
    information->RootDirectory = attributes.RootDirectory;
    if (attributes.ObjectName != NULL)
        return obp_capture_name(mode, attributes.ObjectName, name);
    return attributes.RootDirectory != NULL ? STATUS_OBJECT_NAME_INVALID
                                            : STATUS_SUCCESS;
}

static UCHAR obp_info_mask(const OBJECT_CREATE_INFORMATION *information,
                           const UNICODE_STRING *name)
{
    return (name->Buffer != NULL ? OBP_NAME_INFO : 0) |
           (information->Attributes & OBJ_EXCLUSIVE ? OBP_PROCESS_INFO : 0);
}

/* An object that has what information asks for; takes the name over. */
static NTSTATUS obp_create(OBJECT_TYPE *type, SIZE_T size,
                           const OBJECT_CREATE_INFORMATION *information,
                           const UNICODE_STRING *name, void **object)
{
    OBJECT_CREATE_INFORMATION *kept = ExAllocatePool2(POOL_FLAG_NON_PAGED,
                                                      sizeof *kept, OBP_TAG);
    OBJECT_HEADER *header;
    NTSTATUS status = STATUS_INSUFFICIENT_RESOURCES;

    if (kept != NULL)
        status = obp_allocate_object(type, size,
                                     obp_info_mask(information, name),
                                     object);
    if (!NT_SUCCESS(status)) {
        if (kept != NULL)
            ExFreePoolWithTag(kept, OBP_TAG);
        return status;
    }
    *kept = *information;
    header = obp_header(*object);
    header->ObjectCreateInfo = kept;
    if (information->Attributes & OBJ_EXCLUSIVE)
        header->Flags |= OB_FLAG_EXCLUSIVE_OBJECT;
    if (information->Attributes & OBJ_PERMANENT)
        header->Flags |= OB_FLAG_PERMANENT_OBJECT;
    if (name->Buffer != NULL)
        obp_name_info(header)->Name = *name;
    return STATUS_SUCCESS;
}

/* NT: OBJ_PERMANENT takes SeCreatePermanentPrivilege. */
NTSTATUS ObCreateObject(KPROCESSOR_MODE mode, OBJECT_TYPE *type,
                        const OBJECT_ATTRIBUTES *attributes, SIZE_T size,
                        void **object)
{
    OBJECT_CREATE_INFORMATION information;
    UNICODE_STRING name;
    NTSTATUS status = obp_capture_attributes(mode, attributes, &information,
                                             &name);

    if (!NT_SUCCESS(status))
        return status;
    if (information.Attributes & type->TypeInfo.InvalidAttributes)
        status = STATUS_INVALID_PARAMETER;
    else if ((information.Attributes & OBJ_PERMANENT) && mode != KernelMode)
        status = STATUS_PRIVILEGE_NOT_HELD;
    else
        status = obp_create(type, size, &information, &name, object);
    if (!NT_SUCCESS(status))
        obp_free_name(&name);
    return status;
}
