/*
 * walk.c - one step up the current thread's stack.
 *
 * What a step reads lies on the stack that the TEB tells, and rsp only grows.
 * A thread on another stack, or one that has spoilt its own, gets
 * STATUS_BAD_STACK and no step.
 *
 * A return address of 0 is that of a thread's first function. Code that was
 * interrupted with rip 0 is another thing: it has called a null pointer.
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

NTSTATUS unwind_step(ULONG type, DISPATCHER_CONTEXT *at, CONTEXT *context,
                     BOOLEAN *last)
{
    struct unwind_memory memory = { .stack = current_stack() };
    ULONGLONG rsp = context->Rsp;
    BOOLEAN interrupted = FALSE;
    NTSTATUS status;

    at->ControlPc = context->Rip;
    at->FunctionEntry = functions_find(context->Rip, &at->ImageBase,
                                       &memory.image);
    if (!at->FunctionEntry)
        status = leave_leaf(at, context, &memory.stack);
    else
        status = unwind_frame(&memory, type, at, context, NULL, &interrupted);
    *last = (!context->Rip && !interrupted) ||
            context->Rsp >= memory.stack.high;
    if (NT_SUCCESS(status) &&
        (at->EstablisherFrame % 8 ||
         at->EstablisherFrame < memory.stack.low ||
         at->EstablisherFrame >= memory.stack.high || context->Rsp <= rsp))
        return STATUS_BAD_STACK;
    return status;
}

/* The other walk's place is in at; its context is the function's own. */
NTSTATUS unwind_adopt(DISPATCHER_CONTEXT *at, CONTEXT *current,
                      CONTEXT *caller, BOOLEAN *last)
{
    PEXCEPTION_ROUTINE handler = at->LanguageHandler;
    void *data = at->HandlerData;
    NTSTATUS status;

    *current = *at->ContextRecord;
    current->Rip = at->ControlPc;
    *caller = *current;
    status = unwind_step(UNW_FLAG_NHANDLER, at, caller, last);
    at->LanguageHandler = handler;
    at->HandlerData = data;
    return status;
}
