/*
 * exceptions.c - an exception, there and back: a breakpoint in ring 3, the
 * kernel's frame, KiUserExceptionDispatcher, a vectored handler that goes on
 * behind it, NtContinue.
 */
#include "bench.h"

#define INT3_BYTES 1

static LONG NTAPI go_on(EXCEPTION_POINTERS *pointers)
{
    pointers->ContextRecord->Rip += INT3_BYTES;
    return EXCEPTION_CONTINUE_EXECUTION;
}

static void stop_here(void *context)
{
    (void)context;
    __asm__ volatile("int3");
}

void show_exceptions(void)
{
    void *handler = RtlAddVectoredExceptionHandler(TRUE, go_on);

    must(handler ? STATUS_SUCCESS : STATUS_NO_MEMORY,
         "RtlAddVectoredExceptionHandler");
    figure("exception, there and back", fewest(stop_here, NULL),
           "INT3, a vectored handler, NtContinue");
    RtlRemoveVectoredExceptionHandler(handler);
}
