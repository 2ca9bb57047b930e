/*
 * unwind.c - RtlUnwind: the frames younger than a handler's own are told that
 * they are gone, and taken off the chain.
 *
 * A handler that wants an exception calls this with its own frame, and goes on
 * from there when it returns, on its own stack still. It returns through
 * NtContinue, with the registers of the call and the result that was asked
 * for in eax.
 *
 * NT: the target address is not looked at on i386. ebx, esi and edi are the
 * caller's here; XP's RtlUnwind loses them.
 */
#include "seh.h"

#define ARGUMENTS 4                             /* RtlUnwind's */

/* A handler called for unwinding has nothing to decide. */
static EXCEPTION_REGISTRATION_RECORD *
tell(EXCEPTION_REGISTRATION_RECORD *frame, EXCEPTION_RECORD *record,
     CONTEXT *context)
{
    struct dispatcher_context dispatcher = { 0 };

    switch (RtlpExecuteHandlerForUnwind(record, frame, context, &dispatcher,
                                        frame->Handler)) {
    case ExceptionContinueSearch:
        return frame;
    case ExceptionCollidedUnwind:
        return dispatcher.frame;
    default:
        seh_complain(STATUS_INVALID_DISPOSITION, record);
        return frame;
    }
}

/* Frames that are gone lie below the target, and on the stack. */
static void check(const EXCEPTION_REGISTRATION_RECORD *frame,
                  const EXCEPTION_REGISTRATION_RECORD *target,
                  EXCEPTION_RECORD *record)
{
    if (target && target < frame)
        seh_complain(STATUS_INVALID_UNWIND_TARGET, record);
    if (!seh_is_frame(frame))
        seh_complain(STATUS_BAD_STACK, record);
}

/*
 * A frame is taken off before the next one is told: should that one's handler
 * unwind as well, nobody is told twice.
 */
static void unwind_chain(EXCEPTION_REGISTRATION_RECORD *target,
                         EXCEPTION_RECORD *record, CONTEXT *context)
{
    NT_TIB *tib = &NtCurrentTeb()->NtTib;
    EXCEPTION_REGISTRATION_RECORD *frame = tib->ExceptionList;

    while (frame != EXCEPTION_CHAIN_END && frame != target) {
        check(frame, target, record);
        frame = tell(frame, record, context)->Next;
        tib->ExceptionList = frame;
    }
}

/*
 * Never returns. The target may also be the chain's end; a target that is not
 * in the chain is an exception that nobody wants.
 */
static void unwind_to(EXCEPTION_REGISTRATION_RECORD *target,
                      EXCEPTION_RECORD *record, void *value, CONTEXT *context)
{
    EXCEPTION_RECORD own = {
        .ExceptionCode = STATUS_UNWIND,
        .ExceptionAddress = (void *)context->Eip,
    };

    if (!record)
        record = &own;
    record->ExceptionFlags |= EXCEPTION_UNWINDING;
    if (!target)
        record->ExceptionFlags |= EXCEPTION_EXIT_UNWIND;
    context->Esp += ARGUMENTS * sizeof(ULONG);
    context->Eax = (ULONG)value;
    unwind_chain(target, record, context);
    if (NtCurrentTeb()->NtTib.ExceptionList == target)
        RtlRaiseStatus(NtContinue(context, FALSE));
    RtlRaiseStatus(NtRaiseException(record, context, FALSE));
}

/* The caller's registers, before any C has changed them. */
__attribute__((naked)) void NTAPI RtlUnwind(
    void *TargetFrame __attribute__((unused)),
    void *TargetIp __attribute__((unused)),
    EXCEPTION_RECORD *ExceptionRecord __attribute__((unused)),
    void *ReturnValue __attribute__((unused)))
{
    __asm__ volatile(
        "pushl %%ebp\n"
        "movl %%esp, %%ebp\n"
        "leal %c[below](%%esp), %%esp\n"
        "pushl %%esp\n"
        "call _RtlCaptureContext@4\n"
        "movl %%esp, %%eax\n"
        "pushl %%eax\n"
        "pushl 20(%%ebp)\n"
        "pushl 16(%%ebp)\n"
        "pushl 8(%%ebp)\n"
        "call %c[unwind]\n"
        :
        : [below] "i"(-(int)sizeof(CONTEXT)), [unwind] "i"(unwind_to));
}
