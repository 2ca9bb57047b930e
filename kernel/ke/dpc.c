/*
 * ke/dpc.c - the queue of deferred procedure calls, and who empties it.
 *
 *   KeInsertQueueDpc   queue, and ask the local APIC for vector 2Fh
 *   KiDpcInterrupt     comes when the IRQL is below 2 (entry/traps.asm)
 *   KiDispatchInterrupt (schedule.c) calls, on the DPC stack, KiRetireDpcList
 *
 * Vectors wait while their class (vector >> 4) is not above CR8, so a request
 * made at DISPATCH_LEVEL or above is the processor's to remember.
 */
#include "ki.h"

#include <arch/apic.h>
#include <arch/processor.h>
#include <arch/thread.h>

/* NT's defaults: how long a queue of low importance may get. */
#define MAXIMUM_DPC_QUEUE_DEPTH 4

/* KDPC.Number: from here on it is a processor's. */
#define DPC_TARGET 0x800

#define DPC_LIST_EMPTY(list) ((list)->ListHead.Next == NULL)

void ki_initialize_dpcs(KPRCB *prcb)
{
    KDPC_DATA *data = &prcb->DpcData[0];

    data->DpcList.LastEntry = &data->DpcList.ListHead;
    prcb->MaximumDpcQueueDepth = MAXIMUM_DPC_QUEUE_DEPTH;
}

void KeInitializeDpc(KDPC *dpc, KDEFERRED_ROUTINE *routine, void *context)
{
    *dpc = (KDPC){
        .Type = DpcObject,
        .Importance = MediumImportance,
        .DeferredRoutine = routine,
        .DeferredContext = context,
    };
}

NTSTATUS ke_set_target_processor_dpc(KDPC *dpc, ULONG number)
{
    if (number >= KeNumberProcessors)
        return STATUS_INVALID_PARAMETER;
    dpc->Number = (USHORT)(DPC_TARGET + number);
    return STATUS_SUCCESS;
}

void KeSetImportanceDpc(KDPC *dpc, KDPC_IMPORTANCE importance)
{
    dpc->Importance = (UCHAR)importance;
}

static void insert(KDPC_LIST *list, SINGLE_LIST_ENTRY *entry, BOOLEAN first)
{
    SINGLE_LIST_ENTRY *before = first ? &list->ListHead : list->LastEntry;

    entry->Next = before->Next;
    before->Next = entry;
    if (list->LastEntry == before)
        list->LastEntry = entry;
}

static void remove_after(KDPC_LIST *list, SINGLE_LIST_ENTRY *before)
{
    SINGLE_LIST_ENTRY *entry = before->Next;

    before->Next = entry->Next;
    if (list->LastEntry == entry)
        list->LastEntry = before;
}

/* A queue that is being emptied, or will be, needs no other interrupt. */
static void request(KPRCB *prcb, const KDPC *dpc)
{
    if (prcb->DpcRoutineActive || (prcb->DpcRequestSummary &
                                   DPC_NORMAL_PROCESSING_REQUESTED))
        return;
    if (dpc->Importance == LowImportance &&
        prcb->DpcData[0].DpcQueueDepth < prcb->MaximumDpcQueueDepth)
        return;
    __sync_fetch_and_or(&prcb->DpcRequestSummary,
                        DPC_NORMAL_PROCESSING_REQUESTED);
    ki_request_interrupt(prcb, DPC_VECTOR);
}

/* Number: a target behind DPC_TARGET, or whoever queues it. */
static KPRCB *processor_of(const KDPC *dpc)
{
    return dpc->Number < DPC_TARGET
               ? KeGetCurrentPrcb()
               : KiProcessorBlock[dpc->Number - DPC_TARGET];
}

BOOLEAN KeInsertQueueDpc(KDPC *dpc, void *argument1, void *argument2)
{
    ULONGLONG flags = arch_save_and_disable_interrupts();
    KPRCB *prcb = processor_of(dpc);
    KDPC_DATA *data = &prcb->DpcData[0];
    BOOLEAN inserted;

    KxAcquireSpinLock(&data->DpcLock);
    inserted = __sync_bool_compare_and_swap(&dpc->DpcData, NULL, data);
    if (inserted) {
        dpc->SystemArgument1 = argument1;
        dpc->SystemArgument2 = argument2;
        insert(&data->DpcList, &dpc->DpcListEntry,
               dpc->Importance == HighImportance);
        data->DpcQueueDepth++;
        data->DpcCount++;
        request(prcb, dpc);
    }
    KxReleaseSpinLock(&data->DpcLock);
    arch_restore_interrupts(flags);
    return inserted;
}

static void remove(KDPC_DATA *data, KDPC *dpc)
{
    SINGLE_LIST_ENTRY *before = &data->DpcList.ListHead;

    while (before->Next != &dpc->DpcListEntry)
        before = before->Next;
    remove_after(&data->DpcList, before);
    data->DpcQueueDepth--;
    dpc->DpcData = NULL;
}

/* Between the look at DpcData and the lock its queue may have run it. */
BOOLEAN KeRemoveQueueDpc(KDPC *dpc)
{
    ULONGLONG flags = arch_save_and_disable_interrupts();
    KDPC_DATA *data = dpc->DpcData;
    BOOLEAN removed = FALSE;

    if (data) {
        KxAcquireSpinLock(&data->DpcLock);
        removed = dpc->DpcData == data;
        if (removed)
            remove(data, dpc);
        KxReleaseSpinLock(&data->DpcLock);
    }
    arch_restore_interrupts(flags);
    return removed;
}

/*
 * The first one, now its user's again; what it was called with is in copy.  It
 * is the queue's or active, never neither.
 */
static BOOLEAN take_first(KDPC_DATA *data, KDPC *copy, KDPC **dpc)
{
    BOOLEAN found;

    KxAcquireSpinLock(&data->DpcLock);
    found = !DPC_LIST_EMPTY(&data->DpcList);
    if (found) {
        *dpc = CONTAINING_RECORD(data->DpcList.ListHead.Next, KDPC,
                                 DpcListEntry);
        remove_after(&data->DpcList, &data->DpcList.ListHead);
        data->DpcQueueDepth--;
        *copy = **dpc;
        data->ActiveDpc = *dpc;
        __sync_synchronize();
        (*dpc)->DpcData = NULL;
    }
    KxReleaseSpinLock(&data->DpcLock);
    return found;
}

static void run_all(KDPC_DATA *data)
{
    KDPC copy, *dpc;

    while (take_first(data, &copy, &dpc)) {
        arch_enable_interrupts();
        copy.DeferredRoutine(dpc, copy.DeferredContext, copy.SystemArgument1,
                             copy.SystemArgument2);
        arch_disable_interrupts();
        if (KeGetCurrentIrql() != DISPATCH_LEVEL)
            KeBugCheckEx(IRQL_NOT_LESS_OR_EQUAL,
                         (ULONG_PTR)copy.DeferredRoutine, KeGetCurrentIrql(),
                         0, (ULONG_PTR)dpc);
    }
    data->ActiveDpc = NULL;
}

/*
 * Every queued DPC, and those that they queue.  On the DPC stack, at
 * DISPATCH_LEVEL, interrupts off but while a routine runs.  Another processor
 * that still found this active has asked for nothing: a last look.
 */
void KiRetireDpcList(KPRCB *prcb)
{
    KDPC_DATA *data = &prcb->DpcData[0];

    do {
        prcb->DpcRoutineActive = TRUE;
        prcb->DpcRequestSummary = DPC_NORMAL_PROCESSING_ACTIVE;
        run_all(data);
        prcb->DpcRequestSummary = 0;
        prcb->DpcRoutineActive = FALSE;
        __sync_synchronize();
    } while (*(SINGLE_LIST_ENTRY *volatile *)&data->DpcList.ListHead.Next);
}

void ke_wait_for_dpc(const KDPC *dpc)
{
    __sync_synchronize();
    for (ULONG i = 0; i < KeNumberProcessors; i++) {
        KDPC *volatile *active = &KiProcessorBlock[i]->DpcData[0].ActiveDpc;

        while (*active == dpc)
            arch_pause();
    }
}

/* Vector 2Fh's routine (entry/traps.asm). */
void ki_dpc_interrupt(KTRAP_FRAME *frame)
{
    ki_end_interrupt();
    KiCheckForSListAddress(frame);
    KiDispatchInterrupt(frame->PreviousIrql);
}

/* A tick of the clock: what was queued with low importance has waited. */
void ki_request_waiting_dpcs(void)
{
    KPRCB *prcb = KeGetCurrentPrcb();

    if (prcb->DpcData[0].DpcQueueDepth != 0 && !prcb->DpcRoutineActive) {
        prcb->DpcRequestSummary |= DPC_NORMAL_PROCESSING_REQUESTED;
        arch_request_software_interrupt(DPC_VECTOR);
    }
}
