/*
 * ke_thread.h - ring 1: threads and processes as the dispatcher sees them.
 *
 * A thread is in one State at a time:
 *   Initialized    made, not started
 *   Ready          in a KPRCB's DispatcherReadyListHead[Priority]
 *   DeferredReady  in the KPRCB's DeferredReadyListHead, on its way there
 *   Standby        chosen: KPRCB.NextThread
 *   Running        KPRCB.CurrentThread
 *   Waiting        in its objects' lists by its wait blocks
 *   Terminated     for good
 * State, Priority and the queues change under PrcbLock, what a wait decides
 * under ThreadLock (ke_object.h): there a waiting thread's boost, too, which
 * is in no queue.
 *
 * TrapFrame is the user state of the call in progress: room 3 sets it, room 5
 * reads it.  InitialStack is where the next entry from ring 3 starts pushing
 * (TSS.Rsp0 and Prcb.RspBase hold the same value while the thread runs);
 * KernelStack is where the thread stopped, valid while it does not run.
 * StateSaveArea, above InitialStack, is where its floating point is meanwhile.
 */
#pragma once

#include <ke_apc.h>
#include <ke_timer.h>

struct _KPRCB;

/* Processors, by group. */
#define KAFFINITY_EX_GROUPS 20
typedef struct _KAFFINITY_EX {
    USHORT Count;                               /* 000, groups in use */
    USHORT Size;                                /* 002 */
    ULONG Reserved;                             /* 004 */
    ULONGLONG Bitmap[KAFFINITY_EX_GROUPS];      /* 008 */
} KAFFINITY_EX;

typedef struct _KPROCESS {
    DISPATCHER_HEADER Header;                   /* 000 */
    LIST_ENTRY ProfileListHead;                 /* 018 */
    ULONGLONG DirectoryTableBase;               /* 028 */
    LIST_ENTRY ThreadListHead;                  /* 030 */
    ULONG ProcessLock;                          /* 040 */
    UCHAR pad_44[0xc];
    KAFFINITY_EX Affinity;                      /* 050 */
    UCHAR pad_f8[0x78];
    KAFFINITY_EX ActiveProcessors;              /* 170, its space is there */
    UCHAR pad_218[0x64];
    ULONG ActiveGroupsMask;                     /* 27c */
    UCHAR BasePriority;                         /* 280 */
    UCHAR QuantumReset;                         /* 281 */
    UCHAR pad_282[0xe6];
    ULONGLONG ContextSwitches;                  /* 368 */
    UCHAR pad_370[0xc];
    ULONG KernelTime;                           /* 37c, ticks */
    ULONG UserTime;                             /* 380, ticks */
    UCHAR pad_384[0x4];
    ULONGLONG UserDirectoryTableBase;           /* 388 */
    UCHAR pad_390[0x48];
    void *InstrumentationCallback;              /* 3d8 */
    UCHAR pad_3e0[0x58];
} KPROCESS;

/* KTHREAD.MiscFlags */
#define MISC_FLAGS_WAIT_NEXT        0x0004
#define MISC_FLAGS_ALERTABLE        0x0010
#define MISC_FLAGS_UMS_DIRECTED_SWITCH 0x0100
#define MISC_FLAGS_SYSTEM_THREAD    0x0400
#define MISC_FLAGS_APC_QUEUEABLE    0x4000
#define MISC_FLAGS_UMS_PERFORMING_SYSCALL 0x10000

/* KTHREAD.ThreadFlags */
#define THREAD_FLAGS_DISABLE_BOOST  0x08
#define THREAD_FLAGS_GUI_THREAD     0x80

/* KTHREAD.State */
typedef enum _KTHREAD_STATE {
    Initialized,
    Ready,
    Running,
    Standby,
    Terminated,
    Waiting,
    Transition,
    DeferredReady,
} KTHREAD_STATE;

/* What a wait that nobody signalled has to say, to itself: look again. */
#define STATUS_KERNEL_APC ((NTSTATUS)0x00000100)

typedef struct _KWAIT_STATUS_REGISTER {
    UCHAR Flags;                                /* 000 */
} KWAIT_STATUS_REGISTER;

typedef struct _GROUP_AFFINITY {
    ULONGLONG Mask;                             /* 000 */
    USHORT Group;                               /* 008 */
    USHORT Reserved[3];                         /* 00a */
} GROUP_AFFINITY;

typedef struct _KTHREAD {
    DISPATCHER_HEADER Header;                   /* 000 */
    void *SListFaultAddress;                    /* 018, of the last pop */
    ULONGLONG QuantumTarget;                    /* 020, CycleTime then */
    void *InitialStack;                         /* 028 */
    void *StackLimit;                           /* 030 */
    void *StackBase;                            /* 038 */
    KSPIN_LOCK ThreadLock;                      /* 040 */
    volatile ULONGLONG CycleTime;               /* 048 */
    UCHAR pad_50[0x8];
    void *KernelStack;                          /* 058 */
    struct _XSAVE_FORMAT *StateSaveArea;        /* 060 */
    UCHAR pad_68[0x8];
    volatile KWAIT_STATUS_REGISTER WaitRegister; /* 070 */
    volatile UCHAR Running;                     /* 071 */
    UCHAR Alerted[2];                           /* 072, by KPROCESSOR_MODE */
    LONG MiscFlags;                             /* 074 */
    LONG ThreadFlags;                           /* 078 */
    UCHAR pad_7c[0x4];
    ULONG SystemCallNumber;                     /* 080 */
    UCHAR pad_84[0x4];
    void *FirstArgument;                        /* 088 */
    struct _KTRAP_FRAME *TrapFrame;             /* 090 */
    union {
        KAPC_STATE ApcState;                    /* 098 */
        struct {
            UCHAR ApcStateFill[43];
            CHAR Priority;                      /* 0c3 */
            ULONG UserIdealProcessor;           /* 0c4 */
        };
    };
    LONGLONG WaitStatus;                        /* 0c8 */
    KWAIT_BLOCK *WaitBlockList;                 /* 0d0 */
    LIST_ENTRY WaitListEntry;                   /* 0d8 */
    UCHAR pad_e8[0x8];
    void *Teb;                                  /* 0f0 */
    UCHAR pad_f8[0x8];
    KTIMER Timer;                               /* 100 */
    union {
        KWAIT_BLOCK WaitBlock[4];               /* 140 */
        struct {
            UCHAR WaitBlockFill4[20];
            ULONG ContextSwitches;              /* 154 */
        };
        struct {
            UCHAR WaitBlockFill5[68];
            volatile UCHAR State;               /* 184 */
            UCHAR Spare13;                      /* 185 */
            KIRQL WaitIrql;                     /* 186 */
            KPROCESSOR_MODE WaitMode;           /* 187 */
        };
        struct {
            UCHAR WaitBlockFill6[116];
            ULONG WaitTime;                     /* 1b4, tick */
        };
        struct {
            UCHAR WaitBlockFill10[136];
            void *Win32Thread;                  /* 1c8 */
        };
        struct {
            UCHAR WaitBlockFill7[164];
            union {
                struct {
                    SHORT KernelApcDisable;     /* 1e4 */
                    SHORT SpecialApcDisable;    /* 1e6 */
                };
                ULONG CombinedApcDisable;       /* 1e4 */
            };
        };
    };
    UCHAR pad_200[0x8];
    LIST_ENTRY QueueListEntry;                  /* 208 */
    volatile ULONG NextProcessor;               /* 218, whose queue it is in */
    UCHAR pad_21c[0x4];
    struct _KPROCESS *Process;                  /* 220 */
    union {
        GROUP_AFFINITY UserAffinity;            /* 228 */
        struct {
            UCHAR UserAffinityFill[10];
            KPROCESSOR_MODE PreviousMode;       /* 232 */
            CHAR BasePriority;                  /* 233 */
            CHAR PriorityDecrement;             /* 234 */
            UCHAR Preempted;                    /* 235 */
            UCHAR AdjustReason;                 /* 236 */
            CHAR AdjustIncrement;               /* 237 */
        };
    };
    UCHAR pad_238[0x8];
    union {
        GROUP_AFFINITY Affinity;                /* 240 */
        struct {
            UCHAR AffinityFill[10];
            UCHAR ApcStateIndex;                /* 24a */
            UCHAR WaitBlockCount;               /* 24b */
            ULONG IdealProcessor;               /* 24c */
        };
    };
    ULONGLONG NpxState;                         /* 250 */
    union {
        KAPC_STATE SavedApcState;               /* 258 */
        struct {
            UCHAR SavedApcStateFill[43];
            UCHAR WaitReason;                   /* 283 */
            CHAR SuspendCount;                  /* 284 */
            CHAR Saturation;                    /* 285 */
            USHORT SListFaultCount;             /* 286, there, in a row */
        };
    };
    union {
        KAPC SchedulerApc;                      /* 288 */
        struct {
            UCHAR SchedulerApcFill1[3];
            UCHAR QuantumReset;                 /* 28b */
            ULONG KernelTime;                   /* 28c, ticks */
        };
        struct {
            UCHAR SchedulerApcFill3[64];
            struct _KPRCB *WaitPrcb;            /* 2c8 */
        };
        struct {
            UCHAR SchedulerApcFill5[83];
            UCHAR CallbackNestingLevel;         /* 2db */
            ULONG UserTime;                     /* 2dc, ticks */
        };
    };
    KEVENT SuspendEvent;                        /* 2e0 */
    LIST_ENTRY ThreadListEntry;                 /* 2f8 */
    LIST_ENTRY MutantListHead;                  /* 308 */
    UCHAR pad_318[0x118];
} KTHREAD;

/*
 * A processor's idle thread: what it runs already (the boot processor, before
 * there is memory to allocate), or begins with.  The process is ready.
 */
void ki_initialize_idle_thread(struct _KPRCB *prcb, KPROCESS *process,
                               KTHREAD *thread, void *stack_base,
                               SIZE_T stack_size);
__attribute__((noreturn)) void KiIdleLoop(void);

/* A process's fields that Ke owns; no threads yet. */
void KeInitializeProcess(KPROCESS *process, KPRIORITY base_priority,
                         ULONGLONG directory_table_base);

/*
 * A thread's fields that Ke owns, and its kernel stack laid out so that it
 * begins with routine(argument) at PASSIVE_LEVEL; routine does not return.
 * stack_base: from MmCreateKernelStack.  mode: PreviousMode.
 */
void KeInitThread(KTHREAD *thread, void *stack_base, SIZE_T stack_size,
                  void (*routine)(void *argument), void *argument, void *teb,
                  KPROCESS *process, KPROCESSOR_MODE mode);

/*
 * The routine of ring 3 that gets the kernel's returns to the process's 64-bit
 * code (arch/.../instrument.c), in all of its threads; NULL: none.
 */
void ke_set_instrumentation_callback(KPROCESS *process, void *callback);

/* Into its process's list; then, to let it run, KeReadyThread. */
void KeStartThread(KTHREAD *thread);
void KeReadyThread(KTHREAD *thread);

/*
 * The current thread ends: its object is signalled, what it owns is
 * abandoned, and the processor goes to another one.  APC queues must be empty
 * (KeRundownApcQueues).  When it has switched away, ke_thread_reaper(thread)
 * has been called, by another thread at DISPATCH_LEVEL.
 */
__attribute__((noreturn)) void KeTerminateThread(KPRIORITY increment);
extern void (*ke_thread_reaper)(KTHREAD *thread);

/* The same for a process object. */
LONG KeSetProcess(KPROCESS *process, KPRIORITY increment);

/*
 * Priorities: 0 the idle thread's, 1-15 dynamic, 16-31 real-time.  All return
 * the value before.
 */
#define LOW_PRIORITY 0
#define LOW_REALTIME_PRIORITY 16
#define HIGH_PRIORITY 31
#define THREAD_BASE_PRIORITY_MAX 2
#define THREAD_BASE_PRIORITY_MIN (-2)
KPRIORITY KeSetPriorityThread(KTHREAD *thread, KPRIORITY priority);

/* Relative to the process's: -2 to 2, or +-16 for the ends of its class. */
LONG KeSetBasePriorityThread(KTHREAD *thread, LONG increment);
LONG KeQueryBasePriorityThread(const KTHREAD *thread);

/*
 * The processors of its group that thread may run on from now on; one of them
 * at least is there.  IRQL: <= DISPATCH_LEVEL.
 */
void ke_set_affinity_thread(KTHREAD *thread, ULONGLONG mask);
void ke_set_affinity_process(KPROCESS *process, ULONGLONG mask);

/* A process's processors, in its group. */
ULONGLONG ke_process_affinity(const KPROCESS *process);

/* The processors of a group that run, as a word. */
ULONGLONG KeQueryGroupAffinity(ULONG group);
KPRIORITY KeSetPriorityProcess(KPROCESS *process, KPRIORITY base);

/*
 * Give another ready thread a turn, whatever its priority.
 * STATUS_NO_YIELD_PERFORMED: there is none.
 */
NTSTATUS ke_yield(void);

/* ---- between Ke's files: the scheduler ---- */

/*
 * thread waits: end that wait with status.  Its ThreadLock is held; it is
 * ready once the caller calls KiExitDispatcher.
 */
void KiUnwaitThread(KTHREAD *thread, LONGLONG status, KPRIORITY increment);

/*
 * The end of everything that may have made threads ready: choose, switch if
 * somebody better is ready, and go down to old_irql.  From DISPATCH_LEVEL,
 * no locks held.
 */
void KiExitDispatcher(KIRQL old_irql);

/* From the clock: charge the current thread for a tick. */
void KeUpdateRunTime(BOOLEAN user, BOOLEAN in_dpc);
