/*
 * ke/event.c - events: a flag to wait for.
 *
 * A notification event stays set and lets everybody through; a
 * synchronization event lets one through and is reset by that.
 */
#include "ki.h"

void KeInitializeEvent(KEVENT *event, KOBJECTS type, BOOLEAN state)
{
    event->Header.Lock = type;
    event->Header.Size = sizeof *event / sizeof(LONG);
    event->Header.SignalState = state;
    InitializeListHead(&event->Header.WaitListHead);
}

/* NT: Wait.  The caller's KeWaitFor... goes on at DISPATCH_LEVEL. */
static void leave(KIRQL irql, BOOLEAN wait)
{
    KTHREAD *thread = KeGetCurrentThread();

    if (!wait) {
        KiExitDispatcher(irql);
        return;
    }
    thread->WaitIrql = irql;
    thread->MiscFlags |= MISC_FLAGS_WAIT_NEXT;
}

/* Set to 1 for those who wait now, then to after, if it still is. */
static LONG set(KEVENT *event, KPRIORITY increment, BOOLEAN pulse,
                BOOLEAN wait)
{
    KIRQL irql = KfRaiseIrql(DISPATCH_LEVEL);
    LONG before;

    ki_lock_object(&event->Header);
    before = event->Header.SignalState;
    event->Header.SignalState = 1;
    if (before == 0)
        ki_signal_object(&event->Header, increment);
    if (pulse)
        event->Header.SignalState = 0;
    ki_unlock_object(&event->Header);
    leave(irql, wait);
    return before;
}

LONG KeSetEvent(KEVENT *event, KPRIORITY increment, BOOLEAN wait)
{
    return set(event, increment, FALSE, wait);
}

LONG KePulseEvent(KEVENT *event, KPRIORITY increment, BOOLEAN wait)
{
    return set(event, increment, TRUE, wait);
}

LONG KeResetEvent(KEVENT *event)
{
    KIRQL irql = KfRaiseIrql(DISPATCH_LEVEL);
    LONG before;

    ki_lock_object(&event->Header);
    before = event->Header.SignalState;
    event->Header.SignalState = 0;
    ki_unlock_object(&event->Header);
    KfLowerIrql(irql);
    return before;
}

void KeClearEvent(KEVENT *event)
{
    event->Header.SignalState = 0;
}

LONG KeReadStateEvent(const KEVENT *event)
{
    return event->Header.SignalState;
}
