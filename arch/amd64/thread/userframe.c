/*
 * thread/userframe.c - what the frames of an APC and of an exception share.
 *
 * Ring 3 begins with DF clear, as its calling convention wants it, and with TF
 * clear; the interrupted flags are in the CONTEXT.
 */
#include <arch/thread.h>
#include <arch/trap.h>
#include <arch/userframe.h>
#include <mm.h>
#include <x86/registers.h>

#define NO_XSTATE 25                    /* an offset that is no structure's */

/* place: where the frame will be; xstate: its extended state, 0 for none. */
static CONTEXT_EX context_ex(ULONG_PTR place, ULONG_PTR xstate)
{
    CONTEXT_EX ex = {
        .All = { -(LONG)sizeof(CONTEXT),
                 sizeof(CONTEXT) + sizeof(CONTEXT_EX) },
        .Legacy = { -(LONG)sizeof(CONTEXT), sizeof(CONTEXT) },
        .XState = { NO_XSTATE, 0 },
    };

    if (xstate) {
        ex.XState.Offset = (LONG)(xstate - place) - (LONG)sizeof(CONTEXT);
        ex.XState.Length = sizeof(struct ki_xstate);
        ex.All.Length = (ULONG)(xstate - place) + ex.XState.Length;
    }
    return ex;
}

/*
 * Below the interrupted stack: extended state, frame.  32-bit code of a 64-bit
 * program has nothing above bit 31 in its rsp.
 */
static ULONG_PTR place(const KTRAP_FRAME *frame, SIZE_T machine_frame,
                       ULONG_PTR *xstate)
{
    ULONG_PTR rsp = ki_is_code32(frame) ? (ULONG)frame->Rsp : frame->Rsp;

    *xstate = 0;
    if (ki_has_extended_state())
        *xstate = rsp = ALIGN_DOWN(rsp - sizeof(struct ki_xstate), 64);
    return ALIGN_DOWN(rsp - sizeof(MACHINE_FRAME), 16) - machine_frame;
}

/* The upper halves of ymm0-15 are live; 0 is nowhere. */
static NTSTATUS write_xstate(ULONG_PTR to)
{
    struct ki_xstate state;

    if (!to)
        return STATUS_SUCCESS;
    ki_get_xstate(&state);
    return mm_copy_to_mode(UserMode, (void *)to, &state, sizeof state);
}

NTSTATUS ki_begin_user_frame(const KTRAP_FRAME *frame,
                             const KEXCEPTION_FRAME *exception,
                             SIZE_T machine_frame, struct ki_user_head *head,
                             ULONG_PTR *to)
{
    ULONG_PTR xstate;

    *to = place(frame, machine_frame, &xstate);
    KeContextFromKframes(frame, exception, &head->context);
    if (xstate)
        head->context.ContextFlags |= CONTEXT_XSTATE;
    head->context_ex = context_ex(*to, xstate);
    return write_xstate(xstate);
}

MACHINE_FRAME ki_machine_frame(const KTRAP_FRAME *frame)
{
    return (MACHINE_FRAME){
        .Rip = frame->Rip,
        .SegCs = frame->SegCs,
        .EFlags = frame->EFlags,
        .Rsp = frame->Rsp,
        .SegSs = frame->SegSs,
    };
}

void ki_enter_dispatcher(KTRAP_FRAME *frame, ULONG_PTR rip, ULONG_PTR rsp)
{
    frame->Rsp = rsp;
    frame->Rip = rip;
    frame->SegCs = KGDT64_R3_CODE | RPL_MASK;
    frame->SegSs = KGDT_R3_DATA | RPL_MASK;
    frame->EFlags &= ~(EFLAGS_DF | EFLAGS_TF);
    if (frame->ExceptionActive != KEXCEPTION_ACTIVE_SERVICE)
        KiSetupForInstrumentationReturn(frame);
}

/* Loaded as ring 3's all the time, so the exit has nothing to do. */
static void load_segments32(void)
{
    __asm__ volatile("mov %0, %%ds\n\t"
                     "mov %0, %%es\n\t"
                     "mov %1, %%fs"
                     : : "r"((USHORT)(KGDT_R3_DATA | RPL_MASK)),
                         "r"((USHORT)(KGDT_R3_TEB | RPL_MASK)));
}

void ki_enter_dispatcher32(KTRAP_FRAME *frame, ULONG eip, ULONG esp)
{
    frame->Rsp = esp;
    frame->Rip = eip;
    frame->SegSs = KGDT_R3_DATA | RPL_MASK;
    load_segments32();
    frame->EFlags &= ~(EFLAGS_DF | EFLAGS_TF);
}
