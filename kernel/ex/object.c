/*
 * ex/object.c - what the services of events, mutants, semaphores and timers
 * have in common.
 *
 * All of them go the same way.  What the caller wants to have written is
 * probed; numbers are checked; a name or a handle leads to the object, the
 * handle with the right that the service needs; then Ke does the work, which
 * cannot fail for the caller's fault any more; then results are written.
 */
#include "exp.h"

void ex_initialize(void)
{
    exp_initialize_events();
    exp_initialize_mutants();
    exp_initialize_semaphores();
    exp_initialize_timers();
}

OBJECT_TYPE *exp_create_type(const WCHAR *name, ACCESS_MASK query,
                             ACCESS_MASK modify, ACCESS_MASK all,
                             void (*delete_procedure)(void *object))
{
    OBJECT_TYPE *type = ob_create_type(name, all, delete_procedure);

    type->TypeInfo.GenericMapping = (GENERIC_MAPPING){
        READ_CONTROL | query, READ_CONTROL | modify,
        READ_CONTROL | SYNCHRONIZE, all
    };
    ob_set_waitable(type, 0);
    return type;
}

NTSTATUS exp_probe_handle(HANDLE *user_handle)
{
    return mm_probe_for_write(user_handle, sizeof *user_handle, 1);
}

/* success: STATUS_SUCCESS, or that it is an older object's. */
static NTSTATUS return_handle(HANDLE *user_handle, HANDLE handle,
                              NTSTATUS success)
{
    NTSTATUS status = mm_copy_to_user(user_handle, &handle, sizeof handle);

    if (NT_SUCCESS(status))
        return success;
    NtClose(handle);
    return status;
}

NTSTATUS exp_insert(void *object, ACCESS_MASK access, HANDLE *user_handle)
{
    HANDLE handle;
    NTSTATUS status = ObInsertObject(object, access, &handle);

    return NT_SUCCESS(status) ? return_handle(user_handle, handle, status)
                              : status;
}

NTSTATUS exp_open(OBJECT_TYPE *type, ACCESS_MASK access,
                  const OBJECT_ATTRIBUTES *attributes, HANDLE *user_handle)
{
    HANDLE handle;
    NTSTATUS status = exp_probe_handle(user_handle);

    if (NT_SUCCESS(status))
        status = ObOpenObjectByName(attributes, type, ExGetPreviousMode(),
                                    access, &handle);
    return NT_SUCCESS(status) ? return_handle(user_handle, handle, status)
                              : status;
}

NTSTATUS exp_reference(HANDLE handle, ACCESS_MASK access, OBJECT_TYPE *type,
                       void *object)
{
    return ObReferenceObjectByHandle(handle, access, type,
                                     ExGetPreviousMode(), object);
}

NTSTATUS exp_probe_result(void *user, SIZE_T size, ULONG alignment)
{
    return user ? mm_probe_for_write(user, size, alignment) : STATUS_SUCCESS;
}

void exp_return_result(void *user, const void *result, SIZE_T size)
{
    if (user)
        (void)mm_copy_to_user(user, result, size);
}

NTSTATUS exp_check_query(void *buffer, ULONG length, ULONG *return_length,
                         ULONG size)
{
    NTSTATUS status = mm_probe_for_write(buffer, length, sizeof(ULONG));

    if (NT_SUCCESS(status))
        status = exp_probe_result(return_length, sizeof *return_length,
                                  sizeof(ULONG));
    if (!NT_SUCCESS(status))
        return status;
    if (size == 0)
        return STATUS_INVALID_INFO_CLASS;
    return length == size ? STATUS_SUCCESS : STATUS_INFO_LENGTH_MISMATCH;
}

NTSTATUS exp_answer(void *buffer, const void *information, ULONG size,
                    ULONG *return_length)
{
    NTSTATUS status = mm_copy_to_user(buffer, information, size);

    if (NT_SUCCESS(status) && return_length)
        status = mm_copy_to_user(return_length, &size, sizeof size);
    return status;
}
