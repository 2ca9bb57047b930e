/*
 * nt/context.h - ring 0 of the headers: a thread's registers.
 *
 * CONTEXT is what ring 3 hands to NtContinue and what the kernel writes on a
 * user stack (a new thread's start, later APCs and exceptions).  Only the
 * parts named by ContextFlags mean anything.  XSAVE_FORMAT is the FXSAVE
 * image of the SDM (vol. 1, 10.5.1).
 */
#pragma once

#include <nt/ntdef.h>

typedef struct _M128A {
    ULONGLONG Low;
    LONGLONG High;
} __attribute__((aligned(16))) M128A;

#define CONTEXT_AMD64           0x00100000
#define CONTEXT_CONTROL         (CONTEXT_AMD64 | 0x01) /* rip rsp flags cs ss */
#define CONTEXT_INTEGER         (CONTEXT_AMD64 | 0x02) /* the other 15 */
#define CONTEXT_SEGMENTS        (CONTEXT_AMD64 | 0x04) /* ignored */
#define CONTEXT_FLOATING_POINT  (CONTEXT_AMD64 | 0x08) /* FltSave, MxCsr */
#define CONTEXT_DEBUG_REGISTERS (CONTEXT_AMD64 | 0x10) /* Dr0-3, 6, 7 */
#define CONTEXT_XSTATE          (CONTEXT_AMD64 | 0x40) /* by CONTEXT_EX */
#define CONTEXT_FULL            (CONTEXT_CONTROL | CONTEXT_INTEGER | \
                                 CONTEXT_FLOATING_POINT)
#define CONTEXT_ALL             (CONTEXT_FULL | CONTEXT_SEGMENTS | \
                                 CONTEXT_DEBUG_REGISTERS)

typedef struct _XSAVE_FORMAT {
    USHORT ControlWord;                         /* 000 */
    USHORT StatusWord;                          /* 002 */
    UCHAR TagWord;                              /* 004 */
    UCHAR Reserved1;                            /* 005 */
    USHORT ErrorOpcode;                         /* 006 */
    ULONG ErrorOffset;                          /* 008 */
    USHORT ErrorSelector;                       /* 00c */
    USHORT Reserved2;                           /* 00e */
    ULONG DataOffset;                           /* 010 */
    USHORT DataSelector;                        /* 014 */
    USHORT Reserved3;                           /* 016 */
    ULONG MxCsr;                                /* 018 */
    ULONG MxCsr_Mask;                           /* 01c */
    M128A FloatRegisters[8];                    /* 020 */
    M128A XmmRegisters[16];                     /* 0a0 */
    UCHAR Reserved4[96];                        /* 1a0 */
} XSAVE_FORMAT;

/* What XSAVE adds to that; features that lie behind are told by Mask. */
typedef struct _XSAVE_AREA_HEADER {
    ULONGLONG Mask;                             /* 000 */
    ULONGLONG CompactionMask;                   /* 008 */
    ULONGLONG Reserved2[6];                     /* 010 */
} XSAVE_AREA_HEADER;

#define XSTATE_LEGACY_FLOATING_POINT    0x01
#define XSTATE_LEGACY_SSE               0x02
#define XSTATE_AVX                      0x04

typedef struct _CONTEXT {
    ULONGLONG P1Home;                           /* 000 */
    ULONGLONG P2Home;                           /* 008 */
    ULONGLONG P3Home;                           /* 010 */
    ULONGLONG P4Home;                           /* 018 */
    ULONGLONG P5Home;                           /* 020 */
    ULONGLONG P6Home;                           /* 028 */
    ULONG ContextFlags;                         /* 030 */
    ULONG MxCsr;                                /* 034 */
    USHORT SegCs;                               /* 038 */
    USHORT SegDs;                               /* 03a */
    USHORT SegEs;                               /* 03c */
    USHORT SegFs;                               /* 03e */
    USHORT SegGs;                               /* 040 */
    USHORT SegSs;                               /* 042 */
    ULONG EFlags;                               /* 044 */
    ULONGLONG Dr0;                              /* 048 */
    ULONGLONG Dr1;                              /* 050 */
    ULONGLONG Dr2;                              /* 058 */
    ULONGLONG Dr3;                              /* 060 */
    ULONGLONG Dr6;                              /* 068 */
    ULONGLONG Dr7;                              /* 070 */
    ULONGLONG Rax;                              /* 078 */
    ULONGLONG Rcx;                              /* 080 */
    ULONGLONG Rdx;                              /* 088 */
    ULONGLONG Rbx;                              /* 090 */
    ULONGLONG Rsp;                              /* 098 */
    ULONGLONG Rbp;                              /* 0a0 */
    ULONGLONG Rsi;                              /* 0a8 */
    ULONGLONG Rdi;                              /* 0b0 */
    ULONGLONG R8;                               /* 0b8 */
    ULONGLONG R9;                               /* 0c0 */
    ULONGLONG R10;                              /* 0c8 */
    ULONGLONG R11;                              /* 0d0 */
    ULONGLONG R12;                              /* 0d8 */
    ULONGLONG R13;                              /* 0e0 */
    ULONGLONG R14;                              /* 0e8 */
    ULONGLONG R15;                              /* 0f0 */
    ULONGLONG Rip;                              /* 0f8 */
    XSAVE_FORMAT FltSave;                       /* 100 */
    M128A VectorRegister[26];                   /* 300 */
    ULONGLONG VectorControl;                    /* 4a0 */
    ULONGLONG DebugControl;                     /* 4a8 */
    ULONGLONG LastBranchToRip;                  /* 4b0 */
    ULONGLONG LastBranchFromRip;                /* 4b8 */
    ULONGLONG LastExceptionToRip;               /* 4c0 */
    ULONGLONG LastExceptionFromRip;             /* 4c8 */
} CONTEXT;

/* Behind a CONTEXT on a stack: where its parts are, from this structure. */
typedef struct _CONTEXT_EX {
    struct {
        LONG Offset;                            /* 00 */
        ULONG Length;                           /* 04 */
    } All;
    struct {
        LONG Offset;                            /* 08 */
        ULONG Length;                           /* 0c */
    } Legacy;
    struct {
        LONG Offset;                            /* 10 */
        ULONG Length;                           /* 14 */
    } XState;
} CONTEXT_EX;

/* What NtContinueEx is to do, and why (ContinueType, for shadow stacks). */
typedef enum _KCONTINUE_TYPE {
    KCONTINUE_UNWIND,
    KCONTINUE_RESUME,
    KCONTINUE_LONGJUMP,
    KCONTINUE_SET,
    KCONTINUE_LAST,
} KCONTINUE_TYPE;

#define KCONTINUE_FLAG_TEST_ALERT       0x00000001
#define KCONTINUE_FLAG_DELIVER_APC      0x00000002

typedef struct _KCONTINUE_ARGUMENT {
    KCONTINUE_TYPE ContinueType;                /* 00 */
    ULONG ContinueFlags;                        /* 04 */
    ULONGLONG Reserved[2];                      /* 08 */
} KCONTINUE_ARGUMENT;

/* Not bitwise CONTEXT_AMD64: that bit is in each of the flags above. */
#define CONTEXT_HAS(context, part) \
    (((context)->ContextFlags & (part)) == (part))

#define EXCEPTION_NONCONTINUABLE        0x00000001 /* ExceptionFlags */
#define EXCEPTION_MAXIMUM_PARAMETERS    15

typedef struct _EXCEPTION_RECORD {
    NTSTATUS ExceptionCode;                     /* 000 */
    ULONG ExceptionFlags;                       /* 004 */
    struct _EXCEPTION_RECORD *ExceptionRecord;  /* 008 */
    void *ExceptionAddress;                     /* 010 */
    ULONG NumberParameters;                     /* 018 */
    UCHAR pad_1c[0x4];
    ULONG_PTR ExceptionInformation[EXCEPTION_MAXIMUM_PARAMETERS]; /* 020 */
} EXCEPTION_RECORD;
