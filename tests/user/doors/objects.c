/*
 * doors/objects.c - events, mutants, semaphores, timers and time, by the door
 * that is chosen.
 */
#include "doors.h"

#define HOUR (-36000000000LL)

static LARGE_INTEGER later = { .QuadPart = HOUR };

static OBJECT_ATTRIBUTES *named(const WCHAR *name)
{
    static UNICODE_STRING string;
    static OBJECT_ATTRIBUTES attributes = { .Length = sizeof attributes,
                                            .ObjectName = &string };

    RtlInitUnicodeString(&string, name);
    return &attributes;
}

#define BY_DOOR L"\\BaseNamedObjects\\by door"

/* ---- Events ---- */

static HANDLE event_by_door(void)
{
    HANDLE event = NULL;

    EXPECT(STATUS_SUCCESS, NtCreateEvent, &event, EVENT_ALL_ACCESS,
           named(BY_DOOR), SynchronizationEvent, FALSE);
    CHECK(event != NULL);
    return event;
}

void by_door_create_event(void)
{
    HANDLE event = NULL;

    NtClose(event_by_door());
    EXPECT(STATUS_INVALID_PARAMETER, NtCreateEvent, &event, EVENT_ALL_ACCESS,
           NULL, 2, FALSE);
}

void by_door_open_event(void)
{
    HANDLE event = event_by_door(), other = NULL;

    EXPECT(STATUS_SUCCESS, NtOpenEvent, &other, SYNCHRONIZE, named(BY_DOOR));
    NtClose(event);
    NtClose(other);
    EXPECT(STATUS_OBJECT_NAME_NOT_FOUND, NtOpenEvent, &other, SYNCHRONIZE,
           named(BY_DOOR));
}

void by_door_change_event(void)
{
    HANDLE event = event_by_door();
    LONG previous = 77;

    EXPECT(STATUS_SUCCESS, NtSetEvent, event, &previous);
    CHECK(previous == 0);
    EXPECT(STATUS_SUCCESS, NtResetEvent, event, &previous);
    CHECK(previous == 1);
    EXPECT(STATUS_SUCCESS, NtSetEvent, event, NULL);
    EXPECT(STATUS_SUCCESS, NtPulseEvent, event, &previous);
    CHECK(previous == 1);
    EXPECT(STATUS_SUCCESS, NtSetEvent, event, &previous);
    CHECK(previous == 0);
    EXPECT(STATUS_SUCCESS, NtClearEvent, event);
    EXPECT(STATUS_SUCCESS, NtSetEvent, event, &previous);
    CHECK(previous == 0);
    NtClose(event);
    EXPECT(STATUS_INVALID_HANDLE, NtSetEvent, event, NULL);
    EXPECT(STATUS_INVALID_HANDLE, NtResetEvent, event, NULL);
    EXPECT(STATUS_INVALID_HANDLE, NtPulseEvent, event, NULL);
    EXPECT(STATUS_INVALID_HANDLE, NtClearEvent, event);
}

void by_door_query_event(void)
{
    HANDLE event = event_by_door();
    EVENT_BASIC_INFORMATION basic;
    ULONG length = 0;

    NtSetEvent(event, NULL);
    EXPECT(STATUS_SUCCESS, NtQueryEvent, event, EventBasicInformation, &basic,
           (ULONG)sizeof basic, &length);
    CHECK(basic.EventType == SynchronizationEvent && basic.EventState == 1 &&
          length == sizeof basic);
    EXPECT(STATUS_INVALID_INFO_CLASS, NtQueryEvent, event, 99, &basic,
           (ULONG)sizeof basic, &length);
    NtClose(event);
}

/* ---- Mutants ---- */

static HANDLE mutant_by_door(void)
{
    HANDLE mutant = NULL;

    EXPECT(STATUS_SUCCESS, NtCreateMutant, &mutant, MUTANT_ALL_ACCESS,
           named(BY_DOOR), TRUE);
    CHECK(mutant != NULL);
    return mutant;
}

void by_door_create_mutant(void)
{
    HANDLE mutant = mutant_by_door(), other = NULL;

    EXPECT(STATUS_OBJECT_NAME_COLLISION, NtCreateMutant, &other,
           MUTANT_ALL_ACCESS, named(BY_DOOR), TRUE);
    NtClose(mutant);
}

void by_door_open_mutant(void)
{
    HANDLE mutant = mutant_by_door(), other = NULL;

    EXPECT(STATUS_SUCCESS, NtOpenMutant, &other, SYNCHRONIZE,
           named(BY_DOOR));
    NtClose(mutant);
    NtClose(other);
    EXPECT(STATUS_OBJECT_NAME_NOT_FOUND, NtOpenMutant, &other, SYNCHRONIZE,
           named(BY_DOOR));
}

void by_door_release_mutant(void)
{
    HANDLE mutant = mutant_by_door();
    LONG previous = 77;

    EXPECT(STATUS_SUCCESS, NtReleaseMutant, mutant, &previous);
    CHECK(previous == 0);
    EXPECT(STATUS_MUTANT_NOT_OWNED, NtReleaseMutant, mutant, &previous);
    NtClose(mutant);
}

void by_door_query_mutant(void)
{
    HANDLE mutant = mutant_by_door();
    MUTANT_BASIC_INFORMATION basic;
    ULONG length = 0;

    EXPECT(STATUS_SUCCESS, NtQueryMutant, mutant, MutantBasicInformation,
           &basic, (ULONG)sizeof basic, &length);
    CHECK(basic.CurrentCount == 0 && basic.OwnedByCaller &&
          length == sizeof basic);
    EXPECT(STATUS_INFO_LENGTH_MISMATCH, NtQueryMutant, mutant,
           MutantBasicInformation, &basic, 1, &length);
    NtClose(mutant);
}

/* ---- Semaphores ---- */

static HANDLE semaphore_by_door(void)
{
    HANDLE semaphore = NULL;

    EXPECT(STATUS_SUCCESS, NtCreateSemaphore, &semaphore,
           SEMAPHORE_ALL_ACCESS, named(BY_DOOR), 1, 3);
    CHECK(semaphore != NULL);
    return semaphore;
}

void by_door_create_semaphore(void)
{
    HANDLE semaphore = NULL;

    NtClose(semaphore_by_door());
    EXPECT(STATUS_INVALID_PARAMETER, NtCreateSemaphore, &semaphore,
           SEMAPHORE_ALL_ACCESS, NULL, 4, 3);
}

void by_door_open_semaphore(void)
{
    HANDLE semaphore = semaphore_by_door(), other = NULL;

    EXPECT(STATUS_SUCCESS, NtOpenSemaphore, &other, SYNCHRONIZE,
           named(BY_DOOR));
    NtClose(semaphore);
    NtClose(other);
    EXPECT(STATUS_OBJECT_NAME_NOT_FOUND, NtOpenSemaphore, &other, SYNCHRONIZE,
           named(BY_DOOR));
}

void by_door_release_semaphore(void)
{
    HANDLE semaphore = semaphore_by_door();
    LONG previous = 77;

    EXPECT(STATUS_SUCCESS, NtReleaseSemaphore, semaphore, 2, &previous);
    CHECK(previous == 1);
    EXPECT(STATUS_SEMAPHORE_LIMIT_EXCEEDED, NtReleaseSemaphore, semaphore, 1,
           &previous);
    NtClose(semaphore);
}

void by_door_query_semaphore(void)
{
    HANDLE semaphore = semaphore_by_door();
    SEMAPHORE_BASIC_INFORMATION basic;
    ULONG length = 0;

    EXPECT(STATUS_SUCCESS, NtQuerySemaphore, semaphore,
           SemaphoreBasicInformation, &basic, (ULONG)sizeof basic, &length);
    CHECK(basic.CurrentCount == 1 && basic.MaximumCount == 3 &&
          length == sizeof basic);
    EXPECT(STATUS_INVALID_INFO_CLASS, NtQuerySemaphore, semaphore, 99, &basic,
           (ULONG)sizeof basic, &length);
    NtClose(semaphore);
}

/* ---- Timers ---- */

static HANDLE timer_by_door(void)
{
    HANDLE timer = NULL;

    EXPECT(STATUS_SUCCESS, NtCreateTimer, &timer, TIMER_ALL_ACCESS,
           named(BY_DOOR), NotificationTimer);
    CHECK(timer != NULL);
    return timer;
}

void by_door_create_timer(void)
{
    HANDLE timer = NULL;

    NtClose(timer_by_door());
    EXPECT(STATUS_INVALID_PARAMETER_4, NtCreateTimer, &timer,
           TIMER_ALL_ACCESS, NULL, 2);
}

void by_door_open_timer(void)
{
    HANDLE timer = timer_by_door(), other = NULL;

    EXPECT(STATUS_SUCCESS, NtOpenTimer, &other, SYNCHRONIZE, named(BY_DOOR));
    NtClose(timer);
    NtClose(other);
    EXPECT(STATUS_OBJECT_NAME_NOT_FOUND, NtOpenTimer, &other, SYNCHRONIZE,
           named(BY_DOOR));
}

void by_door_change_timer(void)
{
    HANDLE timer = timer_by_door();
    BOOLEAN state = 77;

    EXPECT(STATUS_SUCCESS, NtSetTimer, timer, &later, NULL, NULL, FALSE, 0,
           &state);
    CHECK(state == FALSE);
    EXPECT(STATUS_INVALID_PARAMETER_6, NtSetTimer, timer, &later, NULL, NULL,
           FALSE, -1, &state);
    state = 77;
    EXPECT(STATUS_SUCCESS, NtCancelTimer, timer, &state);
    CHECK(state == FALSE);
    NtClose(timer);
    EXPECT(STATUS_INVALID_HANDLE, NtCancelTimer, timer, &state);
}

void by_door_query_timer(void)
{
    HANDLE timer = timer_by_door();
    TIMER_BASIC_INFORMATION basic;
    ULONG length = 0;

    NtSetTimer(timer, &later, NULL, NULL, FALSE, 0, NULL);
    EXPECT(STATUS_SUCCESS, NtQueryTimer, timer, TimerBasicInformation, &basic,
           (ULONG)sizeof basic, &length);
    CHECK(basic.RemainingTime.QuadPart > 0 && !basic.TimerState &&
          length == sizeof basic);
    EXPECT(STATUS_INVALID_INFO_CLASS, NtQueryTimer, timer, 99, &basic,
           (ULONG)sizeof basic, &length);
    NtClose(timer);
}

/* ---- Time ---- */

void by_door_delay(void)
{
    LARGE_INTEGER short_time = { .QuadPart = -1 };

    EXPECT(STATUS_SUCCESS, NtDelayExecution, FALSE, &short_time);
    EXPECT(STATUS_ACCESS_VIOLATION, NtDelayExecution, FALSE, NULL);
}

void by_door_set_time(void)
{
    LARGE_INTEGER time = { .QuadPart = 1 };

    EXPECT(STATUS_PRIVILEGE_NOT_HELD, NtSetSystemTime, &time, NULL);
    EXPECT(STATUS_ACCESS_VIOLATION, NtSetSystemTime, (void *)0x10, NULL);
}

void by_door_resolution(void)
{
    ULONG maximum = 0, minimum = 0, current = 0, actual = 0;

    EXPECT(STATUS_SUCCESS, NtQueryTimerResolution, &maximum, &minimum,
           &current);
    CHECK(maximum && maximum >= current && current >= minimum);
    EXPECT(STATUS_ACCESS_VIOLATION, NtQueryTimerResolution, NULL, &minimum,
           &current);
    EXPECT(STATUS_SUCCESS, NtSetTimerResolution, 10000, TRUE, &actual);
    EXPECT(STATUS_SUCCESS, NtSetTimerResolution, 10000, FALSE, &actual);
    EXPECT(STATUS_TIMER_RESOLUTION_NOT_SET, NtSetTimerResolution, 10000,
           FALSE, &actual);
    CHECK(actual == current);
}
