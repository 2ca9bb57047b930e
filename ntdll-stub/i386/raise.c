/*
 * raise.c - an exception that a program wants.
 *
 * The context is the caller's, as if the call had returned: who continues the
 * exception goes on behind the call.
 *
 * NT: XP raises by way of the kernel, which dispatches the exception like one
 * of the processor; newer Windows asks the handlers at once.
 */
#include "seh.h"

#define ARGUMENTS 1                             /* of both routines */

/* NtRaiseException comes back only if it cannot raise. */
static void raise_exception(EXCEPTION_RECORD *record, CONTEXT *context)
{
    context->Esp += ARGUMENTS * sizeof(ULONG);
    record->ExceptionAddress = (void *)context->Eip;
    RtlRaiseStatus(NtRaiseException(record, context, TRUE));
}

static void raise_status(NTSTATUS status, CONTEXT *context)
{
    EXCEPTION_RECORD record = {
        .ExceptionCode = status,
        .ExceptionFlags = EXCEPTION_NONCONTINUABLE,
        .ExceptionAddress = (void *)context->Eip,
    };

    context->Esp += ARGUMENTS * sizeof(ULONG);
    for (;;)
        NtTerminateProcess(NtCurrentProcess(),
                           NtRaiseException(&record, context, TRUE));
}

/* routine(the one argument, the caller's context), which does not return. */
#define WITH_CONTEXT(routine)                                           \
    __asm__ volatile(                                                   \
        "pushl %%ebp\n"                                                 \
        "movl %%esp, %%ebp\n"                                           \
        "leal %c[below](%%esp), %%esp\n"                                \
        "pushl %%esp\n"                                                 \
        "call _RtlCaptureContext@4\n"                                   \
        "movl %%esp, %%eax\n"                                           \
        "pushl %%eax\n"                                                 \
        "pushl 8(%%ebp)\n"                                              \
        "call %c[to]\n"                                                 \
        :                                                               \
        : [below] "i"(-(int)sizeof(CONTEXT)), [to] "i"(routine))

__attribute__((naked)) void NTAPI RtlRaiseException(
    EXCEPTION_RECORD *ExceptionRecord __attribute__((unused)))
{
    WITH_CONTEXT(raise_exception);
}

__attribute__((naked, noreturn)) void NTAPI RtlRaiseStatus(
    NTSTATUS Status __attribute__((unused)))
{
    WITH_CONTEXT(raise_status);
}
