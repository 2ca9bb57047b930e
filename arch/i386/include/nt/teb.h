/*
 * nt/teb.h - ring 0 of the headers: the thread environment block of 32-bit
 * code.
 *
 * One per thread, in user memory, at fs:0; fs:[18h] (NtTib.Self) is its
 * address.  The layout is Windows XP SP3's.
 */
#pragma once

#include <nt/ntdef.h>
#include <nt/peb.h>

typedef struct _NT_TIB {
    void *ExceptionList;                        /* 00 */
    void *StackBase;                            /* 04 */
    void *StackLimit;                           /* 08 */
    void *SubSystemTib;                         /* 0c */
    void *FiberData;                            /* 10 */
    void *ArbitraryUserPointer;                 /* 14 */
    void *Self;                                 /* 18 */
} NT_TIB;

typedef struct _GDI_TEB_BATCH {
    ULONG Offset;                               /* 000 */
    ULONG HDC;                                  /* 004 */
    ULONG Buffer[310];                          /* 008 */
} GDI_TEB_BATCH;

typedef struct _TEB {
    NT_TIB NtTib;                               /* 000 */
    void *EnvironmentPointer;                   /* 01c */
    CLIENT_ID ClientId;                         /* 020 */
    UCHAR pad_28[0x4];
    void *ThreadLocalStoragePointer;            /* 02c */
    struct _PEB *ProcessEnvironmentBlock;       /* 030 */
    ULONG LastErrorValue;                       /* 034 */
    UCHAR pad_38[0x8];
    void *Win32ThreadInfo;                      /* 040 */
    UCHAR pad_44[0x7c];
    void *WOW32Reserved;                        /* 0c0 */
    ULONG CurrentLocale;                        /* 0c4 */
    UCHAR pad_c8[0xdc];
    NTSTATUS ExceptionCode;                     /* 1a4 */
    UCHAR pad_1a8[0x2c];
    GDI_TEB_BATCH GdiTebBatch;                  /* 1d4 */
    CLIENT_ID RealClientId;                     /* 6b4 */
    UCHAR pad_6bc[0x4];
    ULONG GdiClientPID;                         /* 6c0 */
    ULONG GdiClientTID;                         /* 6c4 */
    UCHAR pad_6c8[0x52c];
    ULONG LastStatusValue;                      /* bf4 */
    UNICODE_STRING StaticUnicodeString;         /* bf8 */
    WCHAR StaticUnicodeBuffer[261];             /* c00 */
    UCHAR pad_e0a[0x2];
    void *DeallocationStack;                    /* e0c */
    void *TlsSlots[64];                         /* e10 */
    LIST_ENTRY TlsLinks;                        /* f10 */
    UCHAR pad_f18[0x10];
    ULONG HardErrorsAreDisabled;                /* f28 */
    UCHAR pad_f2c[0x44];
    ULONG GdiBatchCount;                        /* f70 */
    UCHAR pad_f74[0x1];
    BOOLEAN FreeStackOnTermination;             /* f75 */
    UCHAR pad_f76[0xe];
    ULONG WaitingOnLoaderLock;                  /* f84 */
    UCHAR pad_f88[0xc];
    void *TlsExpansionSlots;                    /* f94 */
    UCHAR pad_f98[0x20];
} TEB;
