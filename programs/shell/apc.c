/*
 * apc.c - apc: a user APC queued to this thread, and the user stack before,
 * during and after it.
 *
 * There are two moments: NtTestAlert, and a wait that may be alerted, which
 * ends before it has begun. On the way out of either the kernel finds the
 * APC, leaves what it interrupts on the user stack and goes to
 * KiUserApcDispatcher, which calls the routine. Its fourth argument, which no
 * prototype has, is the address of the lowest of the structures there.
 */
#include "shell.h"
#include "../lib/call.h"

#define ROW "  %012llX +%03X  %-18s "

/* On top, for who unwinds the stack: as if an interrupt had pushed it. */
struct machine_frame {
    ULONGLONG rip, cs, rflags, rsp, ss;
};

static struct call call;
static const char *service;                     /* whose stub call.target is */
static ULONG runs;

static void show_row(const CONTEXT *context, ULONG offset, const char *name)
{
    print(ROW, (ULONGLONG)context + offset, offset, name);
}

static void show_context(const CONTEXT *context)
{
    show_row(context, 0, "CONTEXT");
    print("P1Home-P4Home %llX %llX %llX %llX\n", context->P1Home,
          context->P2Home, context->P3Home, context->P4Home);
    show_row(context, offsetof(CONTEXT, Rax), "  Rax");
    print("%08llX, what %s is to return\n", context->Rax, service);
    show_row(context, offsetof(CONTEXT, Rsp), "  Rsp");
    print("%012llX, %s\n", context->Rsp,
          context->Rsp == call.in.Rsp - sizeof(ULONGLONG)
              ? "rsp in the stub" : "not rsp in the stub");
    show_row(context, offsetof(CONTEXT, Rip), "  Rip");
    print("%012llX, %s+%llX\n", context->Rip, service,
          context->Rip - (ULONGLONG)call.target);
}

static void show_above(const CONTEXT *context)
{
    const CONTEXT_EX *parts = (const CONTEXT_EX *)(context + 1);
    ULONG at = sizeof *context;
    const KCONTINUE_ARGUMENT *how;
    const struct machine_frame *frame;

    show_row(context, at, "CONTEXT_EX");
    print("all at %d, %X bytes; legacy at %d, %X\n", parts->All.Offset,
          parts->All.Length, parts->Legacy.Offset, parts->Legacy.Length);
    at += (sizeof *parts + 15) & ~15U;
    how = (const void *)((const UCHAR *)context + at);
    show_row(context, at, "KCONTINUE_ARGUMENT");
    print("type %u, flags %X\n", how->ContinueType, how->ContinueFlags);
    at += (sizeof *how + 15) & ~15U;
    frame = (const void *)((const UCHAR *)context + at);
    show_row(context, at, "MACHINE_FRAME");
    print("rip %llX, rsp %llX\n", frame->rip, frame->rsp);
    if (parts->XState.Length) {
        show_row(context, sizeof *context + (ULONG)parts->XState.Offset,
                 "XSTATE");
        print("%X bytes, the upper halves of ymm0-15\n",
              parts->XState.Length);
    }
}

static void NTAPI routine(void *argument1, void *argument2, void *argument3,
                          const CONTEXT *context)
{
    runs++;
    print("during  routine(%llX, %llX, %llX), r9 %llX, rsp about %llX\n",
          (ULONGLONG)argument1, (ULONGLONG)argument2, (ULONGLONG)argument3,
          (ULONGLONG)context, (ULONGLONG)__builtin_frame_address(0));
    show_context(context);
    show_above(context);
}

/* FALSE: nothing is queued. */
static BOOLEAN queue(void)
{
    NTSTATUS status = NtQueueApcThread(
        NtCurrentThread(), (PPS_APC_ROUTINE)(ULONG_PTR)routine, (void *)1,
        (void *)2, (void *)3);

    print("queue   NtQueueApcThread(self, %llX, 1, 2, 3) = %08X %s\n",
          (ULONGLONG)routine, (ULONG)status, status_name(status));
    return NT_SUCCESS(status);
}

static void show_call(const char *name, ULONG count,
                      const ULONGLONG *arguments)
{
    service = name;
    runs = 0;
    call_prepare(&call, find_stub(name), count, arguments);
    print("before  %s at %llX is called; nothing has run yet\n", name,
          (ULONGLONG)call.target);
    call_with_registers(&call);
    print("after   rax %08llX %s, rsp %llX %s; ran %u time%s\n",
          call.out.Rax, status_name((NTSTATUS)call.out.Rax), call.out.Rsp,
          call.out.Rsp == call.in.Rsp ? "as before" : "not as before", runs,
          runs == 1 ? "" : "s");
}

void command_apc(int count, const struct word *words)
{
    LARGE_INTEGER delay = { .QuadPart = -600000000 };   /* a minute */
    const ULONGLONG arguments[] = { TRUE, (ULONGLONG)&delay };

    (void)count, (void)words;
    if (queue())
        show_call("NtTestAlert", 0, NULL);
    if (queue())
        show_call("NtDelayExecution", ARRAY_SIZE(arguments), arguments);
}
