/*
 * arch/pcr.h - KPCR and KPRCB: one processor's own state.
 *
 * In ring 0 gs points to the KPCR, in ring 3 to the TEB; swapgs exchanges
 * them.  Prcb is the larger half and lies inside, at 180h.  Boot fills both
 * (cpu/pcr.c), room 2 uses UserRsp, RspBase, CurrentThread and MxCsr,
 * the context switch moves CurrentThread and RspBase.
 *
 * The page from KernelDirectoryTableBase on is all of it that ring 3's page
 * tables have under KVA shadow (mm/shadow.c); the shadow doors use nothing
 * else (entry/shadow.asm).
 */
#pragma once

#include <arch/descriptors.h>
#include <arch/trapframe.h>
#include <ke_timer.h>
#include <nt/teb.h>

struct _KTHREAD;

typedef struct _KSPECIAL_REGISTERS {
    ULONGLONG Cr0;                              /* 000 */
    ULONGLONG Cr2;                              /* 008 */
    ULONGLONG Cr3;                              /* 010 */
    ULONGLONG Cr4;                              /* 018 */
    ULONGLONG KernelDr0;                        /* 020 */
    ULONGLONG KernelDr1;                        /* 028 */
    ULONGLONG KernelDr2;                        /* 030 */
    ULONGLONG KernelDr3;                        /* 038 */
    ULONGLONG KernelDr6;                        /* 040 */
    ULONGLONG KernelDr7;                        /* 048 */
    KDESCRIPTOR Gdtr;                           /* 050 */
    KDESCRIPTOR Idtr;                           /* 060 */
    USHORT Tr;                                  /* 070 */
    USHORT Ldtr;                                /* 072 */
    ULONG MxCsr;                                /* 074 */
    ULONGLONG DebugControl;                     /* 078 */
    ULONGLONG LastBranchToRip;                  /* 080 */
    ULONGLONG LastBranchFromRip;                /* 088 */
    ULONGLONG LastExceptionToRip;               /* 090 */
    ULONGLONG LastExceptionFromRip;             /* 098 */
    ULONGLONG Cr8;                              /* 0a0 */
    ULONGLONG MsrGsBase;                        /* 0a8 */
    ULONGLONG MsrGsSwap;                        /* 0b0 */
    ULONGLONG MsrStar;                          /* 0b8 */
    ULONGLONG MsrLStar;                         /* 0c0 */
    ULONGLONG MsrCStar;                         /* 0c8 */
    ULONGLONG MsrSyscallMask;                   /* 0d0 */
    ULONGLONG Xcr0;                             /* 0d8 */
    ULONGLONG MsrFsBase;                        /* 0e0 */
    ULONGLONG SpecialPadding0;                  /* 0e8 */
} KSPECIAL_REGISTERS;

typedef struct _KPROCESSOR_STATE {
    KSPECIAL_REGISTERS SpecialRegisters;        /* 000 */
    CONTEXT ContextFrame;                       /* 0f0 */
} KPROCESSOR_STATE;

/*
 * What another processor asks of this one: the sender fills RequestPacket and
 * then RequestSummary, vector E1h (ke/ipi.c) clears RequestSummary.
 */
typedef struct _KREQUEST_PACKET {
    void *CurrentPacket[3];                     /* 00, arguments */
    void (*WorkerRoutine)(void *argument);      /* 18 */
} KREQUEST_PACKET;

/* RequestSummary: RequestPacket is complete. */
#define IPI_PACKET_READY 1

/*
 * Branch predictors (arch/speculation.h).  BpbState: what each way in does;
 * BpbFeatures: anything at all, and whether SMEP spares it the return stack.
 * BpbCurrentSpecCtrl is what IA32_SPEC_CTRL holds; the two others what it is
 * to hold in ring 0 and in ring 3.  TrappedSecurityDomain: whose ring 3 has
 * trained the predictors last.
 */
#define BPB_FLUSH_RSB_ON_TRAP 0x02
#define BPB_IBPB_ON_TRAP 0x08
#define BPB_ENABLED 0x02
#define BPB_SMEP 0x04

/* KPRCB.ShadowFlags: ring 3's next CR3 flushes; there is one CR3 only. */
#define KI_SHADOW_FLUSH_PENDING 1
#define KI_SHADOW_ONE_SPACE 2

typedef struct _REQUEST_MAILBOX {
    struct _REQUEST_MAILBOX *Next;              /* 00 */
    volatile ULONGLONG RequestSummary;          /* 08 */
    KREQUEST_PACKET RequestPacket;              /* 10 */
    volatile LONG *NodeTargetCountAddr;         /* 30 */
    volatile LONG NodeTargetCount;              /* 38 */
    UCHAR pad_3c[0x4];
} REQUEST_MAILBOX;

typedef struct _KPRCB {
    ULONG MxCsr;                                /* 000 */
    UCHAR LegacyNumber;                         /* 004 */
    UCHAR pad_5[0x2];
    UCHAR IdleHalt;                             /* 007 */
    struct _KTHREAD *CurrentThread;             /* 008 */
    struct _KTHREAD *volatile NextThread;                /* 010 */
    struct _KTHREAD *IdleThread;                /* 018 */
    UCHAR NestingLevel;                         /* 020 */
    UCHAR pad_21[0x3];
    ULONG Number;                               /* 024 */
    ULONGLONG RspBase;                          /* 028 */
    KSPIN_LOCK PrcbLock;                        /* 030 */
    UCHAR pad_38[0xc];
    ULONG MHz;                                  /* 044 */
    UCHAR pad_48[0x45];
    UCHAR CpuVendor;                            /* 08d */
    UCHAR pad_8e[0x2];
    ULONGLONG TscFrequency;                     /* 090 */
    UCHAR pad_98[0x30];
    ULONGLONG GroupSetMember;                   /* 0c8 */
    UCHAR Group;                                /* 0d0 */
    UCHAR GroupIndex;                           /* 0d1 */
    UCHAR pad_d2[0x2];
    ULONG InitialApicId;                        /* 0d4 */
    UCHAR pad_d8[0x18];
    ULONGLONG TrappedSecurityDomain;            /* 0f0 */
    UCHAR BpbState;                             /* 0f8 */
    UCHAR BpbFeatures;                          /* 0f9 */
    UCHAR BpbCurrentSpecCtrl;                   /* 0fa */
    UCHAR BpbKernelSpecCtrl;                    /* 0fb */
    UCHAR BpbNmiSpecCtrl;                       /* 0fc */
    UCHAR BpbUserSpecCtrl;                      /* 0fd */
    UCHAR pad_fe[0x2];
    KPROCESSOR_STATE ProcessorState;            /* 100 */
    UCHAR pad_6c0[0x2648];
    SINGLE_LIST_ENTRY DeferredReadyListHead;    /* 2d08 */
    ULONG MmPageFaultCount;                     /* 2d10 */
    ULONG MmCopyOnWriteCount;                   /* 2d14 */
    ULONG MmTransitionCount;                    /* 2d18 */
    ULONG MmDemandZeroCount;                    /* 2d1c */
    ULONG MmPageReadCount;                      /* 2d20 */
    ULONG MmPageReadIoCount;                    /* 2d24 */
    ULONG MmDirtyPagesWriteCount;               /* 2d28 */
    ULONG MmDirtyWriteIoCount;                  /* 2d2c */
    UCHAR pad_2d30[0x8];
    ULONG KeSystemCalls;                        /* 2d38 */
    ULONG KeContextSwitches;                    /* 2d3c */
    UCHAR pad_2d40[0x48];
    volatile ULONG IpiFrozen;                   /* 2d88 */
    UCHAR pad_2d8c[0x334];
    KDPC_DATA DpcData[2];                       /* 30c0 */
    void *DpcStack;                             /* 3110 */
    LONG MaximumDpcQueueDepth;                  /* 3118 */
    UCHAR pad_311c[0xd];
    volatile UCHAR QuantumEnd;                  /* 3129 */
    volatile UCHAR DpcRoutineActive;            /* 312a */
    UCHAR IdleSchedule;                         /* 312b */
    volatile LONG DpcRequestSummary;            /* 312c */
    UCHAR pad_3130[0x4];
    ULONG LastTick;                             /* 3134 */
    ULONG ClockInterrupts;                      /* 3138 */
    UCHAR pad_313c[0x804];
    KTIMER_TABLE TimerTable;                    /* 3940 */
    UCHAR pad_7b58[0x8e];
    UCHAR NmiActive;                            /* 7be6 */
    UCHAR MceActive;                            /* 7be7 */
    UCHAR pad_7be8[0x30];
    ULONG ReadySummary;                         /* 7c18 */
    UCHAR pad_7c1c[0x14];
    KDPC TimerExpirationDpc;                    /* 7c30 */
    UCHAR pad_7c70[0x10];
    LIST_ENTRY DispatcherReadyListHead[MAXIMUM_PRIORITY]; /* 7c80 */
    ULONG InterruptCount;                       /* 7e80 */
    ULONG KernelTime;                           /* 7e84, ticks */
    ULONG UserTime;                             /* 7e88, ticks */
    ULONG DpcTime;                              /* 7e8c, ticks */
    UCHAR pad_7e90[0x20];
    ULONG KeExceptionDispatchCount;             /* 7eb0 */
    ULONG ReadyThreadCount;                     /* 7eb4 */
    UCHAR pad_7eb8[0x8];
    ULONGLONG StartCycles;                      /* 7ec0 */
    UCHAR pad_7ec8[0xfb8];
    ULONGLONG KernelDirectoryTableBase;         /* 8e80 */
    ULONGLONG RspBaseShadow;                    /* 8e88 */
    ULONGLONG UserRspShadow;                    /* 8e90 */
    volatile ULONG ShadowFlags;                 /* 8e98 */
    UCHAR pad_8e9c[0xe];
    USHORT VerwSelector;                        /* 8eaa, 0: no VERW */
    UCHAR pad_8eac[0x2014];
    REQUEST_MAILBOX RequestMailbox[1];          /* aec0 */
} KPRCB;

typedef struct _KPCR {
    KGDTENTRY64 *GdtBase;               /* 000 */
    KTSS64 *TssBase;                    /* 008 */
    ULONGLONG UserRsp;                          /* 010 */
    struct _KPCR *Self;                         /* 018 */
    struct _KPRCB *CurrentPrcb;                 /* 020 */
    UCHAR pad_28[0x8];
    void *Used_Self;                            /* 030 */
    KIDTENTRY64 *IdtBase;               /* 038 */
    UCHAR pad_40[0x10];
    UCHAR Irql;                                 /* 050 */
    UCHAR pad_51[0xf];
    USHORT MajorVersion;                        /* 060 */
    USHORT MinorVersion;                        /* 062 */
    UCHAR pad_64[0x11c];
    KPRCB Prcb;                                 /* 180 */
} KPCR;
