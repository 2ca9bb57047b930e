/*
 * ntexcept.h - exceptions as ring 3 sees them, on every processor.
 *
 * A part of ntdll.h. An EXCEPTION_RECORD says what happened, a CONTEXT where;
 * whoever handles the exception may change the CONTEXT before the program
 * continues with it. How frames are found and left is the processor's affair:
 * unwind.h on amd64, a list that starts at fs:[0] on i386.
 */
#pragma once

#include <nt/context.h>

/* EXCEPTION_RECORD.ExceptionFlags, besides EXCEPTION_NONCONTINUABLE */
#define EXCEPTION_UNWINDING             0x00000002
#define EXCEPTION_EXIT_UNWIND           0x00000004 /* no target: all frames */
#define EXCEPTION_STACK_INVALID         0x00000008
#define EXCEPTION_NESTED_CALL           0x00000010 /* of a handler, again */
#define EXCEPTION_TARGET_UNWIND         0x00000020 /* this frame is the last */
#define EXCEPTION_COLLIDED_UNWIND       0x00000040
#define EXCEPTION_UNWIND                (EXCEPTION_UNWINDING | \
                                         EXCEPTION_EXIT_UNWIND | \
                                         EXCEPTION_TARGET_UNWIND | \
                                         EXCEPTION_COLLIDED_UNWIND)

/* Of records that ntdll itself makes. */
#define STATUS_INVALID_UNWIND_TARGET    ((NTSTATUS)0xC0000029)
#define STATUS_BAD_STACK                ((NTSTATUS)0xC0000028)
#define STATUS_BAD_FUNCTION_TABLE       ((NTSTATUS)0xC00000FF)
#define STATUS_UNWIND                   ((NTSTATUS)0xC0000027)
#define STATUS_UNWIND_CONSOLIDATE       ((NTSTATUS)0x80000029)
#define STATUS_LONGJUMP                 ((NTSTATUS)0x80000026)

typedef struct _EXCEPTION_POINTERS {
    EXCEPTION_RECORD *ExceptionRecord;
    CONTEXT *ContextRecord;
} EXCEPTION_POINTERS;

/* What a frame's handler answers. */
typedef enum _EXCEPTION_DISPOSITION {
    ExceptionContinueExecution,
    ExceptionContinueSearch,
    ExceptionNestedException,
    ExceptionCollidedUnwind,
} EXCEPTION_DISPOSITION;

/* What a filter, a vectored handler, the unhandled filter answers. */
#define EXCEPTION_EXECUTE_HANDLER       1
#define EXCEPTION_CONTINUE_SEARCH       0
#define EXCEPTION_CONTINUE_EXECUTION    (-1)

typedef LONG (NTAPI *PVECTORED_EXCEPTION_HANDLER)(EXCEPTION_POINTERS *);
typedef LONG (NTAPI *PRTLP_UNHANDLED_EXCEPTION_FILTER)(EXCEPTION_POINTERS *);

/* First: before all that are there, else behind them. NULL: no memory. */
void *NTAPI RtlAddVectoredExceptionHandler(
    ULONG First, PVECTORED_EXCEPTION_HANDLER Handler);
ULONG NTAPI RtlRemoveVectoredExceptionHandler(void *Handle);
void *NTAPI RtlAddVectoredContinueHandler(ULONG First,
                                          PVECTORED_EXCEPTION_HANDLER Handler);
ULONG NTAPI RtlRemoveVectoredContinueHandler(void *Handle);

void NTAPI RtlSetUnhandledExceptionFilter(
    PRTLP_UNHANDLED_EXCEPTION_FILTER Filter);
LONG NTAPI RtlUnhandledExceptionFilter(EXCEPTION_POINTERS *Pointers);

void NTAPI RtlRaiseException(EXCEPTION_RECORD *ExceptionRecord);
__attribute__((noreturn)) void NTAPI RtlRaiseStatus(NTSTATUS Status);
void NTAPI RtlCaptureContext(CONTEXT *Context);
void NTAPI RtlUnwind(void *TargetFrame, void *TargetIp,
                     EXCEPTION_RECORD *ExceptionRecord, void *ReturnValue);
