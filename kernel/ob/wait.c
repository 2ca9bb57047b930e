/*
 * ob/wait.c - waiting for what handles stand for.
 *
 * A handle needs SYNCHRONIZE, and its object a header to wait for.  Objects
 * are referenced before the wait and until after it: a thread that closes the
 * handles meanwhile ends nothing.  The wait itself is Ke's.
 *
 * The result of a wait is what KeWaitForSingleObject and its kind say; they
 * count from STATUS_WAIT_0 and STATUS_ABANDONED_WAIT_0.
 */
#include "obp.h"
#include <ex.h>
#include <mm.h>
#include <nt/ntapi.h>

static NTSTATUS obp_capture_timeout(const LARGE_INTEGER *user,
                                    LARGE_INTEGER *timeout)
{
    NTSTATUS status = mm_probe_for_read(user, sizeof *user, sizeof(ULONG));

    return NT_SUCCESS(status)
               ? mm_copy_from_user(timeout, user, sizeof *timeout) : status;
}

/* STATUS_OBJECT_TYPE_MISMATCH: nothing to wait for. */
static NTSTATUS obp_reference_waitable(HANDLE handle, void **object)
{
    NTSTATUS status = ObReferenceObjectByHandle(handle, SYNCHRONIZE, NULL,
                                                ExGetPreviousMode(), object);

    if (NT_SUCCESS(status) && ob_dispatcher_header(*object) == NULL) {
        ObfDereferenceObject(*object);
        return STATUS_OBJECT_TYPE_MISMATCH;
    }
    return status;
}

NTSTATUS NtWaitForSingleObject(HANDLE Handle, BOOLEAN Alertable,
                               LARGE_INTEGER *Timeout)
{
    LARGE_INTEGER timeout;
    void *object;
    NTSTATUS status = STATUS_SUCCESS;

    if (Timeout != NULL)
        status = obp_capture_timeout(Timeout, &timeout);
    if (NT_SUCCESS(status))
        status = obp_reference_waitable(Handle, &object);
    if (!NT_SUCCESS(status))
        return status;
    status = KeWaitForSingleObject(ob_dispatcher_header(object), UserRequest,
                                   ExGetPreviousMode(), Alertable,
                                   Timeout != NULL ? &timeout : NULL);
    ObfDereferenceObject(object);
    return status;
}

/* ---- Several ---- */

/* What a wait for many needs; from pool, stacks are small. */
struct obp_wait {
    ULONG count;                        /* of objects, referenced */
    HANDLE handles[MAXIMUM_WAIT_OBJECTS];
    void *objects[MAXIMUM_WAIT_OBJECTS];
    void *headers[MAXIMUM_WAIT_OBJECTS];
    KWAIT_BLOCK blocks[MAXIMUM_WAIT_OBJECTS];
};

static NTSTATUS obp_reference_all(struct obp_wait *wait, ULONG count)
{
    NTSTATUS status = STATUS_SUCCESS;

    while (wait->count < count && NT_SUCCESS(status)) {
        ULONG i = wait->count;

        status = obp_reference_waitable(wait->handles[i], &wait->objects[i]);
        if (!NT_SUCCESS(status))
            break;
        wait->headers[i] = ob_dispatcher_header(wait->objects[i]);
        wait->count++;
    }
    return status;
}

/* An object cannot be taken twice at once. */
static BOOLEAN obp_has_twins(const struct obp_wait *wait)
{
    for (ULONG i = 0; i < wait->count; i++) {
        for (ULONG j = 0; j < i; j++) {
            if (wait->objects[i] == wait->objects[j])
                return TRUE;
        }
    }
    return FALSE;
}

static NTSTATUS obp_wait_for_all(struct obp_wait *wait, const HANDLE *user,
                                 ULONG count, WAIT_TYPE type,
                                 BOOLEAN alertable,
                                 const LARGE_INTEGER *timeout)
{
    SIZE_T size = count * sizeof(HANDLE);
    NTSTATUS status = mm_probe_for_read(user, size, sizeof(HANDLE));

    if (NT_SUCCESS(status))
        status = mm_copy_from_user(wait->handles, user, size);
    if (NT_SUCCESS(status))
        status = obp_reference_all(wait, count);
    if (NT_SUCCESS(status) && type == WaitAll && obp_has_twins(wait))
        status = STATUS_INVALID_PARAMETER_MIX;
    if (NT_SUCCESS(status))
        status = KeWaitForMultipleObjects(count, wait->headers, type,
                                          UserRequest, ExGetPreviousMode(),
                                          alertable, timeout, wait->blocks);
    for (ULONG i = 0; i < wait->count; i++)
        ObfDereferenceObject(wait->objects[i]);
    return status;
}

/*
 * STATUS_INVALID_PARAMETER_1: none, or more than MAXIMUM_WAIT_OBJECTS;
 * STATUS_INVALID_PARAMETER_3; STATUS_INVALID_PARAMETER_MIX: one object twice
 * among those that must all be signalled.
 */
NTSTATUS NtWaitForMultipleObjects(ULONG Count, HANDLE *Handles,
                                  ULONG WaitType, BOOLEAN Alertable,
                                  LARGE_INTEGER *Timeout)
{
    LARGE_INTEGER timeout;
    struct obp_wait *wait;
    NTSTATUS status = STATUS_SUCCESS;

    if (Count == 0 || Count > MAXIMUM_WAIT_OBJECTS)
        return STATUS_INVALID_PARAMETER_1;
    if (WaitType != WaitAll && WaitType != WaitAny)
        return STATUS_INVALID_PARAMETER_3;
    if (Timeout != NULL)
        status = obp_capture_timeout(Timeout, &timeout);
    if (!NT_SUCCESS(status))
        return status;
    wait = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof *wait, OBP_TAG);
    if (wait == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    status = obp_wait_for_all(wait, Handles, Count, WaitType, Alertable,
                              Timeout != NULL ? &timeout : NULL);
    ExFreePoolWithTag(wait, OBP_TAG);
    return status;
}

/* ---- Signal one, wait for the other ---- */

static NTSTATUS obp_signal_event(void *event)
{
    KeSetEvent(event, EVENT_INCREMENT, FALSE);
    return STATUS_SUCCESS;
}

static NTSTATUS obp_signal_semaphore(void *semaphore)
{
    return ke_release_semaphore(semaphore, SEMAPHORE_INCREMENT, 1, NULL);
}

static NTSTATUS obp_signal_mutant(void *mutant)
{
    return ke_release_mutant(mutant, MUTANT_INCREMENT, FALSE, NULL);
}

/* How an object is signalled, and the right to it; NULL: it is not. */
struct obp_signal {
    NTSTATUS (*signal)(void *header);
    ACCESS_MASK access;
};

static struct obp_signal obp_signal_of(void *object)
{
    const OBJECT_TYPE *type = ObGetObjectType(object);

    if (type == ExEventObjectType)
        return (struct obp_signal){ obp_signal_event, 0x2 };
    if (type == ExSemaphoreObjectType)
        return (struct obp_signal){ obp_signal_semaphore, 0x2 };
    if (type == ExMutantObjectType)
        return (struct obp_signal){ obp_signal_mutant, SYNCHRONIZE };
    return (struct obp_signal){ NULL, 0 };
}

/* EVENT_MODIFY_STATE and SEMAPHORE_MODIFY_STATE have one value. */
static NTSTATUS obp_reference_signal(HANDLE handle, void **object,
                                     struct obp_signal *signal)
{
    struct obp_handle found;
    NTSTATUS status = obp_reference_handle(obp_current_process(), handle,
                                           &found);

    if (!NT_SUCCESS(status))
        return status;
    *object = found.object;
    *signal = obp_signal_of(found.object);
    if (signal->signal == NULL)
        status = STATUS_OBJECT_TYPE_MISMATCH;
    else if (ExGetPreviousMode() != KernelMode &&
             (signal->access & ~found.granted) != 0)
        status = STATUS_ACCESS_DENIED;
    if (!NT_SUCCESS(status))
        ObfDereferenceObject(found.object);
    return status;
}

/*
 * STATUS_OBJECT_TYPE_MISMATCH: nothing to signal; STATUS_MUTANT_NOT_OWNED and
 * STATUS_SEMAPHORE_LIMIT_EXCEEDED: there was no wait.
 */
NTSTATUS NtSignalAndWaitForSingleObject(HANDLE SignalHandle, HANDLE WaitHandle,
                                        BOOLEAN Alertable,
                                        LARGE_INTEGER *Timeout)
{
    struct obp_signal signal;
    LARGE_INTEGER timeout;
    void *to_signal, *to_wait_for;
    NTSTATUS status = STATUS_SUCCESS;

    if (Timeout != NULL)
        status = obp_capture_timeout(Timeout, &timeout);
    if (NT_SUCCESS(status))
        status = obp_reference_signal(SignalHandle, &to_signal, &signal);
    if (!NT_SUCCESS(status))
        return status;
    status = obp_reference_waitable(WaitHandle, &to_wait_for);
    if (NT_SUCCESS(status)) {
        status = ke_signal_and_wait(signal.signal,
                                    ob_dispatcher_header(to_signal),
                                    ob_dispatcher_header(to_wait_for),
                                    ExGetPreviousMode(), Alertable,
                                    Timeout != NULL ? &timeout : NULL);
        ObfDereferenceObject(to_wait_for);
    }
    ObfDereferenceObject(to_signal);
    return status;
}
