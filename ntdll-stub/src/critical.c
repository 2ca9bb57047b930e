/*
 * critical.c - critical sections: locks a thread may take again and again.
 *
 * The layout and the meaning of LockCount, RecursionCount and OwningThread
 * are Windows'.  Who finds the lock taken gives up the processor and tries
 * again: there is no event to wait for in this kernel yet.
 */
#include <ntdll.h>

#define FREE (-1)

static HANDLE self(void)
{
    return NtCurrentTeb()->ClientId.UniqueThread;
}

NTSTATUS NTAPI RtlInitializeCriticalSectionAndSpinCount(
    RTL_CRITICAL_SECTION *Section, ULONG SpinCount)
{
    memset(Section, 0, sizeof *Section);
    Section->LockCount = FREE;
    Section->SpinCount = SpinCount & 0x00FFFFFF;
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI RtlInitializeCriticalSection(RTL_CRITICAL_SECTION *Section)
{
    return RtlInitializeCriticalSectionAndSpinCount(Section, 0);
}

BOOLEAN NTAPI RtlTryEnterCriticalSection(RTL_CRITICAL_SECTION *Section)
{
    LONG expected = FREE;

    if (__atomic_compare_exchange_n(&Section->LockCount, &expected, 0, FALSE,
                                    __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
        Section->OwningThread = self();
        Section->RecursionCount = 1;
        return TRUE;
    }
    if (Section->OwningThread != self())
        return FALSE;
    __atomic_add_fetch(&Section->LockCount, 1, __ATOMIC_RELAXED);
    Section->RecursionCount++;
    return TRUE;
}

NTSTATUS NTAPI RtlEnterCriticalSection(RTL_CRITICAL_SECTION *Section)
{
    while (!RtlTryEnterCriticalSection(Section))
        NtYieldExecution();
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI RtlLeaveCriticalSection(RTL_CRITICAL_SECTION *Section)
{
    if (--Section->RecursionCount) {
        __atomic_sub_fetch(&Section->LockCount, 1, __ATOMIC_RELAXED);
        return STATUS_SUCCESS;
    }
    Section->OwningThread = NULL;
    __atomic_store_n(&Section->LockCount, FREE, __ATOMIC_RELEASE);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI RtlDeleteCriticalSection(RTL_CRITICAL_SECTION *Section)
{
    memset(Section, 0, sizeof *Section);
    return STATUS_SUCCESS;
}
