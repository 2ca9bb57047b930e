/*
 * thread/trap.c - who has to do with a vector that has come.
 *
 * An exception of ring 3 becomes a record and goes back to ring 3; one of ring
 * 0 is expected or a bugcheck.  The vectors of ist.asm have their own C, in
 * nmi.c and machinecheck.c.
 */
#include <arch/entry.h>
#include <arch/apic.h>
#include <arch/thread.h>
#include <arch/trap.h>
#include <bug.h>
#include <kd.h>
#include <x86/registers.h>

/* Nobody has asked for it: say so and go on. */
static void unexpected_interrupt(ULONG vector, const KTRAP_FRAME *frame)
{
    ki_end_unexpected_interrupt(vector);
    if (frame->SegCs & 1)
        arch_enable_interrupts();
    DbgPrintEx(KD_KE_ID, DPFLTR_WARNING_LEVEL,
               "unexpected interrupt %02xh from ring %u at %016llx\n", vector,
               frame->SegCs & 3, frame->Rip);
}

/*
 * Mm may have to wait, so APCs can come meanwhile.  What they set is what the
 * CONTEXT will show.
 */
static void user_page_fault(KTRAP_FRAME *frame, KEXCEPTION_FRAME *exception)
{
    BOOLEAN loop = ki_is_fault_loop(frame);
    EXCEPTION_RECORD record;
    NTSTATUS status;

    arch_enable_interrupts();
    status = loop ? STATUS_ACCESS_VIOLATION : ki_page_fault(frame);
    if (status == STATUS_SUCCESS)
        KiCheckForSListAddress(frame);
    if (status == STATUS_SUCCESS || ki_resume_pop(frame, status))
        return;                         /* do the instruction again */
    KfRaiseIrql(APC_LEVEL);
    arch_read_nonvolatile(exception);
    ki_make_access_record(status, ki_fault_access(frame),
                          frame->FaultAddress, frame->Rip, &record);
    KiDispatchException(&record, exception, frame, UserMode, TRUE);
    KfLowerIrql(PASSIVE_LEVEL);
}

/* At APC_LEVEL before any interrupt: what is told is what has happened. */
static void user_exception(ULONG vector, KTRAP_FRAME *frame,
                           KEXCEPTION_FRAME *exception)
{
    EXCEPTION_RECORD record;

    KfRaiseIrql(APC_LEVEL);
    arch_enable_interrupts();
    if (vector != VECTOR_DEBUG_SERVICE || !ki_debug_service(frame)) {
        ki_make_record(vector, frame, exception, &record);
        KiDispatchException(&record, exception, frame, UserMode,
                            vector != VECTOR_FAST_FAIL);
    }
    if (vector == VECTOR_FLOATING_ERROR)
        __asm__ volatile("fnclex");     /* pending in the CONTEXT only */
    KfLowerIrql(PASSIVE_LEVEL);
}

static void user_trap(ULONG vector, KTRAP_FRAME *frame,
                      KEXCEPTION_FRAME *exception)
{
    KeGetCurrentThread()->TrapFrame = frame;
    if (!BUG(iretq_frame_kept))
        ki_make_loadable(frame);
    if (vector == VECTOR_DEBUG)
        ki_take_debug_status(frame);
    if (vector == VECTOR_PAGE_FAULT)
        user_page_fault(frame, exception);
    else
        user_exception(vector, frame, exception);
}

/*
 * From entry/traps.asm, interrupts off.  exception holds r12-r15 of the
 * interrupted code, as it came.
 */
void ki_dispatch_trap(ULONG vector, KTRAP_FRAME *frame,
                      KEXCEPTION_FRAME *exception)
{
    if (vector == VECTOR_PAGE_FAULT)
        frame->FaultAddress = arch_read_cr2();
    if (ki_is_unexpected(vector))
        unexpected_interrupt(vector, frame);
    else if (frame->SegCs & 1)
        user_trap(vector, frame, exception);
    else
        ki_kernel_trap(vector, frame, exception);
}
