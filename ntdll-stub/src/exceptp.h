/*
 * exceptp.h - exceptions inside ntdll: what the two dispatchers share.
 *
 * RtlDispatchException is the processor's (amd64/dispatchexc.c and i386's).
 * It asks in this order and stops at the first that says "continue":
 *
 *   rtl_call_vectored_handlers      before any frame
 *   the frames' handlers            the outermost is the thread's start, whose
 *                                   filter is rtl_filter_unhandled
 *   rtl_call_continue_handlers      only when the program is to continue
 */
#pragma once

#include <ntdll.h>

/* TRUE: one of them has said EXCEPTION_CONTINUE_EXECUTION. */
BOOLEAN rtl_call_vectored_handlers(EXCEPTION_RECORD *record, CONTEXT *context);

/* They hear of it; the first that says CONTINUE_EXECUTION is the last. */
void rtl_call_continue_handlers(EXCEPTION_RECORD *record, CONTEXT *context);

/* The filter of a thread's outermost frame, by the program's own filter. */
LONG NTAPI rtl_filter_unhandled(EXCEPTION_POINTERS *pointers);

/* TRUE: continue with context. Both processors have one. */
BOOLEAN NTAPI RtlDispatchException(EXCEPTION_RECORD *ExceptionRecord,
                                   CONTEXT *ContextRecord);
