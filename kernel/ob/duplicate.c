/*
 * ob/duplicate.c - NtDuplicateObject: another handle, perhaps in another
 * process.
 *
 * The source handle is looked up in the source process, so -1 means that one
 * there; -2 is the caller's thread.  With DUPLICATE_CLOSE_SOURCE the source is
 * closed whatever becomes of the new handle, as soon as both processes are
 * known: that is also how one process closes another's handle, without a
 * target.
 */
#include "obp.h"
#include <mm.h>
#include <nt/ntapi.h>

struct obp_duplicate {
    ACCESS_MASK access;
    ULONG attributes;
    ULONG options;
};

/* The rights asked for; a type may insist on those the source has. */
static NTSTATUS obp_duplicate_access(const struct obp_handle *source,
                                     const struct obp_duplicate *how,
                                     ACCESS_MASK *granted)
{
    OBJECT_TYPE *type = ObGetObjectType(source->object);
    BOOLEAN fixed = type->TypeInfo.SecurityProcedure != NULL;
    NTSTATUS status;

    *granted = source->granted;
    if (how->options & DUPLICATE_SAME_ACCESS)
        return STATUS_SUCCESS;
    status = ob_map_access(type, how->access,
                           fixed ? source->granted
                                 : type->TypeInfo.ValidAccessMask, granted);
    if (NT_SUCCESS(status) && fixed && (*granted & ~source->granted))
        return STATUS_ACCESS_DENIED;
    return status;
}

static NTSTATUS obp_duplicate(const struct obp_handle *source,
                              struct _EPROCESS *target,
                              const struct obp_duplicate *how, HANDLE *handle)
{
    OBJECT_HEADER *header = obp_header(source->object);
    ULONG attributes = how->options & DUPLICATE_SAME_ATTRIBUTES
                           ? source->attributes : how->attributes;
    ACCESS_MASK granted;
    NTSTATUS status = obp_duplicate_access(source, how, &granted);

    if (NT_SUCCESS(status))
        status = obp_count_handle(header, target, 0);
    if (!NT_SUCCESS(status))
        return status;
    return obp_enter_handle(header, target, granted,
                            attributes & (OBJ_INHERIT | OBJ_PROTECT_CLOSE),
                            handle);
}

/* target NULL: the source is only to be closed. */
static NTSTATUS obp_duplicate_handle(struct _EPROCESS *process, HANDLE handle,
                                     struct _EPROCESS *target,
                                     const struct obp_duplicate *how,
                                     HANDLE *result)
{
    BOOLEAN closing = (how->options & DUPLICATE_CLOSE_SOURCE) != 0;
    struct obp_handle source;
    NTSTATUS status = obp_reference_handle(process, handle, &source);

    if (!NT_SUCCESS(status))
        return status;
    if (target != NULL)
        status = obp_duplicate(&source, target, how, result);
    else if (!closing)
        status = STATUS_INVALID_PARAMETER;
    if (closing)
        (void)obp_close_handle(process, handle);
    ObfDereferenceObject(source.object);
    return status;
}

/* What cannot be told to the caller is closed again, where it is. */
static NTSTATUS obp_tell(HANDLE *user_handle, struct _EPROCESS *target,
                         HANDLE handle)
{
    NTSTATUS status = mm_copy_to_user(user_handle, &handle, sizeof handle);

    if (!NT_SUCCESS(status))
        (void)obp_close_handle(target, handle);
    return status;
}

static NTSTATUS obp_between(struct _EPROCESS *source, HANDLE handle,
                            HANDLE target_handle, HANDLE *user_handle,
                            const struct obp_duplicate *how)
{
    struct _EPROCESS *target = NULL;
    NTSTATUS target_status = STATUS_SUCCESS, status;
    HANDLE result;

    if (target_handle != NULL)
        target_status = obp_reference_process(target_handle, &target);
    status = obp_duplicate_handle(source, handle, target, how, &result);
    if (!NT_SUCCESS(target_status))
        status = target_status;
    if (NT_SUCCESS(status) && target != NULL && user_handle != NULL)
        status = obp_tell(user_handle, target, result);
    if (target != NULL)
        ObfDereferenceObject(target);
    return status;
}

/*
 * Both process handles need PROCESS_DUP_HANDLE.  STATUS_INVALID_PARAMETER: no
 * target process, and nothing to close; STATUS_PROCESS_IS_TERMINATING: the
 * target's; STATUS_ACCESS_DENIED: rights of a file that its handle does not
 * have.
 */
NTSTATUS NtDuplicateObject(HANDLE SourceProcessHandle, HANDLE SourceHandle,
                           HANDLE TargetProcessHandle, HANDLE *TargetHandle,
                           ACCESS_MASK DesiredAccess, ULONG HandleAttributes,
                           ULONG Options)
{
    const struct obp_duplicate how = {
        DesiredAccess, HandleAttributes, Options
    };
    struct _EPROCESS *source;
    NTSTATUS status = STATUS_SUCCESS;

    if (TargetHandle != NULL)
        status = mm_probe_for_write(TargetHandle, sizeof(HANDLE), 1);
    if (NT_SUCCESS(status))
        status = obp_reference_process(SourceProcessHandle, &source);
    if (!NT_SUCCESS(status))
        return status;
    status = obp_between(source, SourceHandle, TargetProcessHandle,
                         TargetHandle, &how);
    ObfDereferenceObject(source);
    return status;
}
