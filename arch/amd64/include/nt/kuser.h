/*
 * nt/kuser.h - ring 0 of the headers: KUSER_SHARED_DATA, the page that kernel
 * and ring 3 share.
 *
 * The kernel writes it at KI_USER_SHARED_DATA; every process reads the same
 * page at USER_SHARED_DATA, read-only and no-execute.  Who writes what: boot
 * fills the version, features and SystemCall once; the clock interrupt moves
 * TickCount, InterruptTime and SystemTime.  A KSYSTEM_TIME is read without a
 * lock: the writer stores High2Time, LowPart, High1Time in that order, the
 * reader takes High1Time, LowPart, High2Time and retries when they differ.
 */
#pragma once

#include <nt/ntdef.h>

#define USER_SHARED_DATA    0x000000007FFE0000ULL
#define KI_USER_SHARED_DATA 0xFFFFF78000000000ULL

typedef struct _KSYSTEM_TIME {
    ULONG LowPart;
    LONG High1Time;
    LONG High2Time;
} KSYSTEM_TIME;

#define PROCESSOR_FEATURE_MAX 64
#define PF_COMPARE_EXCHANGE_DOUBLE      2
#define PF_MMX_INSTRUCTIONS_AVAILABLE   3
#define PF_XMMI_INSTRUCTIONS_AVAILABLE  6
#define PF_RDTSC_INSTRUCTION_AVAILABLE  8
#define PF_PAE_ENABLED                  9
#define PF_XMMI64_INSTRUCTIONS_AVAILABLE 10
#define PF_NX_ENABLED                   12
#define PF_SSE3_INSTRUCTIONS_AVAILABLE  13
#define PF_COMPARE_EXCHANGE128          14
#define PF_XSAVE_ENABLED                17
#define PF_FASTFAIL_AVAILABLE           23
#define PF_RDTSCP_INSTRUCTION_AVAILABLE 32

#define PROCESSOR_ARCHITECTURE_AMD64    9
#define NtProductWinNt                  1

/* Where XSAVE puts the features of EnabledFeatures; bits as in XCR0. */
typedef struct _XSTATE_FEATURE {
    ULONG Offset;                               /* 000 */
    ULONG Size;                                 /* 004 */
} XSTATE_FEATURE;

typedef struct _XSTATE_CONFIGURATION {
    ULONGLONG EnabledFeatures;                  /* 000 */
    ULONGLONG EnabledVolatileFeatures;          /* 008 */
    ULONG Size;                                 /* 010 */
    ULONG ControlFlags;                         /* 014 */
    XSTATE_FEATURE Features[64];                /* 018 */
    ULONGLONG EnabledSupervisorFeatures;        /* 218 */
    ULONGLONG AlignedFeatures;                  /* 220 */
    ULONG AllFeatureSize;                       /* 228 */
    ULONG AllFeatures[64];                      /* 22c */
    UCHAR pad_32c[0x4];
    ULONGLONG EnabledUserVisibleSupervisorFeatures; /* 330 */
} XSTATE_CONFIGURATION;

typedef struct _KUSER_SHARED_DATA {
    ULONG TickCountLowDeprecated;               /* 000 */
    ULONG TickCountMultiplier;                  /* 004 */
    KSYSTEM_TIME InterruptTime;                 /* 008 */
    KSYSTEM_TIME SystemTime;                    /* 014 */
    KSYSTEM_TIME TimeZoneBias;                  /* 020 */
    USHORT ImageNumberLow;                      /* 02c */
    USHORT ImageNumberHigh;                     /* 02e */
    WCHAR NtSystemRoot[260];                    /* 030 */
    UCHAR pad_238[0x28];
    ULONG NtBuildNumber;                        /* 260 */
    ULONG NtProductType;                        /* 264 */
    UCHAR ProductTypeIsValid;                   /* 268 */
    UCHAR pad_269[0x1];
    USHORT NativeProcessorArchitecture;         /* 26a */
    ULONG NtMajorVersion;                       /* 26c */
    ULONG NtMinorVersion;                       /* 270 */
    UCHAR ProcessorFeatures[64];                /* 274 */
    UCHAR pad_2b4[0x1c];
    ULONG SuiteMask;                            /* 2d0 */
    UCHAR KdDebuggerEnabled;                    /* 2d4 */
    UCHAR pad_2d5[0x3];
    ULONG ActiveConsoleId;                      /* 2d8 */
    UCHAR pad_2dc[0xc];
    ULONG NumberOfPhysicalPages;                /* 2e8 */
    UCHAR SafeBootMode;                         /* 2ec */
    UCHAR pad_2ed[0xb];
    ULONGLONG TestRetInstruction;               /* 2f8 */
    LONGLONG QpcFrequency;                      /* 300 */
    ULONG SystemCall;                           /* 308 */
    UCHAR pad_30c[0x14];
    union {
        KSYSTEM_TIME TickCount;                 /* 320 */
        ULONGLONG TickCountQuad;                /* aligns: 16 bytes in all */
    };
    ULONG Cookie;                               /* 330 */
    UCHAR pad_334[0x8c];
    ULONG ActiveProcessorCount;                 /* 3c0 */
    UCHAR ActiveGroupCount;                     /* 3c4 */
    UCHAR pad_3c5[0x1];
    union {
        USHORT QpcData;                         /* 3c6 */
        UCHAR QpcBypassEnabled;
    };
    UCHAR pad_3c8[0x10];
    XSTATE_CONFIGURATION XState;                /* 3d8 */
    UCHAR pad_710[0x10];
} KUSER_SHARED_DATA;
