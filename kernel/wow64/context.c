/*
 * wow64/context.c - NtContinue for 32-bit code: a WOW64_CONTEXT becomes the
 * frames that the exit loads from.
 *
 * It is turned into the CONTEXT that says the same, and KeContextToKframes
 * makes that harmless as it does for 64-bit code.  The code selector is
 * always that of 32-bit code; the context's other segment registers are not
 * loaded, ds, es, fs and gs stay what they are.
 *
 * r8 to r15, which no 32-bit code has, become 0: between its call and here
 * they were the kernel's.
 *
 * Two things do not fit into a CONTEXT: Ebp belongs to the control part in
 * 32 bits and to the integer part in 64, and FloatSave has the x87 registers
 * alone, which leaves the XMM registers as they are.
 */
#include "wow64p.h"

#include <arch/descriptors.h>
#include <arch/thread.h>

#define HAS(context, part) CONTEXT_HAS(context, WOW64_CONTEXT_##part)

static void convert_integer(const WOW64_CONTEXT *from, CONTEXT *to)
{
    to->ContextFlags |= CONTEXT_INTEGER;
    to->Rax = from->Eax;
    to->Rcx = from->Ecx;
    to->Rdx = from->Edx;
    to->Rbx = from->Ebx;
    to->Rsi = from->Esi;
    to->Rdi = from->Edi;
}

static void convert_control(const WOW64_CONTEXT *from, CONTEXT *to)
{
    to->ContextFlags |= CONTEXT_CONTROL;
    to->Rip = from->Eip;
    to->Rsp = from->Esp;
    to->EFlags = from->EFlags;
    to->SegCs = KGDT_R3_CODE | RPL_MASK;
}

static void convert_debug_registers(const WOW64_CONTEXT *from, CONTEXT *to)
{
    to->ContextFlags |= CONTEXT_DEBUG_REGISTERS;
    to->Dr0 = from->Dr0;
    to->Dr1 = from->Dr1;
    to->Dr2 = from->Dr2;
    to->Dr3 = from->Dr3;
    to->Dr6 = from->Dr6;
    to->Dr7 = from->Dr7;
}

/* The FXSAVE image says more; XP takes it, too, if both are there. */
static void convert_floating_point(const WOW64_CONTEXT *from,
                                   const KTRAP_FRAME *frame, CONTEXT *to)
{
    if (HAS(from, EXTENDED_REGISTERS)) {
        wow64p_convert_fxsave(from->ExtendedRegisters, &to->FltSave);
        to->MxCsr = to->FltSave.MxCsr;
    } else if (HAS(from, FLOATING_POINT)) {
        arch_save_floating_point(&to->FltSave);
        wow64p_convert_fnsave(&from->FloatSave, &to->FltSave);
        to->MxCsr = frame->MxCsr;
    } else {
        return;
    }
    to->ContextFlags |= CONTEXT_FLOATING_POINT;
}

/* The exit loads these six from the frame; the kernel has not changed them. */
static void keep_xmm(KTRAP_FRAME *frame)
{
    XSAVE_FORMAT state __attribute__((aligned(16)));

    arch_save_floating_point(&state);
    frame->Xmm0 = state.XmmRegisters[0];
    frame->Xmm1 = state.XmmRegisters[1];
    frame->Xmm2 = state.XmmRegisters[2];
    frame->Xmm3 = state.XmmRegisters[3];
    frame->Xmm4 = state.XmmRegisters[4];
    frame->Xmm5 = state.XmmRegisters[5];
}

static void set_frames(KTRAP_FRAME *frame, const WOW64_CONTEXT *from)
{
    KEXCEPTION_FRAME exception = { 0 };
    ULONGLONG rbp = frame->Rbp;
    CONTEXT context = { 0 };

    if (HAS(from, CONTROL)) {
        convert_control(from, &context);
        rbp = from->Ebp;
    }
    if (HAS(from, INTEGER))
        convert_integer(from, &context);
    if (HAS(from, DEBUG_REGISTERS))
        convert_debug_registers(from, &context);
    convert_floating_point(from, frame, &context);

    frame->Rax = frame->Rcx = frame->Rdx = 0;
    frame->R8 = frame->R9 = frame->R10 = frame->R11 = 0;
    keep_xmm(frame);
    KeContextToKframes(frame, &exception, &context, context.ContextFlags,
                       UserMode);
    frame->ExceptionActive = KEXCEPTION_ACTIVE_EXCEPTION;
    frame->ErrorCode = 0;
    arch_write_nonvolatile(&exception);
    frame->Rbp = rbp;
}

NTSTATUS wow64p_capture_context(const WOW64_CONTEXT *user,
                                WOW64_CONTEXT *context)
{
    NTSTATUS status = mm_probe_for_read(user, sizeof *context, sizeof(ULONG));

    if (NT_SUCCESS(status))
        status = mm_copy_from_user(context, user, sizeof *context);
    if (NT_SUCCESS(status) && !(context->ContextFlags & WOW64_CONTEXT_i386))
        status = STATUS_INVALID_PARAMETER;
    return status;
}

void wow64p_load_context(const WOW64_CONTEXT *context)
{
    KIRQL old = KfRaiseIrql(APC_LEVEL); /* no APC sees half a state */

    set_frames(KeGetCurrentThread()->TrapFrame, context);
    KfLowerIrql(old);
}

/*
 * wow64_NtContinue's C half (entry/continue.asm), as KiContinue is
 * NtContinue's.  STATUS_ACCESS_VIOLATION, STATUS_DATATYPE_MISALIGNMENT,
 * STATUS_INVALID_PARAMETER for a context that is not i386's.
 */
NTSTATUS wow64_continue(const WOW64_CONTEXT *user, BOOLEAN test_alert)
{
    WOW64_CONTEXT context;
    NTSTATUS status = wow64p_capture_context(user, &context);

    if (!NT_SUCCESS(status))
        return status;
    wow64p_load_context(&context);
    ki_continue_user_apcs(test_alert);
    return STATUS_SUCCESS;
}
