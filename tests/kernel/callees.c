/*
 * tests/kernel/callees.c - what the entry code has told by the time that a
 * service runs, and what KiCallUserMode leaves as it was (callees.asm).
 */
#include "selftest.h"

#include <arch/entry.h>
#include <arch/processor.h>
#include <arch/thread.h>
#include <arch/trap.h>
#include <mm.h>
#include <x86/registers.h>

extern UCHAR KiServiceLinkage[];

NTSTATUS call_user_mode(void **output, ULONG *length,
                        const KTRAP_FRAME *frame);
NTSTATUS __wrap_KiCallUserMode(void **output, ULONG *length,
                               const KTRAP_FRAME *frame);

/* Where the next entry from ring 3 will put its frame. */
static BOOLEAN stacks_agree(void)
{
    const KPRCB *prcb = KeGetCurrentPrcb();
    const KPCR *pcr = CONTAINING_RECORD(prcb, KPCR, Prcb);
    ULONG_PTR top = (ULONG_PTR)KeGetCurrentThread()->InitialStack;

    return prcb->RspBase == top && prcb->RspBaseShadow == top &&
           (KiKvaShadow || pcr->TssBase->Rsp0 == top);
}

NTSTATUS __wrap_KiCallUserMode(void **output, ULONG *length,
                               const KTRAP_FRAME *frame)
{
    KTHREAD *thread = KeGetCurrentThread();
    const void *stack = thread->InitialStack;
    const KTRAP_FRAME *outer = thread->TrapFrame;
    UCHAR nested = thread->CallbackNestingLevel;
    NTSTATUS status = call_user_mode(output, length, frame);

    if (thread->InitialStack != stack || thread->TrapFrame != outer ||
        thread->CallbackNestingLevel != nested || !stacks_agree())
        KeBugCheckEx(MANUALLY_INITIATED_CRASH, 0, 0, 0, 0);
    return status;
}

static BOOLEAN interrupts_enabled(void)
{
    ULONGLONG flags;

    __asm__ volatile("pushfq\n\tpopq %0" : "=r"(flags));
    return (flags & EFLAGS_IF) != 0;
}

/* The first argument, as 32-bit code has it where they begin. */
static BOOLEAN begins_with(const void *arguments, ULONG first)
{
    ULONG found;

    return NT_SUCCESS(mm_copy_from_user(&found, arguments, sizeof found)) &&
           found == first;
}

static BOOLEAN is_told_by_user(const KTHREAD *thread, const KTRAP_FRAME *frame,
                               ULONGLONG a1, ULONGLONG a2)
{
    if ((ULONG_PTR)(frame + 1) != (ULONG_PTR)thread->InitialStack)
        return FALSE;
    if (frame->SegCs == (KGDT_R3_CODE | RPL_MASK))
        return frame->Rdx == (ULONG_PTR)thread->FirstArgument &&
               begins_with(thread->FirstArgument, (ULONG)a1);
    return (ULONG_PTR)thread->FirstArgument == a1 && frame->Rcx == a1 &&
           frame->Rdx == a2;
}

/* A Zw stub's frame lies below its caller's, SegSs and all. */
static BOOLEAN is_told_by_kernel(const KTHREAD *thread,
                                 const KTRAP_FRAME *frame)
{
    return frame->SegCs == KGDT_R0_CODE &&
           frame->Rip == (ULONG_PTR)KiServiceLinkage &&
           (ULONG_PTR)(frame + 1) <= frame->Rsp &&
           frame->PreviousMode == UserMode &&
           frame->TrapFrame ==
               (ULONG_PTR)thread->InitialStack - sizeof(KTRAP_FRAME);
}

void check_what_is_told(ULONG number, ULONGLONG a1, ULONGLONG a2)
{
    const KTHREAD *thread = KeGetCurrentThread();
    const KTRAP_FRAME *frame = thread->TrapFrame;

    if (!stacks_agree() || !interrupts_enabled() ||
        frame->ExceptionActive != KEXCEPTION_ACTIVE_SERVICE ||
        !(thread->PreviousMode == KernelMode
              ? is_told_by_kernel(thread, frame)
              : thread->SystemCallNumber == number &&
                    is_told_by_user(thread, frame, a1, a2)))
        KeBugCheckEx(MANUALLY_INITIATED_CRASH, number, 0, 0, 0);
}
