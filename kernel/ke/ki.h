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

/* From the clock, so many ticks after the last time. */
void ki_check_timers(KPRCB *prcb, ULONG ticks);

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

/* ---- other processors (ipi.c) ---- */

/* vector of that processor: APC_VECTOR, DPC_VECTOR.  IRQL: any. */
void ki_request_interrupt(const KPRCB *prcb, UCHAR vector);

/*
 * routine(argument) runs on that processor, which may be this one, at
 * IPI_LEVEL; comes back when it has.  IRQL: < IPI_LEVEL, and no lock held that
 * the other one may want with its interrupts off.
 */
void ki_send_packet(KPRCB *prcb, void (*routine)(void *argument),
                    void *argument);
