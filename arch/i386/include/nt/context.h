/*
 * nt/context.h - ring 0 of the headers: the registers of a thread of 32-bit
 * code.
 *
 * CONTEXT is what ring 3 hands to NtContinue and what the kernel writes on a
 * user stack (a new thread's start, later APCs and exceptions).  Only the
 * parts named by ContextFlags mean anything.  FLOATING_SAVE_AREA begins with
 * the FNSAVE image of the SDM (vol. 1, 8.1.10); ExtendedRegisters is an
 * FXSAVE image (10.5.1).
 */
#pragma once

#include <nt/ntdef.h>

#define CONTEXT_i386            0x00010000
#define CONTEXT_CONTROL         (CONTEXT_i386 | 0x01) /* ebp eip esp cs ss */
#define CONTEXT_INTEGER         (CONTEXT_i386 | 0x02) /* the other six */
#define CONTEXT_SEGMENTS        (CONTEXT_i386 | 0x04) /* ds es fs gs */
#define CONTEXT_FLOATING_POINT  (CONTEXT_i386 | 0x08) /* FloatSave */
#define CONTEXT_DEBUG_REGISTERS (CONTEXT_i386 | 0x10) /* Dr0-3, 6, 7 */
#define CONTEXT_EXTENDED_REGISTERS (CONTEXT_i386 | 0x20)
#define CONTEXT_FULL            (CONTEXT_CONTROL | CONTEXT_INTEGER | \
                                 CONTEXT_SEGMENTS)
#define CONTEXT_ALL             (CONTEXT_FULL | CONTEXT_FLOATING_POINT | \
                                 CONTEXT_DEBUG_REGISTERS | \
                                 CONTEXT_EXTENDED_REGISTERS)

#define SIZE_OF_80387_REGISTERS 80
#define MAXIMUM_SUPPORTED_EXTENSION 512

typedef struct _FLOATING_SAVE_AREA {
    ULONG ControlWord;                          /* 00 */
    ULONG StatusWord;                           /* 04 */
    ULONG TagWord;                              /* 08 */
    ULONG ErrorOffset;                          /* 0c */
    ULONG ErrorSelector;                        /* 10 */
    ULONG DataOffset;                           /* 14 */
    ULONG DataSelector;                         /* 18 */
    UCHAR RegisterArea[SIZE_OF_80387_REGISTERS];/* 1c */
    ULONG Cr0NpxState;                          /* 6c */
} FLOATING_SAVE_AREA;

typedef struct _CONTEXT {
    ULONG ContextFlags;                         /* 000 */
    ULONG Dr0;                                  /* 004 */
    ULONG Dr1;                                  /* 008 */
    ULONG Dr2;                                  /* 00c */
    ULONG Dr3;                                  /* 010 */
    ULONG Dr6;                                  /* 014 */
    ULONG Dr7;                                  /* 018 */
    FLOATING_SAVE_AREA FloatSave;               /* 01c */
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
    UCHAR ExtendedRegisters[MAXIMUM_SUPPORTED_EXTENSION];/* 0cc */
} CONTEXT;

/* Not bitwise CONTEXT_i386: that bit is in each of the flags above. */
#define CONTEXT_HAS(context, part) \
    (((context)->ContextFlags & (part)) == (part))

#define EXCEPTION_NONCONTINUABLE        0x00000001 /* ExceptionFlags */
#define EXCEPTION_MAXIMUM_PARAMETERS    15

typedef struct _EXCEPTION_RECORD {
    NTSTATUS ExceptionCode;                     /* 00 */
    ULONG ExceptionFlags;                       /* 04 */
    struct _EXCEPTION_RECORD *ExceptionRecord;  /* 08 */
    void *ExceptionAddress;                     /* 0c */
    ULONG NumberParameters;                     /* 10 */
    ULONG_PTR ExceptionInformation[EXCEPTION_MAXIMUM_PARAMETERS]; /* 14 */
} EXCEPTION_RECORD;
