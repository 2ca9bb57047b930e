/*
 * ke/freeze.c - one processor stops all others, for good.
 *
 * By NMI: whatever they do, and at any IRQL.  Each stays in its handler then,
 * with what it did in its NMI's trap frame, where a debugger finds it.
 */
#include "ki.h"

#include <arch/apic.h>
#include <arch/processor.h>
#include <arch/thread.h>

#define LONGEST_WAIT 1000               /* milliseconds */

/* The processor that stops the others: its number, and one. */
static volatile ULONG freezer;

__attribute__((noreturn)) static void halt(void)
{
    arch_disable_interrupts();
    for (;;)
        arch_halt();
}

void ki_stay_frozen(KTRAP_FRAME *frame)
{
    KPRCB *prcb = KeGetCurrentPrcb();

    prcb->ProcessorState.ContextFrame.Rip = frame->Rip;
    prcb->ProcessorState.ContextFrame.Rsp = frame->Rsp;
    prcb->IpiFrozen = IPI_FROZEN_STATE_FROZEN;
    halt();
}

static BOOLEAN all_frozen(void)
{
    for (ULONG i = 0; i < KeNumberProcessors; i++) {
        if (KiProcessorBlock[i]->IpiFrozen == IPI_FROZEN_STATE_TARGET_FREEZE)
            return FALSE;
    }
    return TRUE;
}

/* Two may want it at once: the second is stopped. */
void ki_freeze_others(void)
{
    KPRCB *prcb = KeGetCurrentPrcb();
    ULONG this = prcb->Number + 1;

    if (!__sync_bool_compare_and_swap(&freezer, 0, this)) {
        if (freezer != this)
            halt();
        return;
    }
    prcb->IpiFrozen = IPI_FROZEN_STATE_OWNER | IPI_FROZEN_FLAG_ACTIVE;
    for (ULONG i = 0; i < KeNumberProcessors; i++) {
        if (KiProcessorBlock[i] == prcb)
            continue;
        KiProcessorBlock[i]->IpiFrozen = IPI_FROZEN_STATE_TARGET_FREEZE;
        arch_send_interrupt(KiProcessorBlock[i]->InitialApicId, APIC_NMI);
    }
    for (ULONG i = 0; i < LONGEST_WAIT && !all_frozen(); i++)
        KeStallExecutionProcessor(1000);
}
