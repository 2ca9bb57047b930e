/*
 * ob/dirservice.c - directories for ring 3.
 */
#include "obp.h"
#include <mm.h>
#include <nt/ntapi.h>

/* A handle that nobody hears of is closed again. */
static NTSTATUS obp_return_handle(HANDLE *user_handle, HANDLE handle,
                                  NTSTATUS status)
{
    NTSTATUS copied = mm_copy_to_user(user_handle, &handle, sizeof handle);

    if (NT_SUCCESS(copied))
        return status;
    NtClose(handle);
    return copied;
}

/* What ObCreateObject and ObInsertObject say. */
NTSTATUS NtCreateDirectoryObject(HANDLE *DirectoryHandle,
                                 ACCESS_MASK DesiredAccess,
                                 OBJECT_ATTRIBUTES *ObjectAttributes)
{
    HANDLE handle;
    void *directory;
    NTSTATUS status = mm_probe_for_write(DirectoryHandle, sizeof(HANDLE), 1);

    if (NT_SUCCESS(status))
        status = ObCreateObject(ExGetPreviousMode(), ObpDirectoryObjectType,
                                ObjectAttributes, sizeof(OBJECT_DIRECTORY),
                                &directory);
    if (NT_SUCCESS(status))
        status = ObInsertObject(directory, DesiredAccess, &handle);
    return NT_SUCCESS(status)
               ? obp_return_handle(DirectoryHandle, handle, status) : status;
}

/* What ObOpenObjectByName says. */
NTSTATUS NtOpenDirectoryObject(HANDLE *DirectoryHandle,
                               ACCESS_MASK DesiredAccess,
                               OBJECT_ATTRIBUTES *ObjectAttributes)
{
    HANDLE handle;
    NTSTATUS status = mm_probe_for_write(DirectoryHandle, sizeof(HANDLE), 1);

    if (NT_SUCCESS(status))
        status = ObOpenObjectByName(ObjectAttributes, ObpDirectoryObjectType,
                                    ExGetPreviousMode(), DesiredAccess,
                                    &handle);
    return NT_SUCCESS(status)
               ? obp_return_handle(DirectoryHandle, handle, status) : status;
}
