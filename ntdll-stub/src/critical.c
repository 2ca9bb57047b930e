/*
 * critical.c - critical sections: locks a thread may take again and again.
 *
 * The layout is Windows'; what LockCount counts differs between releases
 * (lockcount.h). Who finds the lock taken counts itself in and waits for
 * LockSemaphore, an auto-reset event that the first to wait creates; who
 * leaves and finds somebody counted sets it. Nobody waits without an event,
 * so who leaves always has one to set.
 *
 * NT: without memory for the event a keyed event stands in. Here such a thread
 * tries again a tick later, and is not counted.
 */
#include "lockcount.h"

#define NO_DEBUG_INFO ((void *)(LONG_PTR)-1)
#define SPIN_COUNT_MASK 0x00FFFFFF

static HANDLE self(void)
{
    return NtCurrentTeb()->ClientId.UniqueThread;
}

/* Spinning is for the time that another processor works. */
static ULONG allowed_spins(ULONG count)
{
    return NtCurrentPeb()->NumberOfProcessors > 1 ? count & SPIN_COUNT_MASK
                                                  : 0;
}

NTSTATUS NTAPI RtlInitializeCriticalSectionEx(RTL_CRITICAL_SECTION *Section,
                                              ULONG SpinCount, ULONG Flags)
{
    if (SpinCount & ~SPIN_COUNT_MASK)
        return STATUS_INVALID_PARAMETER_2;
    if (Flags & ~RTL_CRITICAL_SECTION_ALL_FLAG_BITS)
        return STATUS_INVALID_PARAMETER_3;
    memset(Section, 0, sizeof *Section);
    Section->DebugInfo = NO_DEBUG_INFO;
    Section->LockCount = -1;
    Section->SpinCount = allowed_spins(SpinCount);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI RtlInitializeCriticalSectionAndSpinCount(
    RTL_CRITICAL_SECTION *Section, ULONG SpinCount)
{
    return RtlInitializeCriticalSectionEx(Section, SpinCount & SPIN_COUNT_MASK,
                                          0);
}

NTSTATUS NTAPI RtlInitializeCriticalSection(RTL_CRITICAL_SECTION *Section)
{
    return RtlInitializeCriticalSectionEx(Section, 0, 0);
}

ULONG NTAPI RtlSetCriticalSectionSpinCount(RTL_CRITICAL_SECTION *Section,
                                           ULONG SpinCount)
{
    ULONG before = Section->SpinCount;

    Section->SpinCount = allowed_spins(SpinCount);
    return before;
}

static void own(RTL_CRITICAL_SECTION *section)
{
    section->OwningThread = self();
    section->RecursionCount = 1;
}

BOOLEAN NTAPI RtlTryEnterCriticalSection(RTL_CRITICAL_SECTION *Section)
{
    if (lock_count_try(&Section->LockCount)) {
        own(Section);
        return TRUE;
    }
    if (Section->OwningThread != self())
        return FALSE;
    lock_count_again(&Section->LockCount, 1);
    Section->RecursionCount++;
    return TRUE;
}

static BOOLEAN spin(RTL_CRITICAL_SECTION *section)
{
    ULONG_PTR left;

    for (left = section->SpinCount; left; left--) {
        if (lock_count_try(&section->LockCount))
            return TRUE;
        __builtin_ia32_pause();
    }
    return FALSE;
}

/* FALSE: there is none, and none can be made. */
static BOOLEAN have_event(RTL_CRITICAL_SECTION *section)
{
    HANDLE event, none = NULL;

    if (section->LockSemaphore)
        return TRUE;
    if (!NT_SUCCESS(NtCreateEvent(&event, EVENT_ALL_ACCESS, NULL,
                                  SynchronizationEvent, FALSE)))
        return FALSE;
    if (!__atomic_compare_exchange_n(&section->LockSemaphore, &none, event,
                                     FALSE, __ATOMIC_SEQ_CST,
                                     __ATOMIC_SEQ_CST))
        NtClose(event);                         /* another was faster */
    return TRUE;
}

/*
 * NT: the process ends, and whoever had the lock was ended with it: nobody
 * will ever leave it, so this is the end, without the rest of the goodbyes.
 */
static void check_shutdown(void)
{
    if (RtlDllShutdownInProgress())
        NtTerminateProcess(NtCurrentProcess(), STATUS_THREAD_IS_TERMINATING);
}

static void wait_for_event(RTL_CRITICAL_SECTION *section)
{
    NTSTATUS status;

    check_shutdown();
    status = NtWaitForSingleObject(section->LockSemaphore, FALSE, NULL);
    if (!NT_SUCCESS(status))
        RtlRaiseStatus(status);
}

static void wait_for_lock(RTL_CRITICAL_SECTION *section)
{
    LARGE_INTEGER moment = { .QuadPart = -1 };

    while (!have_event(section)) {
        check_shutdown();
        NtDelayExecution(FALSE, &moment);
        if (lock_count_try(&section->LockCount))
            return;
    }
    if (lock_count_queue(&section->LockCount))
        return;
    do
        wait_for_event(section);
    while (!lock_count_woken(&section->LockCount));
}

NTSTATUS NTAPI RtlEnterCriticalSection(RTL_CRITICAL_SECTION *Section)
{
    if (RtlTryEnterCriticalSection(Section))
        return STATUS_SUCCESS;
    if (!spin(Section))
        wait_for_lock(Section);
    own(Section);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI RtlLeaveCriticalSection(RTL_CRITICAL_SECTION *Section)
{
    if (--Section->RecursionCount) {
        lock_count_again(&Section->LockCount, -1);
        return STATUS_SUCCESS;
    }
    Section->OwningThread = NULL;
    if (lock_count_leave(&Section->LockCount))
        NtSetEvent(Section->LockSemaphore, NULL);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI RtlDeleteCriticalSection(RTL_CRITICAL_SECTION *Section)
{
    NTSTATUS status = STATUS_SUCCESS;

    if (Section->LockSemaphore)
        status = NtClose(Section->LockSemaphore);
    memset(Section, 0, sizeof *Section);
    return status;
}

/* By anybody. */
ULONG NTAPI RtlIsCriticalSectionLocked(const RTL_CRITICAL_SECTION *Section)
{
    return Section->OwningThread != NULL;
}

ULONG NTAPI RtlIsCriticalSectionLockedByThread(
    const RTL_CRITICAL_SECTION *Section)
{
    return Section->OwningThread == self();
}

ULONG NTAPI RtlGetCriticalSectionRecursionCount(
    const RTL_CRITICAL_SECTION *Section)
{
    return Section->OwningThread == self() ? (ULONG)Section->RecursionCount : 0;
}
