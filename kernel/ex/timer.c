/*
 * ex/timer.c - timer objects.
 *
 * A timer can be waited for, and it can call a routine in the thread that has
 * set it (timerapc.c).  Nothing here wakes a machine that sleeps, so whoever
 * asks for that is told that it is ignored.
 */
#include "exp.h"

OBJECT_TYPE *ExTimerObjectType SEALED;

/* What is set without a routine holds no reference: it is still running. */
static void delete_timer(void *object)
{
    exp_cancel_timer(object);
}

static void close_timer(void *object, LONGLONG handles_left)
{
    if (handles_left == 0)
        exp_cancel_timer(object);
}

void exp_initialize_timers(void)
{
    ExTimerObjectType = exp_create_type(L"Timer", TIMER_QUERY_STATE,
                                        TIMER_MODIFY_STATE, TIMER_ALL_ACCESS,
                                        delete_timer);
    ExTimerObjectType->TypeInfo.CloseProcedure = close_timer;
}

NTSTATUS NtCreateTimer(HANDLE *TimerHandle, ACCESS_MASK DesiredAccess,
                       OBJECT_ATTRIBUTES *ObjectAttributes, ULONG TimerType)
{
    void *timer;
    NTSTATUS status = exp_probe_handle(TimerHandle);

    if (!NT_SUCCESS(status))
        return status;
    if (TimerType != NotificationTimer && TimerType != SynchronizationTimer)
        return STATUS_INVALID_PARAMETER_4;
    status = ObCreateObject(ExGetPreviousMode(), ExTimerObjectType,
                            ObjectAttributes, sizeof(struct exp_timer),
                            &timer);
    if (!NT_SUCCESS(status))
        return status;
    exp_initialize_timer(timer, TimerType == NotificationTimer
                                    ? TimerNotificationObject
                                    : TimerSynchronizationObject);
    return exp_insert(timer, DesiredAccess, TimerHandle);
}

NTSTATUS NtOpenTimer(HANDLE *TimerHandle, ACCESS_MASK DesiredAccess,
                     OBJECT_ATTRIBUTES *ObjectAttributes)
{
    return exp_open(ExTimerObjectType, DesiredAccess, ObjectAttributes,
                    TimerHandle);
}

static NTSTATUS capture_due_time(const LARGE_INTEGER *user,
                                 LARGE_INTEGER *due)
{
    NTSTATUS status = mm_probe_for_read(user, sizeof *due, sizeof(ULONG));

    return NT_SUCCESS(status) ? mm_copy_from_user(due, user, sizeof *due)
                              : status;
}

NTSTATUS NtSetTimer(HANDLE TimerHandle, LARGE_INTEGER *DueTime,
                    PTIMER_APC_ROUTINE TimerApcRoutine, void *TimerContext,
                    BOOLEAN ResumeTimer, LONG Period, BOOLEAN *PreviousState)
{
    LARGE_INTEGER due;
    void *timer;
    BOOLEAN previous;
    NTSTATUS status = capture_due_time(DueTime, &due);

    if (NT_SUCCESS(status))
        status = exp_probe_result(PreviousState, sizeof previous, 1);
    if (NT_SUCCESS(status) && Period < 0)
        status = STATUS_INVALID_PARAMETER_6;
    if (NT_SUCCESS(status))
        status = exp_reference(TimerHandle, TIMER_MODIFY_STATE,
                               ExTimerObjectType, &timer);
    if (!NT_SUCCESS(status))
        return status;
    previous = exp_set_timer(timer, due, Period, TimerApcRoutine,
                             TimerContext);
    ObDereferenceObject(timer);
    exp_return_result(PreviousState, &previous, sizeof previous);
    return ResumeTimer ? STATUS_TIMER_RESUME_IGNORED : STATUS_SUCCESS;
}

NTSTATUS NtCancelTimer(HANDLE TimerHandle, BOOLEAN *CurrentState)
{
    void *timer;
    BOOLEAN state;
    NTSTATUS status = exp_probe_result(CurrentState, sizeof state, 1);

    if (NT_SUCCESS(status))
        status = exp_reference(TimerHandle, TIMER_MODIFY_STATE,
                               ExTimerObjectType, &timer);
    if (!NT_SUCCESS(status))
        return status;
    state = exp_cancel_timer(timer);
    ObDereferenceObject(timer);
    exp_return_result(CurrentState, &state, sizeof state);
    return STATUS_SUCCESS;
}

NTSTATUS NtQueryTimer(HANDLE TimerHandle, ULONG TimerInformationClass,
                      void *TimerInformation, ULONG TimerInformationLength,
                      ULONG *ReturnLength)
{
    ULONG size = TimerInformationClass == TimerBasicInformation
                     ? sizeof(TIMER_BASIC_INFORMATION) : 0;
    TIMER_BASIC_INFORMATION basic = { .TimerState = FALSE };
    const struct exp_timer *timer;
    ULONGLONG counter;
    void *object;
    NTSTATUS status = exp_check_query(TimerInformation,
                                      TimerInformationLength, ReturnLength,
                                      size);

    if (NT_SUCCESS(status))
        status = exp_reference(TimerHandle, TIMER_QUERY_STATE,
                               ExTimerObjectType, &object);
    if (!NT_SUCCESS(status))
        return status;
    timer = object;
    basic.RemainingTime.QuadPart = (LONGLONG)(
        timer->timer.DueTime - KeQueryInterruptTimePrecise(&counter));
    basic.TimerState = KeReadStateTimer(&timer->timer);
    ObDereferenceObject(object);
    return exp_answer(TimerInformation, &basic, sizeof basic, ReturnLength);
}
