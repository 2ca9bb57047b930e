/*
 * tests/kernel/echo.c - services that answer with their own arguments, and
 * look at what the thread and the frame say of the call.
 *
 * NtwEchoN(out, a2, ... ) stores its N + 4 arguments at out, as the routine
 * in ring 0 found them: what room 3 copied from the user's stack, in order.
 * NtwWiden does the same with one argument of each letter of services.tab, so
 * that a 32-bit caller sees what became of its slots; NtwGuiEcho2 as a shadow
 * service.  Answers are 64-bit values whoever asks.
 */
#include "selftest.h"

#include <arch/entry.h>
#include <arch/processor.h>
#include <arch/trap.h>
#include <mm.h>
#include <x86/registers.h>

#define MAX_ARGUMENTS 18

extern UCHAR KiServiceLinkage[];

/* ---- What the entry code has told by now ---- */

/* Where the next entry from ring 3 will put its frame. */
BOOLEAN entry_stacks_agree(void)
{
    const KPRCB *prcb = KeGetCurrentPrcb();
    const KPCR *pcr = CONTAINING_RECORD(prcb, KPCR, Prcb);
    ULONG_PTR top = (ULONG_PTR)KeGetCurrentThread()->InitialStack;

    return prcb->RspBase == top && prcb->RspBaseShadow == top &&
           (KiKvaShadow || pcr->TssBase->Rsp0 == top);
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

static void check_what_is_told(ULONG number, ULONGLONG a1, ULONGLONG a2)
{
    const KTHREAD *thread = KeGetCurrentThread();
    const KTRAP_FRAME *frame = thread->TrapFrame;

    if (!entry_stacks_agree() || !interrupts_enabled() ||
        frame->ExceptionActive != KEXCEPTION_ACTIVE_SERVICE ||
        !(thread->PreviousMode == KernelMode
              ? is_told_by_kernel(thread, frame)
              : thread->SystemCallNumber == number &&
                    is_told_by_user(thread, frame, a1, a2)))
        KeBugCheckEx(MANUALLY_INITIATED_CRASH, number, 0, 0, 0);
}

/* ---- The services ---- */

static NTSTATUS echo(ULONG number, ULONG count, void *out, va_list more,
                     ULONGLONG a2, ULONGLONG a3, ULONGLONG a4)
{
    ULONGLONG values[MAX_ARGUMENTS] = { (ULONG_PTR)out, a2, a3, a4 };

    check_what_is_told(number, (ULONG_PTR)out, a2);
    for (ULONG i = 4; i < count; i++)
        values[i] = va_arg(more, ULONGLONG);
    return mm_copy_to_mode(KeGetCurrentThread()->PreviousMode, out, values,
                           count * sizeof values[0]);
}

#define ECHO_SERVICE(name, number, count) \
    NTSTATUS name(void *out, ULONGLONG a2, ULONGLONG a3, ULONGLONG a4, ...); \
    NTSTATUS name(void *out, ULONGLONG a2, ULONGLONG a3, ULONGLONG a4, ...) \
    { \
        va_list more; \
        NTSTATUS status; \
        va_start(more, a4); \
        status = echo(number, count, out, more, a2, a3, a4); \
        va_end(more); \
        return status; \
    }
#define ECHO(stack) ECHO_SERVICE(NtwEcho##stack, 0x300 + stack, stack + 4)

ECHO(0)
ECHO(1)
ECHO(2)
ECHO(3)
ECHO(4)
ECHO(5)
ECHO(6)
ECHO(7)
ECHO(8)
ECHO(9)
ECHO(10)
ECHO(11)
ECHO(12)
ECHO(13)
ECHO(14)

ECHO_SERVICE(NtwWiden, 0x311, 6)
ECHO_SERVICE(NtwGuiEcho2, 0x1600, 6)
