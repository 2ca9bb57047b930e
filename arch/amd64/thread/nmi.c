/*
 * thread/nmi.c - the vectors that come at any instruction: NMI, #DF, #DB in
 * ring 0.  The fourth, #MC, has a file of its own.
 *
 * entry/ist.asm calls them, each on its own stack.  The processor holds back
 * further NMIs until the next IRETQ, whoever executes it; so a #MC or #DB in
 * the middle of NMI's handler goes back without one, and an exception there
 * is a bugcheck like any other exception of ring 0.  If a vector comes again
 * all the same, that is noticed before the first one's frame is overwritten.
 */
#include <bug.h>
#include <arch/entry.h>
#include <arch/thread.h>
#include <arch/trap.h>
#include <ke/ki.h>
#include <x86/registers.h>

/* NMIs taken: but for the one that freezes, nothing is done. */
ULONG ki_nmi_count;

/*
 * There is one that must not be interrupted and cannot see to it itself: the
 * SYSEXIT behind STI, where gs is the user's already while interrupts are on.
 * STI's shadow does not outlive us, so STI has to be executed once more.
 */
void ki_repeat_sti(KTRAP_FRAME *frame)
{
    static const struct {
        const UCHAR *sysexit, *sti;
    } exits[] = {
        { ki_exit32_sysexit, ki_exit32_sti },
        { ki_exit32_sysexit_shadow, ki_exit32_sti_shadow },
    };

    for (ULONG i = 0; i < ARRAY_SIZE(exits); i++) {
        if (frame->Rip == (ULONG_PTR)exits[i].sysexit &&
            !(frame->SegCs & 1)) {
            frame->Rip = (ULONG_PTR)exits[i].sti;
            frame->EFlags &= ~EFLAGS_IF;
        }
    }
}

/* The word at the top of a vector's stack. */
static BOOLEAN is_in_use(ULONG ist)
{
    const KPCR *pcr = CONTAINING_RECORD(KeGetCurrentPrcb(), KPCR, Prcb);

    return *(const volatile ULONG *)pcr->TssBase->Ist[ist] != 0;
}

/* Before that word is set, and after, rip tells. */
BOOLEAN ki_is_in_nmi(const KTRAP_FRAME *frame)
{
    return !BUG(mc_lets_nmi_in) && !(frame->SegCs & 1) &&
           (is_in_use(TSS_IST_NMI) ||
            (frame->Rip >= (ULONG_PTR)KiNmiInterrupt &&
             frame->Rip < (ULONG_PTR)ki_nmi_interrupt_end));
}

void ki_nmi(KTRAP_FRAME *frame)
{
    KeGetCurrentPrcb()->NmiActive = TRUE;
    if (KeGetCurrentPrcb()->IpiFrozen == IPI_FROZEN_STATE_TARGET_FREEZE)
        ki_stay_frozen(frame);
    ki_repeat_sti(frame);
    __sync_fetch_and_add(&ki_nmi_count, 1);
    KeGetCurrentPrcb()->NmiActive = FALSE;
}

void ki_double_fault(KTRAP_FRAME *frame)
{
    KeGetCurrentThread()->TrapFrame = frame;
    KeBugCheckEx(UNEXPECTED_KERNEL_MODE_TRAP, VECTOR_DOUBLE_FAULT,
                 (ULONG_PTR)frame, frame->Rsp, frame->Rip);
}

/*
 * Single step or a breakpoint that reached ring 0: ring 3 set it before it
 * came in.  The kernel goes on without it.  SYSENTER does not save TF where
 * the way back finds it, so its door has a second entry for this case.
 */
BOOLEAN ki_debug_in_kernel(KTRAP_FRAME *frame)
{
    if (frame->Rip == (ULONG_PTR)KiFastCallEntry &&
        (frame->EFlags & EFLAGS_TF))
        frame->Rip = (ULONG_PTR)KiFastCallEntry2;
    if (frame->Rip == (ULONG_PTR)KiFastCallEntryShadow &&
        (frame->EFlags & EFLAGS_TF))
        frame->Rip = (ULONG_PTR)KiFastCallEntry2Shadow;
    ki_repeat_sti(frame);
    frame->EFlags &= ~EFLAGS_TF;
    arch_write_dr6(0);
    return ki_is_in_nmi(frame);
}

/* NT: neither of the two that have a code of their own has parameters. */
void ki_taken_again(KTRAP_FRAME *frame, ULONG vector)
{
    KeGetCurrentThread()->TrapFrame = frame;
    if (vector == VECTOR_NMI)
        KeBugCheckEx(RECURSIVE_NMI, (ULONG_PTR)frame, frame->Rip, 0, 0);
    if (vector == VECTOR_MACHINE_CHECK)
        KeBugCheckEx(RECURSIVE_MACHINE_CHECK, (ULONG_PTR)frame, frame->Rip, 0,
                     0);
    KeBugCheckEx(UNEXPECTED_KERNEL_MODE_TRAP, vector, (ULONG_PTR)frame,
                 frame->Rsp, frame->Rip);
}
