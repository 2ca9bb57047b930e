/*
 * ke/region.c - where a thread does not want APCs.
 *
 * Both counts are the thread's own: 0 outside, -n inside n regions.  Nobody
 * else changes them, and an APC that comes in between leaves them as they
 * were, so plain arithmetic does.  Room 5 checks that both are 0 again.
 *
 * Leaving looks at the queue itself: KernelApcPending may have been taken
 * back by a delivery that found the region.
 */
#include "ki.h"

static void barrier(void)
{
    __asm__ volatile("" : : : "memory");
}

static __attribute__((noreturn)) void underflow(const KTHREAD *thread,
                                                void *caller)
{
    KeBugCheckEx(APC_INDEX_MISMATCH, (ULONG_PTR)caller, thread->ApcStateIndex,
                 thread->CombinedApcDisable, 0);
}

static BOOLEAN is_any_queued(const KTHREAD *thread)
{
    return !IsListEmpty(&thread->ApcState.ApcListHead[KernelMode]);
}

void KeEnterCriticalRegion(void)
{
    KeGetCurrentThread()->KernelApcDisable--;
    barrier();
}

void KeLeaveCriticalRegion(void)
{
    KTHREAD *thread = KeGetCurrentThread();

    barrier();
    if (thread->KernelApcDisable >= 0)
        underflow(thread, __builtin_return_address(0));
    if (++thread->KernelApcDisable == 0 && thread->SpecialApcDisable == 0 &&
        is_any_queued(thread))
        KiCheckForKernelApcDelivery();
}

void KeEnterGuardedRegion(void)
{
    KeGetCurrentThread()->SpecialApcDisable--;
    barrier();
}

void KeLeaveGuardedRegion(void)
{
    KTHREAD *thread = KeGetCurrentThread();

    barrier();
    if (thread->SpecialApcDisable >= 0)
        underflow(thread, __builtin_return_address(0));
    if (++thread->SpecialApcDisable == 0 && is_any_queued(thread))
        KiCheckForKernelApcDelivery();
}

BOOLEAN KeAreApcsDisabled(void)
{
    return KeGetCurrentThread()->CombinedApcDisable != 0;
}
