/*
 * ke/ki.h - Ke's private header.
 */
#pragma once

#include <ke.h>
#include <loader.h>

/*
 * Fill KeServiceDescriptorTable and its shadow by the numbers of services.tab
 * or of the boot file numbering.txt, whose mistakes stop the boot.  Before
 * Mm seals the tables: modules are read at their physical addresses.
 */
void ki_initialize_services(const LOADER_PARAMETER_BLOCK *block);

/* KUSER_SHARED_DATA's constants, then its clock. */
void ki_initialize_shared_data(void);
void ke_initialize_time(void);

/* ntdll's instruction for 64-bit code, after ki_initialize_shared_data. */
void ki_choose_door(void);

/* A processor's DPC queue; who empties it; what the clock does for it. */
void ki_initialize_dpcs(KPRCB *prcb);
void KiRetireDpcList(KPRCB *prcb);
void KiDispatchInterrupt(KIRQL irql);
void ki_request_waiting_dpcs(void);
void ki_dpc_interrupt(KTRAP_FRAME *frame);

/* ---- the scheduler (ready.c, schedule.c, thread.c) ---- */

void ki_initialize_ready_queues(KPRCB *prcb);
void KiQueueReadyThread(KPRCB *prcb, KTHREAD *thread);
void ki_remove_ready_thread(KPRCB *prcb, KTHREAD *thread);

/* The best ready thread, taken off its queue, or NULL if all are lower. */
KTHREAD *KiSelectReadyThread(KPRIORITY lowest, KPRCB *prcb);

/* PrcbLock is held: thread is to run next there; whoever was to, is ready. */
void ki_set_next_thread(KPRCB *prcb, KTHREAD *thread);

/*
 * NT: a process is in one group of processors, its threads run on all of that,
 * and each has an ideal one.
 */
void ki_choose_group(KPROCESS *process);
void ki_set_first_affinity(KTHREAD *thread, const KPROCESS *process);

/* It has nothing to run, from now on; PrcbLock is held. */
void ki_mark_idle(KPRCB *prcb);

/*
 * The idle processor takes what others have ready and do not get to: it is
 * NextThread then.  At DISPATCH_LEVEL, no locks held.
 */
void ki_find_ready_thread(KPRCB *prcb);

/*
 * Behind each switch: who has run here and may not any more is made ready
 * elsewhere.  At DISPATCH_LEVEL.
 */
void ki_send_away(void);

/* KPROCESS.ProcessLock, of its list of threads; at DISPATCH_LEVEL from here. */
static inline KIRQL ki_lock_process(KPROCESS *process)
{
    KIRQL irql = KfRaiseIrql(DISPATCH_LEVEL);

    while (__sync_lock_test_and_set(&process->ProcessLock, 1))
        arch_pause();
    return irql;
}

static inline void ki_unlock_process(KPROCESS *process)
{
    __sync_lock_release(&process->ProcessLock);
}

/* Takes the lock of the processor that a Ready, Standby or Running thread is
 * of; ThreadLock is held. */
KPRCB *ki_lock_processor_of(const KTHREAD *thread);

/* May thread run there? */
static inline BOOLEAN ki_may_run_on(const KTHREAD *thread, const KPRCB *prcb)
{
    return thread->Affinity.Group == prcb->Group &&
           (thread->Affinity.Mask & prcb->GroupSetMember) != 0;
}

/* Ready as soon as this processor's deferred list is worked off. */
void ki_defer_ready(KTHREAD *thread);
void KiProcessDeferredReadyList(KPRCB *prcb);

/*
 * The current thread, whose State says why, gives up the processor; returns
 * when it runs again.  At DISPATCH_LEVEL, no locks held.
 */
void KiSwapThread(KTHREAD *thread);
ULONGLONG ki_quantum_cycles(const KTHREAD *thread);

/* ---- waits (wait.c) ---- */

#define TIMER_WAIT_BLOCK 3              /* of KTHREAD.WaitBlock */

/* KTHREAD.WaitRegister: is what ends the wait still to be decided? */
#define WaitInProgress 0                /* it is being set up */
#define WaitCommitted 1                 /* the thread has stopped */
#define WaitAborted 2                   /* something has ended it, or none */

/* An object's lock.  At DISPATCH_LEVEL. */
void ki_lock_object(DISPATCHER_HEADER *object);
BOOLEAN ki_try_lock_object(DISPATCHER_HEADER *object);
void ki_unlock_object(DISPATCHER_HEADER *object);

/*
 * object has become signalled: hand it to those that wait, in their order, as
 * long as it is.  Its lock is held, KiExitDispatcher follows.
 */
void ki_signal_object(DISPATCHER_HEADER *object, KPRIORITY increment);

/* ---- timers (timer.c, timertable.h) ---- */

void ki_initialize_timers(KPRCB *prcb);

/* From the clock: what is due since it looked last? */
void ki_check_timers(KPRCB *prcb);

/* Interrupt time of a timeout: negative from now, positive a system time. */
ULONGLONG ke_due_time(const LARGE_INTEGER *timeout);

/*
 * The timer of a wait, whose block is linked already; signalled at once if
 * due has passed.  At DISPATCH_LEVEL, no locks held; KiExitDispatcher
 * follows.
 */
void ki_set_wait_timer(KTIMER *timer, ULONGLONG due);

/* ---- APCs (apc.c, deliver.c, suspend.c) ---- */

/* What an APC is, by its queue's rules (ke/apc.c). */
BOOLEAN ki_is_exit_apc(const KAPC *apc);
BOOLEAN ki_is_special_user_apc(const KAPC *apc);

/* Vector 1Fh; the end of a region that kept kernel APCs away. */
void ki_apc_interrupt(KTRAP_FRAME *frame);
void KiCheckForKernelApcDelivery(void);

/* KTHREAD.SchedulerApc and SuspendEvent of a new thread. */
void ki_initialize_suspension(KTHREAD *thread);

/* ---- other processors (freeze.c, ipi.c) ---- */

/* KPRCB.IpiFrozen */
#define IPI_FROZEN_STATE_FROZEN 2
#define IPI_FROZEN_STATE_OWNER 4        /* has stopped the others */
#define IPI_FROZEN_STATE_TARGET_FREEZE 5 /* its next NMI freezes it */
#define IPI_FROZEN_FLAG_ACTIVE 0x20     /* the debugger's: the owner */

/* They do nothing any more.  If one of them is doing the same, this one does
 * not come back.  Interrupts off. */
void ki_freeze_others(void);
__attribute__((noreturn)) void ki_stay_frozen(KTRAP_FRAME *frame);

/* vector of that processor: APC_VECTOR, DPC_VECTOR.  IRQL: any. */
void ki_request_interrupt(const KPRCB *prcb, UCHAR vector);

/*
 * routine(argument) runs on that processor, which may be this one, at
 * IPI_LEVEL; comes back when it has.  IRQL: < IPI_LEVEL, and no lock held that
 * the other one may want with its interrupts off.
 */
void ki_send_packet(KPRCB *prcb, void (*routine)(void *argument),
                    void *argument);

/*
 * The same on all processors but this one, or on those of a set (it may have
 * this one); all at the same time.  IRQL: DISPATCH_LEVEL to < IPI_LEVEL.
 */
void ki_send_packets(const KAFFINITY_EX *set, void (*routine)(void *argument),
                     void *argument);
