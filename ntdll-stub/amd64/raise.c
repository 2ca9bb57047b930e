/*
 * raise.c - exceptions that the program raises itself.
 *
 * RtlRaiseException dispatches without the kernel: the exception happened in
 * its caller, whose context one step of unwinding finds. Only an exception
 * that nobody handles is told to the kernel, as the second chance.
 */
#include "unwindp.h"

void KiRaiseUserExceptionDispatcher(void);

/*
 * It comes back by way of a context: the compiler, which sees only that the
 * last call in it does not return, must not conclude that it never does.
 */
__attribute__((noipa))
void NTAPI RtlRaiseException(EXCEPTION_RECORD *ExceptionRecord)
{
    DISPATCHER_CONTEXT at;
    CONTEXT context;
    BOOLEAN first = NtCurrentPeb()->BeingDebugged, last;
    NTSTATUS status;

    RtlCaptureContext(&context);
    status = unwind_step(UNW_FLAG_NHANDLER, &at, &context, &last);
    ExceptionRecord->ExceptionAddress = (void *)context.Rip;
    if (NT_SUCCESS(status) && !first &&
        RtlDispatchException(ExceptionRecord, &context))
        status = NtContinue(&context, FALSE);
    else
        status = NtRaiseException(ExceptionRecord, &context, first);
    RtlRaiseStatus(status);
}

/* Not even a handler that says "continue" may come back from these. */
__attribute__((noreturn)) static void raise(EXCEPTION_RECORD *record)
{
    RtlRaiseException(record);
    for (;;)
        NtTerminateProcess(NtCurrentProcess(), record->ExceptionCode);
}

void NTAPI RtlRaiseStatus(NTSTATUS Status)
{
    EXCEPTION_RECORD record = { .ExceptionCode = Status,
                                .ExceptionFlags = EXCEPTION_NONCONTINUABLE };

    raise(&record);
}

void rtl_raise_about(EXCEPTION_RECORD *record, NTSTATUS status)
{
    EXCEPTION_RECORD own = { .ExceptionCode = status,
                             .ExceptionFlags = EXCEPTION_NONCONTINUABLE,
                             .ExceptionRecord = record };

    raise(&own);
}

/*
 * The kernel ends a service here instead of at its stub: the caller of the
 * stub is ours, and its result is the status in TEB.ExceptionCode.
 */
NTSTATUS rtl_raise_user_exception(void);
NTSTATUS rtl_raise_user_exception(void)
{
    NTSTATUS status = NtCurrentTeb()->ExceptionCode;
    EXCEPTION_RECORD record = { .ExceptionCode = status };

    RtlRaiseException(&record);
    return status;
}
