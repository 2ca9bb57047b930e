/*
 * ps/open.c - NtOpenProcess and NtOpenThread: handles by id.
 *
 * Processes and threads have no names, so OBJECT_ATTRIBUTES only say what the
 * handle is to be like.
 */
#include "psp.h"

static NTSTATUS capture_attributes(const OBJECT_ATTRIBUTES *user,
                                   OBJECT_ATTRIBUTES *copy)
{
    NTSTATUS status = mm_probe_for_read(user, sizeof *copy, sizeof(ULONG));

    if (NT_SUCCESS(status))
        status = mm_copy_from_user(copy, user, sizeof *copy);
    if (NT_SUCCESS(status) &&
        (copy->Length != sizeof *copy ||
         (copy->Attributes & ~OBJ_VALID_ATTRIBUTES)))
        status = STATUS_INVALID_PARAMETER;
    return status;
}

NTSTATUS psp_capture_handle_attributes(const OBJECT_ATTRIBUTES *user,
                                       ULONG *attributes)
{
    OBJECT_ATTRIBUTES copy = { .Attributes = 0 };
    NTSTATUS status = user ? capture_attributes(user, &copy) : STATUS_SUCCESS;

    *attributes = copy.Attributes;
    return status;
}

NTSTATUS psp_create_handle(void *object, ACCESS_MASK access, ULONG attributes,
                           HANDLE *handle)
{
    return ObOpenObjectByPointer(object, PsGetCurrentProcess(), attributes,
                                 access, NULL, handle);
}

/* The id of what is to be opened, read once. */
static NTSTATUS capture(HANDLE *handle, const OBJECT_ATTRIBUTES *user,
                        const CLIENT_ID *user_id, ULONG *attributes,
                        CLIENT_ID *id)
{
    OBJECT_ATTRIBUTES copy;
    NTSTATUS status = mm_probe_for_write(handle, sizeof *handle,
                                         sizeof(ULONG));

    if (NT_SUCCESS(status))
        status = user ? capture_attributes(user, &copy)
                      : STATUS_ACCESS_VIOLATION;
    if (!NT_SUCCESS(status))
        return status;
    *attributes = copy.Attributes;
    if (copy.ObjectName || !user_id)
        status = STATUS_INVALID_PARAMETER_MIX;
    if (NT_SUCCESS(status))
        status = mm_probe_for_read(user_id, sizeof *id, sizeof(ULONG));
    if (NT_SUCCESS(status))
        status = mm_copy_from_user(id, user_id, sizeof *id);
    return status;
}

static NTSTATUS give(void *object, ACCESS_MASK access, ULONG attributes,
                     HANDLE *user_handle)
{
    HANDLE handle;
    NTSTATUS status = psp_create_handle(object, access, attributes, &handle);

    ObDereferenceObject(object);
    if (NT_SUCCESS(status))
        status = mm_copy_to_user(user_handle, &handle, sizeof handle);
    return status;
}

/* Both ids: they must belong together. */
static NTSTATUS look_up_pair(const CLIENT_ID *id, ETHREAD **thread)
{
    NTSTATUS status = PsLookupThreadByThreadId(id->UniqueThread, thread);

    if (NT_SUCCESS(status) && id->UniqueProcess &&
        (*thread)->Cid.UniqueProcess != id->UniqueProcess) {
        ObDereferenceObject(*thread);
        status = STATUS_INVALID_CID;
    }
    return id->UniqueProcess && !NT_SUCCESS(status) ? STATUS_INVALID_CID
                                                    : status;
}

static NTSTATUS look_up_process(const CLIENT_ID *id, EPROCESS **process)
{
    ETHREAD *thread;
    NTSTATUS status;

    if (!id->UniqueThread)
        return PsLookupProcessByProcessId(id->UniqueProcess, process);
    status = look_up_pair(id, &thread);
    if (!NT_SUCCESS(status))
        return status;
    *process = CONTAINING_RECORD(thread->Tcb.Process, EPROCESS, Pcb);
    ObReferenceObject(*process);
    ObDereferenceObject(thread);
    return STATUS_SUCCESS;
}

/* STATUS_INVALID_PARAMETER: no such process; _MIX: a name; STATUS_INVALID_CID:
 * the thread is not one of the process. */
NTSTATUS NtOpenProcess(HANDLE *ProcessHandle, ACCESS_MASK DesiredAccess,
                       OBJECT_ATTRIBUTES *ObjectAttributes,
                       CLIENT_ID *ClientId)
{
    ULONG attributes;
    EPROCESS *process;
    CLIENT_ID id;
    NTSTATUS status = capture(ProcessHandle, ObjectAttributes, ClientId,
                              &attributes, &id);

    if (NT_SUCCESS(status))
        status = look_up_process(&id, &process);
    return NT_SUCCESS(status)
               ? give(process, DesiredAccess, attributes, ProcessHandle)
               : status;
}

NTSTATUS NtOpenThread(HANDLE *ThreadHandle, ACCESS_MASK DesiredAccess,
                      OBJECT_ATTRIBUTES *ObjectAttributes,
                      CLIENT_ID *ClientId)
{
    ULONG attributes;
    ETHREAD *thread;
    CLIENT_ID id;
    NTSTATUS status = capture(ThreadHandle, ObjectAttributes, ClientId,
                              &attributes, &id);

    if (NT_SUCCESS(status))
        status = look_up_pair(&id, &thread);
    return NT_SUCCESS(status)
               ? give(thread, DesiredAccess, attributes, ThreadHandle)
               : status;
}
