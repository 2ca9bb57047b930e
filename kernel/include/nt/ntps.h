/*
 * nt/ntps.h - threads and processes: the services of Ps as ring 3 calls
 * them.  Shapes are phnt's and the public headers'.
 */
#pragma once

#include <nt/ntdef.h>

/* ---- Access ---- */

#define PROCESS_TERMINATE               0x0001
#define PROCESS_CREATE_THREAD           0x0002
#define PROCESS_VM_OPERATION            0x0008
#define PROCESS_VM_READ                 0x0010
#define PROCESS_VM_WRITE                0x0020
#define PROCESS_DUP_HANDLE              0x0040
#define PROCESS_CREATE_PROCESS          0x0080
#define PROCESS_SET_INFORMATION         0x0200
#define PROCESS_QUERY_INFORMATION       0x0400
#define PROCESS_SUSPEND_RESUME          0x0800
#define PROCESS_QUERY_LIMITED_INFORMATION 0x1000
#define PROCESS_ALL_ACCESS              0x001FFFFF
#define THREAD_TERMINATE                0x0001
#define THREAD_SUSPEND_RESUME           0x0002
#define THREAD_ALERT                    0x0004
#define THREAD_GET_CONTEXT              0x0008
#define THREAD_SET_CONTEXT              0x0010
#define THREAD_SET_INFORMATION          0x0020
#define THREAD_QUERY_INFORMATION        0x0040
#define THREAD_SET_LIMITED_INFORMATION  0x0400
#define THREAD_QUERY_LIMITED_INFORMATION 0x0800
#define THREAD_RESUME                   0x1000
#define THREAD_ALL_ACCESS               0x001FFFFF

/* ---- Threads ---- */

/* A new thread's user stack; the old one's fields are of other times. */
typedef struct _INITIAL_TEB {
    void *OldStackBase;                         /* 00 */
    void *OldStackLimit;                        /* 08 */
    void *StackBase;                            /* 10, first behind it */
    void *StackLimit;                           /* 18, lowest committed */
    void *StackAllocationBase;                  /* 20 */
} INITIAL_TEB;

/* ---- APCs ---- */

typedef void (NTAPI *PPS_APC_ROUTINE)(void *argument1, void *argument2,
                                      void *argument3);

/* As a ReserveHandle: a user APC that does not wait for an alertable moment. */
#define QUEUE_USER_APC_SPECIAL_USER_APC ((HANDLE)(LONG_PTR)1)

NTSTATUS NTAPI NtQueueApcThread(_In_ HANDLE ThreadHandle,
                                _In_ PPS_APC_ROUTINE ApcRoutine,
                                _In_opt_ void *ApcArgument1,
                                _In_opt_ void *ApcArgument2,
                                _In_opt_ void *ApcArgument3);
NTSTATUS NTAPI NtQueueApcThreadEx(_In_ HANDLE ThreadHandle,
                                  _In_opt_ HANDLE ReserveHandle,
                                  _In_ PPS_APC_ROUTINE ApcRoutine,
                                  _In_opt_ void *ApcArgument1,
                                  _In_opt_ void *ApcArgument2,
                                  _In_opt_ void *ApcArgument3);
NTSTATUS NTAPI NtTestAlert(void);
NTSTATUS NTAPI NtAlertThread(_In_ HANDLE ThreadHandle);
NTSTATUS NTAPI NtAlertResumeThread(_In_ HANDLE ThreadHandle,
                                   _Out_opt_ ULONG *PreviousSuspendCount);
NTSTATUS NTAPI NtSuspendThread(_In_ HANDLE ThreadHandle,
                               _Out_opt_ ULONG *PreviousSuspendCount);
NTSTATUS NTAPI NtResumeThread(_In_ HANDLE ThreadHandle,
                              _Out_opt_ ULONG *PreviousSuspendCount);

/* ContinueArgument: a BOOLEAN, or a KCONTINUE_ARGUMENT *. */
NTSTATUS NTAPI NtContinueEx(_In_ CONTEXT *ContextRecord,
                            _In_ void *ContinueArgument);
