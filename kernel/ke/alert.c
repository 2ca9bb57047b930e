/*
 * ke/alert.c - alerts, and the moments at which user APCs become pending.
 *
 * An alert waits in KTHREAD.Alerted until its mode tests for it, or until a
 * wait consumes it.
 */
#include "ki.h"

#define ALERT_INCREMENT 2

/* ThreadLock is held.  Returns whether one was waiting already. */
static BOOLEAN alert(KTHREAD *thread, KPROCESSOR_MODE mode)
{
    BOOLEAN alerted = thread->Alerted[(ULONG)mode];

    if (alerted)
        return TRUE;
    if (thread->State == Waiting &&
        (thread->MiscFlags & MISC_FLAGS_ALERTABLE) &&
        mode <= thread->WaitMode)
        KiUnwaitThread(thread, STATUS_ALERTED, ALERT_INCREMENT);
    else
        thread->Alerted[(ULONG)mode] = TRUE;
    return FALSE;
}

BOOLEAN KeAlertThread(KTHREAD *thread, KPROCESSOR_MODE mode)
{
    KIRQL old = KeAcquireSpinLock(&thread->ThreadLock);
    BOOLEAN alerted = alert(thread, mode);

    KxReleaseSpinLock(&thread->ThreadLock);
    KiExitDispatcher(old);
    return alerted;
}

/* NT: an alert that was pending leaves the user APCs for the next time. */
BOOLEAN KeTestAlertThread(KPROCESSOR_MODE mode)
{
    KTHREAD *thread = KeGetCurrentThread();
    KIRQL old = KeAcquireSpinLock(&thread->ThreadLock);
    BOOLEAN alerted = thread->Alerted[(ULONG)mode];

    if (alerted)
        thread->Alerted[(ULONG)mode] = FALSE;
    else if (mode == UserMode &&
             !IsListEmpty(&thread->ApcState.ApcListHead[UserMode]))
        thread->ApcState.UserApcPendingAll |= USER_APC_PENDING;
    KeReleaseSpinLock(&thread->ThreadLock, old);
    return alerted;
}

/*
 * Behind a user APC, and wherever ring 3 sets its own context: special ones
 * that are left are due in any case, the others if it is a test-alert.
 */
void ki_continue_user_apcs(BOOLEAN test_alert)
{
    KTHREAD *thread = KeGetCurrentThread();
    LIST_ENTRY *head = &thread->ApcState.ApcListHead[UserMode];
    KIRQL old;

    if (test_alert)
        KeTestAlertThread(UserMode);
    old = KeAcquireSpinLock(&thread->ThreadLock);
    if (!IsListEmpty(head) &&
        ki_is_special_user_apc(CONTAINING_RECORD(head->Flink, KAPC,
                                                 ApcListEntry)))
        thread->ApcState.UserApcPendingAll |= SPECIAL_USER_APC_PENDING;
    KeReleaseSpinLock(&thread->ThreadLock, old);
}
