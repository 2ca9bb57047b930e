/*
 * ps/context.c - NtGetContextThread and NtSetContextThread: another thread's
 * registers in ring 3.
 *
 * The thread itself reads or writes them, in a special kernel APC, which
 * reaches it wherever it is: waiting, suspended, preempted.  Its trap frame of
 * ring 3 is the first one on its kernel stack; a thread that has not been to
 * ring 3 has its context in ETHREAD.SetContextState (userthread.c).  What is
 * not in the frame is still loaded: no C of the kernel's uses r12 to r15 or
 * floating point (Makefile).
 *
 * A frame of a system call has no volatile registers, and the way back from
 * one does not load them: they read as 0, and to set them has no effect.
 * Windows does not promise them either.
 */
#include "psp.h"

#include <arch/thread.h>

struct request {
    KAPC apc;
    KEVENT done;
    CONTEXT *context;
    BOOLEAN set;
};

static KTRAP_FRAME *user_frame(const KTHREAD *thread)
{
    return (KTRAP_FRAME *)thread->InitialStack - 1;
}

static void clear_volatile(CONTEXT *context)
{
    if (CONTEXT_HAS(context, CONTEXT_INTEGER)) {
        context->Rax = context->Rcx = context->Rdx = 0;
        context->R8 = context->R9 = context->R10 = context->R11 = 0;
    }
    if (CONTEXT_HAS(context, CONTEXT_FLOATING_POINT))
        memset(context->FltSave.XmmRegisters, 0, 6 * sizeof(M128A));
}

static void get(CONTEXT *context)
{
    const KTRAP_FRAME *frame = user_frame(KeGetCurrentThread());
    KEXCEPTION_FRAME exception;

    arch_read_nonvolatile(&exception);
    KeContextFromKframes(frame, &exception, context);
    if (frame->ExceptionActive == KEXCEPTION_ACTIVE_SERVICE)
        clear_volatile(context);
}

/* Into the middle of a pop is to its beginning; where it is, it may stay. */
static void set(const CONTEXT *context)
{
    KTRAP_FRAME *frame = user_frame(KeGetCurrentThread());
    ULONGLONG rip = frame->Rip;
    KEXCEPTION_FRAME exception;

    arch_read_nonvolatile(&exception);
    KeContextToKframes(frame, &exception, context, context->ContextFlags,
                       UserMode);
    if (frame->Rip != rip)
        KiCheckForSListAddress(frame);
    arch_write_nonvolatile(&exception);
}

/* The parts that to->ContextFlags names, from one context to another. */
static void copy_parts(CONTEXT *to, const CONTEXT *from, ULONG flags)
{
    if ((flags & CONTEXT_CONTROL) == CONTEXT_CONTROL) {
        to->Rip = from->Rip;
        to->Rsp = from->Rsp;
        to->EFlags = from->EFlags;
        to->SegCs = from->SegCs;
        to->SegSs = from->SegSs;
    }
    if ((flags & CONTEXT_INTEGER) == CONTEXT_INTEGER) {
        ULONGLONG rsp = to->Rsp;

        memcpy(&to->Rax, &from->Rax,
               offsetof(CONTEXT, Rip) - offsetof(CONTEXT, Rax));
        to->Rsp = rsp;
    }
    if ((flags & CONTEXT_FLOATING_POINT) == CONTEXT_FLOATING_POINT) {
        to->FltSave = from->FltSave;
        to->MxCsr = from->MxCsr;
    }
    if ((flags & CONTEXT_DEBUG_REGISTERS) == CONTEXT_DEBUG_REGISTERS)
        memcpy(&to->Dr0, &from->Dr0,
               offsetof(CONTEXT, Rax) - offsetof(CONTEXT, Dr0));
}

/*
 * A new thread's context is ring 3's to continue with (ntdll does it), so it
 * has to name the parts that have come with a call.
 */
static void set_initial(CONTEXT *initial, const CONTEXT *context)
{
    copy_parts(initial, context, context->ContextFlags);
    if (CONTEXT_HAS(context, CONTEXT_DEBUG_REGISTERS)) {
        arch_sanitize_debug_registers(initial);
        initial->ContextFlags |= CONTEXT_DEBUG_REGISTERS;
    }
}

/* In the target, at APC_LEVEL. */
static void exchange(struct request *request)
{
    CONTEXT *initial = PsGetCurrentThread()->SetContextState;
    CONTEXT *context = request->context;

    if (initial && request->set)
        set_initial(initial, context);
    else if (initial)
        copy_parts(context, initial, context->ContextFlags);
    else if (request->set)
        set(context);
    else
        get(context);
}

static void PspGetSetContextSpecialApc(KAPC *apc, KNORMAL_ROUTINE **routine,
                                       void **context, void **argument1,
                                       void **argument2)
{
    struct request *request = CONTAINING_RECORD(apc, struct request, apc);

    (void)routine, (void)context, (void)argument1, (void)argument2;
    exchange(request);
    KeSetEvent(&request->done, EVENT_INCREMENT, FALSE);
}

static NTSTATUS run(ETHREAD *thread, struct request *request)
{
    if (thread == PsGetCurrentThread()) {
        KIRQL irql = KfRaiseIrql(APC_LEVEL);

        exchange(request);
        KfLowerIrql(irql);
        return STATUS_SUCCESS;
    }
    KeInitializeEvent(&request->done, EventNotificationObject, FALSE);
    KeInitializeApc(&request->apc, &thread->Tcb, OriginalApcEnvironment,
                    PspGetSetContextSpecialApc, NULL, NULL, KernelMode, NULL);
    if (!KeInsertQueueApc(&request->apc, NULL, NULL, 2))
        return STATUS_UNSUCCESSFUL;
    KeWaitForSingleObject(&request->done, Executive, KernelMode, FALSE, NULL);
    return STATUS_SUCCESS;
}

static NTSTATUS perform(HANDLE handle, ACCESS_MASK access,
                        struct request *request)
{
    ETHREAD *thread;
    NTSTATUS status = ObReferenceObjectByHandle(handle, access, PsThreadType,
                                                ExGetPreviousMode(),
                                                (void **)&thread);

    if (!NT_SUCCESS(status))
        return status;
    status = thread->Tcb.MiscFlags & MISC_FLAGS_SYSTEM_THREAD
                 ? STATUS_INVALID_HANDLE : run(thread, request);
    ObDereferenceObject(thread);
    return status;
}

static NTSTATUS capture(const CONTEXT *user, CONTEXT *context)
{
    NTSTATUS status = mm_copy_from_user(context, user, sizeof *context);

    if (NT_SUCCESS(status) && !(context->ContextFlags & CONTEXT_AMD64))
        status = STATUS_INVALID_PARAMETER;
    return status;
}

/*
 * ThreadContext.ContextFlags says what to read.  STATUS_UNSUCCESSFUL: the
 * thread ends.
 */
NTSTATUS NtGetContextThread(HANDLE ThreadHandle, CONTEXT *ThreadContext)
{
    CONTEXT context;
    struct request request = { .context = &context };
    NTSTATUS status = mm_probe_for_write(ThreadContext, sizeof context, 16);

    if (NT_SUCCESS(status))
        status = capture(ThreadContext, &context);
    if (NT_SUCCESS(status))
        status = perform(ThreadHandle, THREAD_GET_CONTEXT, &request);
    return NT_SUCCESS(status)
               ? mm_copy_to_user(ThreadContext, &context, sizeof context)
               : status;
}

NTSTATUS NtSetContextThread(HANDLE ThreadHandle, CONTEXT *ThreadContext)
{
    CONTEXT context;
    struct request request = { .context = &context, .set = TRUE };
    NTSTATUS status = mm_probe_for_read(ThreadContext, sizeof context, 16);

    if (NT_SUCCESS(status))
        status = capture(ThreadContext, &context);
    if (NT_SUCCESS(status))
        status = perform(ThreadHandle, THREAD_SET_CONTEXT, &request);
    return status;
}
