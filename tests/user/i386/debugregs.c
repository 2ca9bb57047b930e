/*
 * debugregs.c - 32-bit code's hardware breakpoints: XP's CONTEXT, each kind
 * (C9), by both doors never in the kernel (C12); a program step by step, with
 * calls, APCs and exceptions (C1, C2, C4).
 */
#include "../test.h"

#define SELF NtCurrentThread()
#define EFLAGS_RF 0x10000
#define EFLAGS_TF 0x100
#define ROUNDS 50

enum kind { EXECUTED = 0, WRITTEN = 1, TOUCHED = 3 };

static volatile ULONG watched[4] __attribute__((aligned(16)));
static volatile ULONG hits;
static volatile BOOLEAN step_on;
static volatile ULONG apcs, odd;
static CONTEXT context, noted;

static LONG NTAPI handle(EXCEPTION_POINTERS *pointers)
{
    NTSTATUS code = pointers->ExceptionRecord->ExceptionCode;

    /* A step's TF is gone, another exception's is as it was. */
    if (step_on && (code == STATUS_SINGLE_STEP) !=
                       !(pointers->ContextRecord->EFlags & EFLAGS_TF))
        odd++;
    if (step_on)
        pointers->ContextRecord->EFlags |= EFLAGS_TF;
    if (code == STATUS_BREAKPOINT || code == STATUS_ILLEGAL_INSTRUCTION) {
        pointers->ContextRecord->Eip += code == STATUS_BREAKPOINT ? 1 : 2;
        return EXCEPTION_CONTINUE_EXECUTION;
    }
    if (code != STATUS_SINGLE_STEP)
        return EXCEPTION_CONTINUE_SEARCH;
    hits++;
    noted = *pointers->ContextRecord;
    pointers->ContextRecord->EFlags |= EFLAGS_RF;
    return EXCEPTION_CONTINUE_EXECUTION;
}

static void set(ULONG number, ULONG address, ULONG dr7)
{
    memset(&context, 0, sizeof context);
    context.ContextFlags = CONTEXT_DEBUG_REGISTERS;
    (&context.Dr0)[number] = address;
    context.Dr7 = dr7;
    CHECK_STATUS(NtSetContextThread(SELF, &context), STATUS_SUCCESS);
    hits = 0;
}

static void arm(ULONG number, const volatile void *address, enum kind kind)
{
    ULONG length = kind == EXECUTED ? 0 : 3;            /* 4 bytes */

    set(number, (ULONG)address,
        1U << number * 2 | (kind | length << 2) << (16 + number * 4));
}

static void check_hit(ULONG number, ULONG expected)
{
    CHECK_SAY(hits == expected, "dr%u: %u, not %u", number, hits, expected);
    if (expected)
        CHECK_SAY((noted.Dr6 & 0x400F) == 1U << number, "dr6 %x", noted.Dr6);
    hits = 0;
}

static ULONG __attribute__((noinline)) more(ULONG number)
{
    __asm__ volatile("");
    return number + 1;
}

static void check_registers(void)
{
    set(1, 0x12345678, 0x300);
    memset(&context, 0xEE, sizeof context);
    context.ContextFlags = CONTEXT_DEBUG_REGISTERS;
    CHECK_STATUS(NtGetContextThread(SELF, &context), STATUS_SUCCESS);
    CHECK(context.Dr0 == 0 && context.Dr1 == 0x12345678 && context.Dr2 == 0);
    CHECK_SAY(context.Dr6 == 0 && context.Dr7 == 0x300, "dr6 %x dr7 %x",
              context.Dr6, context.Dr7);
    set(0, 0x10000, 0x2000);                            /* GD */
    CHECK_STATUS(NtGetContextThread(SELF, &context), STATUS_SUCCESS);
    CHECK(context.Dr0 == 0 && context.Dr7 == 0);
}

static void check_kinds(void)
{
    ULONG (*volatile routine)(ULONG) = more;
    ULONG number, seen;

    for (number = 0; number < 4; number++) {
        arm(number, &watched[number], WRITTEN);
        watched[number] = 5;
        check_hit(number, 1);
        seen = watched[number];
        check_hit(number, 0);
        arm(number, &watched[number], TOUCHED);
        seen += watched[number];
        check_hit(number, 1);
        CHECK(seen == 10);
        arm(number, (void *)routine, EXECUTED);
        CHECK(routine(1) == 2);
        CHECK(noted.Eip == (ULONG)routine);
        check_hit(number, 1);
    }
    set(0, 0, 0);
}

static void check_kernel(void)
{
    arm(0, &watched[2], TOUCHED);
    CHECK_STATUS(NtQuerySystemTime((LARGE_INTEGER *)&watched[2]),
                 STATUS_SUCCESS);
    check_hit(0, 0);
    CHECK(watched[2] != 0);
    check_hit(0, 1);
    set(0, 0, 0);
}

static void NTAPI apc(void *argument1, void *argument2, void *argument3)
{
    (void)argument1, (void)argument2, (void)argument3;
    apcs++;
}

/* Each number of it must be the same with TF. */
static ULONG work(void)
{
    ULONG sum = 0, round;

    for (round = 0; round < ROUNDS; round++) {
        UCHAR *page = test_pages(1);
        void *base = page;
        SIZE_T size = 0;

        sum = sum * 31 + (ULONG)NtClose((HANDLE)0x1234);
        sum += (ULONG)NtQueueApcThread(SELF, apc, NULL, NULL, NULL);
        sum += (ULONG)NtTestAlert();
        page[round]++;
        sum += page[round];
        __asm__ volatile("int3\n\tud2" : : : "memory");
        sum += (ULONG)NtFreeVirtualMemory(NtCurrentProcess(), &base, &size,
                                          MEM_RELEASE);
        sum += apcs;
    }
    return sum;
}

static void check_program(void)
{
    ULONG expected;

    apcs = 0;
    expected = work();
    apcs = 0;
    hits = 0;
    odd = 0;
    step_on = TRUE;
    __asm__ volatile("pushf\n\torl $0x100, (%%esp)\n\tpopf" : : : "memory",
                     "cc");
    CHECK(work() == expected);
    step_on = FALSE;
    CHECK_SAY(apcs == ROUNDS && hits > ROUNDS * 50, "%u APCs, %u steps", apcs,
              hits);
    CHECK_SAY(odd == 0, "TF is not what it should be in %u frames", odd);
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    (void)peb;
    check_registers();
    CHECK(RtlAddVectoredExceptionHandler(TRUE, handle) != NULL);
    check_kinds();
    check_kernel();
    check_program();
    return test_end();
}
