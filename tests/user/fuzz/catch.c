/*
 * catch.c - the exceptions of states and contexts: noted, looked at, and
 * answered by going back.
 */
#include "state.h"

#include "facts.h"

#define RFLAGS_TF 0x100u
#define FLAGS_FORBIDDEN 0x1A7000u               /* IOPL NT VM VIF VIP */

struct caught caught;

static BOOLEAN is_of_kernel(ULONGLONG word)
{
    return word >= KERNEL_ADDRESS && word < 0xFFFFFFFFFFFFF000ULL &&
           !generate_has_used(word);
}

/* A record, and where it came from, is ring 3's. */
static const char *check_exception(const EXCEPTION_RECORD *record,
                                   const CONTEXT *context)
{
    if (context->SegCs != 0x2B || context->SegSs != 0x23)
        return "cs or ss of an exception";
    if ((context->EFlags & 0x20202) != 0x202 ||
        context->EFlags & (FLAGS_FORBIDDEN & ~0x4000))
        return "flags of an exception";
    for (ULONG at = 0; at < record->NumberParameters; at++)
        if (is_of_kernel(record->ExceptionInformation[at]) &&
            record->ExceptionInformation[at] != caught.allowed)
            return "a parameter of an exception";
    return NULL;
}

static void go_back(CONTEXT *context)
{
    context->Rip = (ULONG_PTR)state_back;
    context->EFlags = 0x202;
    context->Dr7 = 0;
    context->ContextFlags |= CONTEXT_DEBUG_REGISTERS;
}

/* A breakpoint that is hit elsewhere is one no more. */
static LONG NTAPI catch(EXCEPTION_POINTERS *pointers)
{
    const EXCEPTION_RECORD *record = pointers->ExceptionRecord;
    CONTEXT *context = pointers->ContextRecord;

    if (!caught.armed && record->ExceptionCode != STATUS_SINGLE_STEP)
        return EXCEPTION_CONTINUE_SEARCH;
    if (!caught.armed) {
        context->Dr7 = 0;
        context->EFlags &= ~RFLAGS_TF;
        context->ContextFlags |= CONTEXT_DEBUG_REGISTERS;
        return EXCEPTION_CONTINUE_EXECUTION;
    }
    caught.armed = FALSE;
    caught.code = record->ExceptionCode;
    caught.address = (ULONG_PTR)record->ExceptionAddress;
    caught.rip = context->Rip;
    caught.target = record->NumberParameters > 1
                        ? record->ExceptionInformation[1] : 0;
    caught.wrong = check_exception(record, context);
    go_back(context);
    return EXCEPTION_CONTINUE_EXECUTION;
}

void catch_begin(void)
{
    CHECK(RtlAddVectoredExceptionHandler(TRUE, catch) != NULL);
}

void catch_arm(void)
{
    caught = (struct caught){ .armed = TRUE };
}

/* Nothing has come: what comes now is not expected any more. */
void catch_disarm(void)
{
    caught.armed = FALSE;
}
