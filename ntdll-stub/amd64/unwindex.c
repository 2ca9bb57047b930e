/*
 * unwindex.c - leaving frames: RtlUnwindEx.
 *
 * Every frame from here to the target is left; its handler, if it has one for
 * this, runs first (__finally, destructors). Then the program goes on in the
 * target frame at TargetIp, with the registers of that frame and the result in
 * rax. Without a target frame all are left, and the exception is the kernel's.
 *
 * A handler may itself raise or unwind; who then meets our frame goes on where
 * we stand (execute.asm), and we are never returned to.
 */
#include "unwindp.h"

struct unwinding {
    EXCEPTION_RECORD *record;
    CONTEXT *context;                           /* in the frame at "at" */
    CONTEXT caller;
    DISPATCHER_CONTEXT at;
    BOOLEAN last;                               /* it has no caller */
    ULONGLONG target_frame, target_ip, result;
    ULONG flags;
};

static BOOLEAN at_target(const struct unwinding *unwinding)
{
    return unwinding->at.FunctionEntry &&
           unwinding->at.EstablisherFrame == unwinding->target_frame;
}

static EXCEPTION_DISPOSITION tell(struct unwinding *unwinding)
{
    EXCEPTION_RECORD *record = unwinding->record;
    EXCEPTION_DISPOSITION answer;

    if (at_target(unwinding))
        unwinding->flags |= EXCEPTION_TARGET_UNWIND;
    record->ExceptionFlags = unwinding->flags;
    unwinding->at.ContextRecord = unwinding->context;
    unwinding->at.TargetIp = unwinding->target_ip;
    unwinding->context->Rax = unwinding->result;
    answer = rtl_execute_for_unwind(record, unwinding->at.EstablisherFrame,
                                    unwinding->context, &unwinding->at);
    unwinding->flags &= ~(EXCEPTION_COLLIDED_UNWIND | EXCEPTION_TARGET_UNWIND);
    return answer;
}

static void tell_frame(struct unwinding *unwinding)
{
    NTSTATUS status;

    unwinding->at.ScopeIndex = 0;
    while (unwinding->at.LanguageHandler) {
        switch (tell(unwinding)) {
        case ExceptionContinueSearch:
            return;
        case ExceptionCollidedUnwind:
            status = unwind_adopt(&unwinding->at, unwinding->context,
                                  &unwinding->caller, &unwinding->last);
            if (!NT_SUCCESS(status))
                rtl_raise_about(unwinding->record, status);
            unwinding->flags |= EXCEPTION_COLLIDED_UNWIND;
            break;
        default:
            rtl_raise_about(unwinding->record, STATUS_INVALID_DISPOSITION);
        }
    }
}

/* A target that the walk has passed does not come any more. */
static void step(struct unwinding *unwinding)
{
    NTSTATUS status;

    unwinding->caller = *unwinding->context;
    status = unwind_step(UNW_FLAG_UHANDLER, &unwinding->at,
                         &unwinding->caller, &unwinding->last);
    if (NT_SUCCESS(status) && unwinding->target_frame &&
        unwinding->at.EstablisherFrame > unwinding->target_frame)
        status = STATUS_BAD_STACK;
    if (!NT_SUCCESS(status))
        rtl_raise_about(unwinding->record, status);
}

static void go_to_target(struct unwinding *unwinding)
{
    CONTEXT *context = unwinding->context;

    context->Rax = unwinding->result;
    if (unwinding->record->ExceptionCode != STATUS_UNWIND_CONSOLIDATE)
        context->Rip = unwinding->target_ip;
    RtlRestoreContext(context, unwinding->record);
}

static void leave_frames(struct unwinding *unwinding)
{
    for (;;) {
        step(unwinding);
        tell_frame(unwinding);
        if (at_target(unwinding))
            go_to_target(unwinding);
        *unwinding->context = unwinding->caller;
        if (unwinding->last)
            return;
    }
}

/* ContextRecord is ours to use. It starts in this very function. */
void NTAPI RtlUnwindEx(void *TargetFrame, void *TargetIp,
                       EXCEPTION_RECORD *ExceptionRecord, void *ReturnValue,
                       CONTEXT *ContextRecord,
                       UNWIND_HISTORY_TABLE *HistoryTable
                       __attribute__((unused)))
{
    EXCEPTION_RECORD own = { .ExceptionCode = STATUS_UNWIND };
    struct unwinding unwinding = {
        .record = ExceptionRecord ? ExceptionRecord : &own,
        .context = ContextRecord,
        .target_frame = (ULONGLONG)TargetFrame,
        .target_ip = (ULONGLONG)TargetIp,
        .result = (ULONGLONG)ReturnValue,
        .flags = EXCEPTION_UNWINDING,
    };

    RtlCaptureContext(ContextRecord);
    own.ExceptionAddress = (void *)ContextRecord->Rip;
    if (!TargetFrame)
        unwinding.flags |= EXCEPTION_EXIT_UNWIND;
    unwinding.flags |= unwinding.record->ExceptionFlags &
                       EXCEPTION_NONCONTINUABLE;
    leave_frames(&unwinding);
    if (TargetFrame)
        rtl_raise_about(unwinding.record, STATUS_INVALID_UNWIND_TARGET);
    unwinding.record->ExceptionFlags = unwinding.flags;
    RtlRaiseStatus(NtRaiseException(unwinding.record, ContextRecord, FALSE));
}

void NTAPI RtlUnwind(void *TargetFrame, void *TargetIp,
                     EXCEPTION_RECORD *ExceptionRecord, void *ReturnValue)
{
    CONTEXT context;

    RtlUnwindEx(TargetFrame, TargetIp, ExceptionRecord, ReturnValue, &context,
                NULL);
}
