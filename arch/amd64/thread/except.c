/*
 * thread/except.c - KiDispatchException: what becomes of an exception.
 *
 * The first chance is ring 3's.  64-bit code finds at rsp, in
 * KiUserExceptionDispatcher of ntdll (room 7):
 *
 *      000  CONTEXT             where and how it happened
 *      4d0  CONTEXT_EX          where what is
 *      4f0  EXCEPTION_RECORD    what it was
 *      590  MACHINE_FRAME       rip and rsp again, for who unwinds
 *      ...  extended state      where CONTEXT_EX says, if there is any
 *
 * 32-bit code finds XP's frame (kernel/wow64/exception.c).  A handler's answer
 * comes back as NtContinue, or, if there is none, as NtRaiseException with
 * FirstChance FALSE.  The second chance would be a debugger's; there are none,
 * and the process ends with the exception's code.
 *
 * All of it at APC_LEVEL: another thread's NtSetContextThread comes before the
 * CONTEXT is made or when ring 3 is on its way to the dispatcher.
 *
 * NT: asks the process's debugger before ring 3 and after it, then its
 * exception port (the system's error reporting).  Runs at PASSIVE_LEVEL.
 */
#include <arch/thread.h>
#include <arch/trap.h>
#include <arch/userframe.h>
#include <kd.h>
#include <mm.h>
#include <ps.h>
#include <wow64.h>

#define CONTEXT_OF_EXCEPTION CONTEXT_ALL

struct user_exception_frame {
    struct ki_user_head head;                   /* 000 */
    EXCEPTION_RECORD record;                    /* 4f0 */
    UCHAR pad_588[0x8];
    MACHINE_FRAME machine_frame;                /* 590 */
};
_Static_assert(offsetof(struct user_exception_frame, machine_frame) == 0x590,
               "what KiUserExceptionDispatcher expects");

#define FRAME_SIZE \
    (offsetof(struct user_exception_frame, machine_frame) + \
     sizeof(MACHINE_FRAME))

ULONG_PTR KeUserExceptionDispatcher;
ULONG ke_user_exception_dispatcher32;

/* What a breakpoint has replaced is what is to be executed. */
static void adjust(const EXCEPTION_RECORD *record, CONTEXT *context)
{
    if (record->ExceptionCode == STATUS_BREAKPOINT ||
        record->ExceptionCode == STATUS_WX86_BREAKPOINT)
        context->Rip--;
}

static NTSTATUS enter64(const EXCEPTION_RECORD *record,
                        const KEXCEPTION_FRAME *exception, KTRAP_FRAME *frame)
{
    struct user_exception_frame user = {
        .head.context.ContextFlags = CONTEXT_OF_EXCEPTION,
        .record = *record,
        .machine_frame = ki_machine_frame(frame),
    };
    ULONG_PTR to;
    NTSTATUS status = ki_begin_user_frame(frame, exception,
                                          offsetof(struct user_exception_frame,
                                                   machine_frame),
                                          &user.head, &to);

    adjust(record, &user.head.context);
    if (NT_SUCCESS(status))
        status = mm_copy_to_mode(UserMode, (void *)to, &user, FRAME_SIZE);
    if (NT_SUCCESS(status))
        ki_enter_dispatcher(frame, KeUserExceptionDispatcher, to);
    return status;
}

static NTSTATUS enter32(const EXCEPTION_RECORD *record,
                        const KEXCEPTION_FRAME *exception, KTRAP_FRAME *frame)
{
    CONTEXT context = { .ContextFlags = CONTEXT_OF_EXCEPTION };
    ULONG esp;
    NTSTATUS status;

    KeContextFromKframes(frame, exception, &context);
    adjust(record, &context);
    status = wow64_write_user_exception(&context, record, &esp);
    if (NT_SUCCESS(status))
        ki_enter_dispatcher32(frame, ke_user_exception_dispatcher32, esp);
    return status;
}

/*
 * A 32-bit program has no ntdll of 64-bit code: what that does there has no
 * first chance.  NT: has one, and wow64.dll.
 */
static NTSTATUS enter_ring3(const EXCEPTION_RECORD *record,
                            const KEXCEPTION_FRAME *exception,
                            KTRAP_FRAME *frame)
{
    if (!PsGetCurrentProcess()->WoW64Process)
        return KeUserExceptionDispatcher ? enter64(record, exception, frame)
                                         : STATUS_ENTRYPOINT_NOT_FOUND;
    return ke_user_exception_dispatcher32 && ki_is_code32(frame)
               ? enter32(record, exception, frame)
               : STATUS_ENTRYPOINT_NOT_FOUND;
}

/* 32-bit code of a 64-bit program: Windows has two codes for it. */
static void rename(EXCEPTION_RECORD *record, const KTRAP_FRAME *frame)
{
    if (!ki_is_code32(frame) || PsGetCurrentProcess()->WoW64Process)
        return;
    if (record->ExceptionCode == STATUS_BREAKPOINT)
        record->ExceptionCode = STATUS_WX86_BREAKPOINT;
    else if (record->ExceptionCode == STATUS_SINGLE_STEP)
        record->ExceptionCode = STATUS_WX86_SINGLE_STEP;
}

/*
 * The last guard page has gone while the frame was written: that is another
 * exception, and there is room for it now.  Any other reason why the frame
 * cannot be written leaves only the second chance.
 */
static BOOLEAN first_chance(EXCEPTION_RECORD *record,
                            const KEXCEPTION_FRAME *exception,
                            KTRAP_FRAME *frame)
{
    NTSTATUS status = enter_ring3(record, exception, frame);

    if (status == STATUS_STACK_OVERFLOW) {
        *record = (EXCEPTION_RECORD){
            .ExceptionCode = STATUS_STACK_OVERFLOW,
            .ExceptionAddress = (void *)frame->Rip,
        };
        status = enter_ring3(record, exception, frame);
    }
    return NT_SUCCESS(status);
}

void KiDispatchException(EXCEPTION_RECORD *record,
                         KEXCEPTION_FRAME *exception, KTRAP_FRAME *frame,
                         KPROCESSOR_MODE mode, BOOLEAN is_first_chance)
{
    ASSERT(mode == UserMode && KeGetCurrentIrql() == APC_LEVEL);
    KeGetCurrentPrcb()->KeExceptionDispatchCount++;
    rename(record, frame);
    DbgPrintEx(KD_KE_ID, DPFLTR_INFO_LEVEL,
               "KE    exception %08x at %llx, thread %llu, %s chance\n",
               record->ExceptionCode, (ULONGLONG)record->ExceptionAddress,
               (ULONGLONG)PsGetCurrentThread()->Cid.UniqueThread,
               is_first_chance ? "first" : "second");
    if (is_first_chance && first_chance(record, exception, frame))
        return;
    KfLowerIrql(PASSIVE_LEVEL);
    ki_show_exception(record, frame, exception);
    ps_exit_process(record->ExceptionCode);
}
