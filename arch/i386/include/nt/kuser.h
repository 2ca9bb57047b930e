/*
 * nt/kuser.h - ring 0 of the headers: KUSER_SHARED_DATA as 32-bit code sees
 * it.
 *
 * The layout is Windows XP SP3's.  Every process reads the page at
 * USER_SHARED_DATA, read-only and no-execute.  SystemCall is the address that
 * every stub of ntdll calls through: KiFastSystemCall or KiIntSystemCall, as
 * boot chose; SystemCallReturn is where the kernel leads a thread that came by
 * SYSENTER, which saves no return address.  A KSYSTEM_TIME is read without a
 * lock: the writer stores High2Time, LowPart, High1Time in that order, the
 * reader takes High1Time, LowPart, High2Time and retries when they differ.
 */
#pragma once

#include <nt/ntdef.h>

#define USER_SHARED_DATA    0x7FFE0000U

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

#define NtProductWinNt                  1

typedef struct _KUSER_SHARED_DATA {
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
    UCHAR ProcessorFeatures[PROCESSOR_FEATURE_MAX];/* 274 */
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
        ULONGLONG TickCountQuad;                /* aligns: 16 bytes in all */
    };
    ULONG Cookie;                               /* 330 */
    UCHAR pad_334[0x4];
} KUSER_SHARED_DATA;
