/*
 * scope.c - __try, __except and __finally: __C_specific_handler.
 *
 * A function that has them has a table of scopes, inner ones first. An
 * exception asks the filter of each scope that rip is in; the first that wants
 * it unwinds to its __except. Unwinding runs each __finally on the way.
 * ScopeIndex is where a handler that was interrupted goes on.
 */
#include "unwindp.h"

#define ALWAYS_HANDLE 1                         /* instead of a filter */

typedef LONG filter_routine(EXCEPTION_POINTERS *pointers, void *frame);
typedef void finally_routine(BOOLEAN abnormal, void *frame);

static BOOLEAN covers(const SCOPE_TABLE *scopes, ULONG index, ULONGLONG rva)
{
    return rva >= scopes->ScopeRecord[index].BeginAddress &&
           rva < scopes->ScopeRecord[index].EndAddress;
}

static LONG ask_filter(const DISPATCHER_CONTEXT *at, ULONG address,
                       EXCEPTION_POINTERS *pointers, void *frame)
{
    if (address == ALWAYS_HANDLE)
        return EXCEPTION_EXECUTE_HANDLER;
    return ((filter_routine *)(at->ImageBase + address))(pointers, frame);
}

static EXCEPTION_DISPOSITION find_except(EXCEPTION_RECORD *record, void *frame,
                                         CONTEXT *context,
                                         DISPATCHER_CONTEXT *at)
{
    EXCEPTION_POINTERS pointers = { record, context };
    const SCOPE_TABLE *scopes = at->HandlerData;
    ULONGLONG rva = at->ControlPc - at->ImageBase;
    ULONG index;

    for (index = at->ScopeIndex; index < scopes->Count; index++) {
        ULONG target = scopes->ScopeRecord[index].JumpTarget;
        LONG answer;

        if (!target || !covers(scopes, index, rva))
            continue;
        answer = ask_filter(at, scopes->ScopeRecord[index].HandlerAddress,
                            &pointers, frame);
        if (answer < 0)
            return ExceptionContinueExecution;
        if (answer > 0)
            RtlUnwindEx(frame, (void *)(at->ImageBase + target), record,
                        (void *)(ULONGLONG)(ULONG)record->ExceptionCode,
                        at->ContextRecord, at->HistoryTable);
    }
    return ExceptionContinueSearch;
}

/* A scope that the target lies in, or whose __except it is, stays. */
static EXCEPTION_DISPOSITION run_finally(const EXCEPTION_RECORD *record,
                                         void *frame, DISPATCHER_CONTEXT *at)
{
    const SCOPE_TABLE *scopes = at->HandlerData;
    ULONGLONG rva = at->ControlPc - at->ImageBase;
    ULONGLONG target = at->TargetIp - at->ImageBase;
    BOOLEAN last = (record->ExceptionFlags & EXCEPTION_TARGET_UNWIND) != 0;
    ULONG index;

    for (index = at->ScopeIndex; index < scopes->Count; index++) {
        ULONG jump = scopes->ScopeRecord[index].JumpTarget;
        ULONG routine = scopes->ScopeRecord[index].HandlerAddress;

        if (!covers(scopes, index, rva))
            continue;
        if (last && (covers(scopes, index, target) ||
                     (jump && jump == target)))
            break;
        if (jump)
            continue;
        at->ScopeIndex = index + 1;             /* once, whatever it does */
        ((finally_routine *)(at->ImageBase + routine))(TRUE, frame);
    }
    return ExceptionContinueSearch;
}

EXCEPTION_DISPOSITION NTAPI __C_specific_handler(
    EXCEPTION_RECORD *ExceptionRecord, void *EstablisherFrame,
    CONTEXT *ContextRecord, DISPATCHER_CONTEXT *DispatcherContext)
{
    if (ExceptionRecord->ExceptionFlags & EXCEPTION_UNWIND)
        return run_finally(ExceptionRecord, EstablisherFrame,
                           DispatcherContext);
    return find_except(ExceptionRecord, EstablisherFrame, ContextRecord,
                       DispatcherContext);
}

/* A jump out of a __try into its own function. */
void _local_unwind(void *frame, void *target)
{
    RtlUnwind(frame, target, NULL, NULL);
}
