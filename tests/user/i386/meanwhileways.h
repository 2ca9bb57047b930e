/*
 * meanwhileways.h - meanwhile.c's ways of 32-bit code: NtContinue to a place
 * that looks at ebx, a call by INT 2Eh whose arguments are wherever edx says.
 */
#pragma once

#include "../../../programs/lib/i386/call.h"
#include "../test.h"
#include "landing.h"
#include "xp.h"

#define LANDED 0x103
#define STACK_WORDS 16
#define STACK_ARGUMENTS 2               /* struct door_stack's */
#define STACK_LENGTH (STACK_ARGUMENTS + 4)
#define CONTEXT_BASE context.Ebx

/* LANDED, or the status of a context that was refused. */
static inline NTSTATUS go_on_from(CONTEXT *context, ULONG_PTR *base)
{
    static struct landed got;

    continue_and_land(context, &got);
    *base = got.ebx;
    return (NTSTATUS)got.eax;
}

/* RtlCaptureContext wants a frame. */
static inline void fill_context(CONTEXT *context, ULONG_PTR base)
{
    CHECK(__builtin_frame_address(0) != NULL);
    RtlCaptureContext(context);
    context->ContextFlags = CONTEXT_FULL;
    context->Eax = LANDED;
    context->Ebx = base;
    context->Eip = (ULONG)landing;
}

static inline void fill_stack(ULONG_PTR *stack, void *buffer, ULONG *length)
{
    stack[STACK_ARGUMENTS] = (ULONG_PTR)NtCurrentProcess();
    stack[STACK_ARGUMENTS + 1] = ProcessBasicInformation;
    stack[STACK_ARGUMENTS + 2] = (ULONG_PTR)buffer;
    stack[STACK_ARGUMENTS + 3] = sizeof(PROCESS_BASIC_INFORMATION);
    stack[STACK_LENGTH] = (ULONG_PTR)length;
}

/* NtQueryInformationProcess of the basic information. */
static inline NTSTATUS query_on(ULONG_PTR *stack, void *buffer)
{
    static struct call call;

    (void)buffer;
    call_prepare(&call, NULL);
    return (NTSTATUS)call_by_door(&call, door_named("int2e"),
                                  SERVICE_NtQueryInformationProcess,
                                  (struct door_stack *)stack);
}
