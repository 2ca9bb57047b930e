/*
 * nt/wow64.h - ring 0 of the headers: what 32-bit code sees in a 64-bit
 * system.
 *
 * The layouts of Windows XP SP3 for x86, written for a compiler whose
 * pointers have 64 bits: an address, a handle and a size are ULONG.  The
 * kernel makes TEB32, PEB32 and the process parameters, and reads the others
 * where a call of 32-bit code points to them.
 */
#pragma once

#include <nt/kuser.h>
#include <nt/ntdef.h>

/* XP's shared page: beside the other one; ring 3 sees one or the other. */
#define KI_USER_SHARED_DATA_XP (KI_USER_SHARED_DATA + PAGE_SIZE)

/* ---- What many calls take ---- */

typedef struct _UNICODE_STRING32 {
    USHORT Length;                              /* 00 */
    USHORT MaximumLength;                       /* 02 */
    ULONG Buffer;                               /* 04 */
} UNICODE_STRING32;

typedef struct _CLIENT_ID32 {
    ULONG UniqueProcess;                        /* 00 */
    ULONG UniqueThread;                         /* 04 */
} CLIENT_ID32;

typedef struct _OBJECT_ATTRIBUTES32 {
    ULONG Length;                               /* 00 */
    ULONG RootDirectory;                        /* 04 */
    ULONG ObjectName;                           /* 08 */
    ULONG Attributes;                           /* 0c */
    ULONG SecurityDescriptor;                   /* 10 */
    ULONG SecurityQualityOfService;             /* 14 */
} OBJECT_ATTRIBUTES32;

typedef struct _IO_STATUS_BLOCK32 {
    union {
        NTSTATUS Status;                        /* 00 */
        ULONG Pointer;
    };
    ULONG Information;                          /* 04 */
} IO_STATUS_BLOCK32;

/* ---- A process's own data ---- */

typedef struct _CURDIR32 {
    UNICODE_STRING32 DosPath;                   /* 00 */
    ULONG Handle;                               /* 08 */
} CURDIR32;

typedef struct _RTL_USER_PROCESS_PARAMETERS32 {
    ULONG MaximumLength;                        /* 000 */
    ULONG Length;                               /* 004 */
    ULONG Flags;                                /* 008 */
    ULONG DebugFlags;                           /* 00c */
    ULONG ConsoleHandle;                        /* 010 */
    ULONG ConsoleFlags;                         /* 014 */
    ULONG StandardInput;                        /* 018 */
    ULONG StandardOutput;                       /* 01c */
    ULONG StandardError;                        /* 020 */
    CURDIR32 CurrentDirectory;                  /* 024 */
    UNICODE_STRING32 DllPath;                   /* 030 */
    UNICODE_STRING32 ImagePathName;             /* 038 */
    UNICODE_STRING32 CommandLine;               /* 040 */
    ULONG Environment;                          /* 048 */
    UCHAR pad_4c[0x24];
    UNICODE_STRING32 WindowTitle;               /* 070 */
    UNICODE_STRING32 DesktopInfo;               /* 078 */
    UNICODE_STRING32 ShellInfo;                 /* 080 */
    UNICODE_STRING32 RuntimeData;               /* 088 */
    UCHAR pad_90[0x200];
} RTL_USER_PROCESS_PARAMETERS32;

typedef struct _PEB32 {
    UCHAR InheritedAddressSpace;                /* 000 */
    UCHAR ReadImageFileExecOptions;             /* 001 */
    UCHAR BeingDebugged;                        /* 002 */
    UCHAR pad_3[0x1];
    ULONG Mutant;                               /* 004 */
    ULONG ImageBaseAddress;                     /* 008 */
    ULONG Ldr;                                  /* 00c */
    ULONG ProcessParameters;                    /* 010 */
    ULONG SubSystemData;                        /* 014 */
    ULONG ProcessHeap;                          /* 018 */
    ULONG FastPebLock;                          /* 01c */
    UCHAR pad_20[0x44];
    ULONG NumberOfProcessors;                   /* 064 */
    ULONG NtGlobalFlag;                         /* 068 */
    UCHAR pad_6c[0xc];
    ULONG HeapSegmentReserve;                   /* 078 */
    ULONG HeapSegmentCommit;                    /* 07c */
    UCHAR pad_80[0x20];
    ULONG LoaderLock;                           /* 0a0 */
    ULONG OSMajorVersion;                       /* 0a4 */
    ULONG OSMinorVersion;                       /* 0a8 */
    USHORT OSBuildNumber;                       /* 0ac */
    USHORT OSCSDVersion;                        /* 0ae */
    ULONG OSPlatformId;                         /* 0b0 */
    ULONG ImageSubsystem;                       /* 0b4 */
    ULONG ImageSubsystemMajorVersion;           /* 0b8 */
    ULONG ImageSubsystemMinorVersion;           /* 0bc */
    ULONG ImageProcessAffinityMask;             /* 0c0 */
    UCHAR pad_c4[0x110];
    ULONG SessionId;                            /* 1d4 */
    UCHAR pad_1d8[0x30];
    ULONG MinimumStackCommit;                   /* 208 */
    UCHAR pad_20c[0x4];
} PEB32;

/* ---- A thread's own data ---- */

typedef struct _NT_TIB32 {
    ULONG ExceptionList;                        /* 00 */
    ULONG StackBase;                            /* 04 */
    ULONG StackLimit;                           /* 08 */
    ULONG SubSystemTib;                         /* 0c */
    ULONG FiberData;                            /* 10 */
    ULONG ArbitraryUserPointer;                 /* 14 */
    ULONG Self;                                 /* 18 */
} NT_TIB32;

typedef struct _GDI_TEB_BATCH32 {
    ULONG Offset;                               /* 000 */
    ULONG HDC;                                  /* 004 */
    ULONG Buffer[310];                          /* 008 */
} GDI_TEB_BATCH32;

typedef struct _TEB32 {
    NT_TIB32 NtTib;                             /* 000 */
    ULONG EnvironmentPointer;                   /* 01c */
    CLIENT_ID32 ClientId;                       /* 020 */
    UCHAR pad_28[0x4];
    ULONG ThreadLocalStoragePointer;            /* 02c */
    ULONG ProcessEnvironmentBlock;              /* 030 */
    ULONG LastErrorValue;                       /* 034 */
    UCHAR pad_38[0x8];
    ULONG Win32ThreadInfo;                      /* 040 */
    UCHAR pad_44[0x80];
    ULONG CurrentLocale;                        /* 0c4 */
    UCHAR pad_c8[0xdc];
    NTSTATUS ExceptionCode;                     /* 1a4 */
    UCHAR pad_1a8[0x2c];
    GDI_TEB_BATCH32 GdiTebBatch;                /* 1d4 */
    CLIENT_ID32 RealClientId;                   /* 6b4 */
    UCHAR pad_6bc[0x4];
    ULONG GdiClientPID;                         /* 6c0 */
    ULONG GdiClientTID;                         /* 6c4 */
    UCHAR pad_6c8[0x52c];
    ULONG LastStatusValue;                      /* bf4 */
    UNICODE_STRING32 StaticUnicodeString;       /* bf8 */
    WCHAR StaticUnicodeBuffer[261];             /* c00 */
    UCHAR pad_e0a[0x2];
    ULONG DeallocationStack;                    /* e0c */
    ULONG TlsSlots[64];                         /* e10 */
    UCHAR pad_f10[0x60];
    ULONG GdiBatchCount;                        /* f70 */
    UCHAR pad_f74[0x1];
    UCHAR FreeStackOnTermination;               /* f75 */
    UCHAR pad_f76[0x1e];
    ULONG TlsExpansionSlots;                    /* f94 */
    UCHAR pad_f98[0x20];
} TEB32;

typedef struct _INITIAL_TEB32 {
    ULONG OldStackBase;                         /* 00 */
    ULONG OldStackLimit;                        /* 04 */
    ULONG StackBase;                            /* 08 */
    ULONG StackLimit;                           /* 0c */
    ULONG StackAllocationBase;                  /* 10 */
} INITIAL_TEB32;

/* ---- A thread's registers ---- */

#define WOW64_CONTEXT_i386              0x00010000
#define WOW64_CONTEXT_CONTROL           (WOW64_CONTEXT_i386 | 0x01)
#define WOW64_CONTEXT_INTEGER           (WOW64_CONTEXT_i386 | 0x02)
#define WOW64_CONTEXT_SEGMENTS          (WOW64_CONTEXT_i386 | 0x04)
#define WOW64_CONTEXT_FLOATING_POINT    (WOW64_CONTEXT_i386 | 0x08)
#define WOW64_CONTEXT_DEBUG_REGISTERS   (WOW64_CONTEXT_i386 | 0x10)
#define WOW64_CONTEXT_EXTENDED_REGISTERS (WOW64_CONTEXT_i386 | 0x20)
#define WOW64_CONTEXT_FULL \
    (WOW64_CONTEXT_CONTROL | WOW64_CONTEXT_INTEGER | WOW64_CONTEXT_SEGMENTS)

#define WOW64_SIZE_OF_80387_REGISTERS   80
#define WOW64_MAXIMUM_SUPPORTED_EXTENSION 512

/* What FNSAVE writes, and the state of CR0 beside it. */
typedef struct _WOW64_FLOATING_SAVE_AREA {
    ULONG ControlWord;                          /* 00 */
    ULONG StatusWord;                           /* 04 */
    ULONG TagWord;                              /* 08 */
    ULONG ErrorOffset;                          /* 0c */
    ULONG ErrorSelector;                        /* 10 */
    ULONG DataOffset;                           /* 14 */
    ULONG DataSelector;                         /* 18 */
    UCHAR RegisterArea[WOW64_SIZE_OF_80387_REGISTERS]; /* 1c */
    ULONG Cr0NpxState;                          /* 6c */
} WOW64_FLOATING_SAVE_AREA;

/* ExtendedRegisters: an FXSAVE image. */
typedef struct _WOW64_CONTEXT {
    ULONG ContextFlags;                         /* 000 */
    ULONG Dr0;                                  /* 004 */
    ULONG Dr1;                                  /* 008 */
    ULONG Dr2;                                  /* 00c */
    ULONG Dr3;                                  /* 010 */
    ULONG Dr6;                                  /* 014 */
    ULONG Dr7;                                  /* 018 */
    WOW64_FLOATING_SAVE_AREA FloatSave;         /* 01c */
    ULONG SegGs;                                /* 08c */
    ULONG SegFs;                                /* 090 */
    ULONG SegEs;                                /* 094 */
    ULONG SegDs;                                /* 098 */
    ULONG Edi;                                  /* 09c */
    ULONG Esi;                                  /* 0a0 */
    ULONG Ebx;                                  /* 0a4 */
    ULONG Edx;                                  /* 0a8 */
    ULONG Ecx;                                  /* 0ac */
    ULONG Eax;                                  /* 0b0 */
    ULONG Ebp;                                  /* 0b4 */
    ULONG Eip;                                  /* 0b8 */
    ULONG SegCs;                                /* 0bc */
    ULONG EFlags;                               /* 0c0 */
    ULONG Esp;                                  /* 0c4 */
    ULONG SegSs;                                /* 0c8 */
    UCHAR ExtendedRegisters[WOW64_MAXIMUM_SUPPORTED_EXTENSION]; /* 0cc */
} WOW64_CONTEXT;

typedef struct _EXCEPTION_RECORD32 {
    NTSTATUS ExceptionCode;                     /* 00 */
    ULONG ExceptionFlags;                       /* 04 */
    ULONG ExceptionRecord;                      /* 08 */
    ULONG ExceptionAddress;                     /* 0c */
    ULONG NumberParameters;                     /* 10 */
    ULONG ExceptionInformation[15];             /* 14 */
} EXCEPTION_RECORD32;

/* ---- Answers of the query services ---- */

typedef struct _MEMORY_BASIC_INFORMATION32 {
    ULONG BaseAddress;                          /* 00 */
    ULONG AllocationBase;                       /* 04 */
    ULONG AllocationProtect;                    /* 08 */
    ULONG RegionSize;                           /* 0c */
    ULONG State;                                /* 10 */
    ULONG Protect;                              /* 14 */
    ULONG Type;                                 /* 18 */
} MEMORY_BASIC_INFORMATION32;

typedef struct _SECTION_BASIC_INFORMATION32 {
    ULONG BaseAddress;                          /* 00 */
    ULONG AllocationAttributes;                 /* 04 */
    LARGE_INTEGER MaximumSize;                  /* 08 */
} SECTION_BASIC_INFORMATION32;

typedef struct _SECTION_IMAGE_INFORMATION32 {
    ULONG TransferAddress;                      /* 00 */
    ULONG ZeroBits;                             /* 04 */
    ULONG MaximumStackSize;                     /* 08 */
    ULONG CommittedStackSize;                   /* 0c */
    ULONG SubSystemType;                        /* 10 */
    USHORT SubSystemMinorVersion;               /* 14 */
    USHORT SubSystemMajorVersion;               /* 16 */
    USHORT MajorOperatingSystemVersion;         /* 18 */
    USHORT MinorOperatingSystemVersion;         /* 1a */
    USHORT ImageCharacteristics;                /* 1c */
    USHORT DllCharacteristics;                  /* 1e */
    USHORT Machine;                             /* 20 */
    BOOLEAN ImageContainsCode;                  /* 22 */
    UCHAR ImageFlags;                           /* 23 */
    ULONG LoaderFlags;                          /* 24 */
    ULONG ImageFileSize;                        /* 28 */
    ULONG CheckSum;                             /* 2c */
} SECTION_IMAGE_INFORMATION32;

/* XP's: no TypeIndex. */
typedef struct _OBJECT_TYPE_INFORMATION32 {
    UNICODE_STRING32 TypeName;                  /* 00 */
    ULONG TotalNumberOfObjects;                 /* 08 */
    ULONG TotalNumberOfHandles;                 /* 0c */
    UCHAR pad_10[0x10];
    ULONG HighWaterNumberOfObjects;             /* 20 */
    ULONG HighWaterNumberOfHandles;             /* 24 */
    UCHAR pad_28[0x10];
    ULONG InvalidAttributes;                    /* 38 */
    ULONG GenericMapping[4];                    /* 3c */
    ULONG ValidAccessMask;                      /* 4c */
    UCHAR pad_50[0x10];
} OBJECT_TYPE_INFORMATION32;

typedef struct _PROCESS_BASIC_INFORMATION32 {
    NTSTATUS ExitStatus;                        /* 00 */
    ULONG PebBaseAddress;                       /* 04 */
    ULONG AffinityMask;                         /* 08 */
    LONG BasePriority;                          /* 0c */
    ULONG UniqueProcessId;                      /* 10 */
    ULONG InheritedFromUniqueProcessId;         /* 14 */
} PROCESS_BASIC_INFORMATION32;

typedef struct _QUOTA_LIMITS32 {
    ULONG PagedPoolLimit;                       /* 00 */
    ULONG NonPagedPoolLimit;                    /* 04 */
    ULONG MinimumWorkingSetSize;                /* 08 */
    ULONG MaximumWorkingSetSize;                /* 0c */
    ULONG PagefileLimit;                        /* 10 */
    ULONG Reserved;                             /* 14 */
    LARGE_INTEGER TimeLimit;                    /* 18 */
} QUOTA_LIMITS32;

typedef struct _THREAD_BASIC_INFORMATION32 {
    NTSTATUS ExitStatus;                        /* 00 */
    ULONG TebBaseAddress;                       /* 04 */
    CLIENT_ID32 ClientId;                       /* 08 */
    ULONG AffinityMask;                         /* 10 */
    LONG Priority;                              /* 14 */
    LONG BasePriority;                          /* 18 */
} THREAD_BASIC_INFORMATION32;

typedef struct _MUTANT_OWNER_INFORMATION32 {
    CLIENT_ID32 ClientId;                       /* 00 */
} MUTANT_OWNER_INFORMATION32;

typedef struct _SYSTEM_BASIC_INFORMATION32 {
    ULONG Reserved;                             /* 00 */
    ULONG TimerResolution;                      /* 04 */
    ULONG PageSize;                             /* 08 */
    ULONG NumberOfPhysicalPages;                /* 0c */
    ULONG LowestPhysicalPageNumber;             /* 10 */
    ULONG HighestPhysicalPageNumber;            /* 14 */
    ULONG AllocationGranularity;                /* 18 */
    ULONG MinimumUserModeAddress;               /* 1c */
    ULONG MaximumUserModeAddress;               /* 20 */
    ULONG ActiveProcessorsAffinityMask;         /* 24 */
    CHAR NumberOfProcessors;                    /* 28 */
} SYSTEM_BASIC_INFORMATION32;

/*
 * No field of it has a pointer's size: XP's structure is the beginning of
 * Windows 10's, up to SystemCalls.
 */
typedef struct _SYSTEM_PERFORMANCE_INFORMATION32 {
    LARGE_INTEGER IdleProcessTime;              /* 000 */
    UCHAR pad_8[0x24];
    ULONG AvailablePages;                       /* 02c */
    ULONG CommittedPages;                       /* 030 */
    ULONG CommitLimit;                          /* 034 */
    UCHAR pad_38[0xf0];
    ULONG ContextSwitches;                      /* 128 */
    UCHAR pad_12c[0x8];
    ULONG SystemCalls;                          /* 134 */
} SYSTEM_PERFORMANCE_INFORMATION32;

/* ---- The shared page ---- */

/*
 * SystemCall is what every stub of XP's ntdll calls through: the address of
 * KiFastSystemCall (sysenter) or KiIntSystemCall (int 2e).  SYSENTER saves no
 * return address; the kernel goes back to SystemCallReturn.
 */
struct kuser_shared_data_xp {
    ULONG TickCountLow;                         /* 000 */
    ULONG TickCountMultiplier;                  /* 004 */
    KSYSTEM_TIME InterruptTime;                 /* 008 */
    KSYSTEM_TIME SystemTime;                    /* 014 */
    KSYSTEM_TIME TimeZoneBias;                  /* 020 */
    USHORT ImageNumberLow;                      /* 02c */
    USHORT ImageNumberHigh;                     /* 02e */
    WCHAR NtSystemRoot[260];                    /* 030 */
    UCHAR pad_238[0x2c];
    ULONG NtProductType;                        /* 264 */
    UCHAR ProductTypeIsValid;                   /* 268 */
    UCHAR pad_269[0x3];
    ULONG NtMajorVersion;                       /* 26c */
    ULONG NtMinorVersion;                       /* 270 */
    UCHAR ProcessorFeatures[64];                /* 274 */
    UCHAR pad_2b4[0x1c];
    ULONG SuiteMask;                            /* 2d0 */
    UCHAR KdDebuggerEnabled;                    /* 2d4 */
    UCHAR NXSupportPolicy;                      /* 2d5 */
    UCHAR pad_2d6[0x2];
    ULONG ActiveConsoleId;                      /* 2d8 */
    UCHAR pad_2dc[0xc];
    ULONG NumberOfPhysicalPages;                /* 2e8 */
    UCHAR SafeBootMode;                         /* 2ec */
    UCHAR pad_2ed[0xb];
    ULONGLONG TestRetInstruction;               /* 2f8 */
    ULONG SystemCall;                           /* 300 */
    ULONG SystemCallReturn;                     /* 304 */
    UCHAR pad_308[0x18];
    union {
        KSYSTEM_TIME TickCount;                 /* 320 */
        ULONGLONG TickCountQuad;
    };
    ULONG Cookie;                               /* 330 */
    UCHAR pad_334[0x4];
};

_Static_assert(sizeof(WOW64_CONTEXT) == 0x2CC, "WOW64_CONTEXT");
_Static_assert(sizeof(MEMORY_BASIC_INFORMATION32) == 0x1C, "memory basic");
_Static_assert(sizeof(SECTION_BASIC_INFORMATION32) == 0x10, "section basic");
_Static_assert(sizeof(SECTION_IMAGE_INFORMATION32) == 0x30, "section image");
_Static_assert(sizeof(OBJECT_TYPE_INFORMATION32) == 0x60, "object type");
_Static_assert(sizeof(PROCESS_BASIC_INFORMATION32) == 0x18, "process basic");
_Static_assert(sizeof(THREAD_BASIC_INFORMATION32) == 0x1C, "thread basic");
_Static_assert(sizeof(SYSTEM_BASIC_INFORMATION32) == 0x2C, "system basic");
_Static_assert(sizeof(SYSTEM_PERFORMANCE_INFORMATION32) == 0x138,
               "performance");
