/*
 * fired.c - every vector that has no stack of its own comes once, as if from
 * ring 3: an exception is one of ring 3's, anything else nobody here notices.
 *
 * The test kernel makes them come (tests/kernel/fired.c), for few of these can
 * be raised, or would be by this emulator.  Nor would its IRETQ, on which three
 * of them come once more.
 *
 * Scenarios: B6, K11.
 */
#include "cases.h"

#include "facts.h"
#include "../../programs/lib/find.h"

#define FIRE 0x41                       /* tests/kernel/selftest.c */
#define VECTORS 256
#define BY_IRETQ 0x100

/* NMI, #DF, #MC and #DB have stacks of their own. Of #PF CR2 is the half. 29h
   ends the process, 2Dh and 2Eh are calls: rax would be their number. */
static const UCHAR left_out[] = { 1, 2, 8, 14, 18, 0x29, 0x2D, 0x2E };

static const struct {
    UCHAR vector;
    NTSTATUS code;
} exceptions[] = {
    { 0, STATUS_INTEGER_DIVIDE_BY_ZERO },
    { 3, STATUS_BREAKPOINT },
    { 4, STATUS_INTEGER_OVERFLOW },
    { 5, STATUS_ARRAY_BOUNDS_EXCEEDED },
    { 6, STATUS_ILLEGAL_INSTRUCTION },
    { 7, STATUS_ILLEGAL_INSTRUCTION },
    { 9, STATUS_ACCESS_VIOLATION },
    { 10, STATUS_ACCESS_VIOLATION },
    { 11, STATUS_ACCESS_VIOLATION },
    { 12, STATUS_ACCESS_VIOLATION },
    { 13, STATUS_ACCESS_VIOLATION },
    { 16, STATUS_FLOAT_INEXACT_RESULT },
    { 17, STATUS_DATATYPE_MISALIGNMENT },
    { 19, STATUS_FLOAT_INEXACT_RESULT },
    { 20, STATUS_ACCESS_VIOLATION },
    { 21, STATUS_ACCESS_VIOLATION },
    { 0x2C, STATUS_ASSERTION_FAILURE },
};

static NTSTATUS (*ask_kernel)(ULONG test, ULONGLONG argument);
static ULONG vector, how, came;
static NTSTATUS code;

static LONG NTAPI handle(EXCEPTION_POINTERS *pointers)
{
    CONTEXT *context = pointers->ContextRecord;

    came++;
    code = pointers->ExceptionRecord->ExceptionCode;
    INSTRUCTION_POINTER(context) = (ULONG_PTR)back;
    STACK_POINTER(context) = stack_of_case;
    return EXCEPTION_CONTINUE_EXECUTION;
}

static BOOLEAN is_left_out(void)
{
    for (ULONG i = 0; i < ARRAY_SIZE(left_out); i++) {
        if (left_out[i] == vector)
            return TRUE;
    }
    return FALSE;
}

static NTSTATUS expected(void)
{
    for (ULONG i = 0; i < ARRAY_SIZE(exceptions); i++) {
        if (exceptions[i].vector == vector)
            return exceptions[i].code;
    }
    return STATUS_SUCCESS;
}

static void ask(void)
{
    if (!NT_SUCCESS(ask_kernel(FIRE, vector | how)))
        came = VECTORS;
}

static void fire(void)
{
    came = 0;
    code = STATUS_SUCCESS;
    routine = ask;
    run_case(call_routine);
    CHECK_SAY(code == expected() && came == (code != STATUS_SUCCESS),
              "vector %02x, %03x: %u x %08x", vector, how, came, code);
}

NTSTATUS NtProcessStartup(PEB *peb)
{
    (void)peb;
    ask_kernel = (void *)find_stub("NtwSelfTest");
    if (!ask_kernel)
        return STATUS_PROCEDURE_NOT_FOUND;
    RtlAddVectoredExceptionHandler(TRUE, handle);
    for (vector = 0; vector < VECTORS; vector++) {
        if (!is_left_out())
            fire();
    }
    how = BY_IRETQ;
    for (vector = 11; vector <= 13; vector++)
        fire();
    return test_end();
}
