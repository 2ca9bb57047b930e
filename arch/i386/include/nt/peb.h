/*
 * nt/peb.h - ring 0 of the headers: the process environment block of 32-bit
 * code and what hangs from it.
 *
 * The kernel writes the PEB and the process parameters when it creates the
 * process; from LdrInitializeThunk on they are ntdll's.  The layouts are
 * Windows XP SP3's.
 */
#pragma once

#include <nt/ntdef.h>

typedef struct _CURDIR {
    UNICODE_STRING DosPath;                     /* 00 */
    void *Handle;                               /* 08 */
} CURDIR;

/* One string block: the UNICODE_STRING buffers point behind the structure. */
typedef struct _RTL_USER_PROCESS_PARAMETERS {
    ULONG MaximumLength;                        /* 000 */
    ULONG Length;                               /* 004 */
    ULONG Flags;                                /* 008 */
    ULONG DebugFlags;                           /* 00c */
    void *ConsoleHandle;                        /* 010 */
    ULONG ConsoleFlags;                         /* 014 */
    void *StandardInput;                        /* 018 */
    void *StandardOutput;                       /* 01c */
    void *StandardError;                        /* 020 */
    CURDIR CurrentDirectory;                    /* 024 */
    UNICODE_STRING DllPath;                     /* 030 */
    UNICODE_STRING ImagePathName;               /* 038 */
    UNICODE_STRING CommandLine;                 /* 040 */
    void *Environment;                          /* 048 */
    UCHAR pad_4c[0x24];
    UNICODE_STRING WindowTitle;                 /* 070 */
    UNICODE_STRING DesktopInfo;                 /* 078 */
    UNICODE_STRING ShellInfo;                   /* 080 */
    UNICODE_STRING RuntimeData;                 /* 088 */
    UCHAR pad_90[0x200];
} RTL_USER_PROCESS_PARAMETERS;

#define RTL_USER_PROC_PARAMS_NORMALIZED 0x01

typedef struct _PEB_LDR_DATA {
    ULONG Length;                               /* 00 */
    UCHAR Initialized;                          /* 04 */
    UCHAR pad_5[0x3];
    void *SsHandle;                             /* 08 */
    LIST_ENTRY InLoadOrderModuleList;           /* 0c */
    LIST_ENTRY InMemoryOrderModuleList;         /* 14 */
    LIST_ENTRY InInitializationOrderModuleList; /* 1c */
    void *EntryInProgress;                      /* 24 */
} PEB_LDR_DATA;

typedef struct _LDR_DATA_TABLE_ENTRY {
    LIST_ENTRY InLoadOrderLinks;                /* 00 */
    LIST_ENTRY InMemoryOrderLinks;              /* 08 */
    LIST_ENTRY InInitializationOrderLinks;      /* 10 */
    void *DllBase;                              /* 18 */
    void *EntryPoint;                           /* 1c */
    ULONG SizeOfImage;                          /* 20 */
    UNICODE_STRING FullDllName;                 /* 24 */
    UNICODE_STRING BaseDllName;                 /* 2c */
    ULONG Flags;                                /* 34 */
    USHORT LoadCount;                           /* 38 */
    USHORT TlsIndex;                            /* 3a */
    LIST_ENTRY HashLinks;                       /* 3c */
    ULONG TimeDateStamp;                        /* 44 */
    void *EntryPointActivationContext;          /* 48 */
    void *PatchInformation;                     /* 4c */
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
    UCHAR SpareBool;                            /* 003 */
    void *Mutant;                               /* 004 */
    void *ImageBaseAddress;                     /* 008 */
    struct _PEB_LDR_DATA *Ldr;                  /* 00c */
    struct _RTL_USER_PROCESS_PARAMETERS *ProcessParameters;/* 010 */
    void *SubSystemData;                        /* 014 */
    void *ProcessHeap;                          /* 018 */
    struct _RTL_CRITICAL_SECTION *FastPebLock;  /* 01c */
    UCHAR pad_20[0xc];
    void *KernelCallbackTable;                  /* 02c */
    UCHAR pad_30[0xc];
    ULONG TlsExpansionCounter;                  /* 03c */
    void *TlsBitmap;                            /* 040 */
    ULONG TlsBitmapBits[2];                     /* 044 */
    UCHAR pad_4c[0x18];
    ULONG NumberOfProcessors;                   /* 064 */
    ULONG NtGlobalFlag;                         /* 068 */
    UCHAR pad_6c[0xc];
    ULONG HeapSegmentReserve;                   /* 078 */
    ULONG HeapSegmentCommit;                    /* 07c */
    UCHAR pad_80[0x8];
    ULONG NumberOfHeaps;                        /* 088 */
    UCHAR pad_8c[0x14];
    struct _RTL_CRITICAL_SECTION *LoaderLock;   /* 0a0 */
    ULONG OSMajorVersion;                       /* 0a4 */
    ULONG OSMinorVersion;                       /* 0a8 */
    USHORT OSBuildNumber;                       /* 0ac */
    USHORT OSCSDVersion;                        /* 0ae */
    ULONG OSPlatformId;                         /* 0b0 */
    ULONG ImageSubsystem;                       /* 0b4 */
    ULONG ImageSubsystemMajorVersion;           /* 0b8 */
    ULONG ImageSubsystemMinorVersion;           /* 0bc */
    ULONG ImageProcessAffinityMask;             /* 0c0 */
    UCHAR pad_c4[0x8c];
    void *TlsExpansionBitmap;                   /* 150 */
    ULONG TlsExpansionBitmapBits[32];           /* 154 */
    ULONG SessionId;                            /* 1d4 */
    UCHAR pad_1d8[0x30];
    ULONG MinimumStackCommit;                   /* 208 */
    UCHAR pad_20c[0x4];
} PEB;
