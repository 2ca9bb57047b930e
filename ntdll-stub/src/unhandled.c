/*
 * unhandled.c - the last filter: what no frame of a thread has handled.
 *
 * A thread's outermost frame asks rtl_filter_unhandled. EXECUTE_HANDLER ends
 * the process with the exception's code, CONTINUE_EXECUTION continues, and
 * CONTINUE_SEARCH gives the exception back to the kernel: its second chance.
 *
 * NT: kernel32 sets UnhandledExceptionFilter here, which asks the filter that
 * SetUnhandledExceptionFilter was given.
 */
#include "exceptp.h"

static PRTLP_UNHANDLED_EXCEPTION_FILTER volatile program_filter;

void NTAPI RtlSetUnhandledExceptionFilter(
    PRTLP_UNHANDLED_EXCEPTION_FILTER Filter)
{
    program_filter = Filter;
}

/* Without a filter of the program's own there is only the kernel's word. */
LONG NTAPI RtlUnhandledExceptionFilter(
    EXCEPTION_POINTERS *Pointers __attribute__((unused)))
{
    return EXCEPTION_CONTINUE_SEARCH;
}

LONG NTAPI rtl_filter_unhandled(EXCEPTION_POINTERS *pointers)
{
    PRTLP_UNHANDLED_EXCEPTION_FILTER filter = program_filter;

    return filter ? filter(pointers) : RtlUnhandledExceptionFilter(pointers);
}
