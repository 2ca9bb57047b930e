/*
 * ke.h - ring 1: what other components ask of the kernel proper.
 *
 * Ke owns threads as the processor sees them (ke_thread.h), what they wait
 * for (ke_object.h, ke_timer.h), calls that come later (ke_dpc.h, ke_apc.h),
 * the way in and out of the kernel (arch/), the service tables, time and the
 * bugcheck.
 */
#pragma once

#include <ke_thread.h>
#include <nt/kuser.h>
#include <nt/wow64.h>
#include <nt/ntstatus.h>
#include <arch/pcr.h>
#include <arch/cpu.h>
#include <rtl.h>

/*
 * A service's caller in ring 3 gets code as an exception when the call is
 * over: from TEB.ExceptionCode, raised by KiRaiseUserExceptionDispatcher of its
 * ntdll, which then returns for the call's stub.  The service returns what
 * this returns; without such a dispatcher that is code, and nothing more
 * happens.  IRQL: PASSIVE_LEVEL.
 */
NTSTATUS KeRaiseUserException(NTSTATUS code);

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
    const char *letters;                /* of the arguments */
};
extern const struct ke_service ke_services[];
extern const ULONG ke_service_count;

/* The number of a row now: a numbering file may have changed it. */
ULONG ke_service_number(const struct ke_service *service);

/*
 * KUSER_SHARED_DATA through the kernel's own, writable mapping.
 */
#define SharedUserData ((KUSER_SHARED_DATA *)KI_USER_SHARED_DATA)

/* The page in XP's layout, which 32-bit code sees instead (nt/wow64.h). */
#define ke_shared_data_xp \
    ((struct kuser_shared_data_xp *)KI_USER_SHARED_DATA_XP)

/*
 * The TSC at the kernel's first instruction, and when ring 3 was entered for
 * the first time.  Who wants to know reads them from outside (scripts/bench).
 */
struct ke_boot_clock {
    ULONGLONG kernel, user;
};
extern struct ke_boot_clock ke_boot_clock;

/*
 * Data that only the boot writes: zeroes before, which the image does not have
 * to bring (the compiler knows by the name's start), and read-only once
 * mm_seal_image has been called.  A store into it is a bugcheck from then on.
 */
#define SEALED __attribute__((section(".bss.sealed")))

/*
 * A local that is not filled with zeroes first, as the compiler fills all
 * others: one that is read as far as it is written and no further, on a path
 * whose price is counted.
 */
#define UNINITIALIZED __attribute__((uninitialized))

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

/* In one instruction: the thread may be on another processor behind it. */
static inline BOOLEAN KeIsExecutingDpc(void)
{
    return (UCHAR)arch_read_gs(offsetof(KPCR, Prcb.DpcRoutineActive)) != 0;
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

/* The same for data that DPCs use as well: at DISPATCH_LEVEL. */
static inline KIRQL KeAcquireSpinLock(KSPIN_LOCK *lock)
{
    KIRQL old = KfRaiseIrql(DISPATCH_LEVEL);

    KxAcquireSpinLock(lock);
    return old;
}

static inline void KeReleaseSpinLock(KSPIN_LOCK *lock, KIRQL old)
{
    KxReleaseSpinLock(lock);
    KfLowerIrql(old);
}

/* 100 ns units since 1601 / since boot; performance counter and its Hz. */
extern LARGE_INTEGER KeBootTime;
void KeQuerySystemTime(LARGE_INTEGER *time);
ULONGLONG KeQueryInterruptTime(void);

/* Between two ticks as well; *counter: the performance counter then. */
ULONGLONG KeQueryInterruptTimePrecise(ULONGLONG *counter);
LARGE_INTEGER KeQueryPerformanceCounter(LARGE_INTEGER *frequency);
ULONG KeQueryTimeIncrement(void);

/* Processors that run: 1 until KeStartAllProcessors, then as many as came. */
extern ULONG KeNumberProcessors;

/* A count that each KPRCB has (a ULONG, by its offset), of all together. */
ULONG ke_sum_counts(SIZE_T offset);

/*
 * The 32-bit ntdll is mapped: addresses of its KiFastSystemCall,
 * KiFastSystemCallRet and KiIntSystemCall.  One of them goes into XP's shared
 * page (ke/doors.c).
 */
void ke_set_system_call32(ULONG fast, ULONG fast_return, ULONG int2e);

/*
 * Call routine number of the program's PEB.KernelCallbackTable with length
 * bytes of input, which lie on its stack then, and wait for its
 * NtCallbackReturn (the current thread runs ring 3 meanwhile).  *output and
 * *output_length are what it was given: a user pointer, to be captured.  The
 * result is its status, or STATUS_STACK_OVERFLOW: nested too deeply,
 * STATUS_ACCESS_VIOLATION: the user stack, STATUS_NOT_SUPPORTED: the call does
 * not come from ring 3, or from 64-bit code of a 32-bit program.
 * The caller holds no locks and APCs are enabled.  IRQL: PASSIVE_LEVEL.
 */
NTSTATUS KeUserModeCallback(ULONG number, const void *input, ULONG length,
                            void **output, ULONG *output_length);
