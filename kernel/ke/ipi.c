/*
 * ke/ipi.c - one processor asks something of another: vector E1h.
 *
 * A request is a routine that the other one runs at IPI_LEVEL.  APCs and DPCs
 * for another processor need no request: their own vectors are sent to it
 * (ki_request_interrupt).
 */
#include "ki.h"

#include <arch/apic.h>
#include <arch/processor.h>

void ki_request_interrupt(const KPRCB *prcb, UCHAR vector)
{
    if (prcb == KeGetCurrentPrcb())
        arch_request_software_interrupt(vector);
    else
        arch_send_interrupt(prcb->InitialApicId, vector);
}

/* One sender at a time; the mailbox is free when Next is NULL. */
static void post(KPRCB *prcb, void (*routine)(void *argument), void *argument)
{
    REQUEST_MAILBOX *mailbox = &prcb->RequestMailbox[0];

    ASSERT(KeGetCurrentIrql() < IPI_LEVEL);
    while (!__sync_bool_compare_and_swap(&mailbox->Next, NULL, mailbox))
        arch_pause();
    mailbox->RequestPacket.WorkerRoutine = routine;
    mailbox->RequestPacket.CurrentPacket[0] = argument;
    __sync_synchronize();
    mailbox->RequestSummary = IPI_PACKET_READY;
    arch_send_interrupt(prcb->InitialApicId, IPI_VECTOR);
}

static void wait_for_answer(KPRCB *prcb)
{
    REQUEST_MAILBOX *mailbox = &prcb->RequestMailbox[0];

    while (mailbox->RequestSummary != 0)
        arch_pause();
    __sync_synchronize();
    *(REQUEST_MAILBOX *volatile *)&mailbox->Next = NULL;
}

void ki_send_packet(KPRCB *prcb, void (*routine)(void *argument),
                    void *argument)
{
    post(prcb, routine, argument);
    wait_for_answer(prcb);
}

static BOOLEAN is_meant(const KPRCB *prcb, const KAFFINITY_EX *set)
{
    return prcb != KeGetCurrentPrcb() &&
           (!set || (*(const volatile ULONGLONG *)&set->Bitmap[prcb->Group] &
                     prcb->GroupSetMember));
}

/*
 * In the order of their numbers: two senders do not wait for each other.  A
 * set may change meanwhile: who was asked is who will answer.
 */
void ki_send_packets(const KAFFINITY_EX *set, void (*routine)(void *argument),
                     void *argument)
{
    ULONGLONG asked[MAXIMUM_PROCESSORS / PROCESSORS_PER_GROUP] = { 0 };

    for (ULONG i = 0; i < KeNumberProcessors; i++) {
        if (is_meant(KiProcessorBlock[i], set)) {
            asked[i / PROCESSORS_PER_GROUP] |=
                KiProcessorBlock[i]->GroupSetMember;
            post(KiProcessorBlock[i], routine, argument);
        }
    }
    for (ULONG i = 0; i < KeNumberProcessors; i++) {
        if (asked[i / PROCESSORS_PER_GROUP] &
            KiProcessorBlock[i]->GroupSetMember)
            wait_for_answer(KiProcessorBlock[i]);
    }
}

/*
 * From vector E1h (entry/traps.asm), at IPI_LEVEL, interrupts off.  Without a
 * request it only ends the halt of an idle processor, which looks what there
 * is to run; it may be idle no longer.
 */
void ki_ipi_interrupt(KTRAP_FRAME *frame)
{
    KPRCB *prcb = KeGetCurrentPrcb();
    REQUEST_MAILBOX *mailbox = &prcb->RequestMailbox[0];

    (void)frame;
    ki_end_interrupt();
    if (mailbox->RequestSummary & IPI_PACKET_READY) {
        mailbox->RequestPacket.WorkerRoutine(
            mailbox->RequestPacket.CurrentPacket[0]);
        __sync_synchronize();
        mailbox->RequestSummary = 0;
    }
    if (prcb->NextThread && prcb->CurrentThread != prcb->IdleThread)
        arch_request_software_interrupt(DPC_VECTOR);
}
