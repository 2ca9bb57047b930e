/*
 * seh.h - the chain of handlers at fs:[0], between the files that dispatch an
 * exception (dispatchexc.c), unwind (unwind.c), raise (raise.c) and have the
 * last word (outermost.c).
 */
#pragma once

#include <ntdll.h>

/* What a protecting handler says (handlers.asm): whose call was cut short. */
struct dispatcher_context {
    EXCEPTION_REGISTRATION_RECORD *frame;
};

/* handlers.asm */
EXCEPTION_DISPOSITION NTAPI RtlpExecuteHandlerForException(
    EXCEPTION_RECORD *record, EXCEPTION_REGISTRATION_RECORD *frame,
    CONTEXT *context, struct dispatcher_context *dispatcher,
    EXCEPTION_ROUTINE *handler);
EXCEPTION_DISPOSITION NTAPI RtlpExecuteHandlerForUnwind(
    EXCEPTION_RECORD *record, EXCEPTION_REGISTRATION_RECORD *frame,
    CONTEXT *context, struct dispatcher_context *dispatcher,
    EXCEPTION_ROUTINE *handler);

/* Whole, aligned, and on the thread's stack. */
BOOLEAN seh_is_frame(const EXCEPTION_REGISTRATION_RECORD *frame);

/* Something is wrong with the way an exception is handled: another one, which
 * cannot be continued. Comes back only from a vectored handler that tries. */
void seh_complain(NTSTATUS code, EXCEPTION_RECORD *about);
