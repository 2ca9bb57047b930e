/*
 * nt/teb.h - ring 0 of the headers: the thread environment block.
 *
 * One per thread, in user memory, found through gs:[30h] (NtTib.Self).  The
 * kernel fills it before the thread's first instruction and reads it in one
 * place only: GdiBatchCount, on the way to a shadow-table service.
 */
#pragma once

#include <nt/ntdef.h>
#include <nt/peb.h>

typedef struct _NT_TIB {
    void *ExceptionList;                        /* 000 */
    void *StackBase;                            /* 008 */
    void *StackLimit;                           /* 010 */
    void *SubSystemTib;                         /* 018 */
    void *FiberData;                            /* 020 */
    void *ArbitraryUserPointer;                 /* 028 */
    void *Self;                                 /* 030 */
} NT_TIB;

typedef struct _GDI_TEB_BATCH {
    ULONG Offset;               /* bit 31 is Windows' HasRenderingCommand */
    UCHAR pad_4[0x4];
    ULONGLONG HDC;                              /* 008 */
    ULONG Buffer[310];                          /* 010 */
} GDI_TEB_BATCH;

typedef struct _TEB {
    NT_TIB NtTib;                               /* 000 */
    void *EnvironmentPointer;                   /* 038 */
    CLIENT_ID ClientId;                         /* 040 */
    UCHAR pad_50[0x8];
    void *ThreadLocalStoragePointer;            /* 058 */
    struct _PEB *ProcessEnvironmentBlock;       /* 060 */
    ULONG LastErrorValue;                       /* 068 */
    UCHAR pad_6c[0xc];
    void *Win32ThreadInfo;                      /* 078 */
    UCHAR pad_80[0x88];
    ULONG CurrentLocale;                        /* 108 */
    UCHAR pad_10c[0x1b4];
    NTSTATUS ExceptionCode;                     /* 2c0 */
    UCHAR pad_2c4[0xc];
    ULONGLONG InstrumentationCallbackSp;        /* 2d0, these four are */
    ULONGLONG InstrumentationCallbackPreviousPc; /* 2d8, ring 3's own */
    ULONGLONG InstrumentationCallbackPreviousSp; /* 2e0 */
    UCHAR pad_2e8[0x4];
    UCHAR InstrumentationCallbackDisabled;      /* 2ec */
    UCHAR pad_2ed[0x3];
    GDI_TEB_BATCH GdiTebBatch;                  /* 2f0 */
    CLIENT_ID RealClientId;                     /* 7d8 */
    UCHAR pad_7e8[0x8];
    ULONG GdiClientPID;                         /* 7f0 */
    ULONG GdiClientTID;                         /* 7f4 */
    UCHAR pad_7f8[0xa58];
    ULONG LastStatusValue;                      /* 1250 */
    UCHAR pad_1254[0x4];
    UNICODE_STRING StaticUnicodeString;         /* 1258 */
    WCHAR StaticUnicodeBuffer[261];             /* 1268 */
    UCHAR pad_1472[0x6];
    void *DeallocationStack;                    /* 1478 */
    void *TlsSlots[64];                         /* 1480 */
    LIST_ENTRY TlsLinks;                        /* 1680 */
    UCHAR pad_1690[0x20];
    ULONG HardErrorMode;                        /* 16b0 */
    UCHAR pad_16b4[0x8c];
    ULONG GdiBatchCount;                        /* 1740 */
    UCHAR pad_1744[0x4];
    ULONG GuaranteedStackBytes;                 /* 1748 */
    UCHAR pad_174c[0x14];
    ULONG WaitingOnLoaderLock;                  /* 1760 */
    UCHAR pad_1764[0x1c];
    void *TlsExpansionSlots;                    /* 1780 */
    UCHAR pad_1788[0x66];
    USHORT SameTebFlags;                        /* 17ee */
    UCHAR pad_17f0[0x1c];
    LONG WowTebOffset;          /* 180c: from here to TEB32; 0: none */
    UCHAR pad_1810[0x28];
} TEB;
