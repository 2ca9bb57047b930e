/*
 * apc.c - chapter 4: a service that does not come back at once. On its way out
 * the kernel finds a user APC; ring 3 goes on elsewhere, on a frame below the
 * stack that it had, and comes back from there by one more system call.
 */
#include "apc.h"

#define ARGUMENT1 1
#define ARGUMENT2 0x22
#define ARGUMENT3 0x333
#define GENERAL 16                              /* registers */
#define RSP 4                                   /* its number */
#define CALL_BYTES 4                            /* call [rsp + 18h] */
#define FLAGS_OF_FRAME 3                        /* deliver APC, test alert */

struct apc_seen apc_seen[APCS_SEEN];
ULONG apc_count;

static struct call call;

void NTAPI apc_note(void *argument1, void *argument2, void *argument3,
                    struct apc_frame *frame, ULONGLONG *rsp);

/* apc.asm's; rsp: at its first instruction. */
void NTAPI apc_note(void *argument1, void *argument2, void *argument3,
                    struct apc_frame *frame, ULONGLONG *rsp)
{
    struct apc_seen *seen = &apc_seen[apc_count++ % APCS_SEEN];

    seen->arguments[0] = (ULONGLONG)argument1;
    seen->arguments[1] = (ULONGLONG)argument2;
    seen->arguments[2] = (ULONGLONG)argument3;
    seen->rsp = (ULONGLONG)rsp;
    seen->behind = *rsp;
    seen->at = (ULONGLONG)frame;
    seen->frame = *frame;
    if ((ULONGLONG)argument2 == APC_TESTS)
        NtTestAlert();
}

static NTSTATUS queue(ULONG_PTR one, ULONG_PTR two, ULONG_PTR three)
{
    return NtQueueApcThread(NtCurrentThread(), apc_routine, (void *)one,
                            (void *)two, (void *)three);
}

static void test_alert(void)
{
    apc_count = 0;
    call_prepare(&call, find_stub("NtTestAlert"), 0, NULL);
    call_with_registers(&call);
}

static ULONGLONG stub_rsp(void)
{
    return call.in.Rsp - sizeof(ULONGLONG);
}

/* ---- 4.2: the frame ---- */

static void field(ULONG offset, const char *name)
{
    print("   %016llX  +%03X  %-19s ", apc_seen[0].at + offset, offset, name);
}

static void show_context(const CONTEXT *context)
{
    field(0x000, "CONTEXT");
    print("P1Home-P3Home %llX, %llX, %llX\n", context->P1Home,
          context->P2Home, context->P3Home);
    field(offsetof(CONTEXT, P4Home), "  P4Home");
    print("%llX, the routine\n", context->P4Home);
    field(offsetof(CONTEXT, ContextFlags), "  ContextFlags");
    print("%08X\n", context->ContextFlags);
    field(offsetof(CONTEXT, EFlags), "  EFlags");
    print("%08X\n", context->EFlags);
    field(offsetof(CONTEXT, Rax), "  Rax");
    print("%08llX, NtTestAlert's status\n", context->Rax);
    field(offsetof(CONTEXT, Rcx), "  Rcx");
    print("%llX, as rdx, r8 to r11\n", context->Rcx);
    field(offsetof(CONTEXT, Rbx), "  Rbx");
    print("%016llX\n", context->Rbx);
    field(offsetof(CONTEXT, Rsp), "  Rsp");
    print("%016llX, the stub's\n", context->Rsp);
    field(offsetof(CONTEXT, Rip), "  Rip");
    print("%llX, NtTestAlert+%llX\n", context->Rip,
          context->Rip - (ULONGLONG)call.target);
    field(offsetof(CONTEXT, FltSave), "  FltSave");
    print("x87, xmm0 to xmm15\n");
}

static void show_above(const struct apc_frame *frame)
{
    field(offsetof(struct apc_frame, parts), "CONTEXT_EX");
    print("All from -%X, %X bytes\n", -frame->parts.All.Offset,
          frame->parts.All.Length);
    field(offsetof(struct apc_frame, how), "KCONTINUE_ARGUMENT");
    print("type %u (resume), flags %X\n", frame->how.ContinueType,
          frame->how.ContinueFlags);
    field(offsetof(struct apc_frame, machine), "MACHINE_FRAME");
    print("rip %llX, for who unwinds\n", frame->machine.rip);
    field(offsetof(struct apc_frame, machine.rsp), "  rsp");
    print("%016llX\n", frame->machine.rsp);
    if (!frame->parts.XState.Length)
        return;
    field(offsetof(struct apc_frame, parts) + frame->parts.XState.Offset,
          "XSTATE");
    print("%X bytes: the rest of ymm0-15\n", frame->parts.XState.Length);
}

static void check_frame(const struct apc_frame *frame)
{
    const CONTEXT *context = &frame->context;

    check(context->P1Home == ARGUMENT1 && context->P2Home == ARGUMENT2 &&
          context->P3Home == ARGUMENT3 &&
          context->P4Home == (ULONGLONG)apc_routine,
          "the home slots hold arguments and routine");
    check(context->Rsp == stub_rsp() &&
          context->Rip - (ULONGLONG)call.target < 24,
          "the CONTEXT is the stub's, behind its door");
    check(context->EFlags == call.out.Rflags && context->Rbx == call.in.Rbx,
          "the CONTEXT has the interrupted registers");
    check(frame->parts.All.Offset == -(LONG)sizeof *context &&
          frame->parts.Legacy.Length == sizeof *context &&
          !frame->parts.XState.Length == !CONTEXT_HAS(context,
                                                      CONTEXT_XSTATE),
          "CONTEXT_EX says where the parts are");
    check(frame->how.ContinueType == KCONTINUE_RESUME &&
          frame->how.ContinueFlags == FLAGS_OF_FRAME,
          "KCONTINUE_ARGUMENT says: resume, test alert");
    check(frame->machine.rip == context->Rip &&
          frame->machine.rsp == context->Rsp,
          "MACHINE_FRAME repeats rip and rsp");
    check(apc_seen[0].at % 16 == 0 &&
          apc_seen[0].at + APC_FRAME_BYTES <= stub_rsp(),
          "the frame is below the stub's stack");
}

static void show_frame(void)
{
    NTSTATUS status;

    print("\n 4.2 An APC for myself: what the kernel leaves on my stack\n");
    status = queue(ARGUMENT1, ARGUMENT2, ARGUMENT3);
    print("   NtQueueApcThread(myself, routine, %X, %X, %X) = %08X %s\n",
          ARGUMENT1, ARGUMENT2, ARGUMENT3, (ULONG)status,
          status_name(status));
    check(status == STATUS_SUCCESS, "an APC can be queued");
    show_queued_apc();
    test_alert();
    check(apc_count == 1, "the APC runs at NtTestAlert");
    print("   rsp was  %016llX in NtTestAlert, and is %llX lower now:\n",
          stub_rsp(), stub_rsp() - apc_seen[0].at);
    show_context(&apc_seen[0].frame.context);
    show_above(&apc_seen[0].frame);
    check_frame(&apc_seen[0].frame);
}

/* ---- 4.3: who runs, and what is back ---- */

static void show_dispatcher(void)
{
    const struct apc_seen *seen = &apc_seen[0];
    ULONGLONG dispatcher = (ULONGLONG)find_stub("KiUserApcDispatcher");
    const UCHAR *bytes = (const UCHAR *)seen->behind - CALL_BYTES;

    print("   rip      %016llX KiUserApcDispatcher, rsp as above\n",
          dispatcher);
    print("   loads    rcx, rdx, r8 from the home slots, r9 = rsp\n");
    print("   calls    %02X %02X %02X %02X at +%02llX: the routine, by "
          "[rsp+18h]\n", bytes[0], bytes[1], bytes[2], bytes[3],
          seen->behind - CALL_BYTES - dispatcher);
    print("   routine  rcx %llX, rdx %llX, r8 %llX, r9 %llX, rsp %llX\n",
          seen->arguments[0], seen->arguments[1], seen->arguments[2],
          seen->at, seen->rsp);
    print("            It puts BAD0BAD0BAD0BAD0 in every register and "
          "returns.\n");
    print("   then     NtContinueEx(CONTEXT, KCONTINUE_ARGUMENT): back by "
          "iretq\n");
    check(bytes[0] == 0xFF && seen->behind > dispatcher &&
          seen->behind < dispatcher + 64 &&
          seen->rsp == seen->at - sizeof(ULONGLONG),
          "KiUserApcDispatcher calls the routine");
    check(seen->arguments[0] == ARGUMENT1 &&
          seen->arguments[1] == ARGUMENT2 && seen->arguments[2] == ARGUMENT3,
          "the routine's arguments are those that were queued");
    if (kernel_is_open()) {
        ULONGLONG address = 0;

        kernel_read(kernel_address("KeUserApcDispatcher"), &address,
                    sizeof address);
        check(address == dispatcher, "the kernel knows KiUserApcDispatcher");
    }
}

static void row(const char *name, ULONGLONG in, ULONGLONG out,
                const char *role)
{
    print("   %-6s  %016llX -> %016llX  %s\n", name, in, out, role);
}

static void check_back(void)
{
    const ULONGLONG *context = &apc_seen[0].frame.context.Rax;
    const struct registers *in = &call.in, *out = &call.out;
    const ULONGLONG *after = &out->Rax;
    ULONG at;
    BOOLEAN same = TRUE;

    for (at = 0; at < GENERAL; at++)
        same &= at == RSP || after[at] == context[at];
    check(same, "every register is the CONTEXT's");
    check(out->Rsp == in->Rsp, "rsp is back");
    check(in->Rbx == out->Rbx && in->Rbp == out->Rbp && in->Rsi == out->Rsi &&
          in->Rdi == out->Rdi && in->R12 == out->R12 &&
          in->R13 == out->R13 && in->R14 == out->R14 && in->R15 == out->R15,
          "non-volatile registers are kept");
    for (at = 0; at < 16; at++)
        same &= at < 6 ? !out->Xmm[at].Low && !out->Xmm[at].High
                       : !memcmp(&in->Xmm[at], &out->Xmm[at], sizeof(M128A));
    check(same, "xmm0-5 are zero, xmm6-15 kept");
}

static void show_back(void)
{
    const struct registers *in = &call.in, *out = &call.out;

    print("\n 4.3 Who runs, and what comes back\n");
    show_dispatcher();
    print("   register before              after\n");
    row("rax", in->Rax, out->Rax, "status out");
    row("rcx", in->Rcx, out->Rcx, "a service does not keep it");
    row("r11", in->R11, out->R11, "nor rdx, r8 to r10");
    row("rbx", in->Rbx, out->Rbx, "kept, as rsi rdi rbp r12-15");
    row("rsp", in->Rsp, out->Rsp, "kept");
    row("xmm0", in->Xmm[0].Low, out->Xmm[0].Low, "cleared, as xmm1-5");
    row("xmm6", in->Xmm[6].Low, out->Xmm[6].Low, "kept, as xmm7-15");
    check_back();
}

/* ---- 4.4: two ---- */

static void show_pair(const char *first, const char *second)
{
    const char *const names[APCS_SEEN] = { first, second };
    ULONG at;

    print("   %-7s argument  frame at          rip to go back to\n", "");
    for (at = 0; at < APCS_SEEN; at++) {
        const struct apc_seen *seen = &apc_seen[at];
        ULONGLONG rip = seen->frame.context.Rip;

        print("   %-7s %llX         %016llX  %llX\n", names[at],
              seen->arguments[0], seen->at, rip);
    }
}

static void show_two(void)
{
    const struct apc_seen *first = &apc_seen[0], *second = &apc_seen[1];

    print("\n 4.4 Two in a row, one NtTestAlert\n");
    queue(1, 0, 0);
    queue(2, 0, 0);
    test_alert();
    show_pair("first", "second");
    print("   NtContinueEx (flag 1: test alert) finds the second, before "
          "NtTestAlert's\n   next instruction; its frame is where the first "
          "was.\n");
    check(apc_count == 2 && first->arguments[0] == 1 &&
          second->arguments[0] == 2, "two APCs run in their order");
    check(first->at == second->at &&
          first->frame.context.Rip == second->frame.context.Rip,
          "the second APC interrupts what the first did");
    queue(3, APC_TESTS, 0);
    queue(4, 0, 0);
    test_alert();
    show_pair("outer", "inner");
    print("   The routine of 3 has called NtTestAlert itself: 4 is on top, "
          "%llX lower.\n", first->at - second->at);
    check(apc_count == 2 && second->frame.context.Rsp < first->rsp &&
          second->at + APC_FRAME_BYTES <= second->frame.context.Rsp,
          "an APC in an APC is on top of it");
    check(call.out.Rax == STATUS_SUCCESS, "NtTestAlert's status is back");
}

void show_apcs(void)
{
    print("\n4. The way back: APCs\n");
    show_apc_test();
    show_frame();
    show_back();
    show_two();
    show_apc_from_thread();
}
