/*
 * nt/peb.h - ring 0 of the headers: the process environment block and what
 * hangs from it.
 *
 * The kernel writes the PEB and the process parameters when it creates the
 * process; from LdrInitializeThunk on they are ntdll's.
 */
#pragma once

#include <nt/ntdef.h>

typedef struct _CURDIR {
    UNICODE_STRING DosPath;                     /* 000 */
    void *Handle;                               /* 010 */
} CURDIR;

/* One string block: the UNICODE_STRING buffers point behind the structure. */
typedef struct _RTL_USER_PROCESS_PARAMETERS {
    ULONG MaximumLength;                        /* 000 */
    ULONG Length;                               /* 004 */
    ULONG Flags;                                /* 008 */
    ULONG DebugFlags;                           /* 00c */
    void *ConsoleHandle;                        /* 010 */
    ULONG ConsoleFlags;                         /* 018 */
    UCHAR pad_1c[0x4];
    void *StandardInput;                        /* 020 */
    void *StandardOutput;                       /* 028 */
    void *StandardError;                        /* 030 */
    CURDIR CurrentDirectory;                    /* 038 */
    UNICODE_STRING DllPath;                     /* 050 */
    UNICODE_STRING ImagePathName;               /* 060 */
    UNICODE_STRING CommandLine;                 /* 070 */
    void *Environment;                          /* 080 */
    UCHAR pad_88[0x28];
    UNICODE_STRING WindowTitle;                 /* 0b0 */
    UNICODE_STRING DesktopInfo;                 /* 0c0 */
    UNICODE_STRING ShellInfo;                   /* 0d0 */
    UNICODE_STRING RuntimeData;                 /* 0e0 */
    UCHAR pad_f0[0x300];
    ULONGLONG EnvironmentSize;                  /* 3f0 */
    UCHAR pad_3f8[0x48];
} RTL_USER_PROCESS_PARAMETERS;

#define RTL_USER_PROC_PARAMS_NORMALIZED 0x01

typedef struct _PEB_LDR_DATA {
    ULONG Length;                               /* 000 */
    UCHAR Initialized;                          /* 004 */
    UCHAR pad_5[0x3];
    void *SsHandle;                             /* 008 */
    LIST_ENTRY InLoadOrderModuleList;           /* 010 */
    LIST_ENTRY InMemoryOrderModuleList;         /* 020 */
    LIST_ENTRY InInitializationOrderModuleList; /* 030 */
    void *EntryInProgress;                      /* 040 */
    UCHAR ShutdownInProgress;                   /* 048 */
    UCHAR pad_49[0x7];
    void *ShutdownThreadId;                     /* 050 */
} PEB_LDR_DATA;

typedef struct _LDR_DATA_TABLE_ENTRY {
    LIST_ENTRY InLoadOrderLinks;                /* 000 */
    LIST_ENTRY InMemoryOrderLinks;              /* 010 */
    LIST_ENTRY InInitializationOrderLinks;      /* 020 */
    void *DllBase;                              /* 030 */
    void *EntryPoint;                           /* 038 */
    ULONG SizeOfImage;                          /* 040 */
    UCHAR pad_44[0x4];
    UNICODE_STRING FullDllName;                 /* 048 */
    UNICODE_STRING BaseDllName;                 /* 058 */
    ULONG Flags;                                /* 068 */
    USHORT ObsoleteLoadCount;                   /* 06c */
    USHORT TlsIndex;                            /* 06e */
    LIST_ENTRY HashLinks;                       /* 070 */
    ULONG TimeDateStamp;                        /* 080 */
    UCHAR pad_84[0xc];
    void *Lock;                                 /* 090 */
    UCHAR pad_98[0x20];
    void *ParentDllBase;                        /* 0b8 */
    UCHAR pad_c0[0x38];
    ULONGLONG OriginalBase;                     /* 0f8 */
    LARGE_INTEGER LoadTime;                     /* 100 */
    ULONG BaseNameHashValue;                    /* 108 */
    ULONG LoadReason;                           /* 10c */
    UCHAR pad_110[0x4];
    ULONG ReferenceCount;                       /* 114 */
    UCHAR pad_118[0x8];
} LDR_DATA_TABLE_ENTRY;

#define LDRP_IMAGE_DLL              0x00000004
#define LDRP_ENTRY_PROCESSED        0x00004000
#define LDRP_DONT_CALL_FOR_THREADS  0x00040000
#define LDRP_PROCESS_ATTACH_CALLED  0x00080000

struct _RTL_CRITICAL_SECTION;

typedef struct _PEB {
    UCHAR InheritedAddressSpace;                /* 000 */
    UCHAR ReadImageFileExecOptions;             /* 001 */
    UCHAR BeingDebugged;                        /* 002 */
    UCHAR BitField;                             /* 003 */
    UCHAR pad_4[0x4];
    void *Mutant;                               /* 008 */
    void *ImageBaseAddress;                     /* 010 */
    struct _PEB_LDR_DATA *Ldr;                  /* 018 */
    struct _RTL_USER_PROCESS_PARAMETERS *ProcessParameters;/* 020 */
    void *SubSystemData;                        /* 028 */
    void *ProcessHeap;                          /* 030 */
    struct _RTL_CRITICAL_SECTION *FastPebLock;  /* 038 */
    UCHAR pad_40[0x18];
    void *KernelCallbackTable;                  /* 058 */
    UCHAR pad_60[0x10];
    ULONG TlsExpansionCounter;                  /* 070 */
    UCHAR pad_74[0x4];
    void *TlsBitmap;                            /* 078 */
    ULONG TlsBitmapBits[2];                     /* 080 */
    UCHAR pad_88[0x30];
    ULONG NumberOfProcessors;                   /* 0b8 */
    ULONG NtGlobalFlag;                         /* 0bc */
    UCHAR pad_c0[0x8];
    ULONGLONG HeapSegmentReserve;               /* 0c8 */
    ULONGLONG HeapSegmentCommit;                /* 0d0 */
    UCHAR pad_d8[0x10];
    ULONG NumberOfHeaps;                        /* 0e8 */
    UCHAR pad_ec[0x24];
    struct _RTL_CRITICAL_SECTION *LoaderLock;   /* 110 */
    ULONG OSMajorVersion;                       /* 118 */
    ULONG OSMinorVersion;                       /* 11c */
    USHORT OSBuildNumber;                       /* 120 */
    USHORT OSCSDVersion;                        /* 122 */
    ULONG OSPlatformId;                         /* 124 */
    ULONG ImageSubsystem;                       /* 128 */
    ULONG ImageSubsystemMajorVersion;           /* 12c */
    ULONG ImageSubsystemMinorVersion;           /* 130 */
    UCHAR pad_134[0x4];
    ULONGLONG ActiveProcessAffinityMask;        /* 138 */
    UCHAR pad_140[0xf8];
    void *TlsExpansionBitmap;                   /* 238 */
    ULONG TlsExpansionBitmapBits[32];           /* 240 */
    ULONG SessionId;                            /* 2c0 */
    UCHAR pad_2c4[0x54];
    ULONGLONG MinimumStackCommit;               /* 318 */
    UCHAR pad_320[0x4a8];
} PEB;
