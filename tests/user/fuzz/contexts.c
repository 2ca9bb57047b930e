/*
 * contexts.c - random contexts, through NtContinue into ring 3 and through
 * NtSetContextThread into a thread and out again: exactly the bits that may
 * be set arrive.
 *
 * SegCs and SegSs count through all 65,536 values.
 *
 * Scenarios: B4, B5.
 */
#include "state.h"

#include "../../../programs/lib/call.h"
#include "facts.h"

#define LANDED 0x103
#define CODE32 0x1B
#define FLAGS_USER 0x210DD5u                    /* ID RF, TF to CF */
#define FLAGS_TF 0x100u
#define FLAGS_RF 0x10000u
#define DR7_USER 0xFFFF0355ULL
#define DR7_ACTIVE 0x355u
#define FCW_USER 0x1F3F

NTSTATUS continue_and_land(CONTEXT *context, struct registers *registers);
void landing(void);

static CONTEXT context __attribute__((aligned(16)));
static CONTEXT now __attribute__((aligned(16)));
static struct registers got;
static struct state state __attribute__((aligned(64)));
static const char *wrong;
static ULONG selector;

static void expect(BOOLEAN held, const char *what)
{
    if (!held && !wrong)
        wrong = what;
}

/* ---- A context ---- */

static ULONGLONG random_word(void)
{
    ULONG r = random32();

    return r & 1 ? (ULONGLONG)random32() << 32 | random32()
                 : generate_special();
}

static void fill(void)
{
    ULONGLONG *words = (ULONGLONG *)&context;

    for (ULONG at = 0; at < sizeof context / 8; at++)
        words[at] = (ULONGLONG)random32() << 32 | random32();
    for (ULONGLONG *word = &context.Dr0; word <= &context.R15; word++)
        *word = random_word();
    context.ContextFlags = CONTEXT_AMD64 | CONTEXT_CONTROL |
                           (random32() & 0x1F);
    context.SegCs = (USHORT)selector;
    context.SegSs = (USHORT)(selector * 0x9E37);
    selector++;
    if (context.SegCs == CODE32)
        context.SegCs = 0;
    if (random32() & 3)                         /* no address of ours */
        context.Dr7 &= ~(ULONGLONG)DR7_ACTIVE;
}

static BOOLEAN has(ULONG part)
{
    return (context.ContextFlags & part) == part;
}

static ULONGLONG user_only(ULONGLONG address)
{
    return address <= TOP ? address : 0;
}

static void check_debug_registers(const CONTEXT *at)
{
    const ULONGLONG *set = &context.Dr0, *is = &at->Dr0;
    BOOLEAN active = has(CONTEXT_DEBUG_REGISTERS) &&
                     context.Dr7 & DR7_ACTIVE;

    for (ULONG i = 0; i < 4; i++)
        expect(is[i] == (active ? user_only(set[i]) : 0), "dr0-3");
    expect(at->Dr7 == (active ? context.Dr7 & DR7_USER : 0), "dr7");
}

/* ---- Into ring 3 ---- */

static void check_integer(void)
{
    const ULONGLONG *is = &got.Rax, *set = &context.Rax;
    static const UCHAR volatiles[] = { 0, 1, 2, 8, 9, 10, 11 };

    if (has(CONTEXT_INTEGER)) {
        for (ULONG at = 0; at < 16; at++)
            expect(at == 4 || is[at] == set[at], "a register");
        return;
    }
    for (ULONG at = 0; at < ARRAY_SIZE(volatiles); at++)
        expect(is[volatiles[at]] == 0, "a register that nobody has set");
}

static void check_floating_point(void)
{
    USHORT control;

    __asm__ volatile("fnstcw %0\n\tfninit" : "=m"(control));
    if (!has(CONTEXT_FLOATING_POINT)) {
        for (ULONG at = 0; at < 6; at++)
            expect(!got.Xmm[at].Low && !got.Xmm[at].High, "xmm0-5");
        return;
    }
    expect(!memcmp(got.Xmm, context.FltSave.XmmRegisters, sizeof got.Xmm),
           "xmm");
    expect((ULONG)got.unused == (context.MxCsr & 0xFFFF), "mxcsr");
    expect(((control ^ context.FltSave.ControlWord) & FCW_USER) == 0, "fcw");
}

static void check_ring(void)
{
    USHORT cs, ss;

    __asm__ volatile("movw %%cs, %0\n\tmovw %%ss, %1" : "=r"(cs), "=r"(ss));
    expect(cs == 0x2B && ss == 0x23, "cs or ss");
}

static void check_landing(void)
{
    context.Rip = (ULONG_PTR)landing;
    context.EFlags &= ~FLAGS_TF;
    expect(continue_and_land(&context, &got) == LANDED, "no landing");
    check_ring();
    check_integer();
    check_floating_point();
    expect(got.Rsp == context.Rsp, "rsp");
    expect(got.Rflags == ((context.EFlags & FLAGS_USER & ~FLAGS_RF) | 0x202),
           "rflags");
    now.ContextFlags = CONTEXT_DEBUG_REGISTERS;
    expect(NtGetContextThread(NtCurrentThread(), &now) == STATUS_SUCCESS,
           "NtGetContextThread");
    if (has(CONTEXT_DEBUG_REGISTERS))
        check_debug_registers(&now);
}

/* ---- To where nothing is ---- */

static ULONGLONG canonical(ULONGLONG address)
{
    return (ULONGLONG)((LONGLONG)(address << 16) >> 16);
}

/* A thread that calls NtContinue with a good stack. */
static void __attribute__((noreturn)) leave(CONTEXT *to)
{
    NtContinue(to, FALSE);
    state_landing();
    __builtin_unreachable();
}

static ULONGLONG odd_rip(void)
{
    ULONG bit = random32() & 63;
    ULONGLONG one = 1ULL << bit;

    switch (random32() >> 8 & 3) {
    case 0:
        return bit >= 31 ? one : KERNEL_ADDRESS;
    case 1:
        return bit >= 31 ? one - 1 : TOP + 1;
    case 2:
        return bit >= 31 ? ~one : 0;
    default:
        return (ULONGLONG)random32() << 32 | 0x800000000000ULL | random32();
    }
}

static UCHAR stack[0x8000] __attribute__((aligned(64)));

static void check_nowhere(void)
{
    ULONGLONG rip = odd_rip();

    context.ContextFlags = CONTEXT_CONTROL | CONTEXT_DEBUG_REGISTERS;
    context.Dr7 = 0;                            /* no breakpoint of before */
    context.Rip = rip;
    context.Rsp = (ULONG_PTR)stack + 0x6000;
    context.EFlags &= ~FLAGS_TF;
    memset(&state.in, 0, sizeof state.in);
    state.in.Rsp = (ULONG_PTR)stack + sizeof stack - 0x108;
    state.in.Rflags = 0x202;
    state.in.mxcsr = 0x1F80;
    state.in.ds = state.in.es = state.in.fs = 0x23;
    state.in.Rcx = (ULONG_PTR)&context;
    state.in.Rip = (ULONG_PTR)leave;
    catch_arm();
    caught.allowed = canonical(rip);
    state_enter(&state);
    catch_disarm();
    expect(!caught.wrong, caught.wrong);
    expect(caught.code == STATUS_ACCESS_VIOLATION, "no access violation");
    expect(caught.rip == canonical(rip), "rip of an exception");
}

/* ---- Into another thread ---- */

static void check_control(void)
{
    expect(now.Rip == canonical(context.Rip), "rip");
    expect(now.Rsp == context.Rsp, "rsp");
    expect(now.EFlags == ((context.EFlags & FLAGS_USER) | 0x200), "rflags");
    expect(now.SegCs == 0x2B && now.SegSs == 0x23, "cs or ss");
    expect(now.SegDs == 0x23 && now.SegEs == 0x23 && now.SegFs == 0x3B &&
           now.SegGs == 0x23, "segments");
}

/* It is in a service: what is volatile there is zero. */
static void check_thread(void)
{
    HANDLE thread = (HANDLE)good_handles[THREAD];

    expect(NtSetContextThread(thread, &context) == STATUS_SUCCESS,
           "NtSetContextThread");
    now.ContextFlags = CONTEXT_ALL;
    expect(NtGetContextThread(thread, &now) == STATUS_SUCCESS,
           "NtGetContextThread");
    check_control();
    expect(!now.Rax && !now.Rcx && !now.Rdx && !now.R8 && !now.R9 &&
           !now.R10 && !now.R11, "volatile registers");
    if (has(CONTEXT_INTEGER))
        expect(now.Rbx == context.Rbx && now.Rbp == context.Rbp &&
               now.Rsi == context.Rsi && now.Rdi == context.Rdi &&
               !memcmp(&now.R12, &context.R12, 4 * sizeof now.R12),
               "non-volatile registers");
    if (has(CONTEXT_FLOATING_POINT))
        expect(now.MxCsr == (context.MxCsr & 0xFFFF) &&
               !memcmp(&now.FltSave.XmmRegisters[6],
                       &context.FltSave.XmmRegisters[6], 10 * sizeof(M128A)),
               "floating point");
    if (has(CONTEXT_DEBUG_REGISTERS))
        check_debug_registers(&now);
}

static void report(ULONG index, const char *kind)
{
    print("FINDING at context %u: %s: %s\n", index, kind, wrong);
    print("  flags %x, cs %x ss %x eflags %x rip %llx rsp %llx dr7 %llx\n",
          context.ContextFlags, context.SegCs, context.SegSs, context.EFlags,
          context.Rip, context.Rsp, context.Dr7);
    print("  landed with rflags %llx rsp %llx; exception %08x, rip %llx\n",
          got.Rflags, got.Rsp, caught.code, caught.rip);
    print("  thread: cs %x ss %x eflags %x rip %llx dr7 %llx\n", now.SegCs,
          now.SegSs, now.EFlags, now.Rip, now.Dr7);
    if (++tally.findings >= tally.most_findings)
        RtlExitUserProcess(1);
}

static void clear_debug_registers(void)
{
    memset(&context, 0, sizeof context);
    context.ContextFlags = CONTEXT_DEBUG_REGISTERS;
    CHECK_STATUS(NtSetContextThread(NtCurrentThread(), &context),
                 STATUS_SUCCESS);
}

void contexts_run(ULONG count)
{
    for (ULONG index = 0; index < count; index++) {
        ULONG kind = random_below(8);

        wrong = NULL;
        fill();
        if (kind == 0)
            check_thread();
        else if (kind == 1)
            check_nowhere();
        else
            check_landing();
        if (wrong)
            report(index, kind == 0   ? "thread"
                          : kind == 1 ? "nowhere" : "landing");
        tally.contexts++;
    }
    clear_debug_registers();
}
