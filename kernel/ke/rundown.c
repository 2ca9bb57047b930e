/*
 * ke/rundown.c - the end of a thread's APC queues.
 *
 * From here on nothing can be queued to the thread.  What has not run gets
 * its rundown routine instead, once; so every APC comes back to its owner.
 * Kernel APCs must have run: the thread that ends is at PASSIVE_LEVEL and in
 * no region, where nothing keeps one waiting.
 */
#include "ki.h"

#include <mm.h>

static KAPC *close_and_take(KTHREAD *thread)
{
    LIST_ENTRY *head = &thread->ApcState.ApcListHead[UserMode];
    KIRQL old = KeAcquireSpinLock(&thread->ThreadLock);
    KAPC *apc = NULL;

    thread->MiscFlags &= ~MISC_FLAGS_APC_QUEUEABLE;
    if (!IsListEmpty(head)) {
        apc = CONTAINING_RECORD(head->Flink, KAPC, ApcListEntry);
        RemoveEntryList(&apc->ApcListEntry);
        apc->Inserted = FALSE;
    } else {
        thread->ApcState.UserApcPendingAll = 0;
    }
    KeReleaseSpinLock(&thread->ThreadLock, old);
    return apc;
}

void KeRundownApcQueues(KTHREAD *thread)
{
    LIST_ENTRY *kernel = &thread->ApcState.ApcListHead[KernelMode];
    KAPC *apc;

    while ((apc = close_and_take(thread)) != NULL) {
        if (apc->RundownRoutine)
            apc->RundownRoutine(apc);
        else
            ExFreePoolWithTag(apc, 0);
    }
    if (!IsListEmpty(kernel) || thread->CombinedApcDisable != 0)
        KeBugCheckEx(KERNEL_APC_PENDING_DURING_EXIT,
                     IsListEmpty(kernel)
                         ? 0 : (ULONG_PTR)CONTAINING_RECORD(kernel->Flink,
                                                            KAPC,
                                                            ApcListEntry),
                     thread->CombinedApcDisable, KeGetCurrentIrql(), 0);
}
