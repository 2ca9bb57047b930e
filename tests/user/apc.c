/*
 * apc.c - user APCs to oneself: when they come, in which order, what the
 * kernel puts on the stack for them, and that what they interrupt goes on as
 * if nothing had happened, whichever way it had entered the kernel.
 *
 * Scenarios: G10, I1.
 */
#include "paint.h"

#include <nt/kuser.h>

#include "../../programs/lib/door.h"
#include "services.h"

#define SELF NtCurrentThread()
#define SPECIAL QUEUE_USER_APC_SPECIAL_USER_APC
#define MANY 64
#define WENT_ON 0x103                           /* not a status of NtContinue */
#define ROUNDS 100000
#define MXCSR_OTHER 0x5F80
#define SELF_TEST_QUEUE_APC 0x21                /* tests/kernel/selftest.c */
#define TURNS 100
#define SELF_TEST_TRAP_APC 0x23

/* What an APC's routine finds at its CONTEXT. */
struct frame {
    CONTEXT context;
    CONTEXT_EX context_ex;
    UCHAR pad_4e8[8];
    KCONTINUE_ARGUMENT continue_argument;
    UCHAR pad_508[8];
    struct {
        ULONGLONG Rip, SegCs, EFlags, Rsp, SegSs;
    } machine;
};

/* What ran: its arguments, and its frame. */
static struct {
    ULONG_PTR argument1, argument2, argument3;
    struct frame *at;
    ULONGLONG homes[4], rflags;
    struct frame frame;
} ran[MANY];
volatile ULONG apc_count;
extern ULONGLONG apc_r10;                       /* as its routine found it */

typedef NTSTATUS NTAPI self_test(ULONG test, ULONGLONG argument);

void NTAPI apc_trash(void *argument1, void *argument2, void *argument3);
void apc_spin(void);
void apc_touch(void);
void NTAPI apc_note(void *argument1, void *argument2, void *argument3,
                    struct frame *frame);

void NTAPI apc_note(void *argument1, void *argument2, void *argument3,
                    struct frame *frame)
{
    ULONG at = apc_count++ % MANY;

    __asm__ volatile("pushfq\n\tpopq %0" : "=r"(ran[at].rflags));
    ran[at].argument1 = (ULONG_PTR)argument1;
    ran[at].argument2 = (ULONG_PTR)argument2;
    ran[at].argument3 = (ULONG_PTR)argument3;
    ran[at].at = frame;
    ran[at].frame = *frame;
}

#define ROUTINE ((PPS_APC_ROUTINE)(void *)apc_note)

static NTSTATUS queue(ULONG_PTR number)
{
    return NtQueueApcThread(SELF, ROUTINE, (void *)number,
                            (void *)(number << 8), (void *)(number << 16));
}

static NTSTATUS queue_special(ULONG_PTR number)
{
    return NtQueueApcThreadEx(SELF, SPECIAL, ROUTINE, (void *)number, NULL,
                              NULL);
}

/* Not before the test; then all, each once, in the order they came. */
static void check_order(void)
{
    ULONG_PTR at;

    apc_count = 0;
    for (at = 0; at < MANY; at++)
        CHECK_STATUS(queue(at + 1), STATUS_SUCCESS);
    NtYieldExecution();
    CHECK(apc_count == 0);
    CHECK_STATUS(NtTestAlert(), STATUS_SUCCESS);
    CHECK(apc_count == MANY);
    for (at = 0; at < MANY; at++)
        CHECK_SAY(ran[at].argument1 == at + 1 &&
                  ran[at].argument2 == (at + 1) << 8 &&
                  ran[at].argument3 == (at + 1) << 16,
                  "%u: %llx %llx %llx", (ULONG)at, ran[at].argument1,
                  ran[at].argument2, ran[at].argument3);
    CHECK_STATUS(NtTestAlert(), STATUS_SUCCESS);
    CHECK(apc_count == MANY);
}

/* Special ones come at once, and leave the others where they are. */
static void check_special(void)
{
    apc_count = 0;
    CHECK_STATUS(queue(1), STATUS_SUCCESS);
    CHECK_STATUS(queue_special(2), STATUS_SUCCESS);
    CHECK(apc_count == 1 && ran[0].argument1 == 2);
    CHECK(ran[0].frame.continue_argument.ContinueFlags ==
          KCONTINUE_FLAG_DELIVER_APC);
    CHECK_STATUS(queue_special(3), STATUS_SUCCESS);
    CHECK(apc_count == 2 && ran[1].argument1 == 3);
    CHECK_STATUS(NtTestAlert(), STATUS_SUCCESS);
    CHECK(apc_count == 3 && ran[2].argument1 == 1);
}

/* A test inside an APC: the next ones come on top of it. */
static ULONG depth, deepest;

static void NTAPI nested(void *argument1, void *argument2, void *argument3)
{
    (void)argument2, (void)argument3;
    if (++depth > deepest)
        deepest = depth;
    apc_count++;
    if (argument1)
        NtTestAlert();
    depth--;
}

static void check_nested(void)
{
    ULONG at;

    apc_count = 0;
    for (at = 0; at < 10; at++)
        CHECK_STATUS(NtQueueApcThread(SELF, nested, (void *)1, NULL, NULL),
                     STATUS_SUCCESS);
    CHECK_STATUS(NtTestAlert(), STATUS_SUCCESS);
    CHECK(apc_count == 10);
    CHECK_SAY(deepest == 10, "%u deep", deepest);
}

/* ---- The frame, field by field ---- */

static struct call call;

/* With AVX: where the frame lies, and what it says of the upper halves. */
static void check_extended(const struct frame *frame, ULONGLONG at)
{
    ULONGLONG state = (frame->context.Rsp - 0x140) & ~0x3FULL;
    const CONTEXT_EX *ex = &frame->context_ex;

    CHECK(frame->context.ContextFlags == 0x10005B);
    CHECK(at == ((state - 0x28) & ~0xFULL) - 0x510);
    CHECK(ex->XState.Offset == (LONG)(state - at) - 0x4D0);
    CHECK(ex->XState.Length == 0x140);
    CHECK(ex->All.Length == (ULONG)(state - at) + 0x140);
}

static void check_legacy(const struct frame *frame, ULONGLONG at)
{
    CHECK(frame->context.ContextFlags == 0x10001B);
    CHECK(at == ((frame->context.Rsp - 0x28) & ~0xFULL) - 0x510);
    CHECK(frame->context_ex.XState.Length == 0);
    CHECK(frame->context_ex.All.Length == 0x4E8);
}

static void check_frame(const struct door *door)
{
    const KUSER_SHARED_DATA *shared = (const void *)USER_SHARED_DATA;
    const struct frame *frame = &ran[0].frame;
    ULONGLONG rsp = frame->context.Rsp;

    if (shared->XState.EnabledFeatures & XSTATE_AVX)
        check_extended(frame, (ULONGLONG)ran[0].at);
    else
        check_legacy(frame, (ULONGLONG)ran[0].at);
    CHECK(frame->context.Rip == (ULONGLONG)door->raw_behind);
    CHECK_SAY(rsp == call.in.Rsp - 8, "rsp %llx, not %llx", rsp,
              call.in.Rsp - 8);
    CHECK(frame->context.SegCs == 0x2B && frame->context.SegSs == 0x23);
    CHECK_SAY(frame->context.EFlags == call.in.Rflags, "flags %x",
              frame->context.EFlags);
    CHECK(frame->context.MxCsr == MXCSR_OTHER);
    CHECK(frame->context.P1Home == 1 && frame->context.P2Home == 0x22);
    CHECK(frame->context.P3Home == 0x333);
    CHECK(frame->context.P4Home == (ULONGLONG)apc_trash);
    CHECK(frame->context.Rax == STATUS_USER_APC && frame->context.Rcx == 0 &&
          frame->context.Rdx == 0 && frame->context.R8 == 0 &&
          frame->context.R9 == 0 && frame->context.R10 == 0 &&
          frame->context.R11 == 0);
    for (ULONG at = 0; at < 6; at++)
        CHECK_SAY(!frame->context.FltSave.XmmRegisters[at].Low &&
                  !frame->context.FltSave.XmmRegisters[at].High, "xmm%u", at);
    CHECK(frame->context_ex.All.Offset == -0x4D0);
    CHECK(frame->context_ex.Legacy.Offset == -0x4D0);
    CHECK(frame->context_ex.Legacy.Length == 0x4D0);
    CHECK(frame->continue_argument.ContinueType == KCONTINUE_RESUME);
    CHECK(frame->continue_argument.ContinueFlags == 3);
    CHECK(frame->machine.Rip == frame->context.Rip);
    CHECK(frame->machine.Rsp == rsp);
    CHECK(frame->machine.SegCs == 0x2B && frame->machine.SegSs == 0x23);
    CHECK(frame->machine.EFlags == frame->context.EFlags);
    check_nothing_of_kernel("an APC's frame", frame, frame + 1, 0);
}

/* ---- Nothing is lost ---- */

static const UCHAR kept[] = { 3, 4, 5, 6, 7, 12, 13, 14, 15 };

static void check_kept(const char *name, ULONG xmm)
{
    const ULONGLONG *in = &call.in.Rax, *out = &call.out.Rax;
    ULONG at;

    for (at = 0; at < ARRAY_SIZE(kept); at++)
        CHECK_SAY(in[kept[at]] == out[kept[at]], "%s: register %u: %llx",
                  name, kept[at], out[kept[at]]);
    for (at = xmm; at < 16; at++)
        CHECK_SAY(!memcmp(&call.in.Xmm[at], &call.out.Xmm[at], sizeof(M128A)),
                  "%s: xmm%u", name, at);
    CHECK_SAY(call.mxcsr_out == MXCSR_OTHER, "%s: mxcsr %x", name,
              call.mxcsr_out);
}

static NTSTATUS queue_trash(void)
{
    apc_count = 0;
    return NtQueueApcThread(SELF, (PPS_APC_ROUTINE)apc_trash, (void *)1,
                            (void *)0x22, (void *)0x333);
}

/* A trap's frame is full of numbers, and the next call's is at its place. */
static void fill_frame(void)
{
    call_prepare(&call, apc_touch, 0, NULL);
    call.in.Rax = (ULONG_PTR)test_pages(1);
    call_with_registers(&call);
}

/* Others each time: the place where they are kept has those before. */
static void change_kept(void)
{
    static ULONG count;
    ULONGLONG *registers = &call.in.Rax;

    count++;
    for (ULONG at = 0; at < ARRAY_SIZE(kept); at++) {
        if (&registers[kept[at]] != &call.in.Rsp)
            registers[kept[at]] += (ULONGLONG)count << 40;
    }
}

static void check_door(const struct door *door)
{
    static LARGE_INTEGER minute = { .QuadPart = -600000000 };
    const ULONGLONG arguments[] = { TRUE, (ULONG_PTR)&minute };

    test_where(door->name);
    fill_frame();
    CHECK_STATUS(queue_trash(), STATUS_SUCCESS);
    call_prepare(&call, door->raw, 2, arguments);
    call.in.Rax = SERVICE_NtDelayExecution;
    call.in.Rflags |= 0x400;                    /* DF */
    call.mxcsr_in = MXCSR_OTHER;
    change_kept();
    paint_kernel_stack();
    call_with_registers(&call);
    CHECK(apc_count == 1);
    CHECK_SAY(!(ran[0].rflags & 0x500), "DF or TF in an APC");
    check_frame(door);
    check_kept(door->name, 6);
    CHECK(call.out.Rax == STATUS_USER_APC && apc_r10 == 0);
    CHECK_SAY(call.out.Rflags == call.in.Rflags, "%s: rflags %llx, not %llx",
              door->name, call.out.Rflags, call.in.Rflags);
    test_where("");
}

static BOOLEAN is_in_spin(ULONGLONG rip)
{
    return rip - (ULONGLONG)apc_spin < 16;
}

/*
 * Interrupted by the clock: then every register is the program's.  It may have
 * come before the service was back: then again.
 */
static void check_interrupt(void)
{
    const ULONGLONG *in = &call.in.Rax, *out = &call.out.Rax;
    self_test *test = (self_test *)(ULONG_PTR)find_stub("NtwSelfTest");
    ULONG at;

    if (!test)
        return;                                 /* test build only */
    for (ULONG turn = 0; turn < TURNS; turn++) {
        apc_count = 0;
        CHECK_STATUS(test(SELF_TEST_QUEUE_APC, (ULONG_PTR)apc_trash),
                     STATUS_SUCCESS);
        if (apc_count)
            continue;
        call_prepare(&call, apc_spin, 0, NULL);
        call.mxcsr_in = MXCSR_OTHER;
        call_with_registers(&call);
        if (is_in_spin(ran[0].frame.context.Rip))
            break;
    }
    CHECK(apc_count == 1);
    check_kept("interrupt", 0);
    for (at = 0; at < 16; at++)
        CHECK_SAY(in[at] == out[at], "interrupt: register %u: %llx", at,
                  out[at]);
    CHECK(is_in_spin(ran[0].frame.context.Rip));
}

/* A trap's way back: SYSRET's rcx is there, which a service's would not be. */
static void check_trap(void)
{
    self_test *test = (self_test *)(ULONG_PTR)find_stub("NtwSelfTest");
    const CONTEXT *context = &ran[0].frame.context;

    if (!test)
        return;                                 /* test build only */
    apc_count = 0;
    CHECK_STATUS(test(SELF_TEST_TRAP_APC, (ULONG_PTR)apc_trash),
                 STATUS_SUCCESS);
    CHECK(apc_count == 1);
    CHECK_SAY(context->Rip - (ULONGLONG)test < 32 &&
              context->Rcx == context->Rip && context->Rax == 0,
              "trap: rip %llx, rcx %llx", context->Rip, context->Rcx);
}

static void check_x87(void)
{
    static XSAVE_FORMAT before __attribute__((aligned(16)));
    static XSAVE_FORMAT after __attribute__((aligned(16)));

    CHECK_STATUS(queue_trash(), STATUS_SUCCESS);
    __asm__ volatile("fninit\n\tfldl2e\n\tfldln2\n\tfldz\n\tfxsave64 %0"
                     : "=m"(before));
    NtTestAlert();
    __asm__ volatile("fxsave64 %0\n\tfninit" : "=m"(after));
    CHECK(apc_count == 1);
    CHECK(before.ControlWord == after.ControlWord);
    CHECK(before.StatusWord == after.StatusWord);
    CHECK(before.TagWord == after.TagWord);
    CHECK(!memcmp(before.FloatRegisters, after.FloatRegisters,
                  sizeof before.FloatRegisters));
}

static void NTAPI count_only(void *argument1, void *argument2,
                             void *argument3)
{
    (void)argument1, (void)argument2, (void)argument3;
    apc_count++;
}

/* Often, and nothing is used up. */
static void check_often(void)
{
    ULONG at, before = test_performance().AvailablePages;

    apc_count = 0;
    for (at = 0; at < ROUNDS; at++) {
        NtQueueApcThread(SELF, count_only, NULL, NULL, NULL);
        NtTestAlert();
    }
    CHECK_SAY(apc_count == ROUNDS, "%u of %u", apc_count, ROUNDS);
    CHECK_SAY(test_performance().AvailablePages + 2 >= before,
              "%u pages, then %u", before, test_performance().AvailablePages);
}

/* ---- From another thread ---- */

#define STORM 5000
#define MOST_WAIT 32

static HANDLE target;

/* Special ones come in the middle of everything, so of a count, too. */
static void NTAPI count_safely(void *argument1, void *argument2,
                               void *argument3)
{
    (void)argument1, (void)argument2, (void)argument3;
    __sync_fetch_and_add(&apc_count, 1);
}

/* Not faster than they run: special ones nest on one stack. */
static void NTAPI storm(void *parameter)
{
    ULONG at;

    (void)parameter;
    for (at = 0; at < STORM; at++) {
        while (at - apc_count > MOST_WAIT)
            NtYieldExecution();
        NtQueueApcThreadEx(target, at & 1 ? SPECIAL : NULL, count_safely,
                           NULL, NULL, NULL);
        if (at % 16 == 0)
            NtYieldExecution();
    }
}

/* Meanwhile: calls by a bare door, alertable waits, tests; all in a turn. */
static void be_busy(ULONG turn)
{
    LARGE_INTEGER moment = { .QuadPart = -1 };

    call_prepare(&call, call_raw, 0, NULL);
    call.in.Rax = SERVICE_NtYieldExecution;
    call.mxcsr_in = MXCSR_OTHER;
    call_with_registers(&call);
    check_kept("storm", 6);
    if (turn % 4 == 0)
        NtDelayExecution(TRUE, &moment);
    if (turn % 4 == 2)
        NtTestAlert();
}

static void check_storm(void)
{
    CLIENT_ID id = NtCurrentTeb()->ClientId;
    OBJECT_ATTRIBUTES attributes = { .Length = sizeof attributes };
    HANDLE thread;
    ULONG turn;

    apc_count = 0;
    CHECK_STATUS(NtOpenThread(&target, THREAD_SET_CONTEXT, &attributes, &id),
                 STATUS_SUCCESS);
    if (!CHECK_STATUS(RtlCreateUserThread(NtCurrentProcess(), NULL, FALSE, 0,
                                          0, 0, storm, NULL, &thread, NULL),
                      STATUS_SUCCESS))
        return;
    for (turn = 0; apc_count < STORM; turn++)
        be_busy(turn);
    NtWaitForSingleObject(thread, FALSE, NULL);
    NtTestAlert();
    CHECK_SAY(apc_count == STORM, "%u of %u", apc_count, STORM);
    NtClose(thread);
    NtClose(target);
}

/* ---- Alerts, arguments ---- */

static void check_alerts(void)
{
    apc_count = 0;
    CHECK_STATUS(NtTestAlert(), STATUS_SUCCESS);
    CHECK_STATUS(NtAlertThread(SELF), STATUS_SUCCESS);
    CHECK_STATUS(queue(1), STATUS_SUCCESS);
    CHECK_STATUS(NtTestAlert(), STATUS_ALERTED);
    CHECK(apc_count == 0);
    CHECK_STATUS(NtTestAlert(), STATUS_SUCCESS);
    CHECK(apc_count == 1);
}

/* Without a routine it is a kernel APC, which has nothing to do. */
static void check_no_routine(void)
{
    apc_count = 0;
    CHECK_STATUS(NtQueueApcThread(SELF, NULL, NULL, NULL, NULL),
                 STATUS_SUCCESS);
    CHECK_STATUS(NtQueueApcThreadEx(SELF, SPECIAL, NULL, NULL, NULL, NULL),
                 STATUS_SUCCESS);
    CHECK_STATUS(NtTestAlert(), STATUS_SUCCESS);
    CHECK(apc_count == 0);
}

static void check_arguments(void)
{
    HANDLE none = (HANDLE)0x1234;
    ULONG count = 77;

    CHECK_STATUS(NtQueueApcThread(none, ROUTINE, NULL, NULL, NULL),
                 STATUS_INVALID_HANDLE);
    CHECK_STATUS(NtQueueApcThread(NtCurrentProcess(), ROUTINE, NULL, NULL,
                                  NULL), STATUS_OBJECT_TYPE_MISMATCH);
    CHECK_STATUS(NtQueueApcThreadEx(SELF, none, ROUTINE, NULL, NULL, NULL),
                 STATUS_INVALID_HANDLE);
    CHECK_STATUS(NtQueueApcThreadEx(SELF, NtCurrentProcess(), ROUTINE, NULL,
                                    NULL, NULL),
                 STATUS_OBJECT_TYPE_MISMATCH);
    CHECK_STATUS(NtAlertThread(none), STATUS_INVALID_HANDLE);
    CHECK_STATUS(NtSuspendThread(none, NULL), STATUS_INVALID_HANDLE);
    CHECK_STATUS(NtSuspendThread(SELF, (ULONG *)8), STATUS_ACCESS_VIOLATION);
    CHECK_STATUS(NtResumeThread(SELF, &count), STATUS_SUCCESS);
    CHECK(count == 0);
    CHECK_STATUS(NtAlertResumeThread(none, &count), STATUS_INVALID_HANDLE);
}

/* ---- NtContinueEx ---- */

static NTSTATUS continue_ex(ULONG type, ULONG flags)
{
    static CONTEXT context;
    KCONTINUE_ARGUMENT argument = { type, flags, { 0 } };
    static volatile BOOLEAN back;

    back = FALSE;
    RtlCaptureContext(&context);
    if (back)
        return WENT_ON;
    back = TRUE;
    return NtContinueEx(&context, &argument);
}

static void check_continue(void)
{
    static CONTEXT context;
    UCHAR *page = test_pages(1);
    ULONG type;

    for (type = 0; type < KCONTINUE_LAST; type++)
        CHECK_STATUS(continue_ex(type, 0), WENT_ON);
    CHECK_STATUS(continue_ex(KCONTINUE_LAST, 0), STATUS_INVALID_PARAMETER);
    CHECK_STATUS(continue_ex(~0U, 0), STATUS_INVALID_PARAMETER);
    CHECK_STATUS(continue_ex(KCONTINUE_RESUME, 4), STATUS_INVALID_PARAMETER);
    apc_count = 0;
    CHECK_STATUS(queue(1), STATUS_SUCCESS);
    CHECK_STATUS(continue_ex(KCONTINUE_RESUME, 2), WENT_ON);
    CHECK(apc_count == 0);
    CHECK_STATUS(continue_ex(KCONTINUE_RESUME, 1), WENT_ON);
    CHECK(apc_count == 1);
    context.ContextFlags = CONTEXT_FULL;
    CHECK_STATUS(NtContinueEx(&context, (void *)0x100),
                 STATUS_ACCESS_VIOLATION);
    CHECK_STATUS(NtContinueEx(&context, page + 1),
                 STATUS_DATATYPE_MISALIGNMENT);
    CHECK_STATUS(NtContinueEx(&context, (void *)0xFFFFF80000000000ULL),
                 STATUS_ACCESS_VIOLATION);
    CHECK_STATUS(NtContinueEx(&context, page + PAGE_SIZE - 8),
                 STATUS_ACCESS_VIOLATION);
}

NTSTATUS NtProcessStartup(PEB *peb)
{
    const struct door *door;

    (void)peb;
    check_order();
    check_special();
    check_nested();
    for (door = doors; door < doors_end(); door++)
        check_door(door);
    check_interrupt();
    check_trap();
    check_x87();
    check_alerts();
    check_no_routine();
    check_arguments();
    check_continue();
    check_often();
    check_storm();
    return test_end();
}
