/*
 * guard.c - guard.h's handler.
 */
#include "guard.h"

/* NT: a handler that catches takes itself off the chain, too. */
static EXCEPTION_DISPOSITION handle(EXCEPTION_RECORD *record, void *frame,
                                    CONTEXT *context, void *dispatcher)
{
    struct guard *guard = frame;
    EXCEPTION_DISPOSITION answer;

    (void)dispatcher;
    if (record->ExceptionFlags & EXCEPTION_UNWIND) {
        guard->unwound++;
        guard->last_unwind = *record;
        if (guard->on_unwind)
            guard->on_unwind(guard);
        return ExceptionContinueSearch;
    }
    guard->asked++;
    guard->last = *record;
    guard->context = *context;
    answer = guard->filter(guard, record, context);
    if (answer != GUARD_EXECUTE)
        return answer;
    RtlUnwind(frame, NULL, record, NULL);
    __builtin_longjmp(guard->back, 1);
}

void guard_enter(struct guard *guard, guard_filter *filter)
{
    memset(guard, 0, sizeof *guard);
    guard->filter = filter;
    guard->record.Handler = handle;
    guard->record.Next = guard_chain();
    guard_set_chain(&guard->record);
}

void guard_leave(struct guard *guard)
{
    guard_set_chain(guard->record.Next);
}

EXCEPTION_DISPOSITION guard_execute(struct guard *guard,
                                    EXCEPTION_RECORD *record,
                                    CONTEXT *context)
{
    (void)guard;
    (void)record;
    (void)context;
    return GUARD_EXECUTE;
}

EXCEPTION_DISPOSITION guard_continue(struct guard *guard,
                                     EXCEPTION_RECORD *record,
                                     CONTEXT *context)
{
    (void)guard;
    (void)record;
    (void)context;
    return ExceptionContinueExecution;
}

EXCEPTION_DISPOSITION guard_search(struct guard *guard,
                                   EXCEPTION_RECORD *record, CONTEXT *context)
{
    (void)guard;
    (void)record;
    (void)context;
    return ExceptionContinueSearch;
}

void guard_raise(NTSTATUS code, ULONG flags)
{
    EXCEPTION_RECORD record = {
        .ExceptionCode = code,
        .ExceptionFlags = flags,
        .NumberParameters = 2,
        .ExceptionInformation = { GUARD_PARAMETER0, GUARD_PARAMETER1 },
    };

    RtlRaiseException(&record);
}
