/*
 * nt/ntob.h - objects and their names: the services of Ob as ring 3 calls
 * them.  Shapes are phnt's and the public headers'.
 */
#pragma once

#include <nt/ntdef.h>

/* ---- Directories ---- */

#define DIRECTORY_QUERY                 0x0001
#define DIRECTORY_TRAVERSE              0x0002
#define DIRECTORY_CREATE_OBJECT         0x0004
#define DIRECTORY_CREATE_SUBDIRECTORY   0x0008
#define DIRECTORY_ALL_ACCESS            0x000F000F

NTSTATUS NTAPI NtCreateDirectoryObject(
    _Out_ HANDLE *DirectoryHandle,
    _In_ ACCESS_MASK DesiredAccess,
    _In_opt_ OBJECT_ATTRIBUTES *ObjectAttributes);
NTSTATUS NTAPI NtOpenDirectoryObject(
    _Out_ HANDLE *DirectoryHandle,
    _In_ ACCESS_MASK DesiredAccess,
    _In_ OBJECT_ATTRIBUTES *ObjectAttributes);

/* A pair of zeros ends the array; the texts follow. */
typedef struct _OBJECT_DIRECTORY_INFORMATION {
    UNICODE_STRING Name;                        /* 00 */
    UNICODE_STRING TypeName;                    /* 10 */
} OBJECT_DIRECTORY_INFORMATION;

NTSTATUS NTAPI NtQueryDirectoryObject(_In_ HANDLE DirectoryHandle,
                                      _Out_opt_ void *Buffer,
                                      _In_ ULONG Length,
                                      _In_ BOOLEAN ReturnSingleEntry,
                                      _In_ BOOLEAN RestartScan,
                                      _Inout_ ULONG *Context,
                                      _Out_opt_ ULONG *ReturnLength);

/* ---- Handles ---- */

/* Of a handle; NtSetInformationObject sets it. */
#define OBJ_PROTECT_CLOSE               0x00000001

#define DUPLICATE_CLOSE_SOURCE          0x00000001
#define DUPLICATE_SAME_ACCESS           0x00000002
#define DUPLICATE_SAME_ATTRIBUTES       0x00000004

NTSTATUS NTAPI NtDuplicateObject(_In_ HANDLE SourceProcessHandle,
                                 _In_ HANDLE SourceHandle,
                                 _In_opt_ HANDLE TargetProcessHandle,
                                 _Out_opt_ HANDLE *TargetHandle,
                                 _In_ ACCESS_MASK DesiredAccess,
                                 _In_ ULONG HandleAttributes,
                                 _In_ ULONG Options);

typedef enum _OBJECT_INFORMATION_CLASS {
    ObjectBasicInformation = 0,
    ObjectNameInformation = 1,
    ObjectTypeInformation = 2,
    ObjectHandleFlagInformation = 4,
} OBJECT_INFORMATION_CLASS;

typedef struct _OBJECT_BASIC_INFORMATION {
    ULONG Attributes;                           /* 00 */
    ACCESS_MASK GrantedAccess;                  /* 04 */
    ULONG HandleCount;                          /* 08 */
    ULONG PointerCount;                         /* 0c */
    ULONG PagedPoolCharge;                      /* 10 */
    ULONG NonPagedPoolCharge;                   /* 14 */
    ULONG Reserved[3];                          /* 18 */
    ULONG NameInfoSize;                         /* 24 */
    ULONG TypeInfoSize;                         /* 28 */
    ULONG SecurityDescriptorSize;               /* 2c */
    LARGE_INTEGER CreationTime;                 /* 30 */
} OBJECT_BASIC_INFORMATION;

/* The text follows. */
typedef struct _OBJECT_NAME_INFORMATION {
    UNICODE_STRING Name;                        /* 00 */
} OBJECT_NAME_INFORMATION;

/* The name's text follows. */
typedef struct _OBJECT_TYPE_INFORMATION {
    UNICODE_STRING TypeName;                    /* 00 */
    ULONG TotalNumberOfObjects;                 /* 10 */
    ULONG TotalNumberOfHandles;                 /* 14 */
    ULONG TotalPagedPoolUsage;                  /* 18 */
    ULONG TotalNonPagedPoolUsage;               /* 1c */
    ULONG TotalNamePoolUsage;                   /* 20 */
    ULONG TotalHandleTableUsage;                /* 24 */
    ULONG HighWaterNumberOfObjects;             /* 28 */
    ULONG HighWaterNumberOfHandles;             /* 2c */
    ULONG HighWaterPagedPoolUsage;              /* 30 */
    ULONG HighWaterNonPagedPoolUsage;           /* 34 */
    ULONG HighWaterNamePoolUsage;               /* 38 */
    ULONG HighWaterHandleTableUsage;            /* 3c */
    ULONG InvalidAttributes;                    /* 40 */
    GENERIC_MAPPING GenericMapping;             /* 44 */
    ULONG ValidAccessMask;                      /* 54 */
    UCHAR SecurityRequired;                     /* 58 */
    UCHAR MaintainHandleCount;                  /* 59 */
    UCHAR TypeIndex;                            /* 5a */
    CHAR ReservedByte;                          /* 5b */
    ULONG PoolType;                             /* 5c */
    ULONG DefaultPagedPoolCharge;               /* 60 */
    ULONG DefaultNonPagedPoolCharge;            /* 64 */
} OBJECT_TYPE_INFORMATION;

typedef struct _OBJECT_HANDLE_FLAG_INFORMATION {
    BOOLEAN Inherit;                            /* 00 */
    BOOLEAN ProtectFromClose;                   /* 01 */
} OBJECT_HANDLE_FLAG_INFORMATION;

NTSTATUS NTAPI NtQueryObject(_In_ HANDLE Handle,
                             _In_ ULONG ObjectInformationClass,
                             _Out_opt_ void *ObjectInformation,
                             _In_ ULONG ObjectInformationLength,
                             _Out_opt_ ULONG *ReturnLength);
NTSTATUS NTAPI NtSetInformationObject(_In_ HANDLE Handle,
                                      _In_ ULONG ObjectInformationClass,
                                      _In_ void *ObjectInformation,
                                      _In_ ULONG ObjectInformationLength);

/* ---- Waiting: SYNCHRONIZE ---- */

/* Timeout NULL: for ever; negative: 100 ns units from now. */
NTSTATUS NTAPI NtWaitForSingleObject(_In_ HANDLE Handle,
                                     _In_ BOOLEAN Alertable,
                                     _In_opt_ LARGE_INTEGER *Timeout);

/* WaitType: a WAIT_TYPE, 0 all, 1 any. */
NTSTATUS NTAPI NtWaitForMultipleObjects(_In_ ULONG Count,
                                        _In_ HANDLE *Handles,
                                        _In_ ULONG WaitType,
                                        _In_ BOOLEAN Alertable,
                                        _In_opt_ LARGE_INTEGER *Timeout);
NTSTATUS NTAPI NtSignalAndWaitForSingleObject(_In_ HANDLE SignalHandle,
                                              _In_ HANDLE WaitHandle,
                                              _In_ BOOLEAN Alertable,
                                              _In_opt_ LARGE_INTEGER *Timeout);
