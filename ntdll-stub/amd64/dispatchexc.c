/*
 * dispatchexc.c - who handles an exception: RtlDispatchException.
 *
 * Vectored handlers first, then the handler of each frame from the innermost
 * on. A handler that wants the exception does not come back: it unwinds to its
 * frame (unwindex.c). Coming back with ContinueExecution continues the program
 * with the context as it is now.
 *
 * An exception inside a handler is dispatched in its turn, further in. Its
 * walk meets the frame in which we called that handler, which says so
 * (execute.asm): handlers between there and the frame it was called for hear
 * EXCEPTION_NESTED_CALL. If the walk we meet is an unwinding one, we go on
 * where it stands; the frames it has left do not exist any more.
 */
#include "unwindp.h"

struct search {
    EXCEPTION_RECORD *record;
    CONTEXT *context;                           /* where it happened */
    CONTEXT caller;                             /* of the frame at "at" */
    DISPATCHER_CONTEXT at;
    BOOLEAN last;                               /* has no caller */
    ULONG flags;
    ULONGLONG nested;           /* NESTED_CALL up to this frame, 0: none */
};

static EXCEPTION_DISPOSITION ask(struct search *search)
{
    ULONGLONG frame = search->at.EstablisherFrame;
    EXCEPTION_DISPOSITION answer;

    search->record->ExceptionFlags = search->flags;
    search->at.ContextRecord = &search->caller;
    search->at.TargetIp = 0;
    answer = rtl_execute_for_exception(search->record, frame, search->context,
                                       &search->at);
    search->flags |= search->record->ExceptionFlags &
                     EXCEPTION_NONCONTINUABLE;
    if (search->nested == frame) {
        search->flags &= ~EXCEPTION_NESTED_CALL;
        search->nested = 0;
    }
    return answer;
}

static NTSTATUS go_where_it_stands(struct search *search)
{
    CONTEXT current;

    return unwind_adopt(&search->at, &current, &search->caller,
                        &search->last);
}

/* FALSE: no handler of this frame continues the program. */
static BOOLEAN ask_frame(struct search *search, NTSTATUS *status)
{
    search->at.ScopeIndex = 0;
    *status = STATUS_SUCCESS;
    while (search->at.LanguageHandler && NT_SUCCESS(*status)) {
        switch (ask(search)) {
        case ExceptionContinueExecution:
            if (search->flags & EXCEPTION_NONCONTINUABLE)
                rtl_raise_about(search->record,
                                STATUS_NONCONTINUABLE_EXCEPTION);
            return TRUE;
        case ExceptionContinueSearch:
            return FALSE;
        case ExceptionNestedException:
            search->flags |= EXCEPTION_NESTED_CALL;
            if (search->at.EstablisherFrame > search->nested)
                search->nested = search->at.EstablisherFrame;
            return FALSE;
        case ExceptionCollidedUnwind:
            *status = go_where_it_stands(search);
            break;
        default:
            rtl_raise_about(search->record, STATUS_INVALID_DISPOSITION);
        }
    }
    return FALSE;
}

static BOOLEAN search_frames(EXCEPTION_RECORD *record, CONTEXT *context)
{
    struct search search = { .record = record, .context = context,
                             .caller = *context,
                             .flags = record->ExceptionFlags &
                                      EXCEPTION_NONCONTINUABLE };
    BOOLEAN handled = FALSE;
    NTSTATUS status;

    do {
        status = unwind_step(UNW_FLAG_EHANDLER, &search.at, &search.caller,
                             &search.last);
        if (NT_SUCCESS(status))
            handled = ask_frame(&search, &status);
    } while (NT_SUCCESS(status) && !handled && !search.last);
    record->ExceptionFlags = search.flags;
    if (!NT_SUCCESS(status))
        record->ExceptionFlags |= EXCEPTION_STACK_INVALID;
    return handled;
}

BOOLEAN NTAPI RtlDispatchException(EXCEPTION_RECORD *ExceptionRecord,
                                   CONTEXT *ContextRecord)
{
    if (!rtl_call_vectored_handlers(ExceptionRecord, ContextRecord) &&
        !search_frames(ExceptionRecord, ContextRecord))
        return FALSE;
    rtl_call_continue_handlers(ExceptionRecord, ContextRecord);
    return TRUE;
}
