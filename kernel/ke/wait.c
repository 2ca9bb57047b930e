/*
 * ke/wait.c - waiting for dispatcher objects.
 *
 * A wait is set up with a block in each object's list, committed, and ended
 * by exactly one of: an object, the thread's timer, an APC, an alert.  Who
 * comes first is decided under ThreadLock by WaitRegister; the others find it
 * WaitAborted and leave the thread alone.  STATUS_KERNEL_APC is not an end:
 * the thread runs its kernel APCs and waits once more.
 *
 * Lock order: object, ThreadLock, PrcbLock (ke_object.h).
 */
#include "ki.h"

#include <arch/apic.h>

struct wait {
    KTHREAD *thread;
    ULONG count;
    void *const *objects;
    KWAIT_BLOCK *blocks;
    WAIT_TYPE type;
    KWAIT_REASON reason;
    KPROCESSOR_MODE mode;
    BOOLEAN alertable;
    BOOLEAN timed, poll;                /* poll: a timeout of 0 */
    ULONGLONG due;                      /* interrupt time */
    KIRQL irql;                         /* the caller's */
};

void ki_lock_object(DISPATCHER_HEADER *object)
{
    while (__sync_fetch_and_or(&object->Lock, KOBJECT_LOCK_BIT) &
           KOBJECT_LOCK_BIT) {
        while (object->Lock & KOBJECT_LOCK_BIT)
            arch_pause();
    }
}

BOOLEAN ki_try_lock_object(DISPATCHER_HEADER *object)
{
    return !(__sync_fetch_and_or(&object->Lock, KOBJECT_LOCK_BIT) &
             KOBJECT_LOCK_BIT);
}

void ki_unlock_object(DISPATCHER_HEADER *object)
{
    __sync_fetch_and_and(&object->Lock, ~KOBJECT_LOCK_BIT);
}

/* ---- what signalled means, and taking it ---- */

static BOOLEAN is_signalled(const DISPATCHER_HEADER *object,
                            const KTHREAD *thread)
{
    if (object->SignalState > 0)
        return TRUE;
    return ke_object_type(object) == MutantObject &&
           CONTAINING_RECORD(object, KMUTANT, Header)->OwnerThread == thread;
}

/* A mutant that its owner cannot take once more. */
static BOOLEAN is_at_limit(const DISPATCHER_HEADER *object)
{
    return ke_object_type(object) == MutantObject &&
           object->SignalState == MINLONG;
}

static NTSTATUS take_mutant(KMUTANT *mutant, KTHREAD *thread)
{
    if (is_at_limit(&mutant->Header))
        return STATUS_MUTANT_LIMIT_EXCEEDED;
    if (--mutant->Header.SignalState != 0)
        return STATUS_WAIT_0;
    thread->KernelApcDisable -= mutant->ApcDisable;
    mutant->OwnerThread = thread;
    InsertTailList(&thread->MutantListHead, &mutant->MutantListEntry);
    if (!(mutant->MutantFlags & MUTANT_ABANDONED))
        return STATUS_WAIT_0;
    mutant->MutantFlags &= ~MUTANT_ABANDONED;
    return STATUS_ABANDONED_WAIT_0;
}

/*
 * thread gets the signalled object; its ThreadLock and the object's are held.
 * STATUS_WAIT_0, STATUS_ABANDONED_WAIT_0, STATUS_MUTANT_LIMIT_EXCEEDED.
 */
static NTSTATUS take(DISPATCHER_HEADER *object, KTHREAD *thread)
{
    switch (ke_object_type(object)) {
    case MutantObject:
        return take_mutant(CONTAINING_RECORD(object, KMUTANT, Header),
                           thread);
    case EventSynchronizationObject:
    case TimerSynchronizationObject:
        object->SignalState = 0;
        return STATUS_WAIT_0;
    case SemaphoreObject:
        object->SignalState--;
        return STATUS_WAIT_0;
    default:
        return STATUS_WAIT_0;
    }
}

/* What a wait for any of several objects says: which one it was. */
static LONGLONG with_key(NTSTATUS status, ULONG key)
{
    return NT_SUCCESS(status) ? status + (LONG)key : status;
}

/* ---- the end of a wait ---- */

static void boost(KTHREAD *thread, KPRIORITY increment)
{
    KPRIORITY priority = thread->BasePriority + increment;

    if (thread->Priority >= LOW_REALTIME_PRIORITY ||
        (thread->ThreadFlags & THREAD_FLAGS_DISABLE_BOOST))
        return;
    if (priority >= LOW_REALTIME_PRIORITY)
        priority = LOW_REALTIME_PRIORITY - 1;
    if (priority > thread->Priority)
        thread->Priority = (CHAR)priority;
}

void KiUnwaitThread(KTHREAD *thread, LONGLONG status, KPRIORITY increment)
{
    UCHAR state = thread->WaitRegister.Flags;

    thread->WaitStatus = status;
    thread->WaitRegister.Flags = WaitAborted;
    if (state != WaitCommitted)
        return;
    boost(thread, increment);
    if (thread->CycleTime >= thread->QuantumTarget)
        thread->QuantumTarget = thread->CycleTime + ki_quantum_cycles(thread);
    ki_defer_ready(thread);
}

static void unlink_block(KWAIT_BLOCK *block)
{
    RemoveEntryList(&block->WaitListEntry);
    block->BlockState = WaitBlockInactive;
}

static void unlock_all_but(DISPATCHER_HEADER *held, KWAIT_BLOCK *blocks,
                           ULONG count)
{
    for (ULONG i = 0; i < count; i++) {
        if (blocks[i].Object != held)
            ki_unlock_object(blocks[i].Object);
    }
}

/*
 * An object of a WaitAll is signalled (its lock is held): take all, if all
 * are.  Waiting for the other locks could be for ever; if one is held the
 * thread looks for itself.
 */
static void signal_all(DISPATCHER_HEADER *object, KTHREAD *thread,
                       KPRIORITY increment)
{
    KWAIT_BLOCK *blocks = thread->WaitBlockList;
    ULONG count = thread->WaitBlockCount, locked;
    NTSTATUS status = STATUS_WAIT_0;
    BOOLEAN all = TRUE;

    for (locked = 0; locked < count; locked++) {
        if (blocks[locked].Object != object &&
            !ki_try_lock_object(blocks[locked].Object)) {
            KiUnwaitThread(thread, STATUS_KERNEL_APC, increment);
            unlock_all_but(object, blocks, locked);
            return;
        }
        all &= is_signalled(blocks[locked].Object, thread);
    }
    if (all) {
        for (ULONG i = 0; i < count; i++) {
            NTSTATUS taken = take(blocks[i].Object, thread);

            if (taken != STATUS_WAIT_0)
                status = taken;
            unlink_block(&blocks[i]);
        }
        KiUnwaitThread(thread, status, increment);
    }
    unlock_all_but(object, blocks, count);
}

static void signal_block(DISPATCHER_HEADER *object, KWAIT_BLOCK *block,
                         KPRIORITY increment)
{
    KTHREAD *thread = block->Thread;
    NTSTATUS status;

    KxAcquireSpinLock(&thread->ThreadLock);
    if (thread->WaitRegister.Flags != WaitAborted) {
        if (block->WaitType == WaitAll) {
            signal_all(object, thread, increment);
        } else {
            status = take(object, thread);
            unlink_block(block);
            KiUnwaitThread(thread, with_key(status, block->WaitKey),
                           increment);
        }
    }
    KxReleaseSpinLock(&thread->ThreadLock);
}

void ki_signal_object(DISPATCHER_HEADER *object, KPRIORITY increment)
{
    LIST_ENTRY *head = &object->WaitListHead;
    LIST_ENTRY *entry = head->Flink, *next;

    for (; entry != head && object->SignalState > 0; entry = next) {
        next = entry->Flink;
        signal_block(object, CONTAINING_RECORD(entry, KWAIT_BLOCK,
                                               WaitListEntry), increment);
    }
}

/* ---- setting one up ---- */

static void link_block(KWAIT_BLOCK *block, DISPATCHER_HEADER *object,
                       KTHREAD *thread, WAIT_TYPE type, ULONG key)
{
    block->Thread = thread;
    block->Object = object;
    block->WaitType = (UCHAR)type;
    block->WaitKey = (USHORT)key;
    block->BlockState = WaitBlockActive;
    InsertTailList(&object->WaitListHead, &block->WaitListEntry);
}

/* The first signalled object is taken; blocks in those before it. */
static void look_at_any(struct wait *w)
{
    KTHREAD *thread = w->thread;
    NTSTATUS status;

    for (ULONG i = 0; i < w->count &&
                      thread->WaitRegister.Flags != WaitAborted; i++) {
        DISPATCHER_HEADER *object = w->objects[i];

        ki_lock_object(object);
        KxAcquireSpinLock(&thread->ThreadLock);
        if (thread->WaitRegister.Flags == WaitAborted) {
            /* one of the objects before this has */
        } else if (is_signalled(object, thread)) {
            status = take(object, thread);
            KiUnwaitThread(thread, with_key(status, i), 0);
        } else {
            link_block(&w->blocks[i], object, thread, WaitAny, i);
        }
        KxReleaseSpinLock(&thread->ThreadLock);
        ki_unlock_object(object);
    }
}

/* Objects' locks are taken by address, so that two waits do not cross. */
static void sort_by_address(struct wait *w, UCHAR *order)
{
    for (ULONG i = 0; i < w->count; i++) {
        ULONG at = i;

        for (; at > 0 && w->objects[order[at - 1]] > w->objects[i]; at--)
            order[at] = order[at - 1];
        order[at] = (UCHAR)i;
    }
}

/* All are signalled and locked: each is taken, or, if one cannot be, none. */
static NTSTATUS take_all(struct wait *w)
{
    NTSTATUS status = STATUS_WAIT_0, taken;

    for (ULONG i = 0; i < w->count; i++) {
        if (is_at_limit(w->objects[i]))
            return STATUS_MUTANT_LIMIT_EXCEEDED;
    }
    for (ULONG i = 0; i < w->count; i++) {
        taken = take(w->objects[i], w->thread);
        if (taken != STATUS_WAIT_0)
            status = taken;
    }
    return status;
}

/* Each object once: a second lock of the same would be for ever. */
static void look_at_all(struct wait *w)
{
    KTHREAD *thread = w->thread;
    UCHAR order[MAXIMUM_WAIT_OBJECTS];
    BOOLEAN all = TRUE;

    sort_by_address(w, order);
    for (ULONG i = 0; i < w->count; i++) {
        ASSERT(i == 0 || w->objects[order[i]] != w->objects[order[i - 1]]);
        ki_lock_object(w->objects[order[i]]);
        all &= is_signalled(w->objects[order[i]], thread);
    }
    KxAcquireSpinLock(&thread->ThreadLock);
    for (ULONG i = 0; !all && i < w->count; i++)
        link_block(&w->blocks[i], w->objects[i], thread, WaitAll, i);
    if (all)
        KiUnwaitThread(thread, take_all(w), 0);
    KxReleaseSpinLock(&thread->ThreadLock);
    for (ULONG i = 0; i < w->count; i++)
        ki_unlock_object(w->objects[i]);
}

/*
 * An alert or a user APC that has come already.  NT's order: its own mode's
 * alert, user APCs, the kernel's alert.
 */
static NTSTATUS test_for_alert(struct wait *w)
{
    KTHREAD *thread = w->thread;

    if (!w->alertable)
        return w->mode == UserMode &&
               (thread->ApcState.UserApcPendingAll & USER_APC_PENDING)
                   ? STATUS_USER_APC : STATUS_WAIT_0;
    if (thread->Alerted[(UCHAR)w->mode]) {
        thread->Alerted[(UCHAR)w->mode] = FALSE;
        return STATUS_ALERTED;
    }
    if (w->mode == UserMode &&
        !IsListEmpty(&thread->ApcState.ApcListHead[UserMode])) {
        thread->ApcState.UserApcPendingAll |= USER_APC_PENDING;
        return STATUS_USER_APC;
    }
    if (thread->Alerted[KernelMode]) {
        thread->Alerted[KernelMode] = FALSE;
        return STATUS_ALERTED;
    }
    return STATUS_WAIT_0;
}

static BOOLEAN kernel_apc_waits(const struct wait *w)
{
    return w->irql < APC_LEVEL && w->thread->ApcState.KernelApcPending &&
           w->thread->SpecialApcDisable == 0;
}

/*
 * Under ThreadLock: the last look at what does not come by an object, and
 * then the thread counts as stopped.
 */
static BOOLEAN commit(struct wait *w)
{
    KTHREAD *thread = w->thread;
    BOOLEAN committed = FALSE;
    NTSTATUS status;

    KxAcquireSpinLock(&thread->ThreadLock);
    if (thread->WaitRegister.Flags != WaitAborted) {
        status = kernel_apc_waits(w) ? STATUS_KERNEL_APC : test_for_alert(w);
        if (status == STATUS_WAIT_0 && w->poll)
            status = STATUS_TIMEOUT;
        if (status != STATUS_WAIT_0) {
            KiUnwaitThread(thread, status, 0);
        } else {
            thread->WaitRegister.Flags = WaitCommitted;
            thread->State = Waiting;
            committed = TRUE;
        }
    }
    KxReleaseSpinLock(&thread->ThreadLock);
    return committed;
}

static void start_timer(struct wait *w)
{
    KTIMER *timer = &w->thread->Timer;

    if (KeQueryInterruptTime() >= w->due) {
        w->poll = TRUE;
        return;
    }
    ki_lock_object(&timer->Header);
    timer->Header.SignalState = 0;
    link_block(&w->thread->WaitBlock[TIMER_WAIT_BLOCK], &timer->Header,
               w->thread, WaitAny, STATUS_TIMEOUT);
    ki_unlock_object(&timer->Header);
    ki_set_wait_timer(timer, w->due);
}

static void unlink_if_linked(KWAIT_BLOCK *block)
{
    DISPATCHER_HEADER *object = block->Object;

    ki_lock_object(object);
    if (block->BlockState == WaitBlockActive)
        unlink_block(block);
    ki_unlock_object(object);
}

static void begin(struct wait *w)
{
    KTHREAD *thread = w->thread;

    thread->WaitBlockList = w->blocks;
    thread->WaitBlockCount = (UCHAR)w->count;
    thread->WaitMode = w->mode;
    thread->WaitReason = (UCHAR)w->reason;
    thread->WaitIrql = w->irql;
    thread->WaitTime = KeGetCurrentPrcb()->LastTick;
    if (w->alertable)
        thread->MiscFlags |= MISC_FLAGS_ALERTABLE;
    else
        thread->MiscFlags &= ~MISC_FLAGS_ALERTABLE;
    for (ULONG i = 0; i < w->count; i++)
        w->blocks[i].BlockState = WaitBlockInactive;
    thread->WaitBlock[TIMER_WAIT_BLOCK].BlockState = WaitBlockInactive;
    thread->WaitRegister.Flags = WaitInProgress;
}

/*
 * Another processor has ended the wait before it was committed, and may not
 * have let go of its object, which may be gone when we return.
 */
static void wait_for_unlock(DISPATCHER_HEADER *object)
{
    ki_lock_object(object);
    ki_unlock_object(object);
}

static void end(struct wait *w, BOOLEAN committed)
{
    KWAIT_BLOCK *timer_block = &w->thread->WaitBlock[TIMER_WAIT_BLOCK];

    for (ULONG i = 0; i < w->count; i++) {
        if (w->blocks[i].BlockState == WaitBlockActive)
            unlink_if_linked(&w->blocks[i]);
        else if (!committed && KeNumberProcessors > 1)
            wait_for_unlock(w->objects[i]);
    }
    if (timer_block->BlockState == WaitBlockActive) {
        KeCancelTimer(&w->thread->Timer);
        unlink_if_linked(timer_block);
    } else if (!committed && w->timed && KeNumberProcessors > 1) {
        wait_for_unlock(&w->thread->Timer.Header);
    }
}

/* From DISPATCH_LEVEL; returns at w->irql. */
static NTSTATUS wait(struct wait *w)
{
    KTHREAD *thread = w->thread;
    BOOLEAN committed;
    NTSTATUS status;

    do {
        if (kernel_apc_waits(w)) {
            KfLowerIrql(APC_LEVEL);
            KiDeliverApc(KernelMode, NULL, NULL);
            KfRaiseIrql(DISPATCH_LEVEL);
        }
        begin(w);
        if (w->type == WaitAny)
            look_at_any(w);
        else
            look_at_all(w);
        if (thread->WaitRegister.Flags != WaitAborted && w->timed && !w->poll)
            start_timer(w);
        committed = thread->WaitRegister.Flags != WaitAborted && commit(w);
        if (committed)
            KiSwapThread(thread);
        end(w, committed);
        status = (NTSTATUS)thread->WaitStatus;
    } while (status == STATUS_KERNEL_APC);
    KiExitDispatcher(w->irql);
    return status;
}

static void set_timeout(struct wait *w, const LARGE_INTEGER *timeout)
{
    w->timed = timeout != NULL;
    w->poll = timeout && timeout->QuadPart == 0;
    if (w->timed && !w->poll)
        w->due = ke_due_time(timeout);
}

/* The caller's IRQL, which a signal with Wait may have kept for us. */
static KIRQL raise_for_wait(KTHREAD *thread)
{
    if (thread->MiscFlags & MISC_FLAGS_WAIT_NEXT) {
        thread->MiscFlags &= ~MISC_FLAGS_WAIT_NEXT;
        return thread->WaitIrql;
    }
    return KfRaiseIrql(DISPATCH_LEVEL);
}

NTSTATUS KeWaitForMultipleObjects(ULONG count, void *const *objects,
                                  WAIT_TYPE type, KWAIT_REASON reason,
                                  KPROCESSOR_MODE mode, BOOLEAN alertable,
                                  const LARGE_INTEGER *timeout,
                                  KWAIT_BLOCK *blocks)
{
    KTHREAD *thread = KeGetCurrentThread();
    struct wait w = {
        .thread = thread,
        .count = count,
        .objects = objects,
        .blocks = blocks ? blocks : thread->WaitBlock,
        .type = type,
        .reason = reason,
        .mode = mode,
        .alertable = alertable,
        .irql = raise_for_wait(thread),
    };

    if (count > (blocks ? MAXIMUM_WAIT_OBJECTS : THREAD_WAIT_OBJECTS) ||
        (count == 0 && !(timeout && type == WaitAny)))
        KeBugCheckEx(MAXIMUM_WAIT_OBJECTS_EXCEEDED, count, 0, 0, 0);
    set_timeout(&w, timeout);
    ASSERT(w.irql < DISPATCH_LEVEL || w.poll);
    return wait(&w);
}

NTSTATUS KeWaitForSingleObject(void *object, KWAIT_REASON reason,
                               KPROCESSOR_MODE mode, BOOLEAN alertable,
                               const LARGE_INTEGER *timeout)
{
    return KeWaitForMultipleObjects(1, &object, WaitAny, reason, mode,
                                    alertable, timeout, NULL);
}

NTSTATUS KeDelayExecutionThread(KPROCESSOR_MODE mode, BOOLEAN alertable,
                                const LARGE_INTEGER *interval)
{
    NTSTATUS status;

    if (interval->QuadPart == 0 && !alertable) {
        ke_yield();
        return STATUS_SUCCESS;
    }
    status = KeWaitForMultipleObjects(0, NULL, WaitAny, DelayExecution, mode,
                                      alertable, interval, NULL);
    if (status != STATUS_TIMEOUT)
        return status;
    if (interval->QuadPart == 0)
        ke_yield();
    return STATUS_SUCCESS;
}

NTSTATUS ke_signal_and_wait(NTSTATUS (*signal)(void *object), void *object,
                            void *wait_object, KPROCESSOR_MODE mode,
                            BOOLEAN alertable, const LARGE_INTEGER *timeout)
{
    KTHREAD *thread = KeGetCurrentThread();
    KIRQL irql = KfRaiseIrql(DISPATCH_LEVEL);
    NTSTATUS status = signal(object);

    if (!NT_SUCCESS(status)) {
        KiExitDispatcher(irql);
        return status;
    }
    thread->WaitIrql = irql;
    thread->MiscFlags |= MISC_FLAGS_WAIT_NEXT;
    return KeWaitForSingleObject(wait_object, UserRequest, mode, alertable,
                                 timeout);
}
