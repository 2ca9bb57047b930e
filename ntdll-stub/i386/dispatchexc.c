/*
 * dispatchexc.c - who wants an exception of 32-bit code.
 *
 * KiUserExceptionDispatcher asks here. Vectored handlers come first, then the
 * chain at fs:[0], from the youngest frame to the oldest. A handler says that
 * the thread goes on where it was, or that the next one is to be asked; or it
 * unwinds the stack down to its own frame (unwind.c) and never returns.
 *
 * NT: the checks of a frame are XP SP3's. It also has a list of each image's
 * handlers (SafeSEH), which is not looked at here.
 */
#include "seh.h"

#include "../src/exceptp.h"

BOOLEAN seh_is_frame(const EXCEPTION_REGISTRATION_RECORD *frame)
{
    const NT_TIB *tib = &NtCurrentTeb()->NtTib;
    ULONG at = (ULONG)frame, top = (ULONG)tib->StackBase;

    return at >= (ULONG)tib->StackLimit && at < top &&
           top - at >= sizeof *frame && at % sizeof(ULONG) == 0;
}

/* What lies on the stack is data, whoever wrote it. */
static BOOLEAN is_handler(EXCEPTION_ROUTINE *handler)
{
    const NT_TIB *tib = &NtCurrentTeb()->NtTib;

    return (ULONG)handler < (ULONG)tib->StackLimit ||
           (ULONG)handler >= (ULONG)tib->StackBase;
}

void seh_complain(NTSTATUS code, EXCEPTION_RECORD *about)
{
    EXCEPTION_RECORD record = {
        .ExceptionCode = code,
        .ExceptionFlags = EXCEPTION_NONCONTINUABLE,
        .ExceptionRecord = about,
    };

    RtlRaiseException(&record);
}

/*
 * The handler of frame. Until the frame is passed whose own handler was
 * running when this exception came, it is a nested one.
 */
static EXCEPTION_DISPOSITION ask(EXCEPTION_RECORD *record,
                                 EXCEPTION_REGISTRATION_RECORD *frame,
                                 CONTEXT *context,
                                 EXCEPTION_REGISTRATION_RECORD **nested)
{
    struct dispatcher_context dispatcher = { 0 };
    EXCEPTION_DISPOSITION answer = RtlpExecuteHandlerForException(
        record, frame, context, &dispatcher, frame->Handler);

    if (*nested == frame) {
        record->ExceptionFlags &= ~EXCEPTION_NESTED_CALL;
        *nested = NULL;
    }
    if (answer == ExceptionNestedException) {
        record->ExceptionFlags |= EXCEPTION_NESTED_CALL;
        if (dispatcher.frame > *nested)
            *nested = dispatcher.frame;
    }
    return answer;
}

/* FALSE: the next one is asked. */
static BOOLEAN continues(EXCEPTION_DISPOSITION answer,
                         EXCEPTION_RECORD *record)
{
    switch (answer) {
    case ExceptionContinueExecution:
        if (!(record->ExceptionFlags & EXCEPTION_NONCONTINUABLE))
            return TRUE;
        seh_complain(STATUS_NONCONTINUABLE_EXCEPTION, record);
        return FALSE;
    case ExceptionContinueSearch:
    case ExceptionNestedException:
        return FALSE;
    default:
        seh_complain(STATUS_INVALID_DISPOSITION, record);
        return FALSE;
    }
}

/* NT: nobody looks for a chain that leads back to itself; only frames that
 * are none end it early. */
static BOOLEAN ask_chain(EXCEPTION_RECORD *record, CONTEXT *context)
{
    EXCEPTION_REGISTRATION_RECORD *frame, *nested = NULL;

    for (frame = NtCurrentTeb()->NtTib.ExceptionList;
         frame != EXCEPTION_CHAIN_END; frame = frame->Next) {
        if (!seh_is_frame(frame) || !is_handler(frame->Handler)) {
            record->ExceptionFlags |= EXCEPTION_STACK_INVALID;
            return FALSE;
        }
        if (continues(ask(record, frame, context, &nested), record))
            return TRUE;
    }
    return FALSE;
}

/* NT: XP has no continue handlers. */
BOOLEAN NTAPI RtlDispatchException(EXCEPTION_RECORD *ExceptionRecord,
                                   CONTEXT *ContextRecord)
{
    return rtl_call_vectored_handlers(ExceptionRecord, ContextRecord) ||
           ask_chain(ExceptionRecord, ContextRecord);
}
