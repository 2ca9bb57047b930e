/*
 * ke/ipi.c - one processor asks something of another: vector E1h.
 *
 * A request is a routine that the other one runs at IPI_LEVEL.  APCs and DPCs
 * for another processor need no request: their own vectors are sent to it
 * (ki_request_interrupt).
 */
#include "ki.h"

#include <arch/apic.h>

void ki_request_interrupt(const KPRCB *prcb, UCHAR vector)
{
    if (prcb == KeGetCurrentPrcb())
        arch_request_software_interrupt(vector);
    else
        arch_send_interrupt(prcb->InitialApicId, vector);
}

/* One sender at a time; the mailbox is free when its summary is 0. */
void ki_send_packet(KPRCB *prcb, void (*routine)(void *argument),
                    void *argument)
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
    while (mailbox->RequestSummary != 0)
        arch_pause();
    mailbox->Next = NULL;
}

/* From vector E1h (entry/traps.asm), at IPI_LEVEL, interrupts off. */
void ki_ipi_interrupt(KTRAP_FRAME *frame)
{
    REQUEST_MAILBOX *mailbox = &KeGetCurrentPrcb()->RequestMailbox[0];

    (void)frame;
    ki_end_interrupt();
    if (mailbox->RequestSummary & IPI_PACKET_READY) {
        mailbox->RequestPacket.WorkerRoutine(
            mailbox->RequestPacket.CurrentPacket[0]);
        __sync_synchronize();
        mailbox->RequestSummary = 0;
    }
}
