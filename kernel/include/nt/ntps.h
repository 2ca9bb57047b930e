/*
 * nt/ntps.h - threads and processes: the services of Ps as ring 3 calls
 * them.  Shapes are phnt's and the public headers'.
 */
#pragma once

#include <nt/context.h>
#include <nt/ntdef.h>

/* ---- Access ---- */

#define PROCESS_TERMINATE               0x0001
#define PROCESS_CREATE_THREAD           0x0002
#define PROCESS_VM_OPERATION            0x0008
#define PROCESS_VM_READ                 0x0010
#define PROCESS_VM_WRITE                0x0020
#define PROCESS_DUP_HANDLE              0x0040
#define PROCESS_CREATE_PROCESS          0x0080
#define PROCESS_SET_QUOTA               0x0100
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

/* CreateFlags of NtCreateThreadEx, ThreadFlags of NtCreateUserProcess */
#define THREAD_CREATE_FLAGS_CREATE_SUSPENDED    0x00000001
#define THREAD_CREATE_FLAGS_SKIP_THREAD_ATTACH  0x00000002
#define THREAD_CREATE_FLAGS_HIDE_FROM_DEBUGGER  0x00000004
#define THREAD_CREATE_FLAGS_LOADER_WORKER       0x00000010
#define THREAD_CREATE_FLAGS_SKIP_LOADER_INIT    0x00000020
#define THREAD_CREATE_FLAGS_BYPASS_PROCESS_FREEZE 0x00000040

/* TEB.SameTebFlags */
#define TEB_SKIP_THREAD_ATTACH          0x0008
#define TEB_INITIAL_THREAD              0x0400
#define TEB_LOADER_WORKER               0x2000
#define TEB_SKIP_LOADER_INIT            0x4000

/*
 * What a creator wants to know or to choose: Attribute says what, and which
 * way it goes; the answer goes to *ValuePtr, its size to *ReturnLength.
 */
typedef struct _PS_ATTRIBUTE {
    ULONG_PTR Attribute;                        /* 00 */
    SIZE_T Size;                                /* 08 */
    union {
        ULONG_PTR Value;                        /* 10 */
        void *ValuePtr;
    };
    SIZE_T *ReturnLength;                       /* 18 */
} PS_ATTRIBUTE;

typedef struct _PS_ATTRIBUTE_LIST {
    SIZE_T TotalLength;                         /* 00, of all this */
    PS_ATTRIBUTE Attributes[1];                 /* 08 */
} PS_ATTRIBUTE_LIST;

#define PS_ATTRIBUTE_THREAD             0x00010000  /* of threads as well */
#define PS_ATTRIBUTE_INPUT              0x00020000
#define PS_ATTRIBUTE_ADDITIVE           0x00040000
#define PS_ATTRIBUTE_PARENT_PROCESS     0x00060000
#define PS_ATTRIBUTE_CLIENT_ID          0x00010003
#define PS_ATTRIBUTE_TEB_ADDRESS        0x00010004
#define PS_ATTRIBUTE_IMAGE_NAME         0x00020005
#define PS_ATTRIBUTE_IMAGE_INFO         0x00000006

typedef void (NTAPI *PUSER_THREAD_START_ROUTINE)(void *ThreadParameter);

NTSTATUS NTAPI NtCreateThreadEx(_Out_ HANDLE *ThreadHandle,
                                _In_ ACCESS_MASK DesiredAccess,
                                _In_opt_ OBJECT_ATTRIBUTES *ObjectAttributes,
                                _In_ HANDLE ProcessHandle,
                                _In_ void *StartRoutine,
                                _In_opt_ void *Argument,
                                _In_ ULONG CreateFlags,
                                _In_ SIZE_T ZeroBits,
                                _In_ SIZE_T StackSize,
                                _In_ SIZE_T MaximumStackSize,
                                _Inout_opt_ PS_ATTRIBUTE_LIST *AttributeList);
NTSTATUS NTAPI NtCreateThread(_Out_ HANDLE *ThreadHandle,
                              _In_ ACCESS_MASK DesiredAccess,
                              _In_opt_ OBJECT_ATTRIBUTES *ObjectAttributes,
                              _In_ HANDLE ProcessHandle,
                              _Out_ CLIENT_ID *ClientId,
                              _In_ CONTEXT *ThreadContext,
                              _In_ INITIAL_TEB *InitialTeb,
                              _In_ BOOLEAN CreateSuspended);
NTSTATUS NTAPI NtOpenThread(_Out_ HANDLE *ThreadHandle,
                            _In_ ACCESS_MASK DesiredAccess,
                            _In_ OBJECT_ATTRIBUTES *ObjectAttributes,
                            _In_opt_ CLIENT_ID *ClientId);
NTSTATUS NTAPI NtOpenProcess(_Out_ HANDLE *ProcessHandle,
                             _In_ ACCESS_MASK DesiredAccess,
                             _In_ OBJECT_ATTRIBUTES *ObjectAttributes,
                             _In_opt_ CLIENT_ID *ClientId);

NTSTATUS NTAPI NtGetContextThread(_In_ HANDLE ThreadHandle,
                                  _Inout_ CONTEXT *ThreadContext);
NTSTATUS NTAPI NtSetContextThread(_In_ HANDLE ThreadHandle,
                                  _In_ CONTEXT *ThreadContext);

/* ---- Processes ---- */

/* ProcessFlags of NtCreateUserProcess */
#define PROCESS_CREATE_FLAGS_BREAKAWAY          0x00000001
#define PROCESS_CREATE_FLAGS_NO_DEBUG_INHERIT   0x00000002
#define PROCESS_CREATE_FLAGS_INHERIT_HANDLES    0x00000004

/* PS_CREATE_INFO.State, by the kernel: how far it got. */
typedef enum _PS_CREATE_STATE {
    PsCreateInitialState,
    PsCreateFailOnFileOpen,
    PsCreateFailOnSectionCreate,
    PsCreateFailExeFormat,
    PsCreateFailMachineMismatch,
    PsCreateFailExeName,
    PsCreateSuccess,
} PS_CREATE_STATE;

typedef struct _PS_CREATE_INFO {
    SIZE_T Size;                                /* 00, of all this */
    ULONG State;                                /* 08 */
    union {
        struct {
            ULONG InitFlags;                    /* 10 */
            ACCESS_MASK AdditionalFileAccess;   /* 14 */
        };
        struct {
            ULONG OutputFlags;                  /* 10 */
            HANDLE FileHandle;                  /* 18 */
            HANDLE SectionHandle;               /* 20 */
            ULONGLONG UserProcessParametersNative;  /* 28 */
            ULONG UserProcessParametersWow64;   /* 30 */
            ULONG CurrentParameterFlags;        /* 34 */
            ULONGLONG PebAddressNative;         /* 38 */
            ULONG PebAddressWow64;              /* 40 */
            ULONGLONG ManifestAddress;          /* 48 */
            ULONG ManifestSize;                 /* 50 */
        };
    };
} PS_CREATE_INFO;

struct _RTL_USER_PROCESS_PARAMETERS;
NTSTATUS NTAPI NtCreateUserProcess(
    _Out_ HANDLE *ProcessHandle, _Out_ HANDLE *ThreadHandle,
    _In_ ACCESS_MASK ProcessDesiredAccess,
    _In_ ACCESS_MASK ThreadDesiredAccess,
    _In_opt_ OBJECT_ATTRIBUTES *ProcessObjectAttributes,
    _In_opt_ OBJECT_ATTRIBUTES *ThreadObjectAttributes,
    _In_ ULONG ProcessFlags, _In_ ULONG ThreadFlags,
    _In_ struct _RTL_USER_PROCESS_PARAMETERS *ProcessParameters,
    _Inout_ PS_CREATE_INFO *CreateInfo,
    _In_ PS_ATTRIBUTE_LIST *AttributeList);

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
