/*
 * arch/trapframe.h - what an entry into the kernel leaves on the stack.
 *
 * KTRAP_FRAME: room 2 (a system call) and every trap entry fill it, rooms 3
 * and 5 and the dispatchers read it, the exits give it back to the
 * processor.  A system call fills less than a trap does: ExceptionActive says
 * which (0 interrupt, 1 exception, 2 service), and the volatile registers
 * that the service exit scrubs are not valid in a service's frame.
 * TrapFrame (138h) is the previous frame of a Zw call.  Rip to SegSs are
 * pushed by the processor, or by hand in its order after SYSCALL.
 *
 * KEXCEPTION_FRAME: the non-volatile registers, stored below the trap frame
 * by whoever needs all of a thread's registers in memory (NtContinue).
 *
 * KSWITCH_FRAME: what KiSwapContext leaves of a thread that does not run.
 */
#pragma once

#include <nt/context.h>

typedef struct _KTRAP_FRAME {
    ULONGLONG P1Home;                           /* 000 */
    ULONGLONG P2Home;                           /* 008 */
    ULONGLONG P3Home;                           /* 010 */
    ULONGLONG P4Home;                           /* 018 */
    ULONGLONG P5;                               /* 020 */
    UCHAR PreviousMode;                         /* 028 */
    UCHAR PreviousIrql;                         /* 029 */
    UCHAR FaultIndicator;                       /* 02a */
    UCHAR ExceptionActive;                      /* 02b */
    ULONG MxCsr;                                /* 02c */
    ULONGLONG Rax;                              /* 030 */
    ULONGLONG Rcx;                              /* 038 */
    ULONGLONG Rdx;                              /* 040 */
    ULONGLONG R8;                               /* 048 */
    ULONGLONG R9;                               /* 050 */
    ULONGLONG R10;                              /* 058 */
    ULONGLONG R11;                              /* 060 */
    union {
        ULONGLONG GsBase;                       /* 068 */
        ULONGLONG GsSwap;
    };
    M128A Xmm0;                                 /* 070 */
    M128A Xmm1;                                 /* 080 */
    M128A Xmm2;                                 /* 090 */
    M128A Xmm3;                                 /* 0a0 */
    M128A Xmm4;                                 /* 0b0 */
    M128A Xmm5;                                 /* 0c0 */
    union {
        ULONGLONG FaultAddress;                 /* 0d0 */
        ULONGLONG ContextRecord;
    };
    ULONGLONG Dr0;                              /* 0d8 */
    ULONGLONG Dr1;                              /* 0e0 */
    ULONGLONG Dr2;                              /* 0e8 */
    ULONGLONG Dr3;                              /* 0f0 */
    ULONGLONG Dr6;                              /* 0f8 */
    ULONGLONG Dr7;                              /* 100 */
    ULONGLONG DebugControl;                     /* 108 */
    ULONGLONG LastBranchToRip;                  /* 110 */
    ULONGLONG LastBranchFromRip;                /* 118 */
    ULONGLONG LastExceptionToRip;               /* 120 */
    ULONGLONG LastExceptionFromRip;             /* 128 */
    USHORT SegDs;                               /* 130 */
    USHORT SegEs;                               /* 132 */
    USHORT SegFs;                               /* 134 */
    USHORT SegGs;                               /* 136 */
    ULONGLONG TrapFrame;                        /* 138 */
    ULONGLONG Rbx;                              /* 140 */
    ULONGLONG Rdi;                              /* 148 */
    ULONGLONG Rsi;                              /* 150 */
    ULONGLONG Rbp;                              /* 158 */
    union {
        ULONGLONG ErrorCode;                    /* 160 */
        ULONGLONG ExceptionFrame;
    };
    ULONGLONG Rip;                              /* 168 */
    USHORT SegCs;                               /* 170 */
    UCHAR Fill0;                                /* 172 */
    UCHAR Logging;                              /* 173 */
    USHORT Fill1[2];                            /* 174 */
    ULONG EFlags;                               /* 178 */
    ULONG Fill2;                                /* 17c */
    ULONGLONG Rsp;                              /* 180 */
    USHORT SegSs;                               /* 188 */
    USHORT Fill3;                               /* 18a */
    ULONG Fill4;                                /* 18c */
} KTRAP_FRAME;

/*
 * Fill0 of a service's frame: which door it is, by the instruction's second
 * byte; INT's frame is the processor's own, and has 0.
 */
#define FRAME_DOOR_SYSCALL 0x05
#define FRAME_DOOR_SYSENTER 0x34

#define KEXCEPTION_ACTIVE_INTERRUPT 0
#define KEXCEPTION_ACTIVE_EXCEPTION 1
#define KEXCEPTION_ACTIVE_SERVICE   2

typedef struct _KEXCEPTION_FRAME {
    ULONGLONG P1Home;                           /* 000 */
    ULONGLONG P2Home;                           /* 008 */
    ULONGLONG P3Home;                           /* 010 */
    ULONGLONG P4Home;                           /* 018 */
    ULONGLONG P5;                               /* 020 */
    ULONGLONG Spare1;                           /* 028 */
    M128A Xmm6;                                 /* 030 */
    M128A Xmm7;                                 /* 040 */
    M128A Xmm8;                                 /* 050 */
    M128A Xmm9;                                 /* 060 */
    M128A Xmm10;                                /* 070 */
    M128A Xmm11;                                /* 080 */
    M128A Xmm12;                                /* 090 */
    M128A Xmm13;                                /* 0a0 */
    M128A Xmm14;                                /* 0b0 */
    M128A Xmm15;                                /* 0c0 */
    ULONGLONG TrapFrame;                        /* 0d0 */
    ULONGLONG OutputBuffer;                     /* 0d8 */
    ULONGLONG OutputLength;                     /* 0e0 */
    ULONGLONG Spare2;                           /* 0e8 */
    ULONGLONG MxCsr;                            /* 0f0 */
    ULONGLONG Rbp;                              /* 0f8 */
    ULONGLONG Rbx;                              /* 100 */
    ULONGLONG Rdi;                              /* 108 */
    ULONGLONG Rsi;                              /* 110 */
    ULONGLONG R12;                              /* 118 */
    ULONGLONG R13;                              /* 120 */
    ULONGLONG R14;                              /* 128 */
    ULONGLONG R15;                              /* 130 */
    ULONGLONG Return;                           /* 138 */
} KEXCEPTION_FRAME;

typedef struct _KSWITCH_FRAME {
    ULONGLONG P1Home;                           /* 000 */
    ULONGLONG P2Home;                           /* 008 */
    ULONGLONG P3Home;                           /* 010 */
    ULONGLONG P4Home;                           /* 018 */
    ULONGLONG P5Home;                           /* 020 */
    UCHAR ApcBypass;                            /* 028 */
    UCHAR Fill1[7];                             /* 029 */
    ULONGLONG Rbp;                              /* 030 */
    ULONGLONG Return;                           /* 038 */
} KSWITCH_FRAME;

typedef struct _MACHINE_FRAME {
    ULONGLONG Rip;                              /* 000 */
    USHORT SegCs;                               /* 008 */
    UCHAR pad_a[0x6];
    ULONG EFlags;                               /* 010 */
    UCHAR pad_14[0x4];
    ULONGLONG Rsp;                              /* 018 */
    USHORT SegSs;                               /* 020 */
    UCHAR pad_22[0x6];
} MACHINE_FRAME;

/* What KiUserCallbackDispatcher finds at rsp (thread/callback.c). */
typedef struct _UCALLOUT_FRAME {
    ULONGLONG P1Home;                           /* 000 */
    ULONGLONG P2Home;                           /* 008 */
    ULONGLONG P3Home;                           /* 010 */
    ULONGLONG P4Home;                           /* 018 */
    void *Buffer;                               /* 020 */
    ULONG Length;                               /* 028 */
    ULONG ApiNumber;                            /* 02c */
    MACHINE_FRAME MachineFrame;                 /* 030 */
} UCALLOUT_FRAME;
