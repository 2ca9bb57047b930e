/*
 * ke/mutant.c - mutants: locks that know their owner.
 *
 * Taking one is a wait (wait.c); here they are given back, by the owner or for
 * an owner that ends without having done so.
 */
#include "ki.h"

void KeInitializeMutant(KMUTANT *mutant, BOOLEAN owned)
{
    KTHREAD *thread = KeGetCurrentThread();
    KIRQL irql = KfRaiseIrql(DISPATCH_LEVEL);

    *mutant = (KMUTANT){ .Header.Type = MutantObject,
                         .Header.Size = sizeof *mutant / sizeof(LONG),
                         .Header.SignalState = !owned };
    InitializeListHead(&mutant->Header.WaitListHead);
    if (owned) {
        mutant->OwnerThread = thread;
        KxAcquireSpinLock(&thread->ThreadLock);
        InsertTailList(&thread->MutantListHead, &mutant->MutantListEntry);
        KxReleaseSpinLock(&thread->ThreadLock);
    }
    KfLowerIrql(irql);
}

/* Its owner lets go of it for good; the mutant's lock is held. */
static void set_free(KMUTANT *mutant, KPRIORITY increment)
{
    KTHREAD *owner = mutant->OwnerThread;

    KxAcquireSpinLock(&owner->ThreadLock);
    RemoveEntryList(&mutant->MutantListEntry);
    KxReleaseSpinLock(&owner->ThreadLock);
    owner->KernelApcDisable += mutant->ApcDisable;
    mutant->OwnerThread = NULL;
    mutant->Header.SignalState = 1;
    ki_signal_object(&mutant->Header, increment);
}

NTSTATUS ke_release_mutant(KMUTANT *mutant, KPRIORITY increment,
                           BOOLEAN abandon, LONG *previous)
{
    KIRQL irql = KfRaiseIrql(DISPATCH_LEVEL);
    NTSTATUS status = STATUS_SUCCESS;
    LONG before;

    ki_lock_object(&mutant->Header);
    before = mutant->Header.SignalState;
    if (abandon ? mutant->OwnerThread == NULL
                : mutant->OwnerThread != KeGetCurrentThread()) {
        status = STATUS_MUTANT_NOT_OWNED;
    } else if (abandon) {
        mutant->MutantFlags |= MUTANT_ABANDONED;
        set_free(mutant, increment);
    } else if (before == 0) {
        set_free(mutant, increment);
    } else {
        mutant->Header.SignalState = before + 1;
    }
    ki_unlock_object(&mutant->Header);
    KiExitDispatcher(irql);
    if (previous)
        *previous = before;
    return status;
}

LONG KeReadStateMutant(const KMUTANT *mutant)
{
    return mutant->Header.SignalState;
}

/* The thread is the current one: nobody else adds to its list. */
void ki_abandon_mutants(KTHREAD *thread)
{
    while (!IsListEmpty(&thread->MutantListHead)) {
        KMUTANT *mutant = CONTAINING_RECORD(thread->MutantListHead.Flink,
                                            KMUTANT, MutantListEntry);

        ke_release_mutant(mutant, MUTANT_INCREMENT, TRUE, NULL);
    }
}
