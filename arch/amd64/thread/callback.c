/*
 * thread/callback.c - KeUserModeCallback: a routine of ring 3, called in the
 * middle of a service.
 *
 * The program's PEB.KernelCallbackTable has the routines; ntdll's
 * KiUserCallbackDispatcher calls one of them with what lies on its stack:
 *
 *      000  UCALLOUT_FRAME   home slots, buffer, length, number, and where the
 *                            service was called from, for who unwinds
 *      058  the input        as long as it is
 *
 * 32-bit code finds XP's form: nothing, number, buffer and length, then the
 * input.  What ring 3 does meanwhile is anything: other services, callbacks in
 * callbacks, the end of the thread.  So the caller holds no lock and nothing
 * that only it can give back.
 */
#include <arch/entry.h>
#include <arch/thread.h>
#include <etw.h>
#include <mm.h>
#include <ps.h>
#include <wow64.h>
#include <x86/registers.h>

/*
 * What a callback and a service in it need; less is left: no more nesting.
 * 8 KiB are too few for 32-bit code's, which keep two contexts
 * (tests/user/i386/kstack.c).
 */
#define STACK_FOR_CALLBACK 0x3000

/* entry/callout.asm; interrupts are off for both. */
NTSTATUS KiCallUserMode(void **output, ULONG *length,
                        const KTRAP_FRAME *frame);
__attribute__((noreturn))
void ki_return_from_callback(void *output, ULONG length, NTSTATUS status);

ULONG_PTR KeUserCallbackDispatcher;
ULONG ke_user_callback_dispatcher32;

static NTSTATUS write_frame64(KTRAP_FRAME *frame, ULONG number,
                              const void *input, ULONG length)
{
    ULONG_PTR to = ALIGN_DOWN(frame->Rsp - (ALIGN_UP(length, 16) +
                                            sizeof(UCALLOUT_FRAME)), 16);
    UCALLOUT_FRAME callout = {
        .Buffer = (void *)(to + sizeof callout),
        .Length = length,
        .ApiNumber = number,
        .MachineFrame = {
            .Rip = frame->Rip,
            .SegCs = frame->SegCs,
            .EFlags = frame->EFlags,
            .Rsp = frame->Rsp,
            .SegSs = frame->SegSs,
        },
    };
    NTSTATUS status = mm_copy_to_mode(UserMode, (void *)to, &callout,
                                      sizeof callout);

    if (NT_SUCCESS(status))
        status = mm_copy_to_mode(UserMode, callout.Buffer, input, length);
    frame->Rsp = to;
    frame->Rip = KeUserCallbackDispatcher;
    return status;
}

static NTSTATUS write_frame32(KTRAP_FRAME *frame, ULONG number,
                              const void *input, ULONG length)
{
    ULONG buffer = ALIGN_DOWN((ULONG)frame->Rsp - length, sizeof(ULONG));
    const ULONG words[] = { 0, number, buffer, length };
    ULONG to = buffer - (ULONG)sizeof words;
    NTSTATUS status = mm_copy_to_mode(UserMode, (void *)(ULONG_PTR)to, words,
                                      sizeof words);

    if (NT_SUCCESS(status))
        status = mm_copy_to_mode(UserMode, (void *)(ULONG_PTR)buffer, input,
                                 length);
    frame->Rsp = to;
    frame->Rip = ke_user_callback_dispatcher32;
    return status;
}

/*
 * The state that ring 3 begins with: nothing of the service's in it.  The way
 * there is an exception's (KiExceptionExit).
 */
static KTRAP_FRAME first_state(const KTRAP_FRAME *caller)
{
    return (KTRAP_FRAME){
        .ExceptionActive = KEXCEPTION_ACTIVE_EXCEPTION,
        .MxCsr = caller->MxCsr,
        .Rip = caller->Rip,
        .Rsp = caller->Rsp,
        .SegCs = caller->SegCs,
        .SegSs = caller->SegSs,
        .EFlags = EFLAGS_IF | 2,
    };
}

/*
 * Of 32-bit code: fs:[0].  A routine that answers by NtCallbackReturn may have
 * left frames on the chain, which are gone with the stack it ran on.
 */
static ULONG exception_list(void)
{
    TEB32 *teb = wow64_teb32(KeGetCurrentThread()->Teb);
    ULONG list = 0;

    (void)mm_copy_from_mode(UserMode, &list, &teb->NtTib.ExceptionList,
                            sizeof list);
    return list;
}

static void set_exception_list(ULONG list)
{
    TEB32 *teb = wow64_teb32(KeGetCurrentThread()->Teb);

    (void)mm_copy_to_mode(UserMode, &teb->NtTib.ExceptionList, &list,
                          sizeof list);
}

NTSTATUS KeUserModeCallback(ULONG number, const void *input, ULONG length,
                            void **output, ULONG *output_length)
{
    KTHREAD *thread = KeGetCurrentThread();
    KTRAP_FRAME frame = first_state(thread->TrapFrame);
    BOOLEAN code32 = frame.SegCs == (KGDT_R3_CODE | RPL_MASK);
    ULONG list = 0;
    NTSTATUS status;

    ASSERT(KeGetCurrentIrql() == PASSIVE_LEVEL &&
           thread->CombinedApcDisable == 0 && thread->ApcStateIndex == 0);
    if (thread->PreviousMode != UserMode ||
        code32 != (PsGetCurrentProcess()->WoW64Process != NULL))
        return STATUS_NOT_SUPPORTED;
    if ((ULONG_PTR)__builtin_frame_address(0) -
            (ULONG_PTR)thread->StackLimit < STACK_FOR_CALLBACK)
        return STATUS_STACK_OVERFLOW;
    status = code32 ? write_frame32(&frame, number, input, length)
                    : write_frame64(&frame, number, input, length);
    if (!NT_SUCCESS(status))
        return status;
    if (code32)
        list = exception_list();
    KiSetupForInstrumentationReturn(&frame);
    arch_disable_interrupts();
    ki_copy_debug_registers(&frame, thread->TrapFrame);
    status = KiCallUserMode(output, output_length, &frame);
    if (code32)
        set_exception_list(list);
    return status;
}

/*
 * The answer of the callback that began last; comes back to its caller only
 * if there is none.  Debug registers are the thread's, not the callback's:
 * what it has set is what the waiting service's frame has from now on.
 * Interrupts are off, so that no APC sets those of a frame that is over.
 */
NTSTATUS NtCallbackReturn(void *output, ULONG length, NTSTATUS status)
{
    KTHREAD *thread = KeGetCurrentThread();
    const KEXCEPTION_FRAME *call = thread->InitialStack;

    if (thread->CallbackNestingLevel == 0)
        return STATUS_NO_CALLBACK_ACTIVE;
    etw_tell_away();
    arch_disable_interrupts();
    ki_copy_debug_registers((KTRAP_FRAME *)call->TrapFrame, thread->TrapFrame);
    ki_return_from_callback(output, length, status);
}
