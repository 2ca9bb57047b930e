/*
 * ke/schedule.c - from one thread to another: who gives up the processor, why,
 * and to whom.
 *
 *   KiSwapThread         the thread waits, or has ended
 *   KiExitDispatcher     it made a better one ready
 *   KiDispatchInterrupt  a better one became ready in an interrupt (vector
 *                        2Fh), or the quantum is over: KiQuantumEnd
 *   ke_yield             it says so itself
 *
 * All of them choose under PrcbLock and switch at DISPATCH_LEVEL; CurrentThread
 * changes under that lock, too, so that others compare with who will run.
 *
 * KTHREAD.Running is TRUE until the processor has left the thread's stack.
 * Another processor that has chosen it must not wait for that on a stack that
 * somebody may be waiting for in the same way: its idle thread waits.
 */
#include "ki.h"

#include <arch/apic.h>
#include <arch/thread.h>

/* A quantum is six thirds of a tick's cycles, as on Windows for programs. */
#define QUANTUM_UNITS_PER_TICK 3
#define TICKS_PER_SECOND 64

ULONGLONG ki_quantum_cycles(const KTHREAD *thread)
{
    return KeGetCurrentPrcb()->TscFrequency /
           (TICKS_PER_SECOND * QUANTUM_UNITS_PER_TICK) * thread->QuantumReset;
}

/* What the current thread has used since the last look; interrupts off. */
static void charge_cycles(KPRCB *prcb)
{
    ULONGLONG now = arch_read_tsc();

    prcb->CurrentThread->CycleTime += now - prcb->StartCycles;
    prcb->StartCycles = now;
}

/* Who has run here may not any more (ke_set_affinity_thread): elsewhere. */
void ki_send_away(void)
{
    KPRCB *prcb = KeGetCurrentPrcb();

    if (!prcb->DeferredReadyListHead.Next)
        return;
    KiProcessDeferredReadyList(prcb);
    if (prcb->NextThread)
        arch_request_software_interrupt(DPC_VECTOR);
}

/*
 * next is nobody's any more.  PrcbLock is held and released here; returns when
 * thread runs again, still at DISPATCH_LEVEL, perhaps on another processor.
 * Never from the DPC stack, where the next DPC would write over what thread
 * has left there.
 */
static void swap_to(KPRCB *prcb, KTHREAD *thread, KTHREAD *next)
{
    if (next != thread && next->Running) {
        prcb->NextThread = next;
        next = prcb->IdleThread;
    }
    if (next == prcb->IdleThread && !prcb->NextThread)
        ki_mark_idle(prcb);
    next->State = Running;
    next->NextProcessor = prcb->Number;
    if (next == thread) {
        KxReleaseSpinLock(&prcb->PrcbLock);
    } else {
        if (prcb->DpcRoutineActive)
            KeBugCheckEx(ATTEMPTED_SWITCH_FROM_DPC, (ULONG_PTR)thread,
                         (ULONG_PTR)next,
                         (ULONG_PTR)__builtin_frame_address(0), 0);
        arch_disable_interrupts();
        charge_cycles(prcb);
        prcb->CurrentThread = next;
        KxReleaseSpinLock(&prcb->PrcbLock);
        KiSwapContext(thread, next);
        arch_enable_interrupts();
        ki_send_away();
    }
    if (thread->ApcState.KernelApcPending && thread->SpecialApcDisable == 0)
        arch_request_software_interrupt(APC_VECTOR);
}

/* The standby thread, or the best ready one of at least that priority. */
static KTHREAD *choose(KPRCB *prcb, KPRIORITY lowest)
{
    KTHREAD *next = prcb->NextThread, *better;

    prcb->NextThread = NULL;
    if (next && next != prcb->IdleThread)
        return next;
    better = KiSelectReadyThread(lowest, prcb);
    return better ? better : next;
}

void KiSwapThread(KTHREAD *thread)
{
    KPRCB *prcb = KeGetCurrentPrcb();
    KTHREAD *next;

    KiProcessDeferredReadyList(prcb);
    KxAcquireSpinLock(&prcb->PrcbLock);
    next = choose(prcb, LOW_PRIORITY + 1);
    swap_to(prcb, thread, next ? next : prcb->IdleThread);
}

/*
 * To the standby thread; the current one stays ready.  The idle thread is in
 * no queue: it is what is left when all are empty.
 */
static void switch_to_next(KPRCB *prcb, KIRQL irql, BOOLEAN preempted,
                           KWAIT_REASON reason)
{
    KTHREAD *thread = prcb->CurrentThread;
    KTHREAD *next;

    KxAcquireSpinLock(&prcb->PrcbLock);
    next = prcb->NextThread;
    if (!next) {
        KxReleaseSpinLock(&prcb->PrcbLock);
        return;
    }
    prcb->NextThread = NULL;
    thread->WaitIrql = irql;
    thread->WaitReason = (UCHAR)reason;
    if (thread != prcb->IdleThread && ki_may_run_on(thread, prcb)) {
        thread->Preempted = preempted;
        KiQueueReadyThread(prcb, thread);
    } else if (thread != prcb->IdleThread) {
        ki_defer_ready(thread);
    }
    swap_to(prcb, thread, next);
}

void KiExitDispatcher(KIRQL old_irql)
{
    KPRCB *prcb = KeGetCurrentPrcb();

    KiProcessDeferredReadyList(prcb);
    if (prcb->NextThread) {
        if (old_irql < DISPATCH_LEVEL)
            switch_to_next(prcb, old_irql, TRUE, WrDispatchInt);
        else if (!prcb->DpcRoutineActive)
            arch_request_software_interrupt(DPC_VECTOR);
    }
    KfLowerIrql(old_irql);
}

/* Dynamic priorities fall back to their base, one level each quantum. */
static KPRIORITY KiComputeNewPriority(KTHREAD *thread)
{
    KPRIORITY priority = thread->Priority - thread->PriorityDecrement - 1;

    if (thread->Priority >= LOW_REALTIME_PRIORITY)
        return thread->Priority;
    thread->PriorityDecrement = 0;
    return priority < thread->BasePriority ? thread->BasePriority : priority;
}

/* A fresh quantum; who is ready with the new priority has a turn. */
static void start_quantum(KPRCB *prcb, KTHREAD *thread)
{
    KTHREAD *next;

    thread->QuantumTarget = thread->CycleTime + ki_quantum_cycles(thread);
    thread->Priority = (CHAR)KiComputeNewPriority(thread);
    if (!prcb->NextThread) {
        next = KiSelectReadyThread(thread->Priority, prcb);
        if (next)
            next->State = Standby;
        prcb->NextThread = next;
    }
}

/* It may have been the quantum of the thread before: then nothing is over. */
static void KiQuantumEnd(KPRCB *prcb, KIRQL irql)
{
    KTHREAD *thread = prcb->CurrentThread;
    BOOLEAN over = thread != prcb->IdleThread &&
                   thread->CycleTime >= thread->QuantumTarget;

    if (over) {
        KxAcquireSpinLock(&prcb->PrcbLock);
        start_quantum(prcb, thread);
        KxReleaseSpinLock(&prcb->PrcbLock);
    }
    switch_to_next(prcb, irql, !over, over ? WrQuantumEnd : WrDispatchInt);
}

/*
 * From vector 2Fh, which interrupted code at irql; at DISPATCH_LEVEL,
 * interrupts off on both sides.
 */
void KiDispatchInterrupt(KIRQL irql)
{
    KPRCB *prcb = KeGetCurrentPrcb();

    if (prcb->DpcRequestSummary & DPC_NORMAL_PENDING)
        arch_call_on_stack(prcb->DpcStack, KiRetireDpcList, prcb);
    arch_enable_interrupts();
    KiProcessDeferredReadyList(prcb);
    if (prcb->QuantumEnd) {
        prcb->QuantumEnd = FALSE;
        KiQuantumEnd(prcb, irql);
    } else if (prcb->NextThread) {
        switch_to_next(prcb, irql, TRUE, WrDispatchInt);
    }
    arch_disable_interrupts();
}

/* NT: NtYieldExecution's work; the turn may go to a lower priority. */
NTSTATUS ke_yield(void)
{
    KIRQL irql = KfRaiseIrql(DISPATCH_LEVEL);
    KPRCB *prcb = KeGetCurrentPrcb();
    KTHREAD *thread = prcb->CurrentThread;
    NTSTATUS status = STATUS_NO_YIELD_PERFORMED;
    KTHREAD *next;

    KxAcquireSpinLock(&prcb->PrcbLock);
    next = choose(prcb, LOW_PRIORITY + 1);
    if (next) {
        next->State = Standby;
        prcb->NextThread = next;
        thread->QuantumTarget = thread->CycleTime + ki_quantum_cycles(thread);
        thread->Priority = (CHAR)KiComputeNewPriority(thread);
        status = STATUS_SUCCESS;
    }
    KxReleaseSpinLock(&prcb->PrcbLock);
    switch_to_next(prcb, irql, FALSE, WrYieldExecution);
    KfLowerIrql(irql);
    return status;
}

/* From the clock, interrupts off, above DISPATCH_LEVEL. */
void KeUpdateRunTime(BOOLEAN user, BOOLEAN in_dpc)
{
    KPRCB *prcb = KeGetCurrentPrcb();
    KTHREAD *thread = prcb->CurrentThread;

    charge_cycles(prcb);
    if (in_dpc) {
        prcb->DpcTime++;
    } else if (user) {
        prcb->UserTime++;
        thread->UserTime++;
        __sync_fetch_and_add(&thread->Process->UserTime, 1);
    } else {
        prcb->KernelTime++;
        thread->KernelTime++;
        __sync_fetch_and_add(&thread->Process->KernelTime, 1);
    }
    if (thread != prcb->IdleThread &&
        thread->CycleTime >= thread->QuantumTarget) {
        prcb->QuantumEnd = TRUE;
        arch_request_software_interrupt(DPC_VECTOR);
    }
}

/*
 * The idle thread's life: at DISPATCH_LEVEL, so vector 2Fh never comes here;
 * what it would do is done by hand.  An interrupt ends the halt.
 */
void KiIdleLoop(void)
{
    KPRCB *prcb = KeGetCurrentPrcb();

    KfRaiseIrql(DISPATCH_LEVEL);
    KxAcquireSpinLock(&prcb->PrcbLock);
    if (!prcb->NextThread)
        ki_mark_idle(prcb);
    KxReleaseSpinLock(&prcb->PrcbLock);
    for (;;) {
        arch_disable_interrupts();
        if (prcb->DpcRequestSummary & DPC_NORMAL_PENDING) {
            arch_call_on_stack(prcb->DpcStack, KiRetireDpcList, prcb);
            arch_enable_interrupts();
            KiProcessDeferredReadyList(prcb);
        } else if (prcb->NextThread) {
            arch_enable_interrupts();
            arch_pause();
            switch_to_next(prcb, DISPATCH_LEVEL, FALSE, Executive);
        } else if (prcb->IdleSchedule) {
            arch_enable_interrupts();
            ki_find_ready_thread(prcb);
        } else {
            arch_enable_interrupts_and_halt();
        }
    }
}
