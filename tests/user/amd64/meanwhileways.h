/*
 * meanwhileways.h - meanwhile.c's ways of 64-bit code: NtContinue to a place
 * that looks at rbx, a call whose fifth argument is on a stack of its own.
 */
#pragma once

#include "../../../programs/lib/call.h"
#include "../test.h"
#include "services.h"

#define LANDED 0x103
#define STACK_WORDS 16
#define STACK_LENGTH 5                  /* the word that is the argument */
#define CONTEXT_BASE context.Rbx

NTSTATUS continue_and_land(CONTEXT *context, struct registers *registers);
void landing(void);

/* LANDED, or the status of a context that was refused. */
static inline NTSTATUS go_on_from(CONTEXT *context, ULONG_PTR *base)
{
    static struct registers got;
    NTSTATUS status;

    got.Rbx = 0;
    status = continue_and_land(context, &got);
    *base = got.Rbx;
    return status;
}

static inline void fill_context(CONTEXT *context, ULONG_PTR base)
{
    RtlCaptureContext(context);
    context->ContextFlags = CONTEXT_FULL;
    context->Rbx = base;
    context->Rip = (ULONG_PTR)landing;
}

static inline void fill_stack(ULONG_PTR *stack, void *buffer, ULONG *length)
{
    (void)buffer;
    stack[STACK_LENGTH] = (ULONG_PTR)length;
}

/* NtQueryInformationProcess of the basic information. */
static inline NTSTATUS query_on(ULONG_PTR *stack, void *buffer)
{
    static struct call call;
    const ULONGLONG arguments[] = {
        (ULONG_PTR)NtCurrentProcess(), ProcessBasicInformation,
        (ULONG_PTR)buffer, sizeof(PROCESS_BASIC_INFORMATION),
    };

    call_prepare(&call, call_raw_on_stack, ARRAY_SIZE(arguments), arguments);
    call.in.Rax = SERVICE_NtQueryInformationProcess;
    call.in.R12 = (ULONG_PTR)stack;
    call_with_registers(&call);
    return (NTSTATUS)call.out.Rax;
}
