/*
 * nt/ntex.h - events, semaphores, mutants, timers, and time to wait: the
 * services of Ex that are about dispatcher objects, as ring 3 calls them.
 * Shapes are phnt's and the public headers'.
 *
 * A name in ObjectAttributes makes an object that others open; where it is
 * taken already, OBJ_OPENIF opens that one (STATUS_OBJECT_NAME_EXISTS).
 */
#pragma once

#include <nt/ntdef.h>

/* ---- Events ---- */

#define EVENT_QUERY_STATE               0x0001
#define EVENT_MODIFY_STATE              0x0002
#define EVENT_ALL_ACCESS                0x001F0003

typedef enum _EVENT_TYPE {
    NotificationEvent,
    SynchronizationEvent,
} EVENT_TYPE;

typedef enum _EVENT_INFORMATION_CLASS {
    EventBasicInformation = 0,
} EVENT_INFORMATION_CLASS;

typedef struct _EVENT_BASIC_INFORMATION {
    EVENT_TYPE EventType;                       /* 00 */
    LONG EventState;                            /* 04 */
} EVENT_BASIC_INFORMATION;

NTSTATUS NTAPI NtCreateEvent(_Out_ HANDLE *EventHandle,
                             _In_ ACCESS_MASK DesiredAccess,
                             _In_opt_ OBJECT_ATTRIBUTES *ObjectAttributes,
                             _In_ ULONG EventType,
                             _In_ BOOLEAN InitialState);
NTSTATUS NTAPI NtOpenEvent(_Out_ HANDLE *EventHandle,
                           _In_ ACCESS_MASK DesiredAccess,
                           _In_ OBJECT_ATTRIBUTES *ObjectAttributes);
NTSTATUS NTAPI NtSetEvent(_In_ HANDLE EventHandle,
                          _Out_opt_ LONG *PreviousState);
NTSTATUS NTAPI NtResetEvent(_In_ HANDLE EventHandle,
                            _Out_opt_ LONG *PreviousState);
NTSTATUS NTAPI NtPulseEvent(_In_ HANDLE EventHandle,
                            _Out_opt_ LONG *PreviousState);
NTSTATUS NTAPI NtClearEvent(_In_ HANDLE EventHandle);
NTSTATUS NTAPI NtQueryEvent(_In_ HANDLE EventHandle,
                            _In_ ULONG EventInformationClass,
                            _Out_ void *EventInformation,
                            _In_ ULONG EventInformationLength,
                            _Out_opt_ ULONG *ReturnLength);

/* ---- Mutants ---- */

#define MUTANT_QUERY_STATE              0x0001
#define MUTANT_ALL_ACCESS               0x001F0001

typedef enum _MUTANT_INFORMATION_CLASS {
    MutantBasicInformation = 0,
    MutantOwnerInformation = 1,
} MUTANT_INFORMATION_CLASS;

/* CurrentCount: 1 free, 1 - n when it has been taken n times. */
typedef struct _MUTANT_BASIC_INFORMATION {
    LONG CurrentCount;                          /* 00 */
    BOOLEAN OwnedByCaller;                      /* 04 */
    BOOLEAN AbandonedState;                     /* 05 */
} MUTANT_BASIC_INFORMATION;

typedef struct _MUTANT_OWNER_INFORMATION {
    CLIENT_ID ClientId;                         /* 00, zeroes: free */
} MUTANT_OWNER_INFORMATION;

NTSTATUS NTAPI NtCreateMutant(_Out_ HANDLE *MutantHandle,
                              _In_ ACCESS_MASK DesiredAccess,
                              _In_opt_ OBJECT_ATTRIBUTES *ObjectAttributes,
                              _In_ BOOLEAN InitialOwner);
NTSTATUS NTAPI NtOpenMutant(_Out_ HANDLE *MutantHandle,
                            _In_ ACCESS_MASK DesiredAccess,
                            _In_ OBJECT_ATTRIBUTES *ObjectAttributes);
NTSTATUS NTAPI NtReleaseMutant(_In_ HANDLE MutantHandle,
                               _Out_opt_ LONG *PreviousCount);
NTSTATUS NTAPI NtQueryMutant(_In_ HANDLE MutantHandle,
                             _In_ ULONG MutantInformationClass,
                             _Out_ void *MutantInformation,
                             _In_ ULONG MutantInformationLength,
                             _Out_opt_ ULONG *ReturnLength);

/* ---- Semaphores ---- */

#define SEMAPHORE_QUERY_STATE           0x0001
#define SEMAPHORE_MODIFY_STATE          0x0002
#define SEMAPHORE_ALL_ACCESS            0x001F0003

typedef enum _SEMAPHORE_INFORMATION_CLASS {
    SemaphoreBasicInformation = 0,
} SEMAPHORE_INFORMATION_CLASS;

typedef struct _SEMAPHORE_BASIC_INFORMATION {
    LONG CurrentCount;                          /* 00 */
    LONG MaximumCount;                          /* 04 */
} SEMAPHORE_BASIC_INFORMATION;

NTSTATUS NTAPI NtCreateSemaphore(_Out_ HANDLE *SemaphoreHandle,
                                 _In_ ACCESS_MASK DesiredAccess,
                                 _In_opt_ OBJECT_ATTRIBUTES *ObjectAttributes,
                                 _In_ LONG InitialCount,
                                 _In_ LONG MaximumCount);
NTSTATUS NTAPI NtOpenSemaphore(_Out_ HANDLE *SemaphoreHandle,
                               _In_ ACCESS_MASK DesiredAccess,
                               _In_ OBJECT_ATTRIBUTES *ObjectAttributes);
NTSTATUS NTAPI NtReleaseSemaphore(_In_ HANDLE SemaphoreHandle,
                                  _In_ LONG ReleaseCount,
                                  _Out_opt_ LONG *PreviousCount);
NTSTATUS NTAPI NtQuerySemaphore(_In_ HANDLE SemaphoreHandle,
                                _In_ ULONG SemaphoreInformationClass,
                                _Out_ void *SemaphoreInformation,
                                _In_ ULONG SemaphoreInformationLength,
                                _Out_opt_ ULONG *ReturnLength);

/* ---- Timers ---- */

#define TIMER_QUERY_STATE               0x0001
#define TIMER_MODIFY_STATE              0x0002
#define TIMER_ALL_ACCESS                0x001F0003

typedef enum _TIMER_TYPE {
    NotificationTimer,
    SynchronizationTimer,
} TIMER_TYPE;

typedef enum _TIMER_INFORMATION_CLASS {
    TimerBasicInformation = 0,
} TIMER_INFORMATION_CLASS;

/* RemainingTime: in 100 ns, less than 0 when the time has passed. */
typedef struct _TIMER_BASIC_INFORMATION {
    LARGE_INTEGER RemainingTime;                /* 00 */
    BOOLEAN TimerState;                         /* 08 */
} TIMER_BASIC_INFORMATION;

/* A user APC of the thread that has set the timer, with the system time. */
typedef void (NTAPI *PTIMER_APC_ROUTINE)(void *TimerContext,
                                         ULONG TimerLowValue,
                                         LONG TimerHighValue);

NTSTATUS NTAPI NtCreateTimer(_Out_ HANDLE *TimerHandle,
                             _In_ ACCESS_MASK DesiredAccess,
                             _In_opt_ OBJECT_ATTRIBUTES *ObjectAttributes,
                             _In_ ULONG TimerType);
NTSTATUS NTAPI NtOpenTimer(_Out_ HANDLE *TimerHandle,
                           _In_ ACCESS_MASK DesiredAccess,
                           _In_ OBJECT_ATTRIBUTES *ObjectAttributes);

/* DueTime less than 0: from now; else a system time.  Period: ms, or 0. */
NTSTATUS NTAPI NtSetTimer(_In_ HANDLE TimerHandle,
                          _In_ LARGE_INTEGER *DueTime,
                          _In_opt_ PTIMER_APC_ROUTINE TimerApcRoutine,
                          _In_opt_ void *TimerContext,
                          _In_ BOOLEAN ResumeTimer,
                          _In_ LONG Period,
                          _Out_opt_ BOOLEAN *PreviousState);
NTSTATUS NTAPI NtCancelTimer(_In_ HANDLE TimerHandle,
                             _Out_opt_ BOOLEAN *CurrentState);
NTSTATUS NTAPI NtQueryTimer(_In_ HANDLE TimerHandle,
                            _In_ ULONG TimerInformationClass,
                            _Out_ void *TimerInformation,
                            _In_ ULONG TimerInformationLength,
                            _Out_opt_ ULONG *ReturnLength);

/* ---- Time ---- */

NTSTATUS NTAPI NtDelayExecution(_In_ BOOLEAN Alertable,
                                _In_ LARGE_INTEGER *DelayInterval);
NTSTATUS NTAPI NtSetSystemTime(_In_opt_ LARGE_INTEGER *SystemTime,
                               _Out_opt_ LARGE_INTEGER *PreviousTime);

/* In 100 ns; the maximum is the longest time between two ticks. */
NTSTATUS NTAPI NtQueryTimerResolution(_Out_ ULONG *MaximumTime,
                                      _Out_ ULONG *MinimumTime,
                                      _Out_ ULONG *CurrentTime);
NTSTATUS NTAPI NtSetTimerResolution(_In_ ULONG DesiredTime,
                                    _In_ BOOLEAN SetResolution,
                                    _Out_ ULONG *ActualTime);
