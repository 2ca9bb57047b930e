/*
 * ke.h - ring 1: what other components ask of the kernel proper.
 *
 * Ke owns threads as the processor sees them, the way in and out of the
 * kernel (arch/), the service tables, time and the bugcheck.
 *
 * KTHREAD.TrapFrame is the user state of the call in progress: room 3 sets
 * it, room 5 reads it.  InitialStack is where the next entry from ring 3
 * starts pushing (TSS.Rsp0 and Prcb.RspBase hold the same value while the
 * thread runs); KernelStack is where the thread stopped, valid while it does
 * not run.
 */
#pragma once

#include <nt/kuser.h>
#include <nt/wow64.h>
#include <nt/ntstatus.h>
#include <arch/pcr.h>
#include <arch/cpu.h>
#include <rtl.h>

#define KernelMode 0
#define UserMode 1
typedef CHAR KPROCESSOR_MODE;
typedef UCHAR KIRQL;

#define PASSIVE_LEVEL 0
#define APC_LEVEL 1
#define DISPATCH_LEVEL 2
#define CLOCK_LEVEL 13
#define IPI_LEVEL 14
#define HIGH_LEVEL 15

typedef struct _DISPATCHER_HEADER {
    UCHAR Type;                                 /* 000 */
    UCHAR Signalling;                           /* 001 */
    UCHAR Size;                                 /* 002 */
    UCHAR DebugActive;                          /* 003 */
    LONG SignalState;                           /* 004 */
    LIST_ENTRY WaitListHead;                    /* 008 */
} DISPATCHER_HEADER;

typedef struct _KAPC_STATE {
    LIST_ENTRY ApcListHead[2];                  /* 000 */
    struct _KPROCESS *Process;                  /* 020 */
    UCHAR InProgressFlags;                      /* 028 */
    UCHAR KernelApcPending;                     /* 029 */
    UCHAR UserApcPendingAll;                    /* 02a */
    UCHAR pad_2b[0x5];
} KAPC_STATE;

typedef struct _KPROCESS {
    DISPATCHER_HEADER Header;                   /* 000 */
    LIST_ENTRY ProfileListHead;                 /* 018 */
    ULONGLONG DirectoryTableBase;               /* 028 */
    LIST_ENTRY ThreadListHead;                  /* 030 */
    UCHAR pad_40[0x240];
    UCHAR BasePriority;                         /* 280 */
    UCHAR pad_281[0x107];
    ULONGLONG UserDirectoryTableBase;           /* 388 */
    UCHAR pad_390[0x48];
    void *InstrumentationCallback;              /* 3d8 */
    UCHAR pad_3e0[0x58];
} KPROCESS;

/* DISPATCHER_HEADER.DebugActive of a thread */
#define DEBUG_ACTIVE_DR7            0x01
#define DEBUG_ACTIVE_INSTRUMENTED   0x02

/* KTHREAD.ThreadFlags */
#define THREAD_FLAGS_GUI_THREAD     0x80

/* DISPATCHER_HEADER.Type */
#define ProcessObject               3
#define ThreadObject                6

/* KTHREAD.State */
#define Initialized                 0
#define Ready                       1
#define Running                     2
#define Terminated                  4
#define Waiting                     5

typedef struct _KTHREAD {
    DISPATCHER_HEADER Header;                   /* 000 */
    UCHAR pad_18[0x10];
    void *InitialStack;                         /* 028 */
    void *StackLimit;                           /* 030 */
    void *StackBase;                            /* 038 */
    UCHAR pad_40[0x8];
    ULONGLONG CycleTime;                        /* 048 */
    UCHAR pad_50[0x8];
    void *KernelStack;                          /* 058 */
    struct _XSAVE_FORMAT *StateSaveArea;        /* 060 */
    UCHAR pad_68[0xc];
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
    UCHAR pad_d0[0x20];
    void *Teb;                                  /* 0f0 */
    UCHAR pad_f8[0x5c];
    ULONG ContextSwitches;                      /* 154 */
    UCHAR pad_158[0x2c];
    UCHAR State;                                /* 184 */
    UCHAR pad_185[0x43];
    void *Win32Thread;                          /* 1c8 */
    UCHAR pad_1d0[0x14];
    union {
        struct {
            SHORT KernelApcDisable;             /* 1e4 */
            SHORT SpecialApcDisable;            /* 1e6 */
        };
        ULONG CombinedApcDisable;               /* 1e4 */
    };
    UCHAR pad_1e8[0x38];
    struct _KPROCESS *Process;                  /* 220 */
    UCHAR pad_228[0xa];
    UCHAR PreviousMode;                         /* 232 */
    UCHAR BasePriority;                         /* 233 */
    UCHAR pad_234[0x16];
    UCHAR ApcStateIndex;                        /* 24a */
    UCHAR pad_24b[0x41];
    ULONG KernelTime;                           /* 28c */
    UCHAR pad_290[0x4c];
    ULONG UserTime;                             /* 2dc */
    UCHAR pad_2e0[0x18];
    LIST_ENTRY ThreadListEntry;                 /* 2f8 */
    UCHAR pad_308[0x128];
} KTHREAD;

typedef struct _KSERVICE_TABLE_DESCRIPTOR {
    LONG *Base;                                 /* 000 */
    ULONG *Count;                                /* 008 */
    ULONG Limit;                                /* 010 */
    UCHAR pad_14[0x4];
    UCHAR *Number;                               /* 018 */
} KSERVICE_TABLE_DESCRIPTOR;

/*
 * The service tables: index 0 is ntoskrnl's, index 1 win32k's.  A thread that
 * is no GUI thread sees KeServiceDescriptorTable, whose second entry is empty.
 */
#define SERVICE_TABLES 2
#define SERVICE_TABLE_SHIFT 12
#define SERVICE_INDEX_MASK 0xFFF
#define WIN32K_SERVICE_TABLE 1
extern KSERVICE_TABLE_DESCRIPTOR KeServiceDescriptorTable[SERVICE_TABLES];
extern KSERVICE_TABLE_DESCRIPTOR KeServiceDescriptorTableShadow[SERVICE_TABLES];

/*
 * One row of services.tab.  number is the full number (table in bits 12-13),
 * stack_args what SSDT entries carry in their low nibble.
 */
struct ke_service {
    const char *name;
    void *routine;
    USHORT number;
    UCHAR args;
};
extern const struct ke_service ke_services[];
extern const ULONG ke_service_count;

/*
 * KUSER_SHARED_DATA through the kernel's own, writable mapping.
 */
#define SharedUserData ((KUSER_SHARED_DATA *)KI_USER_SHARED_DATA)

/* The page in XP's layout, which 32-bit code sees instead (nt/wow64.h). */
#define ke_shared_data_xp \
    ((struct kuser_shared_data_xp *)KI_USER_SHARED_DATA_XP)

/* Data that boot fills and Mm then makes read-only. */
#define SEALED __attribute__((section(".sealed")))

/* Stop the machine with one of NT's codes.  IRQL: any. */
__attribute__((noreturn)) void KeBugCheckEx(ULONG code, ULONG_PTR p1,
                                            ULONG_PTR p2, ULONG_PTR p3,
                                            ULONG_PTR p4);

/* ASSERT is always on: a broken invariant stops the machine where it broke. */
#define ASSERT(condition) \
    ((condition) ? (void)0 : ke_assert_failed(#condition, __FILE__, __LINE__))
__attribute__((noreturn)) void ke_assert_failed(const char *condition,
                                                const char *file, ULONG line);

static inline KTHREAD *KeGetCurrentThread(void)
{
    return (KTHREAD *)arch_read_gs(offsetof(KPCR, Prcb.CurrentThread));
}

static inline KPRCB *KeGetCurrentPrcb(void)
{
    return (KPRCB *)arch_read_gs(offsetof(KPCR, CurrentPrcb));
}

/* Mode of the caller of the service in progress. */
static inline KPROCESSOR_MODE ExGetPreviousMode(void)
{
    return KeGetCurrentThread()->PreviousMode;
}

/* IRQL is CR8 (SDM: 3A, 10.8.6): vectors of class <= IRQL wait. */
static inline KIRQL KeGetCurrentIrql(void)
{
    return (KIRQL)arch_read_cr8();
}
KIRQL KfRaiseIrql(KIRQL irql);
void KfLowerIrql(KIRQL irql);

/*
 * A lock between processors: the caller has already seen to it that nothing
 * on its own can want it (IRQL, or interrupts off).
 */
typedef ULONGLONG KSPIN_LOCK;

static inline void KxAcquireSpinLock(volatile KSPIN_LOCK *lock)
{
    while (__sync_lock_test_and_set(lock, 1)) {
        while (*lock)
            arch_pause();
    }
}

static inline void KxReleaseSpinLock(volatile KSPIN_LOCK *lock)
{
    __sync_lock_release(lock);
}

/* 100 ns units since 1601 / since boot; performance counter and its Hz. */
void KeQuerySystemTime(LARGE_INTEGER *time);
ULONGLONG KeQueryInterruptTime(void);
LARGE_INTEGER KeQueryPerformanceCounter(LARGE_INTEGER *frequency);
ULONG KeQueryTimeIncrement(void);

/* Processors that run (1 until SMP). */
extern ULONG KeNumberProcessors;

/*
 * The 32-bit ntdll is mapped: addresses of its KiFastSystemCall,
 * KiFastSystemCallRet and KiIntSystemCall.  One of them goes into XP's shared
 * page (ke/doors.c).
 */
void ke_set_system_call32(ULONG fast, ULONG fast_return, ULONG int2e);
