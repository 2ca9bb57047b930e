/*
 * continuefuzz.c - NtContinue with random contexts: whatever they ask for,
 * what arrives is ring 3's, and what they may ask for arrives.
 *
 * Rip leads to landing.asm, which looks at every register; all else is
 * random, from bytes or from values at the edges, wherever the program can
 * live with it; extended state is anywhere. Another thread moves the page under
 * a context meanwhile.
 * "continuefuzz SEED" begins elsewhere.
 *
 * Scenarios: B4, B5, B10, B12, C9, F4, L2, L3.
 */
#include "test.h"

#include "../../programs/lib/call.h"

#define LANDED 0x103
#define ROUNDS 20000
#define FLIPS 4000
#define FLAGS_FORBIDDEN 0x1A7000                /* IOPL NT VM VIF VIP */
#define FLAGS_TF 0x100
#define FLAGS_HELD 0xCD5                        /* DF, arithmetic */
#define CODE32 0x1B
#define HIGHEST 0x7FFFFFFEFFFFULL
#define DR7_USER 0xFFFF0355ULL

NTSTATUS continue_and_land(CONTEXT *context, struct registers *registers);
void landing(void);

/* As the kernel puts them on a stack for an APC. */
static struct {
    CONTEXT context;
    CONTEXT_EX ex;
    UCHAR xstate[832];
} area __attribute__((aligned(64)));
#define context area.context
static struct registers got;
static ULONG seed = 20041;
static volatile BOOLEAN over;

static const ULONGLONG edges[] = {
    0, 1, ~0ULL, 0x7FFFFFFEFFFF, 0x7FFFFFFF0000, 0x7FFFFFFFFFFF,
    0x800000000000, 0xFFFF7FFFFFFFFFFF, 0xFFFF800000000000,
    0xFFFFF78000000000, 0xFFFFFFFF80000000, 0xFFFFFFFF, 0x100000000,
};

static ULONG number(ULONG below)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % below;
}

static ULONGLONG number64(void)
{
    if (number(3) == 0)
        return edges[number(ARRAY_SIZE(edges))];
    return (ULONGLONG)number(0x1000000) << 40 ^
           (ULONGLONG)number(0x1000000) << 20 ^ number(0x1000000);
}

static void fill(void)
{
    ULONGLONG *words = (ULONGLONG *)&context;
    ULONG at;

    for (at = 0; at < sizeof context / 8; at++)
        words[at] = number64();
    context.Rip = (ULONG_PTR)landing;
    context.ContextFlags = CONTEXT_AMD64 | CONTEXT_CONTROL | number(0x20);
    if (number(4) == 0)
        context.ContextFlags |= number(0x1000000) << 8 & ~0x10000040U;
    context.EFlags &= ~FLAGS_TF;
    if (context.SegCs == CODE32)
        context.SegCs = 8;
    if (number(2))                              /* no address of ours */
        context.Dr7 = 0;
    memset(&got, 0xEE, sizeof got);
}

static void check_integer(void)
{
    ULONG at;

    for (at = 0; at < 16; at++)
        CHECK_SAY((&got.Rax)[at] == (&context.Rax)[at],
                  "register %u: %llx, not %llx", at, (&got.Rax)[at],
                  (&context.Rax)[at]);
}

static void check_floating_point(void)
{
    USHORT control;

    __asm__ volatile("fnstcw %0\n\tfninit" : "=m"(control));
    CHECK_SAY(!memcmp(got.Xmm, context.FltSave.XmmRegisters, sizeof got.Xmm),
              "xmm");
    CHECK_SAY((ULONG)got.unused == (context.MxCsr & 0xFFFF),
              "mxcsr %x, not %x", (ULONG)got.unused, context.MxCsr);
    CHECK_SAY(((control ^ context.FltSave.ControlWord) & 0x1F3F) == 0,
              "fcw %x, not %x", control, context.FltSave.ControlWord);
}

static void check_debug_registers(void)
{
    static CONTEXT now __attribute__((aligned(16)));
    ULONGLONG *dr;

    now.ContextFlags = CONTEXT_DEBUG_REGISTERS;
    CHECK_STATUS(NtGetContextThread(NtCurrentThread(), &now), STATUS_SUCCESS);
    CHECK_SAY(!(now.Dr7 & ~DR7_USER), "dr7 %llx", now.Dr7);
    for (dr = &now.Dr0; dr <= &now.Dr3; dr++)
        CHECK_SAY(*dr <= HIGHEST, "dr%u %llx", (ULONG)(dr - &now.Dr0), *dr);
}

static void check_ring(void)
{
    USHORT cs, ss;

    __asm__ volatile("movw %%cs, %0\n\tmovw %%ss, %1" : "=r"(cs), "=r"(ss));
    CHECK_SAY(cs == 0x2B && ss == 0x23, "cs %x ss %x", cs, ss);
    CHECK_SAY(!(got.Rflags & FLAGS_FORBIDDEN) && (got.Rflags & 0x202) == 0x202,
              "rflags %llx", got.Rflags);
    CHECK(NtCurrentTeb()->NtTib.Self == NtCurrentTeb());
}

static void check_round(void)
{
    fill();
    if (!CHECK_STATUS(continue_and_land(&context, &got), LANDED))
        return;
    check_ring();
    CHECK_SAY(((got.Rflags ^ context.EFlags) & FLAGS_HELD) == 0,
              "rflags %llx, not %x", got.Rflags, context.EFlags);
    if (CONTEXT_HAS(&context, CONTEXT_INTEGER))
        check_integer();
    if (CONTEXT_HAS(&context, CONTEXT_FLOATING_POINT))
        check_floating_point();
    check_debug_registers();
}

/* Extended state that is anywhere, of any length, with any header. */
static void check_xstate(void)
{
    ULONG at, round;
    NTSTATUS status;

    for (round = 0; round < ROUNDS / 4; round++) {
        fill();
        for (at = 0; at < sizeof area.xstate; at++)
            area.xstate[at] = (UCHAR)number(256);
        context.ContextFlags = CONTEXT_FULL | CONTEXT_XSTATE;
        area.ex.XState.Offset = number(2) ? (LONG)sizeof area.ex
                                          : (LONG)number64();
        area.ex.XState.Length = number(2) ? sizeof area.xstate : number(1000);
        status = continue_and_land(&context, &got);
        if (status == LANDED) {
            check_ring();
            check_integer();
            check_floating_point();
        } else {
            CHECK_SAY(status == STATUS_ACCESS_VIOLATION ||
                      status == STATUS_INVALID_PARAMETER, "%08x", status);
        }
    }
}

/* Where the offset leads far below the first address there is. */
static void check_xstate_below_zero(void)
{
    void *low = (void *)0x10000000;
    SIZE_T size = sizeof area;

    fill();
    context.ContextFlags = CONTEXT_FULL | CONTEXT_XSTATE;
    area.ex.XState.Offset = -0x7FFFFFFF;
    area.ex.XState.Length = sizeof area.xstate;
    CHECK_STATUS(NtAllocateVirtualMemory(NtCurrentProcess(), &low, 0, &size,
                                         MEM_RESERVE | MEM_COMMIT,
                                         PAGE_READWRITE), STATUS_SUCCESS);
    memcpy(low, &area, sizeof area);
    CHECK_STATUS(continue_and_land(low, &got), STATUS_ACCESS_VIOLATION);
    size = 0;
    NtFreeVirtualMemory(NtCurrentProcess(), &low, &size, MEM_RELEASE);
}

static void clear_debug_registers(void)
{
    memset(&context, 0, sizeof context);
    context.ContextFlags = CONTEXT_DEBUG_REGISTERS;
    CHECK_STATUS(NtSetContextThread(NtCurrentThread(), &context),
                 STATUS_SUCCESS);
    __asm__ volatile("fninit");
}

/* Each selector once, as cs and as ss. */
static void check_selectors(void)
{
    ULONG selector;

    for (selector = 0; selector < 0x10000; selector += 5) {
        fill();
        context.ContextFlags = CONTEXT_AMD64 | CONTEXT_CONTROL |
                               CONTEXT_SEGMENTS;
        context.SegCs = selector == CODE32 ? 0 : (USHORT)selector;
        context.SegSs = context.SegDs = context.SegEs = (USHORT)~selector;
        context.SegFs = context.SegGs = (USHORT)selector;
        if (!CHECK_STATUS(continue_and_land(&context, &got), LANDED))
            return;
        check_ring();
    }
}

/* ---- A context that another thread takes away ---- */

static UCHAR *pages;
static volatile ULONG flips;

static void NTAPI flip(void *argument)
{
    static const ULONG protections[] = { PAGE_NOACCESS, PAGE_READWRITE,
                                         PAGE_READONLY, PAGE_READWRITE };
    CONTEXT *there = (CONTEXT *)argument;
    ULONG round = 0, before;

    while (!over) {
        void *base = pages + PAGE_SIZE;
        SIZE_T size = PAGE_SIZE;

        there->SegCs = there->SegCs == 8 ? 0x2B : 8;
        there->EFlags ^= 0x3000;
        NtProtectVirtualMemory(NtCurrentProcess(), &base, &size,
                               protections[round++ % 4], &before);
        flips++;
        if (round % 3 == 0)
            NtYieldExecution();
    }
    RtlExitUserThread(0);
}

static void check_flipping(void)
{
    ULONG round, landed = 0, refused = 0;
    CONTEXT *there;
    HANDLE thread;

    pages = test_pages(2);
    there = (CONTEXT *)(pages + PAGE_SIZE - 0x100);
    context.ContextFlags = CONTEXT_FULL;
    RtlCaptureContext(&context);
    context.Rip = (ULONG_PTR)landing;
    context.MxCsr = 0x1F80;
    memcpy(there, &context, sizeof context);
    CHECK_STATUS(RtlCreateUserThread(NtCurrentProcess(), NULL, FALSE, 0, 0, 0,
                                     flip, there, &thread, NULL),
                 STATUS_SUCCESS);
    while (!flips)
        NtYieldExecution();
    for (round = 0; round < FLIPS || (!refused && round < 100 * FLIPS);
         round++) {
        NTSTATUS status = continue_and_land(there, &got);

        if (status == LANDED) {
            landed++;
            check_ring();
        } else if (CHECK_STATUS(status, STATUS_ACCESS_VIOLATION)) {
            refused++;
        }
        if (round % 2)
            NtYieldExecution();
    }
    over = TRUE;
    CHECK_STATUS(NtWaitForSingleObject(thread, FALSE, NULL), STATUS_SUCCESS);
    NtClose(thread);
    CHECK_SAY(landed && refused, "%u landed, %u refused", landed, refused);
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    ULONG round;

    (void)peb;
    if (*test_words())
        seed = (ULONG)atoi(test_words());
    print("storming, seed %u\n", seed);
    for (round = 0; round < ROUNDS; round++)
        check_round();
    check_selectors();
    check_xstate();
    check_xstate_below_zero();
    clear_debug_registers();
    check_flipping();
    return test_end();
}
