/*
 * thread/context.c - between a CONTEXT and the frames that an exit loads from.
 *
 * A context comes from ring 3 and is hostile until proven otherwise.  What it
 * may set is listed here, bit by bit: selectors never, flags by a mask, rip
 * made canonical, debug addresses only of user space (debugregs.c).
 */
#include <bug.h>
#include <arch/entry.h>
#include <arch/thread.h>
#include <mm.h>
#include <x86/registers.h>

#define MXCSR_USER_MASK (BUG(context_mxcsr_trusted) ? ~0U : 0xFFFFU)
#define FCW_USER_MASK 0x1F7F            /* bit 6 reads as 1 */
#define CANONICAL_SHIFT 16

/* NtContinueEx's second argument: a value up to here is a BOOLEAN. */
#define CONTINUE_HIGHEST_BOOLEAN 0xFF
#define KCONTINUE_FLAGS (KCONTINUE_FLAG_TEST_ALERT | KCONTINUE_FLAG_DELIVER_APC)

static ULONGLONG canonical(ULONGLONG address)
{
    return (ULONGLONG)((LONGLONG)(address << CANONICAL_SHIFT) >>
                       CANONICAL_SHIFT);
}

static void set_control(KTRAP_FRAME *frame, const CONTEXT *context)
{
    frame->EFlags = (BUG(context_flags_trusted)
                         ? context->EFlags
                         : context->EFlags & EFLAGS_USER_MASK) | EFLAGS_IF;
    frame->Rip = canonical(context->Rip);
    frame->Rsp = context->Rsp;
    frame->SegCs = KGDT64_R3_CODE | RPL_MASK;
    if (BUG(context_cs_trusted))
        frame->SegCs = context->SegCs;
    if (context->SegCs == (KGDT_R3_CODE | RPL_MASK)) {
        frame->SegCs = context->SegCs;
        frame->Rip &= 0xFFFFFFFF;
    }
    frame->SegSs = BUG(context_ss_trusted) && context->SegSs
                       ? context->SegSs : KGDT_R3_DATA | RPL_MASK;
}

/*
 * Kernel code alone can have put anything else there, and IRETQ has refused it
 * (entry/traps.asm).
 */
void ki_make_loadable(KTRAP_FRAME *frame)
{
    if ((frame->SegCs == (KGDT64_R3_CODE | RPL_MASK) ||
         frame->SegCs == (KGDT_R3_CODE | RPL_MASK)) &&
        (frame->SegSs == (KGDT_R3_DATA | RPL_MASK) ||
         frame->SegSs == (KGDT_R3_TEB | RPL_MASK)) &&
        frame->Rip == canonical(frame->Rip))
        return;
    if (frame->SegCs != (KGDT_R3_CODE | RPL_MASK))
        frame->SegCs = KGDT64_R3_CODE | RPL_MASK;
    frame->SegSs = KGDT_R3_DATA | RPL_MASK;
    frame->Rip = canonical(frame->Rip);
    frame->EFlags = (frame->EFlags & EFLAGS_USER_MASK) | EFLAGS_IF;
}

static void set_integer(KTRAP_FRAME *frame, KEXCEPTION_FRAME *exception,
                        const CONTEXT *context)
{
    frame->Rax = context->Rax;
    frame->Rcx = context->Rcx;
    frame->Rdx = context->Rdx;
    frame->R8 = context->R8;
    frame->R9 = context->R9;
    frame->R10 = context->R10;
    frame->R11 = context->R11;
    frame->Rbx = context->Rbx;
    frame->Rbp = context->Rbp;
    frame->Rsi = context->Rsi;
    frame->Rdi = context->Rdi;
    exception->R12 = context->R12;
    exception->R13 = context->R13;
    exception->R14 = context->R14;
    exception->R15 = context->R15;
}

/*
 * The registers themselves are loaded: the kernel does not use them, so they
 * stay until the exit, which takes xmm0-5 and MXCSR from the frame.
 */
static void set_floating_point(KTRAP_FRAME *frame, const CONTEXT *context)
{
    XSAVE_FORMAT state __attribute__((aligned(16))) = context->FltSave;

    state.MxCsr = context->MxCsr & MXCSR_USER_MASK;
    state.ControlWord &= FCW_USER_MASK;
    __asm__ volatile("fxrstor64 %0" : : "m"(state));
    frame->MxCsr = state.MxCsr;
    frame->Xmm0 = state.XmmRegisters[0];
    frame->Xmm1 = state.XmmRegisters[1];
    frame->Xmm2 = state.XmmRegisters[2];
    frame->Xmm3 = state.XmmRegisters[3];
    frame->Xmm4 = state.XmmRegisters[4];
    frame->Xmm5 = state.XmmRegisters[5];
}

void KeContextToKframes(KTRAP_FRAME *frame, KEXCEPTION_FRAME *exception,
                        const CONTEXT *context, ULONG flags,
                        KPROCESSOR_MODE mode)
{
    ASSERT(mode == UserMode);
    if ((flags & CONTEXT_CONTROL) == CONTEXT_CONTROL)
        set_control(frame, context);
    if ((flags & CONTEXT_INTEGER) == CONTEXT_INTEGER)
        set_integer(frame, exception, context);
    if ((flags & CONTEXT_FLOATING_POINT) == CONTEXT_FLOATING_POINT)
        set_floating_point(frame, context);
    if ((flags & CONTEXT_DEBUG_REGISTERS) == CONTEXT_DEBUG_REGISTERS)
        ki_set_debug_registers(frame, context);
}

static void get_control(const KTRAP_FRAME *frame, CONTEXT *context)
{
    context->EFlags = frame->EFlags;
    context->Rip = frame->Rip;
    context->Rsp = frame->Rsp;
    context->SegCs = frame->SegCs;
    context->SegSs = frame->SegSs;
}

/* Those that Windows gives to every thread, whatever is loaded. */
static void get_segments(CONTEXT *context)
{
    context->SegDs = context->SegEs = KGDT_R3_DATA | RPL_MASK;
    context->SegFs = KGDT_R3_TEB | RPL_MASK;
    context->SegGs = KGDT_R3_DATA | RPL_MASK;
}

static void get_integer(const KTRAP_FRAME *frame,
                        const KEXCEPTION_FRAME *exception, CONTEXT *context)
{
    context->Rax = frame->Rax;
    context->Rcx = frame->Rcx;
    context->Rdx = frame->Rdx;
    context->R8 = frame->R8;
    context->R9 = frame->R9;
    context->R10 = frame->R10;
    context->R11 = frame->R11;
    context->Rbx = frame->Rbx;
    context->Rbp = frame->Rbp;
    context->Rsi = frame->Rsi;
    context->Rdi = frame->Rdi;
    context->R12 = exception->R12;
    context->R13 = exception->R13;
    context->R14 = exception->R14;
    context->R15 = exception->R15;
}

/* MXCSR and xmm0-5 are the kernel's or nobody's by now. */
static void get_floating_point(const KTRAP_FRAME *frame, CONTEXT *context)
{
    XSAVE_FORMAT state __attribute__((aligned(16))) = { 0 };

    arch_save_floating_point(&state);
    state.MxCsr = context->MxCsr = frame->MxCsr;
    state.XmmRegisters[0] = frame->Xmm0;
    state.XmmRegisters[1] = frame->Xmm1;
    state.XmmRegisters[2] = frame->Xmm2;
    state.XmmRegisters[3] = frame->Xmm3;
    state.XmmRegisters[4] = frame->Xmm4;
    state.XmmRegisters[5] = frame->Xmm5;
    context->FltSave = state;
}

void KeContextFromKframes(const KTRAP_FRAME *frame,
                          const KEXCEPTION_FRAME *exception,
                          CONTEXT *context)
{
    if (CONTEXT_HAS(context, CONTEXT_CONTROL))
        get_control(frame, context);
    if (CONTEXT_HAS(context, CONTEXT_SEGMENTS))
        get_segments(context);
    if (CONTEXT_HAS(context, CONTEXT_INTEGER))
        get_integer(frame, exception, context);
    if (CONTEXT_HAS(context, CONTEXT_FLOATING_POINT))
        get_floating_point(frame, context);
    if (CONTEXT_HAS(context, CONTEXT_DEBUG_REGISTERS))
        ki_get_debug_registers(frame, context);
}

/*
 * The frame of this service call becomes the frame of the new state; what
 * ContextFlags leaves out is 0 where it is volatile, and as the caller had it
 * otherwise.  At APC_LEVEL, so that no APC sees half a state.  From here on
 * the frame is as complete as an exception's, and left as one's is.
 */
void ki_load_user_state(const struct ki_user_state *state)
{
    const CONTEXT *context = &state->context;
    KTRAP_FRAME *frame = KeGetCurrentThread()->TrapFrame;
    KEXCEPTION_FRAME exception;
    KIRQL old = KfRaiseIrql(APC_LEVEL);

    frame->Rax = frame->Rcx = frame->Rdx = 0;
    frame->R8 = frame->R9 = frame->R10 = frame->R11 = 0;
    memset(&frame->Xmm0, 0, 6 * sizeof frame->Xmm0);
    arch_read_nonvolatile(&exception);
    KeContextToKframes(frame, &exception, context, context->ContextFlags,
                       UserMode);
    frame->ExceptionActive = KEXCEPTION_ACTIVE_EXCEPTION;
    frame->ErrorCode = 0;
    arch_write_nonvolatile(&exception);
    if (state->has_extended)
        ki_set_xstate(&state->extended);
    KfLowerIrql(old);
}

NTSTATUS ki_capture_user_state(const CONTEXT *user_context,
                               struct ki_user_state *state)
{
    CONTEXT *context = &state->context;
    NTSTATUS status = mm_probe_for_read(user_context, sizeof *context, 16);

    state->has_extended = FALSE;
    if (ExGetPreviousMode() != UserMode)
        return STATUS_INVALID_PARAMETER;
    if (NT_SUCCESS(status))
        status = mm_copy_from_user(context, user_context, sizeof *context);
    if (!NT_SUCCESS(status))
        return status;
    if (!(context->ContextFlags & CONTEXT_AMD64))
        return STATUS_INVALID_PARAMETER;
    if (CONTEXT_HAS(context, CONTEXT_XSTATE) && ki_has_extended_state()) {
        state->has_extended = TRUE;
        status = ki_capture_xstate(user_context, &state->extended);
    }
    return status;
}

static NTSTATUS continue_with(const CONTEXT *user_context, BOOLEAN test_alert)
{
    struct ki_user_state state;
    NTSTATUS status = ki_capture_user_state(user_context, &state);

    if (!NT_SUCCESS(status))
        return status;
    ki_load_user_state(&state);
    ki_continue_user_apcs(test_alert);
    return STATUS_SUCCESS;
}

/*
 * NtContinue's C half (entry/continue.asm).  STATUS_ACCESS_VIOLATION,
 * STATUS_DATATYPE_MISALIGNMENT, STATUS_INVALID_PARAMETER for a context that
 * is not AMD64's or whose extended state is cut short.
 */
NTSTATUS KiContinue(const CONTEXT *user_context, BOOLEAN test_alert)
{
    return continue_with(user_context, test_alert);
}

/*
 * NtContinueEx's.  Its argument is a BOOLEAN or points to a
 * KCONTINUE_ARGUMENT.  The types differ for shadow stacks only, and
 * KCONTINUE_FLAG_DELIVER_APC says what happens anyhow.
 */
NTSTATUS KiContinueEx(const CONTEXT *user_context, ULONG_PTR value)
{
    const void *user = (const void *)value;
    KCONTINUE_ARGUMENT argument;
    NTSTATUS status;

    if (value <= CONTINUE_HIGHEST_BOOLEAN)
        return continue_with(user_context, value != 0);
    status = mm_probe_for_read(user, sizeof argument, 8);
    if (NT_SUCCESS(status))
        status = mm_copy_from_user(&argument, user, sizeof argument);
    if (!NT_SUCCESS(status))
        return status;
    if (argument.ContinueType >= KCONTINUE_LAST ||
        (argument.ContinueFlags & ~(ULONG)KCONTINUE_FLAGS))
        return STATUS_INVALID_PARAMETER;
    return continue_with(user_context,
                         argument.ContinueFlags & KCONTINUE_FLAG_TEST_ALERT);
}
