/*
 * walk.c - one step up the current thread's stack.
 *
 * What a step reads lies on the stack that the TEB tells, and rsp only grows.
 * A thread on another stack, or one that has spoilt its own, gets
 * STATUS_BAD_STACK and no step.
 */
#include "unwindp.h"

static struct unwind_range current_stack(void)
{
    const NT_TIB *tib = &NtCurrentTeb()->NtTib;

    return (struct unwind_range){ (ULONGLONG)tib->StackLimit,
                                  (ULONGLONG)tib->StackBase };
}

/* No entry: no prologue, and a return address at rsp. */
static NTSTATUS leave_leaf(DISPATCHER_CONTEXT *at, CONTEXT *context,
                           const struct unwind_range *stack)
{
    if (context->Rsp % 8 || context->Rsp < stack->low ||
        context->Rsp >= stack->high)
        return STATUS_BAD_STACK;
    at->EstablisherFrame = context->Rsp;
    at->LanguageHandler = NULL;
    context->Rip = *(const ULONGLONG *)context->Rsp;
    context->Rsp += 8;
    return STATUS_SUCCESS;
}

NTSTATUS unwind_step(ULONG type, DISPATCHER_CONTEXT *at, CONTEXT *context)
{
    struct unwind_memory memory = { .stack = current_stack() };
    ULONGLONG rsp = context->Rsp;
    NTSTATUS status;

    at->ControlPc = context->Rip;
    at->FunctionEntry = functions_find(context->Rip, &at->ImageBase,
                                       &memory.image);
    if (!at->FunctionEntry)
        return leave_leaf(at, context, &memory.stack);
    status = unwind_frame(&memory, type, at, context, NULL);
    if (NT_SUCCESS(status) &&
        (at->EstablisherFrame % 8 ||
         at->EstablisherFrame < memory.stack.low ||
         at->EstablisherFrame >= memory.stack.high || context->Rsp <= rsp))
        return STATUS_BAD_STACK;
    return status;
}

/* The other walk's place is in at; its context is the function's own. */
NTSTATUS unwind_adopt(DISPATCHER_CONTEXT *at, CONTEXT *current,
                      CONTEXT *caller)
{
    PEXCEPTION_ROUTINE handler = at->LanguageHandler;
    void *data = at->HandlerData;
    NTSTATUS status;

    *current = *at->ContextRecord;
    current->Rip = at->ControlPc;
    *caller = *current;
    status = unwind_step(UNW_FLAG_NHANDLER, at, caller);
    at->LanguageHandler = handler;
    at->HandlerData = data;
    return status;
}

BOOLEAN unwind_at_end(const CONTEXT *context)
{
    return !context->Rip || context->Rsp >= current_stack().high;
}
