/*
 * isolation.c - what a thread has in its registers stays its own, when others
 * with other contents run in between: vector and x87 registers, their control
 * words, selectors, flags, debug registers.
 *
 * Each thread holds its state (isolation.asm) while it spins until the clock
 * has taken it off, or while it yields. xmm0-5 are not kept by a call.
 *
 * Scenarios: C11, E4, F1, G3, L1.
 */
#include "test.h"

#include "../../programs/lib/call.h"

#define THREADS 8
#define STACK 0x10000
#define ROUNDS 3
#define YIELDS 2000
#define SPINS 30000000
#define FLAGS_FIXED 0x202
#define FLAGS_HELD 0x240ED5                     /* DF, AC, ID, arithmetic */
#define FLAGS_HELD_BY_STUB 0x240600             /* which compares */
#define SELECTORS 3
#define STEPS 10                        /* of each, however long it takes */

struct state {
    ULONGLONG flags;
    USHORT selectors[4];
    ULONG yield, count;
    ULONG pad[2];
    XSAVE_FORMAT in __attribute__((aligned(16)));
    XSAVE_FORMAT out __attribute__((aligned(16)));
    ULONGLONG flags_out;
    USHORT selectors_out[4];
    ULONGLONG r15_out;
};
_Static_assert(offsetof(struct state, in) == 32, "isolation.asm");
_Static_assert(offsetof(struct state, flags_out) == 32 + 1024,
               "isolation.asm");

static struct state states[THREADS] __attribute__((aligned(16)));
static volatile BOOLEAN yield;

void hold_state(struct state *state);

static const USHORT selectors[] = { 0x23, 0x2B, 0, 0x21, 0x1B,
                                    0x3B, 0x20, 0x28 };
static const USHORT flags[] = { 0, 0x400, 0x8D5, 0xCD5, 0x40, 0x401, 4, 0x80 };

static void prepare(ULONG number, struct state *state)
{
    ULONG at;

    memset(state, 0, sizeof *state);
    state->flags = FLAGS_FIXED | flags[number] |
                   (number & 1 ? 0x240000 : number & 2 ? 0x40000 : 0);
    for (at = 0; at < SELECTORS; at++)
        state->selectors[at] = selectors[(number + at) % THREADS];
    state->yield = yield;
    state->count = yield ? YIELDS : SPINS;
    state->in.ControlWord = 0x037F ^ (number & 3) << 10 ^ (number & 4) << 6;
    state->in.StatusWord = (USHORT)(number << 11);
    state->in.TagWord = (UCHAR)(1 << number | 0x81);
    state->in.MxCsr = 0x1F80 | (number & 3) << 13 | (number & 4) << 13 |
                      (number & 1) << 6;
    for (at = 0; at < 8; at++) {
        state->in.FloatRegisters[at].Low = ~0ULL << 63 | number << 8 | at;
        state->in.FloatRegisters[at].High = 0x3FFF + number;
    }
    for (at = 0; at < 16; at++) {
        state->in.XmmRegisters[at].Low = 0x0101010101010101ULL * (number + 1);
        state->in.XmmRegisters[at].High = at;
    }
}

static void check(ULONG number, const struct state *state)
{
    ULONG at;
    ULONGLONG held = yield ? FLAGS_HELD_BY_STUB : FLAGS_HELD;

    CHECK_SAY((state->flags_out & held) == (state->flags & held),
              "%u: flags %llx, not %llx", number, state->flags_out,
              state->flags);
    for (at = 0; at < SELECTORS; at++)
        CHECK_SAY(state->selectors_out[at] == state->selectors[at],
                  "%u: selector %u: %x, not %x", number, at,
                  state->selectors_out[at], state->selectors[at]);
    CHECK_SAY(state->in.ControlWord == state->out.ControlWord, "%u: fcw %x",
              number, state->out.ControlWord);
    CHECK_SAY(state->in.StatusWord == state->out.StatusWord, "%u: fsw %x",
              number, state->out.StatusWord);
    CHECK_SAY(state->in.TagWord == state->out.TagWord, "%u: tags %x", number,
              state->out.TagWord);
    CHECK_SAY(state->in.MxCsr == state->out.MxCsr, "%u: mxcsr %x", number,
              state->out.MxCsr);
    CHECK_SAY(!memcmp(state->in.FloatRegisters, state->out.FloatRegisters,
                      sizeof state->in.FloatRegisters), "%u: x87", number);
    for (at = yield ? 6 : 0; at < 16; at++)
        CHECK_SAY(!memcmp(&state->in.XmmRegisters[at],
                          &state->out.XmmRegisters[at], sizeof(M128A)),
                  "%u: xmm%u", number, at);
    CHECK(state->r15_out == state->flags);
    CHECK_SAY(NtCurrentTeb()->NtTib.Self == NtCurrentTeb(), "%u: gs", number);
}

static void NTAPI hold(void *argument)
{
    ULONG number = (ULONG)(ULONG_PTR)argument, round;

    for (round = 0; round < ROUNDS; round++) {
        prepare(number, &states[number]);
        hold_state(&states[number]);
        check(number, &states[number]);
    }
    NtTerminateThread(NtCurrentThread(), 0);
}

static HANDLE create(void *routine, ULONG_PTR argument)
{
    HANDLE thread = NULL;

    CHECK_STATUS(NtCreateThreadEx(&thread, THREAD_ALL_ACCESS, NULL,
                                  NtCurrentProcess(), routine,
                                  (void *)argument, 0, 0, STACK, STACK, NULL),
                 STATUS_SUCCESS);
    return thread;
}

static void join(HANDLE thread)
{
    CHECK_STATUS(NtWaitForSingleObject(thread, FALSE, NULL), STATUS_SUCCESS);
    NtClose(thread);
}

static void check_threads(ULONG count)
{
    HANDLE threads[THREADS];
    ULONG at;

    for (at = 0; at < count; at++)
        threads[at] = create(hold, at);
    for (at = 0; at < count; at++)
        join(threads[at]);
}

/* ---- Debug registers ---- */

static volatile ULONG steps[3], watched[3];
static volatile BOOLEAN over;

static void NTAPI use_debug_registers(void *argument)
{
    ULONG_PTR number = (ULONG_PTR)argument;
    CONTEXT context;

    memset(&context, 0, sizeof context);
    while (!over) {
        context.ContextFlags = CONTEXT_DEBUG_REGISTERS;
        CHECK_STATUS(NtGetContextThread(NtCurrentThread(), &context),
                     STATUS_SUCCESS);
        if (number == 2)
            CHECK_SAY(!context.Dr7 && !context.Dr0, "dr7 %llx", context.Dr7);
        else if (steps[number])
            CHECK_SAY(context.Dr0 == (ULONG_PTR)&watched[number] &&
                      context.Dr7 == 0xF0001, "dr0 %llx dr7 %llx",
                      context.Dr0, context.Dr7);
        /* Other threads' watchpoints must not be live here. */
        watched[(number + 1) % 3]++;
        watched[(number + 2) % 3]++;
        steps[number]++;
        if (number == 2 || steps[number] == 1) {
            context.Dr0 = number == 2 ? 0 : (ULONG_PTR)&watched[number];
            context.Dr7 = number == 2 ? 0 : 0xF0001;    /* written, read */
            context.ContextFlags = CONTEXT_DEBUG_REGISTERS;
            CHECK_STATUS(NtSetContextThread(NtCurrentThread(), &context),
                         STATUS_SUCCESS);
        }
        if (steps[number] % 3 == 0)
            NtYieldExecution();
    }
    NtTerminateThread(NtCurrentThread(), 0);
}

static void check_debug_registers(void)
{
    LARGE_INTEGER second = { .QuadPart = -5000000 };
    HANDLE threads[3];
    ULONG_PTR at;

    for (at = 0; at < 3; at++)
        threads[at] = create(use_debug_registers, at);
    do
        NtDelayExecution(FALSE, &second);
    while (steps[0] < STEPS || steps[1] < STEPS || steps[2] < STEPS);
    over = TRUE;
    for (at = 0; at < 3; at++)
        join(threads[at]);
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    (void)peb;
    print("storming\n");
    check_threads(2);
    check_threads(THREADS);
    yield = TRUE;
    check_threads(2);
    check_threads(THREADS);
    check_debug_registers();
    return test_end();
}
