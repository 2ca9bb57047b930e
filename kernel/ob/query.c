/*
 * ob/query.c - NtQueryObject and NtSetInformationObject: what there is to know
 * about an object and a handle.
 *
 * Any handle will do, whatever its rights.  Structures of one size must be
 * asked for with just that size; those with a text behind them tell in
 * ReturnLength how much they want.
 */
#include "obp.h"
#include <ex.h>
#include <mm.h>
#include <nt/ntapi.h>

#define OBP_LONGEST_PATH 0xFFFE

struct obp_answer {
    void *user;
    ULONG length;                       /* of the caller's buffer */
    ULONG needed;                       /* the answer's, for ReturnLength */
    BOOLEAN narrow;                     /* a string's pointer has 32 bits */
};

/* ---- The name ---- */

/* Put a backslash and a name before *start; FALSE: it became too long. */
static BOOLEAN obp_prepend(WCHAR *path, ULONG *start,
                           const UNICODE_STRING *name)
{
    ULONG characters = name->Length / sizeof(WCHAR);

    if (*start < characters + 1)
        return FALSE;
    *start -= characters;
    memcpy(&path[*start], name->Buffer, name->Length);
    path[--*start] = L'\\';
    return TRUE;
}

/*
 * From an object to the root.  A referenced object's name does not change
 * any more.  *start: where the path begins in path, which it fills to its end.
 */
static NTSTATUS obp_build_path(void *object, WCHAR *path, ULONG *start)
{
    OBJECT_DIRECTORY *directory;
    BOOLEAN fits = TRUE;

    if (object == ObpRootDirectoryObject) {
        path[--*start] = L'\\';
        return STATUS_SUCCESS;
    }
    ObfReferenceObject(object);
    while (fits && object != NULL && object != ObpRootDirectoryObject) {
        directory = obp_reference_directory_of(obp_header(object));
        if (directory != NULL)
            fits = obp_prepend(path, start,
                               &obp_name_info(obp_header(object))->Name);
        ObfDereferenceObject(object);
        object = directory;
    }
    if (object != NULL)
        ObfDereferenceObject(object);
    return fits ? STATUS_SUCCESS : STATUS_NAME_TOO_LONG;
}

/* A UNICODE_STRING and its text, which ends in a 0 that Length leaves out. */
static NTSTATUS obp_give_name(const WCHAR *text, ULONG bytes,
                              struct obp_answer *answer)
{
    const ULONG size = answer->narrow ? 2 * sizeof(ULONG)
                                      : sizeof(OBJECT_NAME_INFORMATION);
    const ULONG all = bytes != 0 ? bytes + sizeof(WCHAR) : 0;
    UCHAR *user = answer->user;
    OBJECT_NAME_INFORMATION name;
    ULONG narrow[2] = { bytes | all << 16, 0 };
    NTSTATUS status;

    memset(&name, 0, sizeof name);      /* it has a gap */
    name.Name.Length = (USHORT)bytes;
    name.Name.MaximumLength = (USHORT)all;
    answer->needed = size + all;
    if (answer->length < size)
        return STATUS_INFO_LENGTH_MISMATCH;
    if (answer->length < answer->needed)
        return STATUS_BUFFER_OVERFLOW;
    if (bytes != 0) {
        name.Name.Buffer = (WCHAR *)(user + size);
        narrow[1] = (ULONG)(ULONG_PTR)(user + size);
    }
    status = mm_copy_to_user(user, answer->narrow ? (void *)narrow : &name,
                             size);
    if (NT_SUCCESS(status) && bytes != 0)
        status = mm_copy_to_user(user + size, text, all);
    return status;
}

static NTSTATUS obp_query_name(const struct obp_handle *handle,
                               struct obp_answer *answer)
{
    ULONG end = OBP_LONGEST_PATH / sizeof(WCHAR) - 1, start = end;
    WCHAR *path = ExAllocatePool2(POOL_FLAG_NON_PAGED,
                                  OBP_LONGEST_PATH, OBP_NAME_TAG);
    NTSTATUS status;

    if (path == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    status = obp_build_path(handle->object, path, &start);
    if (NT_SUCCESS(status))
        status = obp_give_name(&path[start], (end - start) * sizeof(WCHAR),
                               answer);
    ExFreePoolWithTag(path, OBP_NAME_TAG);
    return status;
}

/* ---- The others ---- */

static NTSTATUS obp_give(const void *information, ULONG size,
                         struct obp_answer *answer)
{
    answer->needed = size;
    if (answer->length != size)
        return STATUS_INFO_LENGTH_MISMATCH;
    return mm_copy_to_user(answer->user, information, size);
}

/* Of flags that the object has and of those that the handle has. */
static ULONG obp_attributes(const struct obp_handle *handle)
{
    const OBJECT_HEADER *header = obp_header(handle->object);

    return (handle->attributes & OBJ_INHERIT) |
           (header->Flags & OB_FLAG_PERMANENT_OBJECT ? OBJ_PERMANENT : 0) |
           (header->Flags & OB_FLAG_EXCLUSIVE_OBJECT ? OBJ_EXCLUSIVE : 0);
}

/* The reference of this very query does not count. */
static NTSTATUS obp_query_basic(const struct obp_handle *handle,
                                struct obp_answer *answer)
{
    OBJECT_HEADER *header = obp_header(handle->object);
    const OBJECT_TYPE *type = ObGetObjectType(handle->object);
    const OBJECT_HEADER_NAME_INFO *name = obp_name_info(header);
    OBJECT_BASIC_INFORMATION information = {
        .Attributes = obp_attributes(handle),
        .GrantedAccess = handle->granted,
        .HandleCount = header->HandleCount,
        .PointerCount = header->PointerCount - 1,
        .TypeInfoSize = sizeof(OBJECT_TYPE_INFORMATION) + type->Name.Length +
                        sizeof(WCHAR),
    };

    if (name != NULL && name->Directory != NULL)
        information.NameInfoSize = sizeof(OBJECT_NAME_INFORMATION) +
                                   name->Name.Length + 2 * sizeof(WCHAR);
    return obp_give(&information, sizeof information, answer);
}

static NTSTATUS obp_query_type(const struct obp_handle *handle,
                               struct obp_answer *answer)
{
    const OBJECT_TYPE *type = ObGetObjectType(handle->object);
    const ULONG text = type->Name.Length + sizeof(WCHAR);
    OBJECT_TYPE_INFORMATION *user = answer->user;
    OBJECT_TYPE_INFORMATION information;
    NTSTATUS status;

    answer->needed = sizeof information + ALIGN_UP(text, sizeof(void *));
    if (answer->length < answer->needed)
        return STATUS_INFO_LENGTH_MISMATCH;
    memset(&information, 0, sizeof information);        /* it has gaps */
    information.TypeName.Length = type->Name.Length;
    information.TypeName.MaximumLength = (USHORT)text;
    information.TypeName.Buffer = (WCHAR *)(user + 1);
    information.TotalNumberOfObjects = type->TotalNumberOfObjects;
    information.TotalNumberOfHandles = type->TotalNumberOfHandles;
    information.HighWaterNumberOfObjects = type->HighWaterNumberOfObjects;
    information.HighWaterNumberOfHandles = type->HighWaterNumberOfHandles;
    information.InvalidAttributes = type->TypeInfo.InvalidAttributes;
    information.GenericMapping = type->TypeInfo.GenericMapping;
    information.ValidAccessMask = type->TypeInfo.ValidAccessMask;
    information.TypeIndex = type->Index;
    status = mm_copy_to_user(user, &information, sizeof information);
    if (NT_SUCCESS(status))
        status = mm_copy_to_user(user + 1, type->Name.Buffer, text);
    return status;
}

static NTSTATUS obp_query_flags(const struct obp_handle *handle,
                                struct obp_answer *answer)
{
    const OBJECT_HANDLE_FLAG_INFORMATION information = {
        (handle->attributes & OBJ_INHERIT) != 0,
        (handle->attributes & OBJ_PROTECT_CLOSE) != 0,
    };

    return obp_give(&information, sizeof information, answer);
}

static NTSTATUS (*const obp_queries[])(const struct obp_handle *handle,
                                       struct obp_answer *answer) = {
    [ObjectBasicInformation] = obp_query_basic,
    [ObjectNameInformation] = obp_query_name,
    [ObjectTypeInformation] = obp_query_type,
    [ObjectHandleFlagInformation] = obp_query_flags,
};

static NTSTATUS obp_query(HANDLE handle, ULONG class,
                          struct obp_answer *answer)
{
    struct obp_handle found;
    NTSTATUS status;

    if (class >= ARRAY_SIZE(obp_queries) || obp_queries[class] == NULL)
        return STATUS_INVALID_INFO_CLASS;
    status = obp_reference_handle(obp_current_process(), handle, &found);
    if (!NT_SUCCESS(status))
        return status;
    status = obp_queries[class](&found, answer);
    ObfDereferenceObject(found.object);
    return status;
}

NTSTATUS ob_query_object(HANDLE handle, ULONG class, void *buffer,
                         ULONG length, ULONG *return_length, BOOLEAN narrow)
{
    struct obp_answer answer = {
        .user = buffer, .length = length, .narrow = narrow
    };
    ULONG alignment = class == ObjectHandleFlagInformation ? 1
                                                           : sizeof(ULONG);
    NTSTATUS status = mm_probe_for_write(buffer, length, alignment);

    if (NT_SUCCESS(status) && return_length != NULL)
        status = mm_probe_for_write(return_length, sizeof *return_length,
                                    sizeof(ULONG));
    if (!NT_SUCCESS(status))
        return status;
    status = obp_query(handle, class, &answer);
    if (return_length != NULL && answer.needed != 0 &&
        !NT_SUCCESS(mm_copy_to_user(return_length, &answer.needed,
                                    sizeof answer.needed)))
        return STATUS_ACCESS_VIOLATION;
    return status;
}

/*
 * STATUS_INVALID_INFO_CLASS, STATUS_INFO_LENGTH_MISMATCH; for a name
 * STATUS_BUFFER_OVERFLOW: only its UNICODE_STRING would fit.
 */
NTSTATUS NtQueryObject(HANDLE Handle, ULONG ObjectInformationClass,
                       void *ObjectInformation,
                       ULONG ObjectInformationLength, ULONG *ReturnLength)
{
    return ob_query_object(Handle, ObjectInformationClass, ObjectInformation,
                           ObjectInformationLength, ReturnLength, FALSE);
}

/* Only a handle's flags can be set. */
NTSTATUS NtSetInformationObject(HANDLE Handle, ULONG ObjectInformationClass,
                                void *ObjectInformation,
                                ULONG ObjectInformationLength)
{
    OBJECT_HANDLE_FLAG_INFORMATION flags;
    HANDLE_TABLE *table = obp_process_table(obp_current_process());
    HANDLE_TABLE_ENTRY *entry;
    NTSTATUS status;
    KIRQL irql;

    if (ObjectInformationClass != ObjectHandleFlagInformation)
        return STATUS_INVALID_INFO_CLASS;
    if (ObjectInformationLength != sizeof flags)
        return STATUS_INFO_LENGTH_MISMATCH;
    status = mm_probe_for_read(ObjectInformation, sizeof flags, 1);
    if (NT_SUCCESS(status))
        status = mm_copy_from_user(&flags, ObjectInformation, sizeof flags);
    if (!NT_SUCCESS(status))
        return status;
    entry = ExMapHandleToPointer(table, Handle, &irql);
    if (entry == NULL)
        return STATUS_INVALID_HANDLE;
    ex_set_entry_attributes(entry,
                            (flags.Inherit ? OBJ_INHERIT : 0) |
                                (flags.ProtectFromClose ? OBJ_PROTECT_CLOSE
                                                        : 0));
    ExUnlockHandleTableEntry(entry, irql);
    return STATUS_SUCCESS;
}
