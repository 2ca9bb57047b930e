/*
 * floating.c - what ring 3 makes of its floating point stays its own.
 *
 * An x87 exception that is not masked comes at the next instruction that
 * waits, whatever lies between (L4): calls, an APC and an exception whose
 * routines use the x87 themselves, a page fault, the clock, a thread with an
 * exception of another kind.  The kernel must neither take it nor lose it.
 * Masks, rounding and flags of MXCSR are not the kernel's (L5): it has its
 * own, and ring 3's are back after a call.
 */
#include "test.h"

#include "../../programs/lib/find.h"
#include "facts.h"

#define SELF NtCurrentThread()
#define FWAIT 0x9B
#define MXCSR_OF_A_THREAD 0x1F80
#define MXCSR_TEST 0xF                          /* tests/kernel/selftest.c */
#define ROUNDS 50
#define TICKS 3

/* Of the first thread, and of the other one. */
static volatile NTSTATUS came[2];
static volatile ULONG apcs, breakpoints;
static volatile BOOLEAN over;
static HANDLE first_thread;

static void pend(USHORT control, BOOLEAN divide)
{
    __asm__ volatile("fninit\n\tfldcw %0" : : "m"(control));
    if (divide)
        __asm__ volatile("fld1\n\tfldz\n\tfdivrp");
    else
        __asm__ volatile("fld1\n\tfchs\n\tfsqrt");
}

static void pend_zero(void)
{
    pend(0x37B, TRUE);
}

static void pend_invalid(void)
{
    pend(0x37E, FALSE);
}

/* The handler goes on behind FWAIT. */
static NTSTATUS wait_for_it(ULONG thread)
{
    came[thread] = STATUS_SUCCESS;
    __asm__ volatile("fwait\n\tfninit" : : : "memory");
    return came[thread];
}

/* For routines between: the x87 is theirs, too. */
static void use_x87(void)
{
    __asm__ volatile("fninit\n\tfldpi\n\tfldpi\n\tfmulp\n\tfwait\n\t"
                     "fstp %%st(0)" : : : "memory");
}

static LONG NTAPI handle(EXCEPTION_POINTERS *pointers)
{
    CONTEXT *context = pointers->ContextRecord;
    NTSTATUS code = pointers->ExceptionRecord->ExceptionCode;

    if (code == STATUS_BREAKPOINT) {
        breakpoints++;
        use_x87();
        INSTRUCTION_POINTER(context)++;
        return EXCEPTION_CONTINUE_EXECUTION;
    }
    if (*(const UCHAR *)INSTRUCTION_POINTER(context) != FWAIT)
        return EXCEPTION_CONTINUE_SEARCH;
    came[NtCurrentTeb()->ClientId.UniqueThread != first_thread] = code;
    INSTRUCTION_POINTER(context)++;
    return EXCEPTION_CONTINUE_EXECUTION;
}

/* ---- What lies between ---- */

static void nothing(void)
{
}

static void some_calls(void)
{
    LARGE_INTEGER time;

    CHECK_STATUS(NtQuerySystemTime(&time), STATUS_SUCCESS);
    CHECK_STATUS(NtClose((HANDLE)0x5550), STATUS_INVALID_HANDLE);
    CHECK_STATUS(NtQuerySystemTime((void *)KERNEL_ADDRESS),
                 STATUS_ACCESS_VIOLATION);
}

static void NTAPI apc(void *argument1, void *argument2, void *argument3)
{
    (void)argument1, (void)argument2, (void)argument3;
    apcs++;
    use_x87();
}

static void an_apc(void)
{
    CHECK_STATUS(NtQueueApcThread(SELF, apc, NULL, NULL, NULL),
                 STATUS_SUCCESS);
    CHECK_STATUS(NtTestAlert(), STATUS_SUCCESS);
}

static void an_exception(void)
{
    __asm__ volatile("int3" : : : "memory");
}

static void a_page(void)
{
    CHECK(*(volatile UCHAR *)test_pages(1) == 0);
}

static void some_ticks(void)
{
    const volatile ULONG *ticks =
        &((const KUSER_SHARED_DATA *)USER_SHARED_DATA)->TickCount.LowPart;
    ULONG start = *ticks;

    while (*ticks - start < TICKS)
        continue;
}

static void others(void)
{
    NtYieldExecution();
}

static const struct {
    const char *name;
    void (*between)(void);
} rows[] = {
    { "nothing", nothing }, { "calls", some_calls }, { "an APC", an_apc },
    { "an exception", an_exception }, { "a page fault", a_page },
    { "ticks", some_ticks }, { "another thread", others },
};

static void check_pending(void)
{
    ULONG at, round;

    for (at = 0; at < ARRAY_SIZE(rows); at++) {
        NTSTATUS code;

        pend_zero();
        rows[at].between();
        code = wait_for_it(0);
        CHECK_SAY(code == STATUS_FLOAT_DIVIDE_BY_ZERO, "%s: %08x",
                  rows[at].name, code);
        pend_invalid();
        rows[at].between();
        code = wait_for_it(0);
        CHECK_SAY(code == STATUS_FLOAT_INVALID_OPERATION, "%s: %08x",
                  rows[at].name, code);
        rows[at].between();
        CHECK_SAY(wait_for_it(0) == STATUS_SUCCESS, "%s: again",
                  rows[at].name);
    }
    CHECK(apcs == 3 && breakpoints == 3);
    for (round = 0; round < ROUNDS; round++) {
        pend_zero();
        NtYieldExecution();
        CHECK_STATUS(wait_for_it(0), STATUS_FLOAT_DIVIDE_BY_ZERO);
    }
}

static void NTAPI pend_too(void *argument)
{
    (void)argument;
    while (!over) {
        pend_invalid();
        NtYieldExecution();
        CHECK_STATUS(wait_for_it(1), STATUS_FLOAT_INVALID_OPERATION);
        NtYieldExecution();
        CHECK_STATUS(wait_for_it(1), STATUS_SUCCESS);
    }
    RtlExitUserThread(0);
}

static void check_beside(void)
{
    HANDLE thread = NULL;

    CHECK_STATUS(RtlCreateUserThread(NtCurrentProcess(), NULL, FALSE, 0, 0, 0,
                                     pend_too, NULL, &thread, NULL),
                 STATUS_SUCCESS);
    check_pending();
    over = TRUE;
    CHECK_STATUS(NtWaitForSingleObject(thread, FALSE, NULL), STATUS_SUCCESS);
    NtClose(thread);
}

/* ---- MXCSR (L5) ---- */

static void set_mxcsr(ULONG value)
{
    __asm__ volatile("ldmxcsr %0" : : "m"(value) : "memory");
}

static ULONG get_mxcsr(void)
{
    ULONG value;

    __asm__ volatile("stmxcsr %0" : "=m"(value) : : "memory");
    return value;
}

/* Nothing masked and all flags set; all of it; nothing; each rounding. */
static void check_mxcsr(void)
{
    static const ULONG values[] = { 0x003F, 0xFFFF, 0, 0x3F80, 0x5F80,
                                    0x7F80, 0x9FC0 };
    NTSTATUS (NTAPI *ask_kernel)(ULONG test, void *argument) =
        (void *)find_stub("NtwSelfTest");
    ULONG at;

    for (at = 0; at < ARRAY_SIZE(values); at++) {
        NTSTATUS alert, own = STATUS_SUCCESS;
        ULONG after;

        set_mxcsr(values[at]);
        alert = NtTestAlert();
        if (ask_kernel)
            own = ask_kernel(MXCSR_TEST, NULL);
        some_ticks();
        after = get_mxcsr();
        set_mxcsr(MXCSR_OF_A_THREAD);
        CHECK_STATUS(alert, STATUS_SUCCESS);
        CHECK_SAY(own == STATUS_SUCCESS, "%x is the kernel's", values[at]);
        CHECK_SAY(after == values[at], "mxcsr %x is %x", values[at], after);
    }
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    (void)peb;
    first_thread = NtCurrentTeb()->ClientId.UniqueThread;
    CHECK(RtlAddVectoredExceptionHandler(TRUE, handle) != NULL);
    check_pending();
    apcs = breakpoints = 0;
    check_beside();
    check_mxcsr();
    return test_end();
}
