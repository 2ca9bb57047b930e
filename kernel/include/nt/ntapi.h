/*
 * nt/ntapi.h - ring 0 of the headers: the system services, as ring 3 calls
 * them and as the kernel implements them.
 *
 * One prototype per row of kernel/ke/services.tab, in its order of subjects,
 * and the constants and structures that pass through them.  Ring 3 reaches a
 * service through ntdll's stub; the kernel's own calls use the Zw names.
 * NT: names, values and layouts are Windows 10 2004's.
 */
#pragma once

#include <nt/ntdef.h>
#include <nt/ntstatus.h>
#include <nt/context.h>
#include <nt/gdi.h>
#include <nt/memory.h>
#include <nt/peb.h>
#include <nt/teb.h>

#define NtCurrentProcess() ((HANDLE)(LONG_PTR)-1)
#define NtCurrentThread()  ((HANDLE)(LONG_PTR)-2)

/* ---- Access ---- */

#define DELETE                          0x00010000
#define READ_CONTROL                    0x00020000
#define WRITE_DAC                       0x00040000
#define WRITE_OWNER                     0x00080000
#define SYNCHRONIZE                     0x00100000
#define STANDARD_RIGHTS_REQUIRED        0x000F0000
#define ACCESS_SYSTEM_SECURITY          0x01000000
#define MAXIMUM_ALLOWED                 0x02000000
#define GENERIC_ALL                     0x10000000
#define GENERIC_EXECUTE                 0x20000000
#define GENERIC_WRITE                   0x40000000
#define GENERIC_READ                    0x80000000

/* ---- Files ---- */

#define FILE_READ_DATA                  0x00000001
#define FILE_LIST_DIRECTORY             0x00000001
#define FILE_WRITE_DATA                 0x00000002
#define FILE_APPEND_DATA                0x00000004
#define FILE_READ_EA                    0x00000008
#define FILE_WRITE_EA                   0x00000010
#define FILE_EXECUTE                    0x00000020
#define FILE_READ_ATTRIBUTES            0x00000080
#define FILE_WRITE_ATTRIBUTES           0x00000100
#define FILE_GENERIC_READ               (READ_CONTROL | SYNCHRONIZE | \
                                         FILE_READ_DATA | FILE_READ_EA | \
                                         FILE_READ_ATTRIBUTES)
#define FILE_GENERIC_WRITE              (READ_CONTROL | SYNCHRONIZE | \
                                         FILE_WRITE_DATA | FILE_WRITE_EA | \
                                         FILE_APPEND_DATA | \
                                         FILE_WRITE_ATTRIBUTES)
#define FILE_GENERIC_EXECUTE            (READ_CONTROL | SYNCHRONIZE | \
                                         FILE_EXECUTE | FILE_READ_ATTRIBUTES)
#define FILE_ALL_ACCESS                 0x001F01FF

#define FILE_SHARE_READ                 0x00000001
#define FILE_SHARE_WRITE                0x00000002
#define FILE_SHARE_DELETE               0x00000004
#define FILE_SHARE_VALID_FLAGS          0x00000007

#define FILE_ATTRIBUTE_READONLY         0x00000001
#define FILE_ATTRIBUTE_DIRECTORY        0x00000010
#define FILE_ATTRIBUTE_NORMAL           0x00000080
#define FILE_ATTRIBUTE_VALID_FLAGS      0x00007FB7

/* CreateDisposition */
#define FILE_SUPERSEDE                  0
#define FILE_OPEN                       1
#define FILE_CREATE                     2
#define FILE_OPEN_IF                    3
#define FILE_OVERWRITE                  4
#define FILE_OVERWRITE_IF               5
#define FILE_MAXIMUM_DISPOSITION        5

/* CreateOptions, OpenOptions */
#define FILE_DIRECTORY_FILE             0x00000001
#define FILE_WRITE_THROUGH              0x00000002
#define FILE_SEQUENTIAL_ONLY            0x00000004
#define FILE_NO_INTERMEDIATE_BUFFERING  0x00000008
#define FILE_SYNCHRONOUS_IO_ALERT       0x00000010
#define FILE_SYNCHRONOUS_IO_NONALERT    0x00000020
#define FILE_NON_DIRECTORY_FILE         0x00000040
#define FILE_CREATE_TREE_CONNECTION     0x00000080
#define FILE_NO_EA_KNOWLEDGE            0x00000200
#define FILE_RANDOM_ACCESS              0x00000800
#define FILE_DELETE_ON_CLOSE            0x00001000
#define FILE_OPEN_BY_FILE_ID            0x00002000
#define FILE_OPEN_FOR_BACKUP_INTENT     0x00004000
#define FILE_VALID_OPTION_FLAGS         0x00FFFFFF

/* IO_STATUS_BLOCK.Information after NtCreateFile */
#define FILE_SUPERSEDED                 0
#define FILE_OPENED                     1
#define FILE_CREATED                    2
#define FILE_OVERWRITTEN                3
#define FILE_EXISTS                     4
#define FILE_DOES_NOT_EXIST             5

/* ByteOffset with HighPart -1 */
#define FILE_WRITE_TO_END_OF_FILE       0xFFFFFFFF
#define FILE_USE_FILE_POINTER_POSITION  0xFFFFFFFE

/* Called as a user APC when the transfer ends; not in this kernel yet. */
typedef void (NTAPI *PIO_APC_ROUTINE)(void *context, IO_STATUS_BLOCK *status,
                                      ULONG reserved);

typedef enum _FILE_INFORMATION_CLASS {
    FileStandardInformation = 5,
    FilePositionInformation = 14,
} FILE_INFORMATION_CLASS;

typedef struct _FILE_STANDARD_INFORMATION {
    LARGE_INTEGER AllocationSize;               /* 00 */
    LARGE_INTEGER EndOfFile;                    /* 08 */
    ULONG NumberOfLinks;                        /* 10 */
    BOOLEAN DeletePending;                      /* 14 */
    BOOLEAN Directory;                          /* 15 */
} FILE_STANDARD_INFORMATION;

typedef struct _FILE_POSITION_INFORMATION {
    LARGE_INTEGER CurrentByteOffset;
} FILE_POSITION_INFORMATION;

NTSTATUS NTAPI NtCreateFile(_Out_ HANDLE *FileHandle,
                            _In_ ACCESS_MASK DesiredAccess,
                            _In_ OBJECT_ATTRIBUTES *ObjectAttributes,
                            _Out_ IO_STATUS_BLOCK *IoStatusBlock,
                            _In_opt_ LARGE_INTEGER *AllocationSize,
                            _In_ ULONG FileAttributes,
                            _In_ ULONG ShareAccess,
                            _In_ ULONG CreateDisposition,
                            _In_ ULONG CreateOptions,
                            _In_opt_ void *EaBuffer,
                            _In_ ULONG EaLength);
NTSTATUS NTAPI NtOpenFile(_Out_ HANDLE *FileHandle,
                          _In_ ACCESS_MASK DesiredAccess,
                          _In_ OBJECT_ATTRIBUTES *ObjectAttributes,
                          _Out_ IO_STATUS_BLOCK *IoStatusBlock,
                          _In_ ULONG ShareAccess,
                          _In_ ULONG OpenOptions);
NTSTATUS NTAPI NtReadFile(_In_ HANDLE FileHandle,
                          _In_opt_ HANDLE Event,
                          _In_opt_ PIO_APC_ROUTINE ApcRoutine,
                          _In_opt_ void *ApcContext,
                          _Out_ IO_STATUS_BLOCK *IoStatusBlock,
                          _Out_ void *Buffer,
                          _In_ ULONG Length,
                          _In_opt_ LARGE_INTEGER *ByteOffset,
                          _In_opt_ ULONG *Key);
NTSTATUS NTAPI NtWriteFile(_In_ HANDLE FileHandle,
                           _In_opt_ HANDLE Event,
                           _In_opt_ PIO_APC_ROUTINE ApcRoutine,
                           _In_opt_ void *ApcContext,
                           _Out_ IO_STATUS_BLOCK *IoStatusBlock,
                           _In_ const void *Buffer,
                           _In_ ULONG Length,
                           _In_opt_ LARGE_INTEGER *ByteOffset,
                           _In_opt_ ULONG *Key);
NTSTATUS NTAPI NtQueryInformationFile(_In_ HANDLE FileHandle,
                                      _Out_ IO_STATUS_BLOCK *IoStatusBlock,
                                      _Out_ void *FileInformation,
                                      _In_ ULONG Length,
                                      _In_ ULONG FileInformationClass);
NTSTATUS NTAPI NtDisplayString(_In_ const UNICODE_STRING *String);
NTSTATUS NTAPI NtClose(_In_ HANDLE Handle);

/* ---- Memory ---- */

#define PAGE_NOACCESS                   0x01
#define PAGE_READONLY                   0x02
#define PAGE_READWRITE                  0x04
#define PAGE_WRITECOPY                  0x08
#define PAGE_EXECUTE                    0x10
#define PAGE_EXECUTE_READ               0x20
#define PAGE_EXECUTE_READWRITE          0x40
#define PAGE_EXECUTE_WRITECOPY          0x80
#define PAGE_GUARD                      0x100
#define PAGE_NOCACHE                    0x200
#define PAGE_WRITECOMBINE               0x400

#define MEM_COMMIT                      0x00001000
#define MEM_RESERVE                     0x00002000
#define MEM_DECOMMIT                    0x00004000
#define MEM_RELEASE                     0x00008000
#define MEM_FREE                        0x00010000
#define MEM_PRIVATE                     0x00020000
#define MEM_MAPPED                      0x00040000
#define MEM_RESET                       0x00080000
#define MEM_TOP_DOWN                    0x00100000
#define MEM_IMAGE                       0x01000000

#define SEC_FILE                        0x00800000  /* told, never asked */
#define SEC_IMAGE                       0x01000000
#define SEC_RESERVE                     0x04000000
#define SEC_COMMIT                      0x08000000
#define SEC_NOCACHE                     0x10000000

#define SECTION_QUERY                   0x0001
#define SECTION_MAP_WRITE               0x0002
#define SECTION_MAP_READ                0x0004
#define SECTION_MAP_EXECUTE             0x0008
#define SECTION_EXTEND_SIZE             0x0010
#define SECTION_ALL_ACCESS              0x000F001F

typedef enum _SECTION_INHERIT {
    ViewShare = 1,
    ViewUnmap = 2,
} SECTION_INHERIT;

typedef enum _MEMORY_INFORMATION_CLASS {
    MemoryBasicInformation = 0,
} MEMORY_INFORMATION_CLASS;

NTSTATUS NTAPI NtAllocateVirtualMemory(_In_ HANDLE ProcessHandle,
                                       _Inout_ void **BaseAddress,
                                       _In_ ULONG_PTR ZeroBits,
                                       _Inout_ SIZE_T *RegionSize,
                                       _In_ ULONG AllocationType,
                                       _In_ ULONG Protect);
NTSTATUS NTAPI NtFreeVirtualMemory(_In_ HANDLE ProcessHandle,
                                   _Inout_ void **BaseAddress,
                                   _Inout_ SIZE_T *RegionSize,
                                   _In_ ULONG FreeType);
NTSTATUS NTAPI NtProtectVirtualMemory(_In_ HANDLE ProcessHandle,
                                      _Inout_ void **BaseAddress,
                                      _Inout_ SIZE_T *RegionSize,
                                      _In_ ULONG NewProtect,
                                      _Out_ ULONG *OldProtect);
NTSTATUS NTAPI NtQueryVirtualMemory(_In_ HANDLE ProcessHandle,
                                    _In_opt_ void *BaseAddress,
                                    _In_ ULONG MemoryInformationClass,
                                    _Out_ void *MemoryInformation,
                                    _In_ SIZE_T MemoryInformationLength,
                                    _Out_opt_ SIZE_T *ReturnLength);
NTSTATUS NTAPI NtReadVirtualMemory(_In_ HANDLE ProcessHandle,
                                   _In_opt_ void *BaseAddress,
                                   _Out_ void *Buffer,
                                   _In_ SIZE_T NumberOfBytesToRead,
                                   _Out_opt_ SIZE_T *NumberOfBytesRead);
NTSTATUS NTAPI NtWriteVirtualMemory(_In_ HANDLE ProcessHandle,
                                    _In_opt_ void *BaseAddress,
                                    _In_ const void *Buffer,
                                    _In_ SIZE_T NumberOfBytesToWrite,
                                    _Out_opt_ SIZE_T *NumberOfBytesWritten);

/* MapType: into the process's working set, or (a privilege) into memory. */
#define MAP_PROCESS                     1
#define MAP_SYSTEM                      2

NTSTATUS NTAPI NtLockVirtualMemory(_In_ HANDLE ProcessHandle,
                                   _Inout_ void **BaseAddress,
                                   _Inout_ SIZE_T *RegionSize,
                                   _In_ ULONG MapType);
NTSTATUS NTAPI NtUnlockVirtualMemory(_In_ HANDLE ProcessHandle,
                                     _Inout_ void **BaseAddress,
                                     _Inout_ SIZE_T *RegionSize,
                                     _In_ ULONG MapType);

NTSTATUS NTAPI NtCreateSection(_Out_ HANDLE *SectionHandle,
                               _In_ ACCESS_MASK DesiredAccess,
                               _In_opt_ OBJECT_ATTRIBUTES *ObjectAttributes,
                               _In_opt_ LARGE_INTEGER *MaximumSize,
                               _In_ ULONG SectionPageProtection,
                               _In_ ULONG AllocationAttributes,
                               _In_opt_ HANDLE FileHandle);
NTSTATUS NTAPI NtOpenSection(_Out_ HANDLE *SectionHandle,
                             _In_ ACCESS_MASK DesiredAccess,
                             _In_ OBJECT_ATTRIBUTES *ObjectAttributes);

typedef enum _SECTION_INFORMATION_CLASS {
    SectionBasicInformation = 0,
    SectionImageInformation = 1,
} SECTION_INFORMATION_CLASS;

typedef struct _SECTION_BASIC_INFORMATION {
    void *BaseAddress;                          /* 00, of SEC_BASED */
    ULONG AllocationAttributes;                 /* 08 */
    LARGE_INTEGER MaximumSize;                  /* 10 */
} SECTION_BASIC_INFORMATION;

/* What an image section says of its PE. */
typedef struct _SECTION_IMAGE_INFORMATION {
    void *TransferAddress;                      /* 00, the entry point */
    ULONG ZeroBits;                             /* 08 */
    SIZE_T MaximumStackSize;                    /* 10 */
    SIZE_T CommittedStackSize;                  /* 18 */
    ULONG SubSystemType;                        /* 20 */
    USHORT SubSystemMinorVersion;               /* 24 */
    USHORT SubSystemMajorVersion;               /* 26 */
    USHORT MajorOperatingSystemVersion;         /* 28 */
    USHORT MinorOperatingSystemVersion;         /* 2a */
    USHORT ImageCharacteristics;                /* 2c */
    USHORT DllCharacteristics;                  /* 2e */
    USHORT Machine;                             /* 30 */
    BOOLEAN ImageContainsCode;                  /* 32 */
    UCHAR ImageFlags;                           /* 33 */
    ULONG LoaderFlags;                          /* 34 */
    ULONG ImageFileSize;                        /* 38 */
    ULONG CheckSum;                             /* 3c */
} SECTION_IMAGE_INFORMATION;

NTSTATUS NTAPI NtQuerySection(_In_ HANDLE SectionHandle,
                              _In_ ULONG SectionInformationClass,
                              _Out_ void *SectionInformation,
                              _In_ SIZE_T SectionInformationLength,
                              _Out_opt_ SIZE_T *ReturnLength);
NTSTATUS NTAPI NtMapViewOfSection(_In_ HANDLE SectionHandle,
                                  _In_ HANDLE ProcessHandle,
                                  _Inout_ void **BaseAddress,
                                  _In_ ULONG_PTR ZeroBits,
                                  _In_ SIZE_T CommitSize,
                                  _Inout_opt_ LARGE_INTEGER *SectionOffset,
                                  _Inout_ SIZE_T *ViewSize,
                                  _In_ ULONG InheritDisposition,
                                  _In_ ULONG AllocationType,
                                  _In_ ULONG Win32Protect);
NTSTATUS NTAPI NtUnmapViewOfSection(_In_ HANDLE ProcessHandle,
                                    _In_opt_ void *BaseAddress);

/* ---- Processes and threads ---- */

typedef enum _PROCESSINFOCLASS {
    ProcessBasicInformation = 0,
    ProcessQuotaLimits = 1,                     /* to set */
    ProcessVmCounters = 3,
    ProcessTimes = 4,
    ProcessBasePriority = 5,                    /* a LONG, to set */
    ProcessDebugPort = 7,
    ProcessHandleCount = 20,                    /* a ULONG */
    ProcessAffinityMask = 21,                   /* a ULONG_PTR, to set */
    ProcessSessionInformation = 24,             /* a ULONG */
    ProcessWow64Information = 26,               /* 32-bit code's PEB */
    ProcessInstrumentationCallback = 40,        /* to set */
    ProcessMitigationPolicy = 52,               /* to set */
} PROCESSINFOCLASS;

typedef enum _THREADINFOCLASS {
    ThreadBasicInformation = 0,
    ThreadTimes = 1,
    ThreadPriority = 2,                         /* a LONG, to set */
    ThreadBasePriority = 3,                     /* a LONG, to set */
    ThreadAffinityMask = 4,                     /* a ULONG_PTR, to set */
    ThreadQuerySetWin32StartAddress = 9,
    ThreadPerformanceCount = 11,
    ThreadAmILastThread = 12,                   /* a ULONG: 0 or 1 */
    ThreadPriorityBoost = 14,                   /* a ULONG, 1: disabled */
    ThreadHideFromDebugger = 17,                /* no data, to set */
    ThreadIsTerminated = 20,                    /* a ULONG: 0 or 1 */
    ThreadTebInformation = 26,
    ThreadUmsInformation = 31,                  /* to set */
    ThreadSuspendCount = 35,                    /* a ULONG */
} THREADINFOCLASS;

/* In bytes.  Both working-set sizes -1: pages leave it, all of them. */
typedef struct _QUOTA_LIMITS {
    SIZE_T PagedPoolLimit;                      /* 00 */
    SIZE_T NonPagedPoolLimit;                   /* 08 */
    SIZE_T MinimumWorkingSetSize;               /* 10 */
    SIZE_T MaximumWorkingSetSize;               /* 18 */
    SIZE_T PagefileLimit;                       /* 20 */
    LARGE_INTEGER TimeLimit;                    /* 28 */
} QUOTA_LIMITS;

/* Or the callback alone.  Version is 0; NULL: none any more. */
typedef struct _PROCESS_INSTRUMENTATION_CALLBACK_INFORMATION {
    ULONG Version;                              /* 00 */
    ULONG Reserved;                             /* 04 */
    void *Callback;                             /* 08 */
} PROCESS_INSTRUMENTATION_CALLBACK_INFORMATION;

/* Policy 3: exceptions for handles that are none, for ever. */
#define ProcessStrictHandleCheckPolicy 3
#define PROCESS_STRICT_HANDLE_RAISE     0x1
#define PROCESS_STRICT_HANDLE_PERMANENT 0x2

typedef struct _PROCESS_MITIGATION_POLICY_INFORMATION {
    ULONG Policy;                               /* 00 */
    ULONG Flags;                                /* 04 */
} PROCESS_MITIGATION_POLICY_INFORMATION;

typedef enum _THREAD_UMS_INFORMATION_COMMAND {
    UmsInformationCommandInvalid,
    UmsInformationCommandAttach,
    UmsInformationCommandDetach,
    UmsInformationCommandQuery,
} THREAD_UMS_INFORMATION_COMMAND;

typedef struct _THREAD_UMS_INFORMATION {
    THREAD_UMS_INFORMATION_COMMAND Command;     /* 00 */
    void *CompletionList;                       /* 08 */
    void *UmsContext;                           /* 10, of a UMS thread */
    ULONG Flags;                                /* 18 */
} THREAD_UMS_INFORMATION;

typedef struct _PROCESS_BASIC_INFORMATION {
    NTSTATUS ExitStatus;                        /* 00 */
    PEB *PebBaseAddress;                        /* 08 */
    ULONG_PTR AffinityMask;                     /* 10 */
    LONG BasePriority;                          /* 18 */
    HANDLE UniqueProcessId;                     /* 20 */
    HANDLE InheritedFromUniqueProcessId;        /* 28 */
} PROCESS_BASIC_INFORMATION;

typedef struct _THREAD_BASIC_INFORMATION {
    NTSTATUS ExitStatus;                        /* 00 */
    TEB *TebBaseAddress;                        /* 08 */
    CLIENT_ID ClientId;                         /* 10 */
    ULONG_PTR AffinityMask;                     /* 20 */
    LONG Priority;                              /* 28 */
    LONG BasePriority;                          /* 2c */
} THREAD_BASIC_INFORMATION;

/* In 100-ns units: system times and durations. */
typedef struct _KERNEL_USER_TIMES {
    LARGE_INTEGER CreateTime;                   /* 00 */
    LARGE_INTEGER ExitTime;                     /* 08 */
    LARGE_INTEGER KernelTime;                   /* 10 */
    LARGE_INTEGER UserTime;                     /* 18 */
} KERNEL_USER_TIMES;

typedef struct _VM_COUNTERS {
    SIZE_T PeakVirtualSize;                     /* 00 */
    SIZE_T VirtualSize;                         /* 08 */
    ULONG PageFaultCount;                       /* 10 */
    SIZE_T PeakWorkingSetSize;                  /* 18 */
    SIZE_T WorkingSetSize;                      /* 20 */
    SIZE_T QuotaPeakPagedPoolUsage;             /* 28 */
    SIZE_T QuotaPagedPoolUsage;                 /* 30 */
    SIZE_T QuotaPeakNonPagedPoolUsage;          /* 38 */
    SIZE_T QuotaNonPagedPoolUsage;              /* 40 */
    SIZE_T PagefileUsage;                       /* 48 */
    SIZE_T PeakPagefileUsage;                   /* 50 */
} VM_COUNTERS;

/* TebInformation: where BytesToRead bytes of the TEB are to be put. */
typedef struct _THREAD_TEB_INFORMATION {
    void *TebInformation;                       /* 00 */
    ULONG TebOffset;                            /* 08 */
    ULONG BytesToRead;                          /* 0c */
} THREAD_TEB_INFORMATION;

NTSTATUS NTAPI NtQueryInformationProcess(_In_ HANDLE ProcessHandle,
                                         _In_ ULONG ProcessInformationClass,
                                         _Out_ void *ProcessInformation,
                                         _In_ ULONG ProcessInformationLength,
                                         _Out_opt_ ULONG *ReturnLength);
NTSTATUS NTAPI NtQueryInformationThread(_In_ HANDLE ThreadHandle,
                                        _In_ ULONG ThreadInformationClass,
                                        _Out_ void *ThreadInformation,
                                        _In_ ULONG ThreadInformationLength,
                                        _Out_opt_ ULONG *ReturnLength);
NTSTATUS NTAPI NtSetInformationProcess(_In_ HANDLE ProcessHandle,
                                       _In_ ULONG ProcessInformationClass,
                                       _In_ const void *ProcessInformation,
                                       _In_ ULONG ProcessInformationLength);
NTSTATUS NTAPI NtSetInformationThread(_In_ HANDLE ThreadHandle,
                                      _In_ ULONG ThreadInformationClass,
                                      _In_ const void *ThreadInformation,
                                      _In_ ULONG ThreadInformationLength);
NTSTATUS NTAPI NtTerminateProcess(_In_opt_ HANDLE ProcessHandle,
                                  _In_ NTSTATUS ExitStatus);
NTSTATUS NTAPI NtTerminateThread(_In_opt_ HANDLE ThreadHandle,
                                 _In_ NTSTATUS ExitStatus);
NTSTATUS NTAPI NtContinue(_In_ CONTEXT *ContextRecord,
                          _In_ BOOLEAN TestAlert);

/* Does not come back, unless it is refused. */
NTSTATUS NTAPI NtRaiseException(_In_ EXCEPTION_RECORD *ExceptionRecord,
                                _In_ CONTEXT *ContextRecord,
                                _In_ BOOLEAN FirstChance);
NTSTATUS NTAPI NtCallbackReturn(_In_opt_ void *Result,
                                _In_ ULONG ResultLength,
                                _In_ NTSTATUS Status);
NTSTATUS NTAPI NtYieldExecution(void);
ULONG NTAPI NtGetCurrentProcessorNumber(void);

/* ---- The system ---- */

typedef enum _SYSTEM_INFORMATION_CLASS {
    SystemBasicInformation = 0,
    SystemPerformanceInformation = 2,
    SystemTimeOfDayInformation = 3,
    SystemProcessInformation = 5,
    SystemProcessorPerformanceInformation = 8,
    SystemHandleInformation = 16,
    SystemExtendedHandleInformation = 64,
    SystemFirmwareTableInformation = 76,
    SystemMemoryListInformation = 80,           /* a command, to set */
} SYSTEM_INFORMATION_CLASS;

typedef struct _SYSTEM_BASIC_INFORMATION {
    ULONG Reserved;                             /* 00 */
    ULONG TimerResolution;                      /* 04, units of 100 ns */
    ULONG PageSize;                             /* 08 */
    ULONG NumberOfPhysicalPages;                /* 0c */
    ULONG LowestPhysicalPageNumber;             /* 10 */
    ULONG HighestPhysicalPageNumber;            /* 14 */
    ULONG AllocationGranularity;                /* 18 */
    ULONG_PTR MinimumUserModeAddress;           /* 20 */
    ULONG_PTR MaximumUserModeAddress;           /* 28 */
    ULONG_PTR ActiveProcessorsAffinityMask;     /* 30 */
    CHAR NumberOfProcessors;                    /* 38 */
} SYSTEM_BASIC_INFORMATION;

/*
 * Every handle of every process; NumberOfHandles of them follow.  The first
 * form has 16 bits of a process's id and of a handle.
 */
typedef struct _SYSTEM_HANDLE_TABLE_ENTRY_INFO {
    USHORT UniqueProcessId;                     /* 00 */
    USHORT CreatorBackTraceIndex;               /* 02 */
    UCHAR ObjectTypeIndex;                      /* 04 */
    UCHAR HandleAttributes;                     /* 05 */
    USHORT HandleValue;                         /* 06 */
    void *Object;                               /* 08 */
    ULONG GrantedAccess;                        /* 10 */
} SYSTEM_HANDLE_TABLE_ENTRY_INFO;

typedef struct _SYSTEM_HANDLE_INFORMATION {
    ULONG NumberOfHandles;                      /* 00 */
    SYSTEM_HANDLE_TABLE_ENTRY_INFO Handles[1];  /* 08 */
} SYSTEM_HANDLE_INFORMATION;

typedef struct _SYSTEM_HANDLE_TABLE_ENTRY_INFO_EX {
    void *Object;                               /* 00 */
    ULONG_PTR UniqueProcessId;                  /* 08 */
    ULONG_PTR HandleValue;                      /* 10 */
    ULONG GrantedAccess;                        /* 18 */
    USHORT CreatorBackTraceIndex;               /* 1c */
    USHORT ObjectTypeIndex;                     /* 1e */
    ULONG HandleAttributes;                     /* 20 */
    ULONG Reserved;                             /* 24 */
} SYSTEM_HANDLE_TABLE_ENTRY_INFO_EX;

typedef struct _SYSTEM_HANDLE_INFORMATION_EX {
    ULONG_PTR NumberOfHandles;                  /* 00 */
    ULONG_PTR Reserved;                         /* 08 */
    SYSTEM_HANDLE_TABLE_ENTRY_INFO_EX Handles[1]; /* 10 */
} SYSTEM_HANDLE_INFORMATION_EX;

/* Times in 100 ns since 1601; a bias is local time's distance from UTC. */
typedef struct _SYSTEM_TIMEOFDAY_INFORMATION {
    LARGE_INTEGER BootTime;                     /* 00 */
    LARGE_INTEGER CurrentTime;                  /* 08 */
    LARGE_INTEGER TimeZoneBias;                 /* 10 */
    ULONG TimeZoneId;                           /* 18 */
    ULONG Reserved;                             /* 1c */
    ULONGLONG BootTimeBias;                     /* 20 */
    ULONGLONG SleepTimeBias;                    /* 28 */
} SYSTEM_TIMEOFDAY_INFORMATION;

/* Counters since boot; the four behind SystemCalls came after Windows 7. */
typedef struct _SYSTEM_PERFORMANCE_INFORMATION {
    LARGE_INTEGER IdleProcessTime;              /* 000 */
    LARGE_INTEGER IoReadTransferCount;          /* 008 */
    LARGE_INTEGER IoWriteTransferCount;         /* 010 */
    LARGE_INTEGER IoOtherTransferCount;         /* 018 */
    ULONG IoReadOperationCount;                 /* 020 */
    ULONG IoWriteOperationCount;                /* 024 */
    ULONG IoOtherOperationCount;                /* 028 */
    ULONG AvailablePages;                       /* 02c */
    ULONG CommittedPages;                       /* 030 */
    ULONG CommitLimit;                          /* 034 */
    ULONG PeakCommitment;                       /* 038 */
    ULONG PageFaultCount;                       /* 03c */
    ULONG CopyOnWriteCount;                     /* 040 */
    ULONG TransitionCount;                      /* 044 */
    ULONG CacheTransitionCount;                 /* 048 */
    ULONG DemandZeroCount;                      /* 04c */
    ULONG PageReadCount;                        /* 050 */
    ULONG PageReadIoCount;                      /* 054 */
    ULONG CacheReadCount;                       /* 058 */
    ULONG CacheIoCount;                         /* 05c */
    ULONG DirtyPagesWriteCount;                 /* 060 */
    ULONG DirtyWriteIoCount;                    /* 064 */
    ULONG MappedPagesWriteCount;                /* 068 */
    ULONG MappedWriteIoCount;                   /* 06c */
    ULONG PagedPoolPages;                       /* 070 */
    ULONG NonPagedPoolPages;                    /* 074 */
    ULONG PagedPoolAllocs;                      /* 078 */
    ULONG PagedPoolFrees;                       /* 07c */
    ULONG NonPagedPoolAllocs;                   /* 080 */
    ULONG NonPagedPoolFrees;                    /* 084 */
    ULONG FreeSystemPtes;                       /* 088 */
    ULONG ResidentSystemCodePage;               /* 08c */
    ULONG TotalSystemDriverPages;               /* 090 */
    ULONG TotalSystemCodePages;                 /* 094 */
    ULONG NonPagedPoolLookasideHits;            /* 098 */
    ULONG PagedPoolLookasideHits;               /* 09c */
    ULONG AvailablePagedPoolPages;              /* 0a0 */
    ULONG ResidentSystemCachePage;              /* 0a4 */
    ULONG ResidentPagedPoolPage;                /* 0a8 */
    ULONG ResidentSystemDriverPage;             /* 0ac */
    ULONG CcFastReadNoWait;                     /* 0b0 */
    ULONG CcFastReadWait;                       /* 0b4 */
    ULONG CcFastReadResourceMiss;               /* 0b8 */
    ULONG CcFastReadNotPossible;                /* 0bc */
    ULONG CcFastMdlReadNoWait;                  /* 0c0 */
    ULONG CcFastMdlReadWait;                    /* 0c4 */
    ULONG CcFastMdlReadResourceMiss;            /* 0c8 */
    ULONG CcFastMdlReadNotPossible;             /* 0cc */
    ULONG CcMapDataNoWait;                      /* 0d0 */
    ULONG CcMapDataWait;                        /* 0d4 */
    ULONG CcMapDataNoWaitMiss;                  /* 0d8 */
    ULONG CcMapDataWaitMiss;                    /* 0dc */
    ULONG CcPinMappedDataCount;                 /* 0e0 */
    ULONG CcPinReadNoWait;                      /* 0e4 */
    ULONG CcPinReadWait;                        /* 0e8 */
    ULONG CcPinReadNoWaitMiss;                  /* 0ec */
    ULONG CcPinReadWaitMiss;                    /* 0f0 */
    ULONG CcCopyReadNoWait;                     /* 0f4 */
    ULONG CcCopyReadWait;                       /* 0f8 */
    ULONG CcCopyReadNoWaitMiss;                 /* 0fc */
    ULONG CcCopyReadWaitMiss;                   /* 100 */
    ULONG CcMdlReadNoWait;                      /* 104 */
    ULONG CcMdlReadWait;                        /* 108 */
    ULONG CcMdlReadNoWaitMiss;                  /* 10c */
    ULONG CcMdlReadWaitMiss;                    /* 110 */
    ULONG CcReadAheadIos;                       /* 114 */
    ULONG CcLazyWriteIos;                       /* 118 */
    ULONG CcLazyWritePages;                     /* 11c */
    ULONG CcDataFlushes;                        /* 120 */
    ULONG CcDataPages;                          /* 124 */
    ULONG ContextSwitches;                      /* 128 */
    ULONG FirstLevelTbFills;                    /* 12c */
    ULONG SecondLevelTbFills;                   /* 130 */
    ULONG SystemCalls;                          /* 134 */
    ULONGLONG CcTotalDirtyPages;                /* 138 */
    ULONGLONG CcDirtyPageThreshold;             /* 140 */
    LONGLONG ResidentAvailablePages;            /* 148 */
    ULONGLONG SharedCommittedPages;             /* 150 */
} SYSTEM_PERFORMANCE_INFORMATION;

/* Of one processor, in 100-ns units. */
typedef struct _SYSTEM_PROCESSOR_PERFORMANCE_INFORMATION {
    LARGE_INTEGER IdleTime;                     /* 00 */
    LARGE_INTEGER KernelTime;                   /* 08, idle time included */
    LARGE_INTEGER UserTime;                     /* 10 */
    LARGE_INTEGER DpcTime;                      /* 18 */
    LARGE_INTEGER InterruptTime;                /* 20 */
    ULONG InterruptCount;                       /* 28 */
} SYSTEM_PROCESSOR_PERFORMANCE_INFORMATION;

typedef enum _SYSTEM_FIRMWARE_TABLE_ACTION {
    SystemFirmwareTable_Enumerate,
    SystemFirmwareTable_Get,
} SYSTEM_FIRMWARE_TABLE_ACTION;

/*
 * A question, and the answer behind it.  TableBufferLength is the answer's
 * size, too, when there is no room for it.
 */
typedef struct _SYSTEM_FIRMWARE_TABLE_INFORMATION {
    ULONG ProviderSignature;                    /* 00 */
    ULONG Action;                               /* 04 */
    ULONG TableID;                              /* 08 */
    ULONG TableBufferLength;                    /* 0c */
    UCHAR TableBuffer[1];                       /* 10 */
} SYSTEM_FIRMWARE_TABLE_INFORMATION;

/* Provider 'RSMB': it has one table, 0; SMBIOS's structures as they are. */
#define FIRMWARE_TABLE_RSMB 0x52534D42u

struct RawSMBIOSData {
    UCHAR Used20CallingMethod;                  /* 00 */
    UCHAR SMBIOSMajorVersion;                   /* 01 */
    UCHAR SMBIOSMinorVersion;                   /* 02 */
    UCHAR DmiRevision;                          /* 03 */
    ULONG Length;                               /* 04 */
    UCHAR SMBIOSTableData[];                    /* 08 */
};

typedef struct _SYSTEM_THREAD_INFORMATION {
    LARGE_INTEGER KernelTime;                   /* 00 */
    LARGE_INTEGER UserTime;                     /* 08 */
    LARGE_INTEGER CreateTime;                   /* 10 */
    ULONG WaitTime;                             /* 18, tick */
    void *StartAddress;                         /* 20 */
    CLIENT_ID ClientId;                         /* 28 */
    LONG Priority;                              /* 38 */
    LONG BasePriority;                          /* 3c */
    ULONG ContextSwitches;                      /* 40 */
    ULONG ThreadState;                          /* 44 */
    ULONG WaitReason;                           /* 48 */
} SYSTEM_THREAD_INFORMATION;

/* NumberOfThreads SYSTEM_THREAD_INFORMATIONs follow, then the name. */
typedef struct _SYSTEM_PROCESS_INFORMATION {
    ULONG NextEntryOffset;                      /* 000, 0: the last */
    ULONG NumberOfThreads;                      /* 004 */
    LARGE_INTEGER WorkingSetPrivateSize;        /* 008 */
    ULONG HardFaultCount;                       /* 010 */
    ULONG NumberOfThreadsHighWatermark;         /* 014 */
    ULONGLONG CycleTime;                        /* 018 */
    LARGE_INTEGER CreateTime;                   /* 020 */
    LARGE_INTEGER UserTime;                     /* 028 */
    LARGE_INTEGER KernelTime;                   /* 030 */
    UNICODE_STRING ImageName;                   /* 038 */
    LONG BasePriority;                          /* 048 */
    HANDLE UniqueProcessId;                     /* 050 */
    HANDLE InheritedFromUniqueProcessId;        /* 058 */
    ULONG HandleCount;                          /* 060 */
    ULONG SessionId;                            /* 064 */
    ULONG_PTR UniqueProcessKey;                 /* 068 */
    SIZE_T PeakVirtualSize;                     /* 070 */
    SIZE_T VirtualSize;                         /* 078 */
    ULONG PageFaultCount;                       /* 080 */
    SIZE_T PeakWorkingSetSize;                  /* 088 */
    SIZE_T WorkingSetSize;                      /* 090 */
    SIZE_T QuotaPeakPagedPoolUsage;             /* 098 */
    SIZE_T QuotaPagedPoolUsage;                 /* 0a0 */
    SIZE_T QuotaPeakNonPagedPoolUsage;          /* 0a8 */
    SIZE_T QuotaNonPagedPoolUsage;              /* 0b0 */
    SIZE_T PagefileUsage;                       /* 0b8 */
    SIZE_T PeakPagefileUsage;                   /* 0c0 */
    SIZE_T PrivatePageCount;                    /* 0c8 */
    LARGE_INTEGER IoCounters[6];                /* 0d0, of reads to others */
} SYSTEM_PROCESS_INFORMATION;

NTSTATUS NTAPI NtQuerySystemInformation(_In_ ULONG SystemInformationClass,
                                        _Out_ void *SystemInformation,
                                        _In_ ULONG SystemInformationLength,
                                        _Out_opt_ ULONG *ReturnLength);

/* What can be done to all pages that are in no working set. */
typedef enum _SYSTEM_MEMORY_LIST_COMMAND {
    MemoryCaptureAccessedBits = 0,
    MemoryCaptureAndResetAccessedBits = 1,
    MemoryEmptyWorkingSets = 2,
    MemoryFlushModifiedList = 3,
    MemoryPurgeStandbyList = 4,
    MemoryPurgeLowPriorityStandbyList = 5,
    MemoryCommandMax = 6,
} SYSTEM_MEMORY_LIST_COMMAND;

NTSTATUS NTAPI NtSetSystemInformation(_In_ ULONG SystemInformationClass,
                                      _In_ const void *SystemInformation,
                                      _In_ ULONG SystemInformationLength);
NTSTATUS NTAPI NtQuerySystemTime(_Out_ LARGE_INTEGER *SystemTime);
NTSTATUS NTAPI NtQueryPerformanceCounter(
    _Out_ LARGE_INTEGER *PerformanceCounter,
    _Out_opt_ LARGE_INTEGER *Frequency);

/* ValidResponseOptions: the buttons; Response: the one that was pressed. */
typedef enum _HARDERROR_RESPONSE_OPTION {
    OptionAbortRetryIgnore,
    OptionOk,
    OptionOkCancel,
    OptionRetryCancel,
    OptionYesNo,
    OptionYesNoCancel,
    OptionShutdownSystem,
    OptionOkNoWait,
    OptionCancelTryContinue,
} HARDERROR_RESPONSE_OPTION;

typedef enum _HARDERROR_RESPONSE {
    ResponseReturnToCaller,
    ResponseNotHandled,
    ResponseAbort,
    ResponseCancel,
    ResponseIgnore,
    ResponseNo,
    ResponseOk,
    ResponseRetry,
    ResponseYes,
    ResponseTryAgain,
    ResponseContinue,
} HARDERROR_RESPONSE;

/* Most parameters a hard error can carry. */
#define MAXIMUM_HARDERROR_PARAMETERS 5

/* In ErrorStatus: ask even when TEB.HardErrorMode says not to. */
#define HARDERROR_OVERRIDE_ERRORMODE 0x10000000

NTSTATUS NTAPI NtRaiseHardError(_In_ NTSTATUS ErrorStatus,
                                _In_ ULONG NumberOfParameters,
                                _In_ ULONG UnicodeStringParameterMask,
                                _In_opt_ ULONG_PTR *Parameters,
                                _In_ ULONG ValidResponseOptions,
                                _Out_ ULONG *Response);

typedef enum _SYSDBG_COMMAND {
    SysDbgReadVirtual = 8,
    SysDbgReadMsr = 16,
} SYSDBG_COMMAND;

typedef struct _SYSDBG_MSR {
    ULONG Msr;                                  /* 00 */
    ULONGLONG Data;                             /* 08, the answer */
} SYSDBG_MSR;

typedef struct _SYSDBG_VIRTUAL {
    void *Address;                              /* 00, of the kernel */
    void *Buffer;                               /* 08, the caller's */
    ULONG Request;                              /* 10, bytes */
} SYSDBG_VIRTUAL;

NTSTATUS NTAPI NtSystemDebugControl(_In_ ULONG Command,
                                    _Inout_opt_ void *InputBuffer,
                                    _In_ ULONG InputBufferLength,
                                    _Out_opt_ void *OutputBuffer,
                                    _In_ ULONG OutputBufferLength,
                                    _Out_opt_ ULONG *ReturnLength);

/* ---- win32k: the shadow table ---- */

typedef ULONG COLORREF;                         /* 00bbggrr */

#define BLACKNESS                       0x00000042
#define DSTINVERT                       0x00550009
#define SRCCOPY                         0x00CC0020
#define PATCOPY                         0x00F00021
#define WHITENESS                       0x00FF0062

ULONG_PTR NTAPI NtUserGetThreadState(_In_ ULONG ThreadState);
HANDLE NTAPI NtUserGetDC(_In_opt_ HANDLE Window);
NTSTATUS NTAPI NtGdiFlush(void);

/* NT: a BOOL.  Rop4 PATCOPY paints with BackColor, the only brush here. */
LONG NTAPI NtGdiBitBlt(_In_ HANDLE DestinationDc,
                       _In_ LONG X,
                       _In_ LONG Y,
                       _In_ LONG Width,
                       _In_ LONG Height,
                       _In_opt_ HANDLE SourceDc,
                       _In_ LONG SourceX,
                       _In_ LONG SourceY,
                       _In_ ULONG Rop4,
                       _In_ COLORREF BackColor,
                       _In_ ULONG Flags);

/*
 * NT: a BOOL.  Callback is not called by the kernel, but by the routine of
 * PEB.KernelCallbackTable (nt/gdi.h).
 */
BOOLEAN NTAPI NtUserEnumDisplayMonitors(_In_opt_ HANDLE Dc,
                                        _In_opt_ const RECT *Clip,
                                        _In_opt_ void *Callback,
                                        _In_ LONG_PTR Data);

/* ---- By subject ---- */

#include <nt/ntps.h>
#include <nt/ntex.h>
#include <nt/ntob.h>
