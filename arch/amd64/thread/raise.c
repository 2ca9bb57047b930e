/*
 * thread/raise.c - exceptions that somebody asks for.
 *
 * NtRaiseException is NtContinue and an exception at the place it leads to:
 * the context becomes the frame of this call, made harmless, and what goes to
 * ring 3 is made from that.
 */
#include <arch/entry.h>
#include <arch/thread.h>
#include <arch/trap.h>
#include <mm.h>
#include <ps.h>
#include <wow64.h>

ULONG_PTR KeRaiseUserExceptionDispatcher;
ULONG ke_raise_user_exception_dispatcher32;

/* As many parameters as it says it has; what is behind them may be anything. */
static NTSTATUS capture_record(const EXCEPTION_RECORD *user,
                               EXCEPTION_RECORD *record)
{
    SIZE_T header = offsetof(EXCEPTION_RECORD, ExceptionInformation);
    NTSTATUS status = mm_probe_for_read(user, header, sizeof(ULONG_PTR));

    memset(record, 0, sizeof *record);
    if (NT_SUCCESS(status))
        status = mm_copy_from_user(record, user, header);
    if (!NT_SUCCESS(status))
        return status;
    if (record->NumberParameters > EXCEPTION_MAXIMUM_PARAMETERS)
        return STATUS_INVALID_PARAMETER;
    return mm_copy_from_user(record->ExceptionInformation,
                             user->ExceptionInformation,
                             record->NumberParameters * sizeof(ULONG_PTR));
}

void ki_raise_in_frame(EXCEPTION_RECORD *record, BOOLEAN first_chance)
{
    KEXCEPTION_FRAME exception = { 0 };

    record->ExceptionCode &= ~EXCEPTION_RESERVED_BIT;
    arch_read_nonvolatile(&exception);
    KiDispatchException(record, &exception, KeGetCurrentThread()->TrapFrame,
                        UserMode, first_chance);
}

/*
 * NtRaiseException's C half (entry/continue.asm).  STATUS_INVALID_PARAMETER:
 * more parameters than a record has room for, or NtContinue's reasons;
 * STATUS_ACCESS_VIOLATION, STATUS_DATATYPE_MISALIGNMENT.
 */
NTSTATUS KiRaiseException(const EXCEPTION_RECORD *user_record,
                          const CONTEXT *user_context, BOOLEAN first_chance)
{
    struct ki_user_state state;
    EXCEPTION_RECORD record;
    NTSTATUS status = ki_capture_user_state(user_context, &state);

    if (NT_SUCCESS(status))
        status = capture_record(user_record, &record);
    if (!NT_SUCCESS(status))
        return status;
    KfRaiseIrql(APC_LEVEL);
    ki_load_user_state(&state);
    ki_raise_in_frame(&record, first_chance);
    KfLowerIrql(PASSIVE_LEVEL);
    return STATUS_SUCCESS;
}

/*
 * The exit leads elsewhere, and the TEB says why; the stack stays, so the
 * dispatcher's RET is that of the call's stub.
 */
static void raise64(KTRAP_FRAME *frame, TEB *teb, NTSTATUS code)
{
    if (KeRaiseUserExceptionDispatcher && !ki_is_code32(frame) &&
        NT_SUCCESS(mm_copy_to_mode(UserMode, &teb->ExceptionCode, &code,
                                   sizeof code)))
        frame->Rip = KeRaiseUserExceptionDispatcher;
}

static void raise32(KTRAP_FRAME *frame, TEB32 *teb, NTSTATUS code)
{
    if (ke_raise_user_exception_dispatcher32 && ki_is_code32(frame) &&
        NT_SUCCESS(mm_copy_to_mode(UserMode, &teb->ExceptionCode, &code,
                                   sizeof code)))
        frame->Rip = ke_raise_user_exception_dispatcher32;
}

NTSTATUS KeRaiseUserException(NTSTATUS code)
{
    KTHREAD *thread = KeGetCurrentThread();

    if (thread->PreviousMode != UserMode || !thread->Teb)
        return code;
    if (PsGetCurrentProcess()->WoW64Process)
        raise32(thread->TrapFrame, wow64_teb32(thread->Teb), code);
    else
        raise64(thread->TrapFrame, thread->Teb, code);
    return code;
}
