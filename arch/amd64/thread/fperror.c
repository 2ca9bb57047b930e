/*
 * thread/fperror.c - which floating-point error it was.
 *
 * SDM: 1, 8.1.3 and 10.2.3: of the six bits of a status word those count that
 * the control word does not mask; several can be set.  Windows asks in one
 * order for both kinds.
 *
 * x87: the error is reported at the next x87 instruction; ExceptionAddress is
 * the one that made it, where the processor has kept that.  What is pending
 * stays in the CONTEXT.
 *
 * SSE: 64-bit code gets the error's own code.  32-bit code gets one of two:
 * "traps" for what is found before the operation, "faults" for what its result
 * is, which is not how the SDM uses these words.
 */
#include <arch/thread.h>
#include <arch/trap.h>
#include <ps.h>

#define INVALID 0x01
#define DENORMAL 0x02
#define ZERO_DIVIDE 0x04
#define OVERFLOW 0x08
#define UNDERFLOW 0x10
#define ERRORS 0x3F
#define BEFORE (INVALID | DENORMAL | ZERO_DIVIDE)
#define STACK_FAULT 0x40                /* x87: with INVALID */
#define MXCSR_MASK_SHIFT 7

static NTSTATUS code_of(ULONG raised)
{
    if (raised & INVALID)
        return STATUS_FLOAT_INVALID_OPERATION;
    if (raised & ZERO_DIVIDE)
        return STATUS_FLOAT_DIVIDE_BY_ZERO;
    if (raised & DENORMAL)
        return STATUS_FLOAT_DENORMAL_OPERAND;
    if (raised & OVERFLOW)
        return STATUS_FLOAT_OVERFLOW;
    if (raised & UNDERFLOW)
        return STATUS_FLOAT_UNDERFLOW;
    return STATUS_FLOAT_INEXACT_RESULT;
}

static ULONG_PTR x87_address(const XSAVE_FORMAT *state, const KTRAP_FRAME *f)
{
    ULONG_PTR address = state->ErrorOffset;

    if (!ki_is_code32(f))
        address |= (ULONG_PTR)state->ErrorSelector << 32;
    return address ? address : f->Rip;
}

void ki_make_x87_record(const KTRAP_FRAME *frame, EXCEPTION_RECORD *record)
{
    XSAVE_FORMAT state __attribute__((aligned(16)));
    ULONG raised;

    arch_save_floating_point(&state);
    raised = state.StatusWord & ~state.ControlWord & ERRORS;
    record->ExceptionCode = code_of(raised);
    record->ExceptionAddress = (void *)x87_address(&state, frame);
    record->NumberParameters = 1;
    if ((raised & INVALID) && (state.StatusWord & STACK_FAULT)) {
        record->ExceptionCode = STATUS_FLOAT_STACK_CHECK;
        record->NumberParameters = 2;
    }
}

void ki_make_simd_record(const KTRAP_FRAME *frame, EXCEPTION_RECORD *record)
{
    ULONG raised = frame->MxCsr & ~(frame->MxCsr >> MXCSR_MASK_SHIFT) & ERRORS;

    if (!PsGetCurrentProcess()->WoW64Process)
        record->ExceptionCode = code_of(raised);
    else if (raised & BEFORE)
        record->ExceptionCode = STATUS_FLOAT_MULTIPLE_TRAPS;
    else
        record->ExceptionCode = STATUS_FLOAT_MULTIPLE_FAULTS;
    record->NumberParameters = 2;
    record->ExceptionInformation[1] = frame->MxCsr;
}
