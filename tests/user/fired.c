/*
 * fired.c - every vector that has no stack of its own comes once, as if from
 * ring 3: an exception is one of ring 3's, anything else nobody here notices.
 * Behind both every register is as it was.
 *
 * The test kernel makes them come (tests/kernel/fired.c), for few of these can
 * be raised, or would be by this emulator.  Nor would its IRETQ, on which three
 * of them come once more.
 *
 * Scenarios: B6, K11.
 */
#include "test.h"

#include "facts.h"
#include "../../programs/lib/call.h"

#define FIRE 0x41                       /* tests/kernel/selftest.c */
#define VECTORS 256
#define BY_IRETQ 0x100

/* tests/kernel/fired.c, for each argument of its: rax, rcx, rdx, r8 to r11,
   xmm0 to xmm5. */
#define NUMBER 0x1122334455667700ULL
#define XMM_AT 7
#define XMM_VOLATILE 6

#define CHANGE 0x1000000000000ULL
#define MXCSR_CHANGE 0x8000             /* flush to zero */

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

static const void *ask_kernel;
static ULONG vector, how, came;
static NTSTATUS code;
static struct call call;

/* What was saved is what is loaded, if it has changed meanwhile, too. */
static void change(CONTEXT *context)
{
    ULONGLONG *const integers[] = {
        &context->Rax, &context->Rcx, &context->Rdx, &context->R8,
        &context->R9, &context->R10, &context->R11, &context->Rbx,
        &context->Rbp, &context->Rsi, &context->Rdi, &context->R12,
        &context->R13, &context->R14, &context->R15,
    };

    for (ULONG i = 0; i < ARRAY_SIZE(integers); i++)
        *integers[i] += CHANGE;
    for (ULONG i = 0; i < ARRAY_SIZE(call.in.Xmm); i++)
        context->FltSave.XmmRegisters[i].Low += CHANGE;
    context->MxCsr ^= MXCSR_CHANGE;
}

static LONG NTAPI handle(EXCEPTION_POINTERS *pointers)
{
    CONTEXT *context = pointers->ContextRecord;

    came++;
    change(context);
    code = pointers->ExceptionRecord->ExceptionCode;
    INSTRUCTION_POINTER(context) = (ULONG_PTR)call_raw_behind;
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

static BOOLEAN is_number(ULONGLONG value, ULONG i)
{
    return value == NUMBER + ((ULONGLONG)(vector | how) << 8) + i +
                        came * CHANGE;
}

static BOOLEAN is_same(ULONGLONG in, ULONGLONG out)
{
    return out == in + came * CHANGE;
}

static BOOLEAN is_kept(const struct registers *in, const struct registers *out)
{
    BOOLEAN kept =
        is_number(out->Rax, 0) && is_number(out->Rcx, 1) &&
        is_number(out->Rdx, 2) && is_number(out->R8, 3) &&
        is_number(out->R9, 4) && is_number(out->R10, 5) &&
        is_number(out->R11, 6) && is_same(in->Rbx, out->Rbx) &&
        is_same(in->Rbp, out->Rbp) && is_same(in->Rsi, out->Rsi) &&
        is_same(in->Rdi, out->Rdi) && is_same(in->R12, out->R12) &&
        is_same(in->R13, out->R13) && is_same(in->R14, out->R14) &&
        is_same(in->R15, out->R15) && in->Rsp == out->Rsp &&
        in->Rflags == out->Rflags;

    for (ULONG i = 0; i < ARRAY_SIZE(in->Xmm); i++) {
        ULONGLONG low = out->Xmm[i].Low, high = out->Xmm[i].High;
        ULONGLONG before = low - came * CHANGE;

        kept &= i >= XMM_VOLATILE ? is_same(in->Xmm[i].Low, low) &&
                                        in->Xmm[i].High == out->Xmm[i].High
                                  : is_number(low, XMM_AT + i) &&
                                        high == (before << 32 | before >> 32);
    }
    return kept && call.mxcsr_out == (came ? call.mxcsr_in ^ MXCSR_CHANGE
                                           : call.mxcsr_in);
}

static void fire(void)
{
    const ULONGLONG arguments[] = { FIRE, vector | how };

    came = 0;
    code = STATUS_SUCCESS;
    call_prepare(&call, (void *)(ULONG_PTR)call_raw, 2, arguments);
    call.in.Rax = stub_number(ask_kernel);
    call_with_registers(&call);
    CHECK_SAY(code == expected() && came == (code != STATUS_SUCCESS),
              "vector %02x, %03x: %u x %08x", vector, how, came, code);
    CHECK_SAY(is_kept(&call.in, &call.out),
              "vector %02x, %03x: another register", vector, how);
}

NTSTATUS NtProcessStartup(PEB *peb)
{
    (void)peb;
    ask_kernel = find_stub("NtwSelfTest");
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
