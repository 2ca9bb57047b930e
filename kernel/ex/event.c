/*
 * ex/event.c - event objects.
 *
 * A notification event stays set until it is reset, and everybody goes on;
 * a synchronization event lets one go on and is reset by that.
 */
#include "exp.h"

OBJECT_TYPE *ExEventObjectType SEALED;

void exp_initialize_events(void)
{
    ExEventObjectType = exp_create_type(L"Event", EVENT_QUERY_STATE,
                                        EVENT_MODIFY_STATE, EVENT_ALL_ACCESS,
                                        NULL);
}

NTSTATUS NtCreateEvent(HANDLE *EventHandle, ACCESS_MASK DesiredAccess,
                       OBJECT_ATTRIBUTES *ObjectAttributes, ULONG EventType,
                       BOOLEAN InitialState)
{
    void *event;
    NTSTATUS status = exp_probe_handle(EventHandle);

    if (!NT_SUCCESS(status))
        return status;
    if (EventType != NotificationEvent && EventType != SynchronizationEvent)
        return STATUS_INVALID_PARAMETER;
    status = ObCreateObject(ExGetPreviousMode(), ExEventObjectType,
                            ObjectAttributes, sizeof(KEVENT), &event);
    if (!NT_SUCCESS(status))
        return status;
    KeInitializeEvent(event, EventType == NotificationEvent
                                 ? EventNotificationObject
                                 : EventSynchronizationObject,
                      InitialState != FALSE);
    return exp_insert(event, DesiredAccess, EventHandle);
}

NTSTATUS NtOpenEvent(HANDLE *EventHandle, ACCESS_MASK DesiredAccess,
                     OBJECT_ATTRIBUTES *ObjectAttributes)
{
    return exp_open(ExEventObjectType, DesiredAccess, ObjectAttributes,
                    EventHandle);
}

static LONG set_event(KEVENT *event)
{
    return KeSetEvent(event, EVENT_INCREMENT, FALSE);
}

static LONG pulse_event(KEVENT *event)
{
    return KePulseEvent(event, EVENT_INCREMENT, FALSE);
}

static NTSTATUS change(HANDLE handle, LONG *user_previous,
                       LONG (*work)(KEVENT *event))
{
    void *event;
    LONG previous;
    NTSTATUS status = exp_probe_result(user_previous, sizeof previous,
                                       sizeof previous);

    if (NT_SUCCESS(status))
        status = exp_reference(handle, EVENT_MODIFY_STATE, ExEventObjectType,
                               &event);
    if (!NT_SUCCESS(status))
        return status;
    previous = work(event);
    ObDereferenceObject(event);
    exp_return_result(user_previous, &previous, sizeof previous);
    return STATUS_SUCCESS;
}

NTSTATUS NtSetEvent(HANDLE EventHandle, LONG *PreviousState)
{
    return change(EventHandle, PreviousState, set_event);
}

NTSTATUS NtResetEvent(HANDLE EventHandle, LONG *PreviousState)
{
    return change(EventHandle, PreviousState, KeResetEvent);
}

NTSTATUS NtPulseEvent(HANDLE EventHandle, LONG *PreviousState)
{
    return change(EventHandle, PreviousState, pulse_event);
}

NTSTATUS NtClearEvent(HANDLE EventHandle)
{
    return change(EventHandle, NULL, KeResetEvent);
}

NTSTATUS NtQueryEvent(HANDLE EventHandle, ULONG EventInformationClass,
                      void *EventInformation, ULONG EventInformationLength,
                      ULONG *ReturnLength)
{
    ULONG size = EventInformationClass == EventBasicInformation
                     ? sizeof(EVENT_BASIC_INFORMATION) : 0;
    EVENT_BASIC_INFORMATION basic;
    void *event;
    NTSTATUS status = exp_check_query(EventInformation,
                                      EventInformationLength, ReturnLength,
                                      size);

    if (NT_SUCCESS(status))
        status = exp_reference(EventHandle, EVENT_QUERY_STATE,
                               ExEventObjectType, &event);
    if (!NT_SUCCESS(status))
        return status;
    basic.EventType =
        ke_object_type(event) == EventNotificationObject
            ? NotificationEvent : SynchronizationEvent;
    basic.EventState = KeReadStateEvent(event);
    ObDereferenceObject(event);
    return exp_answer(EventInformation, &basic, sizeof basic, ReturnLength);
}
