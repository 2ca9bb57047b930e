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
 *
 * The routine begins with DF clear, as its calling convention wants it, and
 * with TF clear; the interrupted flags are in the CONTEXT.
 */
#include <arch/entry.h>
#include <arch/thread.h>
#include <mm.h>
#include <ps.h>
#include <wow64.h>
#include <x86/registers.h>

#define CONTEXT_OF_APC (CONTEXT_FULL | CONTEXT_DEBUG_REGISTERS)
#define NO_XSTATE 25                    /* an offset that is no structure's */

struct user_apc_frame {
    CONTEXT context;                            /* 000 */
    CONTEXT_EX context_ex;                      /* 4d0 */
    UCHAR pad_4e8[0x8];
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

static BOOLEAN is_code32(const KTRAP_FRAME *frame)
{
    return frame->SegCs == (KGDT_R3_CODE | RPL_MASK);
}

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
    return is_process32() && !is_code32(frame);
}

/* place: where the frame will be; xstate: its extended state, 0 for none. */
static CONTEXT_EX context_ex(ULONG_PTR place, ULONG_PTR xstate)
{
    CONTEXT_EX ex = {
        .All = { -(LONG)sizeof(CONTEXT),
                 sizeof(CONTEXT) + sizeof(CONTEXT_EX) },
        .Legacy = { -(LONG)sizeof(CONTEXT), sizeof(CONTEXT) },
        .XState = { NO_XSTATE, 0 },
    };

    if (xstate) {
        ex.XState.Offset = (LONG)(xstate - place) - (LONG)sizeof(CONTEXT);
        ex.XState.Length = sizeof(struct ki_xstate);
        ex.All.Length = (ULONG)(xstate - place) + ex.XState.Length;
    }
    return ex;
}

static void fill(struct user_apc_frame *user, const KTRAP_FRAME *frame,
                 BOOLEAN test_alert)
{
    user->continue_argument = (KCONTINUE_ARGUMENT){
        .ContinueType = KCONTINUE_RESUME,
        .ContinueFlags = KCONTINUE_FLAG_DELIVER_APC |
                         (test_alert ? KCONTINUE_FLAG_TEST_ALERT : 0),
    };
    user->machine_frame = (MACHINE_FRAME){
        .Rip = frame->Rip,
        .SegCs = frame->SegCs,
        .EFlags = frame->EFlags,
        .Rsp = frame->Rsp,
        .SegSs = frame->SegSs,
    };
}

/*
 * Below the interrupted stack: extended state, frame.  32-bit code of a 64-bit
 * program has nothing above bit 31 in its rsp.
 */
static ULONG_PTR place(const KTRAP_FRAME *frame, ULONG_PTR *xstate)
{
    ULONG_PTR rsp = is_code32(frame) ? (ULONG)frame->Rsp : frame->Rsp;

    *xstate = 0;
    if (ki_has_extended_state())
        *xstate = rsp = ALIGN_DOWN(rsp - sizeof(struct ki_xstate), 64);
    return ALIGN_DOWN(rsp - sizeof(MACHINE_FRAME), 16) -
           offsetof(struct user_apc_frame, machine_frame);
}

/* The upper halves of ymm0-15 are live; 0 is nowhere. */
static NTSTATUS write_xstate(ULONG_PTR to)
{
    struct ki_xstate state;

    if (!to)
        return STATUS_SUCCESS;
    ki_get_xstate(&state);
    return mm_copy_to_mode(UserMode, (void *)to, &state, sizeof state);
}

static void initialize64(KEXCEPTION_FRAME *exception, KTRAP_FRAME *frame,
                         KNORMAL_ROUTINE *routine, void *context,
                         void *argument1, void *argument2, BOOLEAN test_alert)
{
    struct user_apc_frame user = { .context.ContextFlags = CONTEXT_OF_APC };
    ULONG_PTR xstate;
    ULONG_PTR to = place(frame, &xstate);
    NTSTATUS status = write_xstate(xstate);

    KeContextFromKframes(frame, exception, &user.context);
    if (xstate)
        user.context.ContextFlags |= CONTEXT_XSTATE;
    user.context_ex = context_ex(to, xstate);
    user.context.P1Home = (ULONG_PTR)context;
    user.context.P2Home = (ULONG_PTR)argument1;
    user.context.P3Home = (ULONG_PTR)argument2;
    user.context.P4Home = (ULONG_PTR)routine;
    fill(&user, frame, test_alert);
    if (NT_SUCCESS(status))
        status = mm_copy_to_mode(UserMode, (void *)to, &user, FRAME_SIZE);
    if (!NT_SUCCESS(status))
        ki_raise_user_fault(frame, exception, status, to);
    frame->Rsp = to;
    frame->Rip = KeUserApcDispatcher;
    frame->SegCs = KGDT64_R3_CODE | RPL_MASK;
    frame->SegSs = KGDT_R3_DATA | RPL_MASK;
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
    if (!NT_SUCCESS(status))
        ki_raise_user_fault(frame, exception, status, esp);
    frame->Rsp = esp;
    frame->Rip = ke_user_apc_dispatcher32;
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
    frame->EFlags &= ~(EFLAGS_DF | EFLAGS_TF);
}
