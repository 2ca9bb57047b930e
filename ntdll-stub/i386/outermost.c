/*
 * outermost.c - the handler of a thread's first frame: what nobody below has
 * wanted.
 *
 * RtlUserThreadStart registers it, so it is the last of the chain. The
 * program's filter of unhandled exceptions decides. Its frame needs nothing
 * when the chain is unwound.
 *
 * NT: XP's is in kernel32 (BaseProcessStart, BaseThreadStart). A program
 * without a filter of its own gets the kernel's second chance here; XP's
 * UnhandledExceptionFilter shows a box first.
 */
#include "seh.h"

#include "../src/exceptp.h"

EXCEPTION_ROUTINE thread_exception;

EXCEPTION_DISPOSITION thread_exception(EXCEPTION_RECORD *record, void *frame,
                                       CONTEXT *context, void *dispatcher)
{
    EXCEPTION_POINTERS pointers = { record, context };

    (void)dispatcher;
    if (record->ExceptionFlags & EXCEPTION_UNWIND)
        return ExceptionContinueSearch;
    switch (rtl_filter_unhandled(&pointers)) {
    case EXCEPTION_CONTINUE_EXECUTION:
        return ExceptionContinueExecution;
    case EXCEPTION_EXECUTE_HANDLER:
        RtlUnwind(frame, NULL, record, NULL);
        RtlExitUserProcess(record->ExceptionCode);
    default:
        return ExceptionContinueSearch;
    }
}
