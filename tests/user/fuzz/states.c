/*
 * states.c - random states of the processor before a door, before a door that
 * is its page's end, and before an instruction that is odd.
 *
 * Whatever the state, a door answers, and the registers are as it promises;
 * what is not a door lands or raises an exception of ring 3's.  With TF or
 * breakpoints the end may be a single step.
 *
 * Scenarios: A1, N2.
 */
#include "state.h"

#include "facts.h"

#define RFLAGS_TF 0x100u
#define RANDOM_FLAGS 0x244CD5u                  /* arithmetic DF NT AC ID */
#define STACK_SIZE 0x10000u
#define STACK_FREE 0x4000u                      /* above rsp */

static UCHAR stack[STACK_SIZE] __attribute__((aligned(64)));
static struct state state __attribute__((aligned(64)));
static UCHAR *edge;                             /* a door ends at each page */
static ULONG close_number, time_number, event_number, process_number,
    alert_number;
static NTSTATUS expected;                       /* of a door, or any */
static BOOLEAN any;

static const struct {
    void (*door)(void), (*with_flags)(void);
    const UCHAR *behind;
    UCHAR bytes[2];
} ways[] = {
    { state_syscall, state_syscall_flags, state_syscall_behind,
      { 0x0F, 0x05 } },
    { state_int2e, state_int2e_flags, state_int2e_behind, { 0xCD, 0x2E } },
    { state_sysenter, state_sysenter_flags, state_sysenter_behind,
      { 0x0F, 0x34 } },
};

static ULONG number_of(const char *name)
{
    for (ULONG at = 0; at < row_count; at++)
        if (!strcmp(rows[at].name, name))
            return row_number(at);
    return 0xFFF;
}

/* Two pages for each door: the second one is not there. */
static void make_edges(void)
{
    ULONG at;

    edge = test_pages(2 * ARRAY_SIZE(ways));
    for (at = 0; at < ARRAY_SIZE(ways); at++)
        memcpy(edge + (2 * at + 1) * PAGE_SIZE - 2, ways[at].bytes, 2);
    for (at = 0; at < ARRAY_SIZE(ways); at++) {
        test_protect(edge + 2 * at * PAGE_SIZE, 1, PAGE_EXECUTE_READ);
        test_protect(edge + (2 * at + 1) * PAGE_SIZE, 1, PAGE_NOACCESS);
    }
}

/* ---- A state ---- */

static USHORT random_selector(void)
{
    static const USHORT loadable[] = { 0, 1, 3, 0x23, 0x2B, 0x1B, 0x3B };

    return loadable[random_below(ARRAY_SIZE(loadable))];
}

static ULONGLONG random_word(void)
{
    ULONG r = random32();

    if (r & 1)
        return (ULONGLONG)random32() << 32 | random32();
    return r & 2 ? generate_special()
                 : (ULONG_PTR)stack + (r >> 8) % (STACK_SIZE - 64);
}

static void random_state(void)
{
    ULONGLONG *registers = &state.in.Rax;

    for (ULONG at = 0; at < 16; at++)
        registers[at] = random_word();
    state.in.Rsp = (ULONG_PTR)stack + STACK_SIZE - STACK_FREE;
    state.in.Rflags = 0x202 | (random32() & RANDOM_FLAGS);
    state.in.mxcsr = random32() & 0xFFC0;       /* nothing pending */
    state.in.mxcsr |= 0x1F80;
    state.in.ds = random_selector();
    state.in.es = random_selector();
    state.in.fs = random_selector();
    state.in.landed = 0;
}

/* Addresses of a breakpoint's: what the state touches, and anything. */
static ULONGLONG random_place(void)
{
    switch (random32() >> 4 & 7) {
    case 0:
        return (ULONG_PTR)ways[random_below(3)].behind;
    case 1:
        return (ULONG_PTR)arena + (random32() & 0x3FF8);
    case 2:
        return (ULONG_PTR)stack + (random32() & 0xFFF8);
    case 3:
        return (ULONG_PTR)&state.out;
    default:
        return random_word();
    }
}

static void set_breakpoints(BOOLEAN on)
{
    static CONTEXT context __attribute__((aligned(16)));
    ULONGLONG *place;

    context.ContextFlags = CONTEXT_DEBUG_REGISTERS;
    for (place = &context.Dr0; place <= &context.Dr3; place++)
        *place = on ? random_place() : 0;
    context.Dr7 = on ? (random32() & 0xFFFF0355) : 0;
    context.Dr6 = 0;
    CHECK_STATUS(NtSetContextThread(NtCurrentThread(), &context),
                 STATUS_SUCCESS);
}

/* ---- A door ---- */

/* A service whose answer is known; stacked: it has an argument there. */
static void choose_service(BOOLEAN *stacked)
{
    struct state_registers *in = &state.in;

    *stacked = FALSE;
    any = FALSE;
    switch (random32() >> 8 & 7) {
    case 0:
        in->Rax = (in->Rax & ~0x1FFFULL) | close_number;
        in->R10 = 0x12340;
        expected = STATUS_INVALID_HANDLE;
        break;
    case 1:
        in->Rax = (in->Rax & ~0x1FFFULL) | time_number;
        in->R10 = (in->R10 | 1) & ~2ULL;
        expected = STATUS_DATATYPE_MISALIGNMENT;
        break;
    case 2:
        in->Rax = (in->Rax & ~0x1FFFULL) | event_number;
        in->R10 = good_handles[EVENT];
        in->Rdx = 0;
        expected = STATUS_SUCCESS;
        break;
    case 3:
    case 4:
        in->Rax = (in->Rax & ~0x1FFFULL) | process_number;
        in->Rdx = 99;
        expected = STATUS_INVALID_INFO_CLASS;
        *stacked = TRUE;
        break;
    case 5:
        in->Rax = (in->Rax & ~0x1FFFULL) | alert_number;
        expected = STATUS_SUCCESS;
        any = TRUE;
        break;
    default:
        in->Rax |= 0xFFF;
        expected = STATUS_INVALID_SYSTEM_SERVICE;
        break;
    }
}

/* A stack that is none is nobody's loss but for who has arguments there. */
static void choose_stack(BOOLEAN stacked)
{
    NTSTATUS status;

    state.in.Rsp = generate_special();
    status = memory_status(state.in.Rsp + 0x28, 8, 1, FALSE);
    if (stacked && status)
        expected = status;
}

static void prepare_sysenter(ULONGLONG behind)
{
    state.in.Rcx = behind;
    state.in.R11 = state.in.Rsp;
}

static const char *check_registers(ULONG way)
{
    const struct state_registers *in = &state.in, *out = &state.out;

    if (out->Rcx != (ULONG_PTR)ways[way].behind || out->Rdx || out->R10 ||
        out->R8 != in->Rsp || out->R9 != in->Rbp)
        return "rcx, rdx, r8, r9 or r10";
    if (out->R11 != out->Rflags)
        return "r11 is not rflags";
    if ((out->Rflags ^ in->Rflags) & ~(ULONGLONG)RFLAGS_TF)
        return "rflags are not kept";
    if (out->Rsp != in->Rsp || out->Rbp != in->Rbp || out->Rbx != in->Rbx ||
        out->Rsi != in->Rsi || out->Rdi != in->Rdi || out->R12 != in->R12 ||
        out->R13 != in->R13 || out->R14 != in->R14 || out->R15 != in->R15)
        return "a register is not kept";
    return out->mxcsr != in->mxcsr ? "mxcsr is not kept" : NULL;
}

static const char *check_landing(void)
{
    if (state.in.cs != 0x2B || state.in.ss != 0x23)
        return "cs or ss";
    return (state.out.Rflags & 0x1A3202) != 0x202 ? "rflags" : NULL;
}

static const char *check_door(ULONG way, BOOLEAN stepping)
{
    const char *wrong;

    if (caught.code)
        return stepping && caught.code == STATUS_SINGLE_STEP
                   ? caught.wrong : "an exception";
    wrong = check_landing();
    if (!wrong)
        wrong = check_registers(way);
    if (!wrong && !any && (NTSTATUS)state.out.Rax != expected)
        wrong = "status";
    return wrong;
}

static void run(ULONGLONG rip)
{
    state.in.Rip = rip;
    catch_arm();
    state_enter(&state);
    catch_disarm();
}

/* TF comes with the instruction before the door. */
static void run_stepping(ULONG way)
{
    ULONGLONG *top = (ULONGLONG *)(ULONG_PTR)state.in.Rsp - 1;

    *top = state.in.Rflags | RFLAGS_TF;
    state.in.Rsp -= sizeof *top;
    run((ULONG_PTR)ways[way].with_flags);
    state.in.Rsp += sizeof *top;
}

static void run_with_breakpoints(ULONG way)
{
    set_breakpoints(TRUE);
    run((ULONG_PTR)ways[way].door);
    set_breakpoints(FALSE);
}

static BOOLEAN is_near_guard(ULONGLONG address)
{
    return address - (ULONG_PTR)(arena + ARENA_GUARD * PAGE_SIZE) +
               PAGE_SIZE < 2 * PAGE_SIZE;
}

static const char *run_door(void)
{
    ULONG way = random_below(gate_doors), r = random32() >> 8 & 31;
    BOOLEAN stacked;

    choose_service(&stacked);
    if (r >= 8)
        choose_stack(stacked);
    if (way == 2)
        prepare_sysenter((ULONG_PTR)ways[way].behind);
    if (r == 0)
        run_stepping(way);
    else if (r == 1)
        run_with_breakpoints(way);
    else
        run((ULONG_PTR)ways[way].door);
    if (is_near_guard(state.in.Rsp))
        world_guard_again();
    return check_door(way, r < 2);
}

/* Behind the door there is no page: that is the exception, and where. */
static const char *run_edge(void)
{
    ULONG way = random_below(gate_doors);
    ULONGLONG end = (ULONG_PTR)edge + (2 * way + 1) * PAGE_SIZE;
    BOOLEAN stacked;

    choose_service(&stacked);
    if (way == 2)
        prepare_sysenter(end);
    run(end - 2);
    if (caught.wrong)
        return caught.wrong;
    return caught.code != STATUS_ACCESS_VIOLATION || caught.address != end ||
                   caught.rip != end || caught.target != end
               ? "the exception behind a page" : NULL;
}

/* ---- An instruction ---- */

static BOOLEAN is_known(NTSTATUS code)
{
    static const NTSTATUS codes[] = {
        STATUS_ACCESS_VIOLATION, STATUS_PRIVILEGED_INSTRUCTION,
        STATUS_ILLEGAL_INSTRUCTION, STATUS_SINGLE_STEP, STATUS_BREAKPOINT,
        STATUS_DATATYPE_MISALIGNMENT, STATUS_INTEGER_DIVIDE_BY_ZERO,
        STATUS_INTEGER_OVERFLOW, STATUS_GUARD_PAGE_VIOLATION,
        STATUS_ASSERTION_FAILURE, STATUS_INVALID_LOCK_SEQUENCE,
        STATUS_FLOAT_MULTIPLE_TRAPS, STATUS_FLOAT_MULTIPLE_FAULTS,
    };

    for (ULONG at = 0; at < ARRAY_SIZE(codes); at++)
        if (codes[at] == code)
            return TRUE;
    return FALSE;
}

static const char *run_instruction(ULONG index)
{
    static UCHAR *blocks;

    if (!blocks || index % BLOCKS == 0)
        blocks = instructions_make();
    run((ULONG_PTR)blocks + index % BLOCKS * BLOCK_SIZE);
    if (caught.code == STATUS_GUARD_PAGE_VIOLATION)
        world_guard_again();
    if (!caught.code)
        return check_landing();
    /* Which address it was is the instruction's own doing. */
    if (caught.wrong && caught.code != STATUS_ACCESS_VIOLATION)
        return caught.wrong;
    return is_known(caught.code) ? NULL : "an unknown exception";
}

static void report(ULONG index, const char *kind, const char *wrong)
{
    const ULONGLONG *in = &state.in.Rax, *out = &state.out.Rax;
    const UCHAR *bytes = (const UCHAR *)(ULONG_PTR)state.in.Rip;

    print("FINDING at state %u: %s: %s\n", index, kind, wrong);
    print("  rip %llx (%02x %02x), rflags %llx, mxcsr %x\n", state.in.Rip,
          bytes[0], bytes[1], state.in.Rflags, state.in.mxcsr);
    print("  exception %08x at %llx, rip %llx, parameter %llx\n", caught.code,
          caught.address, caught.rip, caught.target);
    print("  expected %08x, landed %u, cs %x ss %x rflags %llx\n", expected,
          state.in.landed, state.in.cs, state.in.ss, state.out.Rflags);
    for (ULONG at = 0; at < 16; at++)
        print("  %llx -> %llx\n", in[at], out[at]);
    if (++tally.findings >= tally.most_findings)
        RtlExitUserProcess(1);
}

static void one(ULONG index)
{
    ULONG kind = random_below(8);
    const char *wrong;

    random_state();
    if (kind < 5) {
        wrong = run_door();
    } else if (kind < 6) {
        wrong = run_edge();
    } else {
        wrong = run_instruction(index);
    }
    if (wrong)
        report(index, kind < 5 ? "door" : kind < 6 ? "edge" : "instruction",
               wrong);
    report_status(caught.code);
    tally.states++;
}

void states_run(ULONG count)
{
    if (!edge)
        make_edges();
    close_number = number_of("NtClose");
    time_number = number_of("NtQuerySystemTime");
    event_number = number_of("NtSetEvent");
    process_number = number_of("NtQueryInformationProcess");
    alert_number = number_of("NtTestAlert");
    for (ULONG index = 0; index < count; index++)
        one(index);
}
