/*
 * arch/descriptors.h - the tables the processor itself reads.
 *
 * cpu/gdt.c and cpu/idt.c fill them once per processor; after boot nobody
 * writes them but the context switch (TSS.Rsp0, and the base of KGDT_R3_TEB
 * for 32-bit threads).  Selectors: the classic x86
 * layout extended to 64 bits, so that one GDT serves int 2e, sysenter and
 * syscall (docs/fidelity.md has Windows' own beside it).
 */
#pragma once

#include <nt/ntdef.h>

#define KGDT_NULL       0x00
#define KGDT_R0_CODE    0x08
#define KGDT_R0_DATA    0x10
#define KGDT_R3_CODE    0x18    /* 32-bit */
#define KGDT_R3_DATA    0x20
#define KGDT64_R3_CODE  0x28
#define KGDT_R0_PCR     0x30    /* its limit carries the processor number */
#define KGDT_R3_TEB     0x38
#define KGDT64_SYS_TSS  0x40    /* 16 bytes */
#define KGDT64_LAST     0x4F
#define RPL_MASK        3

#define TSS_IST_PANIC   1       /* #DF */
#define TSS_IST_MCA     2
#define TSS_IST_NMI     3
#define TSS_IST_DEBUG   4
#define IST_STACK_SIZE  (2 * 4096)
#define IST_STACK_STRIDE (IST_STACK_SIZE + 4096)    /* with its guard page */

typedef union _KGDTENTRY64 {
    struct {
        USHORT LimitLow;                        /* 000 */
        USHORT BaseLow;                         /* 002 */
        struct {
            UCHAR BaseMiddle;
            UCHAR Flags1;                       /* type, S, DPL, P */
            UCHAR Flags2;                       /* limit 19:16, AVL, L, D, G */
            UCHAR BaseHigh;
        } Bytes;                                /* 004 */
        ULONG BaseUpper;                        /* 008 */
        ULONG MustBeZero;                       /* 00c */
    };
    struct {
        LONGLONG DataLow;                       /* 000 */
        LONGLONG DataHigh;                      /* 008 */
    };
} KGDTENTRY64;

typedef union _KIDTENTRY64 {
    struct {
        USHORT OffsetLow;                       /* 000 */
        USHORT Selector;                        /* 002 */
        USHORT IstIndex : 3;                    /* 004 */
        USHORT Reserved0 : 5;
        USHORT Type : 5;
        USHORT Dpl : 2;
        USHORT Present : 1;
        USHORT OffsetMiddle;                    /* 006 */
        ULONG OffsetHigh;                       /* 008 */
        ULONG Reserved1;                        /* 00c */
    };
    ULONGLONG Alignment;                        /* 000 */
} KIDTENTRY64;

typedef struct _KTSS64 {
    ULONG Reserved0;                            /* 000 */
    ULONGLONG Rsp0;                             /* 004 */
    ULONGLONG Rsp1;                             /* 00c */
    ULONGLONG Rsp2;                             /* 014 */
    ULONGLONG Ist[8];                           /* 01c */
    ULONGLONG Reserved1;                        /* 05c */
    USHORT Reserved2;                           /* 064 */
    USHORT IoMapBase;                           /* 066 */
} __attribute__((packed)) KTSS64;

typedef struct _KDESCRIPTOR {
    USHORT Pad[3];                              /* 000 */
    USHORT Limit;                               /* 006 */
    void *Base;                                 /* 008 */
} KDESCRIPTOR;
