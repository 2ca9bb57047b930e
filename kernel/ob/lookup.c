/*
 * ob/lookup.c - from a path to an object.
 *
 *      \BaseNamedObjects\Ready         from the root
 *      Ready                           from a directory's handle
 *
 * The walk goes from directory to directory, each of which is locked only
 * while one name is looked up in it.  The last one stays locked, so that the
 * caller can count a handle to what it has found, or put a new name there,
 * before anybody else looks.
 */
#include "obp.h"
#include <nt/ntapi.h>

/* Cut the first part off path, and the backslash behind it. */
static UNICODE_STRING obp_next_part(UNICODE_STRING *path, BOOLEAN *last)
{
    UNICODE_STRING part = { 0, 0, path->Buffer };
    USHORT length = 0;

    while (length < path->Length &&
           path->Buffer[length / sizeof(WCHAR)] != L'\\')
        length += sizeof(WCHAR);
    part.Length = part.MaximumLength = length;
    *last = length == path->Length;
    if (!*last)
        length += sizeof(WCHAR);
    path->Buffer += length / sizeof(WCHAR);
    path->Length -= length;
    return part;
}

/* Where the walk begins, referenced; its backslash is cut off. */
static NTSTATUS obp_start(const OBJECT_CREATE_INFORMATION *information,
                          UNICODE_STRING *rest, void **start)
{
    BOOLEAN backslash = rest->Length != 0 && rest->Buffer[0] == L'\\';

    if (information->RootDirectory != NULL) {
        NTSTATUS status = ObReferenceObjectByHandle(
            information->RootDirectory, 0, ObpDirectoryObjectType,
            information->ProbeMode, start);

        if (NT_SUCCESS(status) && backslash) {
            ObfDereferenceObject(*start);
            return STATUS_OBJECT_PATH_SYNTAX_BAD;
        }
        return status;
    }
    if (!backslash)
        return STATUS_OBJECT_PATH_SYNTAX_BAD;
    rest->Buffer++;
    rest->Length -= sizeof(WCHAR);
    ObfReferenceObject(ObpRootDirectoryObject);
    *start = ObpRootDirectoryObject;
    return STATUS_SUCCESS;
}

/*
 * One step from lookup->object, which becomes what the name means, or NULL;
 * the directory stays locked.
 */
static NTSTATUS obp_step(struct obp_lookup *lookup, const UNICODE_STRING *name,
                         BOOLEAN ignore_case)
{
    OBJECT_DIRECTORY *directory = lookup->object;

    if (ObGetObjectType(directory) != ObpDirectoryObjectType)
        return STATUS_OBJECT_TYPE_MISMATCH;
    if (name->Length == 0)
        return STATUS_OBJECT_NAME_INVALID;
    lookup->directory = directory;
    lookup->name = *name;
    lookup->irql = KeAcquireSpinLock(&directory->Lock);
    lookup->object = obp_find_entry(directory, name, ignore_case);
    if (lookup->object != NULL)
        ObfReferenceObject(lookup->object);
    return STATUS_SUCCESS;
}

/* Let go of the directory, but not of what was found there. */
static void obp_leave_directory(struct obp_lookup *lookup)
{
    OBJECT_DIRECTORY *directory = lookup->directory;

    if (directory == NULL)
        return;
    KeReleaseSpinLock(&directory->Lock, lookup->irql);
    lookup->directory = NULL;
    ObfDereferenceObject(directory);
}

void obp_end_lookup(struct obp_lookup *lookup)
{
    obp_leave_directory(lookup);
    if (lookup->object != NULL)
        ObfDereferenceObject(lookup->object);
}

NTSTATUS obp_look_up_name(const OBJECT_CREATE_INFORMATION *information,
                          const UNICODE_STRING *path,
                          struct obp_lookup *lookup)
{
    BOOLEAN ignore_case = (information->Attributes & OBJ_CASE_INSENSITIVE) != 0;
    UNICODE_STRING rest = *path;
    BOOLEAN last;
    NTSTATUS status;

    *lookup = (struct obp_lookup){ 0 };
    status = obp_start(information, &rest, &lookup->object);
    if (!NT_SUCCESS(status))
        return status;
    last = rest.Length == 0;
    while (NT_SUCCESS(status) && !last) {
        UNICODE_STRING part = obp_next_part(&rest, &last);

        obp_leave_directory(lookup);
        if (lookup->object == NULL)
            return STATUS_OBJECT_PATH_NOT_FOUND;
        status = obp_step(lookup, &part, ignore_case);
    }
    if (!NT_SUCCESS(status))
        obp_end_lookup(lookup);
    return status;
}
