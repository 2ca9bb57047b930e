/*
 * ps/suspend.c - NtSuspendThread and what undoes it.
 *
 * A thread that is to end must not be stopped any more: who ends it says so
 * first (CrossThreadFlags) and resumes it then.  So a suspension that comes
 * between the two, or later, undoes itself.
 *
 * The system's own threads are not to be stopped.  NT: a program that may open
 * one for this may stop it.
 */
#include "psp.h"

#include <mm.h>
#include <nt/ntapi.h>

static BOOLEAN is_terminating(const ETHREAD *thread)
{
    return (*(const volatile ULONG *)&thread->CrossThreadFlags &
            PS_CROSS_THREAD_FLAGS_TERMINATED) != 0;
}

static NTSTATUS PsSuspendThread(ETHREAD *thread, ULONG *previous)
{
    NTSTATUS status;

    if (thread->Tcb.MiscFlags & MISC_FLAGS_SYSTEM_THREAD)
        return STATUS_ACCESS_DENIED;
    if (is_terminating(thread))
        return STATUS_THREAD_IS_TERMINATING;
    status = ke_suspend_thread(&thread->Tcb, previous);
    if (NT_SUCCESS(status) && is_terminating(thread)) {
        KeForceResumeThread(&thread->Tcb);
        status = STATUS_THREAD_IS_TERMINATING;
    }
    return status;
}

static NTSTATUS resume(ETHREAD *thread, ULONG *previous)
{
    *previous = KeResumeThread(&thread->Tcb);
    return STATUS_SUCCESS;
}

static NTSTATUS alert_resume(ETHREAD *thread, ULONG *previous)
{
    *previous = KeAlertResumeThread(&thread->Tcb);
    return STATUS_SUCCESS;
}

/* The answer's place is checked first: afterwards it is too late to fail. */
static NTSTATUS perform(HANDLE handle, ULONG *user_count,
                        NTSTATUS (*operation)(ETHREAD *thread,
                                              ULONG *previous))
{
    void *object;
    ULONG previous;
    NTSTATUS status = STATUS_SUCCESS;

    if (user_count)
        status = mm_probe_for_write(user_count, sizeof *user_count,
                                    sizeof *user_count);
    if (NT_SUCCESS(status))
        status = ObReferenceObjectByHandle(handle, THREAD_SUSPEND_RESUME,
                                           PsThreadType, ExGetPreviousMode(),
                                           &object);
    if (!NT_SUCCESS(status))
        return status;
    status = operation(object, &previous);
    ObDereferenceObject(object);
    if (NT_SUCCESS(status) && user_count)
        status = mm_copy_to_user(user_count, &previous, sizeof previous);
    return status;
}

NTSTATUS NtSuspendThread(HANDLE handle, ULONG *previous)
{
    return perform(handle, previous, PsSuspendThread);
}

NTSTATUS NtResumeThread(HANDLE handle, ULONG *previous)
{
    return perform(handle, previous, resume);
}

NTSTATUS NtAlertResumeThread(HANDLE handle, ULONG *previous)
{
    return perform(handle, previous, alert_resume);
}
