/*
 * thread/apcuser.c - room 6: the frame of a user APC.
 *
 * A pending user APC -> a frame on the user's stack, and a trap frame that
 * leads to KiUserApcDispatcher in ntdll (room 7).  What the dispatcher finds
 * at rsp, from low to high addresses:
 *
 *      000  CONTEXT             the interrupted state; in its home slots the
 *                               three arguments and the routine
 *      4d0  CONTEXT_EX          where what is
 *      4f0  KCONTINUE_ARGUMENT  for NtContinueEx
 *      510  MACHINE_FRAME       rip and rsp again, for who unwinds
 *      ...  extended state      where CONTEXT_EX says, if there is any
 *
 * The routine is ring 3's to call: an address of the kernel's faults there.
 * A stack that cannot take the frame is an exception of the interrupted code;
 * the APC is lost.
 */
#include <arch/entry.h>
#include <arch/thread.h>
#include <arch/trap.h>
#include <arch/userframe.h>
#include <mm.h>
#include <ps.h>
#include <wow64.h>

#define CONTEXT_OF_APC (CONTEXT_FULL | CONTEXT_DEBUG_REGISTERS)

struct user_apc_frame {
    struct ki_user_head head;                   /* 000 */
    KCONTINUE_ARGUMENT continue_argument;       /* 4f0 */
    UCHAR pad_508[0x8];
    MACHINE_FRAME machine_frame;                /* 510 */
};
_Static_assert(offsetof(struct user_apc_frame, machine_frame) == 0x510,
               "what KiUserApcDispatcher and its unwind information expect");

/* Without what alignment adds: above it the interrupted stack begins. */
#define FRAME_SIZE \
    (offsetof(struct user_apc_frame, machine_frame) + sizeof(MACHINE_FRAME))

ULONG_PTR KeUserApcDispatcher;
ULONG ke_user_apc_dispatcher32;

static BOOLEAN is_process32(void)
{
    return PsGetCurrentProcess()->WoW64Process != NULL;
}

/*
 * A 32-bit program has one ntdll, of 32-bit code, whose contexts have no room
 * for the registers of 64-bit code.
 */
BOOLEAN arch_must_postpone_user_apc(const KTRAP_FRAME *frame)
{
    return is_process32() && !ki_is_code32(frame);
}

static KCONTINUE_ARGUMENT continue_argument(BOOLEAN test_alert)
{
    return (KCONTINUE_ARGUMENT){
        .ContinueType = KCONTINUE_RESUME,
        .ContinueFlags = KCONTINUE_FLAG_DELIVER_APC |
                         (test_alert ? KCONTINUE_FLAG_TEST_ALERT : 0),
    };
}

static void raise_fault(KTRAP_FRAME *frame, KEXCEPTION_FRAME *exception,
                        NTSTATUS status, ULONG_PTR address)
{
    EXCEPTION_RECORD record;

    ki_make_access_record(status, EXCEPTION_WRITE_FAULT, address, frame->Rip,
                          &record);
    KiDispatchException(&record, exception, frame, UserMode, TRUE);
}

static void initialize64(KEXCEPTION_FRAME *exception, KTRAP_FRAME *frame,
                         KNORMAL_ROUTINE *routine, void *context,
                         void *argument1, void *argument2, BOOLEAN test_alert)
{
    struct user_apc_frame user = {
        .head.context.ContextFlags = CONTEXT_OF_APC,
        .continue_argument = continue_argument(test_alert),
        .machine_frame = ki_machine_frame(frame),
    };
    ULONG_PTR to;
    NTSTATUS status = ki_begin_user_frame(frame, exception,
                                          offsetof(struct user_apc_frame,
                                                   machine_frame),
                                          &user.head, &to);

    user.head.context.P1Home = (ULONG_PTR)context;
    user.head.context.P2Home = (ULONG_PTR)argument1;
    user.head.context.P3Home = (ULONG_PTR)argument2;
    user.head.context.P4Home = (ULONG_PTR)routine;
    if (NT_SUCCESS(status))
        status = mm_copy_to_mode(UserMode, (void *)to, &user, FRAME_SIZE);
    if (NT_SUCCESS(status))
        ki_enter_dispatcher(frame, KeUserApcDispatcher, to);
    else
        raise_fault(frame, exception, status, to);
}

static void initialize32(KEXCEPTION_FRAME *exception, KTRAP_FRAME *frame,
                         KNORMAL_ROUTINE *routine, void *context,
                         void *argument1, void *argument2)
{
    CONTEXT state = { .ContextFlags = CONTEXT_OF_APC };
    const ULONG arguments[] = {
        (ULONG)(ULONG_PTR)routine, (ULONG)(ULONG_PTR)context,
        (ULONG)(ULONG_PTR)argument1, (ULONG)(ULONG_PTR)argument2,
    };
    ULONG esp;
    NTSTATUS status;

    KeContextFromKframes(frame, exception, &state);
    status = wow64_write_user_apc(&state, arguments, &esp);
    if (NT_SUCCESS(status))
        ki_enter_dispatcher32(frame, ke_user_apc_dispatcher32, esp);
    else
        raise_fault(frame, exception, status, esp);
}

void KiInitializeUserApc(KEXCEPTION_FRAME *exception, KTRAP_FRAME *frame,
                         KNORMAL_ROUTINE *routine, void *context,
                         void *argument1, void *argument2, BOOLEAN test_alert)
{
    arch_read_nonvolatile(exception);   /* a kernel APC may have set them */
    if (is_process32())
        initialize32(exception, frame, routine, context, argument1,
                     argument2);
    else
        initialize64(exception, frame, routine, context, argument1, argument2,
                     test_alert);
}
