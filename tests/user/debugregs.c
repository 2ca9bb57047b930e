/*
 * debugregs.c - hardware breakpoints and single steps of ring 3 (scenarios A2,
 * C1, C2, C4 to C6, C9 to C12): they come where they have to, in the thread
 * that asked for them, and never in the kernel.
 *
 * A vectored handler notes what comes and continues; what else it does is up
 * to the test.  "debugregs ROUNDS" steps through a longer program: 15000 make
 * 100,000 calls.
 */
#include "test.h"

#include <nt/gdi.h>

#define SELF NtCurrentThread()
#define STACK 0x10000
#define NOTES 64
#define ROUNDS 100
#define NO_SERVICE 0xFFE
#define EFLAGS_TF 0x100
#define EFLAGS_RF 0x10000
#define DR6_STEP 0x4000
#define DR7_LEGAL 0xFFFF0355ULL
#define HIGHEST 0x7FFFFFFEFFFFULL

enum kind { EXECUTED = 0, WRITTEN = 1, TOUCHED = 3 };

struct note {
    NTSTATUS code;
    ULONG_PTR rip, address;
    ULONG flags;
    ULONGLONG dr0, dr6, dr7;
    HANDLE thread;
};

static struct note notes[NOTES];
static volatile ULONG hits;

/* What the handler does besides: */
static volatile BOOLEAN step_on;        /* step, until this is FALSE */
static ULONG skip;                      /* bytes, of what is no step */
static volatile BOOLEAN stuck;          /* the same instruction again */
static ULONG inner_number;              /* what a callback sets; 0: nothing */
static ULONG callbacks;
static ULONG_PTR frame_at;              /* the last exception's CONTEXT */

void pass_on(void);
ULONG break_here(ULONG number);
void over_syscall(void), over_int2e(void);
void over_int3(void), over_ud2(void);
void with_int3(const UCHAR *place), with_ud2(const UCHAR *place);
void with_touch(const UCHAR *place), with_icebp(const UCHAR *place);
ULONG over_loop(ULONG times);
void mov_ss_syscall(const volatile USHORT *selector);
void mov_ss_int2e(const volatile USHORT *selector);
void mov_ss_int3(const volatile USHORT *selector);
extern const UCHAR over_syscall_behind[], over_int2e_behind[];
extern const UCHAR over_int3_at[], over_int3_behind[];
extern const UCHAR over_ud2_at[], over_ud2_behind[], over_loop_at[];
extern const UCHAR with_int3_at[], with_ud2_at[], with_touch_at[];
extern const UCHAR with_icebp_at[];

static LONG NTAPI handle(EXCEPTION_POINTERS *pointers)
{
    const EXCEPTION_RECORD *record = pointers->ExceptionRecord;
    CONTEXT *context = pointers->ContextRecord;
    ULONG at = hits++;

    if (at < NOTES)
        notes[at] = (struct note){
            .code = record->ExceptionCode,
            .rip = context->Rip,
            .address = (ULONG_PTR)record->ExceptionAddress,
            .flags = context->EFlags,
            .dr0 = context->Dr0,
            .dr6 = context->Dr6,
            .dr7 = context->Dr7,
            .thread = NtCurrentTeb()->ClientId.UniqueThread,
        };
    if (record->ExceptionCode != STATUS_SINGLE_STEP)
        context->Rip += skip;
    frame_at = (ULONG_PTR)context;
    context->EFlags |= EFLAGS_RF;       /* over an instruction breakpoint */
    if (stuck)
        context->EFlags &= ~EFLAGS_RF;
    if (step_on)
        context->EFlags |= EFLAGS_TF;
    return EXCEPTION_CONTINUE_EXECUTION;
}

/* ---- The registers ---- */

static CONTEXT context __attribute__((aligned(16)));

static void get(HANDLE thread)
{
    memset(&context, 0xEE, sizeof context);
    context.ContextFlags = CONTEXT_DEBUG_REGISTERS;
    CHECK_STATUS(NtGetContextThread(thread, &context), STATUS_SUCCESS);
}

static void set(HANDLE thread, const ULONGLONG *dr, ULONGLONG dr6,
                ULONGLONG dr7)
{
    context.ContextFlags = CONTEXT_DEBUG_REGISTERS;
    context.Dr0 = dr[0];
    context.Dr1 = dr[1];
    context.Dr2 = dr[2];
    context.Dr3 = dr[3];
    context.Dr6 = dr6;
    context.Dr7 = dr7;
    CHECK_STATUS(NtSetContextThread(thread, &context), STATUS_SUCCESS);
}

static void clear(void)
{
    static const ULONGLONG none[4];

    set(SELF, none, 0, 0);
}

static ULONGLONG dr7_of(ULONG number, enum kind kind, ULONG length)
{
    static const ULONG lengths[] = { 0, 0, 1, 0, 3, 0, 0, 0, 2 };

    return 1ULL << number * 2 |
           (ULONGLONG)(kind | lengths[length] << 2) << (16 + number * 4);
}

static void arm(ULONG number, const volatile void *address, enum kind kind,
                ULONG length)
{
    ULONGLONG dr[4] = { 0 };

    dr[number] = (ULONG_PTR)address;
    set(SELF, dr, 0, dr7_of(number, kind, length));
    hits = 0;
}

/* Addresses that are no user's become 0; the others stay (C9). */
static void check_addresses(HANDLE thread)
{
    static const ULONGLONG addresses[] = {
        0, 1, 0x10000, 0x7FFE0000, HIGHEST, HIGHEST + 1, 1ULL << 47,
        0x123456789ABCDEF0, 0xFFFF800000000000, 0xFFFFF80000000000,
        0xFFFFFFFF80100000, ~0ULL,
    };
    ULONG at, dr;

    for (at = 0; at < ARRAY_SIZE(addresses); at++) {
        ULONGLONG wanted = addresses[at] <= HIGHEST ? addresses[at] : 0;
        const ULONGLONG all[] = { addresses[at], addresses[at], addresses[at],
                                  addresses[at] };

        set(thread, all, 0, 0x300);
        get(thread);
        for (dr = 0; dr < 4; dr++)
            CHECK_SAY((&context.Dr0)[dr] == wanted, "dr%u %llx is %llx", dr,
                      addresses[at], (&context.Dr0)[dr]);
    }
}

/* Bit by bit, with one that switches the debug registers on. */
static void check_control(HANDLE thread)
{
    static const ULONGLONG none[4];
    ULONG bit;

    for (bit = 0; bit < 64; bit++) {
        ULONGLONG dr7 = 1ULL << bit | 0x100;

        set(thread, none, ~0ULL, dr7);
        get(thread);
        CHECK_SAY(context.Dr7 == (dr7 & DR7_LEGAL), "dr7 %llx is %llx", dr7,
                  context.Dr7);
        CHECK_SAY(!(context.Dr6 & ~0xE00FULL), "dr6 is %llx", context.Dr6);
    }
    set(thread, none, 0, 0);
    get(thread);
    CHECK(context.Dr0 == 0 && context.Dr6 == 0 && context.Dr7 == 0);
}

static volatile BOOLEAN spinning;

static void NTAPI spin(void *argument)
{
    spinning = TRUE;
    while (argument)
        NtYieldExecution();
}

static HANDLE create(void *routine, void *argument, ULONG flags)
{
    HANDLE thread = NULL;

    CHECK_STATUS(NtCreateThreadEx(&thread, THREAD_ALL_ACCESS, NULL,
                                  NtCurrentProcess(), routine, argument, flags,
                                  0, STACK, STACK, NULL), STATUS_SUCCESS);
    return thread;
}

static void join(HANDLE thread)
{
    CHECK_STATUS(NtWaitForSingleObject(thread, FALSE, NULL), STATUS_SUCCESS);
    NtClose(thread);
}

/* Of oneself, of a thread that runs, of one that has not begun. */
static void test_registers(void)
{
    HANDLE thread = create(spin, (void *)1, 0);

    check_addresses(SELF);
    check_control(SELF);
    check_addresses(thread);
    check_control(thread);
    while (!spinning)
        NtYieldExecution();
    NtTerminateThread(thread, 0);
    join(thread);
    thread = create(spin, NULL, THREAD_CREATE_FLAGS_CREATE_SUSPENDED);
    check_addresses(thread);
    check_control(thread);
    NtResumeThread(thread, NULL);
    join(thread);
}

/* ---- Breakpoints on data ---- */

static volatile union {
    ULONGLONG all[3];
    UCHAR bytes[24];
} watched __attribute__((aligned(16)));

static void touch(volatile void *at, ULONG length, BOOLEAN write)
{
    ULONGLONG value = 1;

    switch (length * 2 + write) {
    case 2:
        __asm__ volatile("movb %1, %b0" : "=r"(value) : "m"(*(UCHAR *)at));
        break;
    case 3:
        __asm__ volatile("movb %b1, %0" : "=m"(*(UCHAR *)at) : "r"(value));
        break;
    case 4:
        __asm__ volatile("movw %1, %w0" : "=r"(value) : "m"(*(USHORT *)at));
        break;
    case 5:
        __asm__ volatile("movw %w1, %0" : "=m"(*(USHORT *)at) : "r"(value));
        break;
    case 8:
        __asm__ volatile("movl %1, %k0" : "=r"(value) : "m"(*(ULONG *)at));
        break;
    case 9:
        __asm__ volatile("movl %k1, %0" : "=m"(*(ULONG *)at) : "r"(value));
        break;
    case 16:
        __asm__ volatile("movq %1, %0" : "=r"(value) : "m"(*(ULONGLONG *)at));
        break;
    case 17:
        __asm__ volatile("movq %1, %0" : "=m"(*(ULONGLONG *)at) : "r"(value));
        break;
    }
}

static BOOLEAN meet(ULONG at, ULONG length, ULONG other, ULONG other_length)
{
    return at < other + other_length && other < at + length;
}

static void check_hit(ULONG number, ULONG expected, const char *what)
{
    CHECK_SAY(hits == expected, "%s, dr%u: %u, not %u", what, number, hits,
              expected);
    if (expected && hits == expected) {
        CHECK_STATUS(notes[0].code, STATUS_SINGLE_STEP);
        CHECK_SAY((notes[0].dr6 & 0x400F) == 1U << number, "dr6 is %llx",
                  notes[0].dr6);
        CHECK(notes[0].address == notes[0].rip);
    }
    hits = 0;
}

/* Every access of every size around a breakpoint of every size. */
static void check_data(ULONG number, enum kind kind, ULONG length)
{
    ULONG size, at;

    arm(number, &watched.bytes[8], kind, length);
    for (size = 1; size <= 8; size *= 2) {
        for (at = 0; at < sizeof watched; at += size) {
            ULONG met = meet(8, length, at, size);

            touch(&watched.bytes[at], size, TRUE);
            check_hit(number, met, "written");
            touch(&watched.bytes[at], size, FALSE);
            check_hit(number, met && kind == TOUCHED, "read");
        }
    }
    clear();
    touch(&watched.bytes[8], 1, TRUE);
    check_hit(number, 0, "cleared");
}

static void test_data(void)
{
    ULONG number, length;

    for (number = 0; number < 4; number++) {
        for (length = 1; length <= 8; length *= 2) {
            check_data(number, WRITTEN, length);
            check_data(number, TOUCHED, length);
        }
    }
}

/* ---- Breakpoints on instructions ---- */

static void test_execute(void)
{
    ULONG number, (*volatile routine)(ULONG) = break_here;

    for (number = 0; number < 4; number++) {
        arm(number, (void *)(ULONG_PTR)routine, EXECUTED, 1);
        CHECK(routine(5) == 6);
        CHECK(notes[0].rip == (ULONG_PTR)routine);
        CHECK(notes[0].dr7 == 1ULL << number * 2);
        check_hit(number, 1, "executed");
        CHECK(routine(routine(5)) == 7);
        check_hit(number, 2, "executed twice");
    }
    clear();
    CHECK(routine(5) == 6 && hits == 0);
}

/* ---- Never in the kernel (C12) ---- */

static volatile ULONG apcs;
static ULONG_PTR apc_context;

static void NTAPI apc(void *argument1, void *argument2, void *argument3,
                      CONTEXT *at)
{
    (void)argument1, (void)argument2, (void)argument3;
    apc_context = (ULONG_PTR)at;
    apcs++;
}

static __attribute__((noinline)) void take_apc(void)
{
    CHECK_STATUS(NtQueueApcThread(SELF, (void *)apc, NULL, NULL, NULL),
                 STATUS_SUCCESS);
    CHECK_STATUS(NtTestAlert(), STATUS_SUCCESS);
}

/* A word of the frame that nobody writes while the handler runs. */
static void check_exception_frame(void)
{
    void (*volatile fault)(void) = over_int3;
    void *word;
    ULONG came;

    skip = 1;
    fault();
    word = (void *)(frame_at + offsetof(CONTEXT, LastBranchToRip));
    arm(2, word, WRITTEN, 8);
    fault();
    came = hits;
    hits = 0;
    touch(word, 8, TRUE);
    check_hit(2, 1, "where the exception's frame was");
    clear();
    CHECK_SAY(came == 1, "%u with an exception's frame", came);
}

static void test_kernel(void)
{
    volatile LARGE_INTEGER *time = (void *)&watched.all[1];
    LONG priority = 0;
    ULONG delivered;

    arm(0, time, TOUCHED, 8);
    CHECK_STATUS(NtQuerySystemTime((void *)time), STATUS_SUCCESS);
    CHECK_STATUS(NtSetInformationThread(SELF, ThreadBasePriority, (void *)time,
                                        8), STATUS_INFO_LENGTH_MISMATCH);
    CHECK_STATUS(NtClose((HANDLE)time), STATUS_INVALID_HANDLE);
    CHECK_SAY(hits == 0, "%u in services", hits);
    CHECK(time->QuadPart != 0);
    check_hit(0, 1, "behind services");
    arm(3, &priority, TOUCHED, 4);
    CHECK_STATUS(NtSetInformationThread(SELF, ThreadBasePriority, &priority,
                                        sizeof priority), STATUS_SUCCESS);
    CHECK_SAY(hits == 0, "%u while the kernel read", hits);
    clear();

    apcs = 0;
    take_apc();
    arm(1, (void *)(apc_context + offsetof(CONTEXT, LastBranchToRip)), WRITTEN,
        8);
    take_apc();
    delivered = hits;
    hits = 0;
    touch((void *)(apc_context + offsetof(CONTEXT, LastBranchToRip)), 8, TRUE);
    check_hit(1, 1, "where the frame was");
    clear();
    CHECK_SAY(delivered == 0 && apcs == 2, "%u in the delivery of %u",
              delivered, apcs);
    check_exception_frame();
}

/* ---- Only in its thread (C11) ---- */

static volatile ULONG others;

static void NTAPI touch_watched(void *argument)
{
    static CONTEXT mine __attribute__((aligned(16)));
    ULONG round;

    (void)argument;
    for (round = 0; round < 20; round++) {
        touch(&watched.all[1], 8, TRUE);
        mine.ContextFlags = CONTEXT_DEBUG_REGISTERS;
        mine.Dr0 = mine.Dr6 = mine.Dr7 = ~0ULL;
        NtGetContextThread(SELF, &mine);
        if (mine.Dr0 == 0 && mine.Dr6 == 0 && mine.Dr7 == 0)
            others++;
        NtYieldExecution();
    }
    NtTerminateThread(SELF, 0);
}

static void test_threads(void)
{
    HANDLE thread;
    ULONG seen = 0;

    others = 0;
    arm(0, &watched.all[1], WRITTEN, 8);
    thread = create(touch_watched, NULL, 0);
    while (others < 10) {
        NtYieldExecution();
        touch(&watched.all[1], 8, TRUE);
        seen++;
    }
    CHECK_STATUS(NtWaitForSingleObject(thread, FALSE, NULL), STATUS_SUCCESS);
    CHECK_SAY(hits == seen, "%u of %u", hits, seen);
    for (ULONG at = 0; at < hits && at < NOTES; at++)
        CHECK(notes[at].thread == NtCurrentTeb()->ClientId.UniqueThread);
    CHECK_SAY(others == 20, "others saw nothing %u times", others);
    NtClose(thread);
    clear();
}

/*
 * A thread that is only instrumented has its registers saved as well, and
 * what is in them may be another's.
 */
static void test_instrumented_threads(void)
{
    void *callback = (void *)pass_on;

    CHECK_STATUS(NtSetInformationProcess(NtCurrentProcess(),
                                         ProcessInstrumentationCallback,
                                         &callback, sizeof callback),
                 STATUS_SUCCESS);
    test_threads();
    callback = NULL;
    CHECK_STATUS(NtSetInformationProcess(NtCurrentProcess(),
                                         ProcessInstrumentationCallback,
                                         &callback, sizeof callback),
                 STATUS_SUCCESS);
}

/* A step's DR6 has nothing of the breakpoints that others have left. */
static void NTAPI step_alone(void *argument)
{
    (void)argument;
    over_syscall();
    NtTerminateThread(SELF, 0);
}

static void test_status_leak(void)
{
    HANDLE thread;
    ULONG before;

    arm(2, &watched.all[1], WRITTEN, 8);
    touch(&watched.all[1], 8, TRUE);
    check_hit(2, 1, "written");
    before = hits;
    thread = create(step_alone, NULL, 0);
    CHECK_STATUS(NtWaitForSingleObject(thread, FALSE, NULL), STATUS_SUCCESS);
    CHECK(hits == before + 1);
    CHECK_SAY(notes[before].dr6 == DR6_STEP && notes[before].dr0 == 0 &&
              notes[before].dr7 == 0, "dr6 %llx dr7 %llx", notes[before].dr6,
              notes[before].dr7);
    NtClose(thread);
    clear();
}

/* A new thread's, set before it has begun: from its start routine on. */
static void NTAPI touch_once(void *argument)
{
    touch(argument, 4, TRUE);
    NtTerminateThread(SELF, 0);
}

static void test_suspended(void)
{
    HANDLE thread = create(touch_once, (void *)&watched.all[1],
                           THREAD_CREATE_FLAGS_CREATE_SUSPENDED);
    const ULONGLONG dr[4] = { (ULONG_PTR)&watched.all[1] };

    set(thread, dr, 0, dr7_of(0, WRITTEN, 8));
    hits = 0;
    CHECK_STATUS(NtResumeThread(thread, NULL), STATUS_SUCCESS);
    CHECK_STATUS(NtWaitForSingleObject(thread, FALSE, NULL), STATUS_SUCCESS);
    check_hit(0, 1, "by a new thread");
    NtClose(thread);
}

/* ---- Around a callback: they are the thread's ---- */

static NTSTATUS NTAPI called_back(void *data, ULONG length)
{
    ULONG value = 1;

    (void)data, (void)length;
    callbacks++;
    touch(&watched.all[1], 8, TRUE);
    if (!inner_number)
        clear();
    else
        arm(inner_number, &watched.all[1], WRITTEN, 8);
    return NtCallbackReturn(&value, sizeof value, STATUS_SUCCESS);
}

static void call_back(ULONG number)
{
    inner_number = number;
    hits = 0;
    CHECK(NtUserEnumDisplayMonitors(NULL, NULL, NULL, 0));
}

/*
 * Set outside, there inside; changed or cleared inside, so outside.  A machine
 * without a screen has no monitor to be called back about.
 */
static void test_callback(void)
{
    static void *table[] = { called_back };
    void *before = NtCurrentPeb()->KernelCallbackTable;

    NtUserEnumDisplayMonitors((HANDLE)4, NULL, NULL, 0);    /* a GUI thread */
    NtCurrentPeb()->KernelCallbackTable = table;
    call_back(0);
    if (!callbacks)
        return;
    arm(0, &watched.all[1], WRITTEN, 8);
    call_back(0);
    check_hit(0, 1, "in a callback");
    touch(&watched.all[1], 8, TRUE);
    check_hit(0, 0, "cleared in a callback");
    call_back(2);
    touch(&watched.all[1], 8, TRUE);
    check_hit(2, 1, "set in a callback");
    call_back(0);
    NtCurrentPeb()->KernelCallbackTable = before;
}

/* ---- Single steps (C1, C2, C10) ---- */

static void check_step(void (*door)(void), const UCHAR *behind,
                       const char *name)
{
    hits = 0;
    door();
    CHECK_SAY(hits == 1, "%s: %u steps", name, hits);
    CHECK_STATUS(notes[0].code, STATUS_SINGLE_STEP);
    /* QEMU: before the first instruction; Bochs and processors: behind it. */
    CHECK_SAY(notes[0].rip - (ULONG_PTR)behind <= 1, "%s: step at %llx", name,
              (ULONGLONG)notes[0].rip);
    CHECK_SAY(notes[0].dr6 == DR6_STEP, "%s: dr6 %llx", name, notes[0].dr6);
    CHECK(!(notes[0].flags & EFLAGS_TF));
}

/* The exception first; then, if its handler steps on, each step behind it. */
static void check_fault(void (*fault)(void), const UCHAR *at,
                        const UCHAR *behind, NTSTATUS code)
{
    hits = 0;
    skip = (ULONG)(behind - at);
    step_on = TRUE;
    fault();
    step_on = FALSE;
    CHECK_STATUS(notes[0].code, code);
    CHECK(notes[0].rip == (ULONG_PTR)at);
    CHECK_STATUS(notes[1].code, STATUS_SINGLE_STEP);
    CHECK(notes[1].rip == (ULONG_PTR)behind + 1);
    CHECK(notes[2].rip == (ULONG_PTR)behind + 2);
    CHECK_SAY(hits > 3 && hits < NOTES, "%u", hits);
}

/*
 * TF is set when the instruction runs (C2): the exception first, the step
 * behind the next instruction.  What is no exception for ring 3 makes one
 * step, as any instruction.
 */
static void check_trapped(const char *name, void (*run)(const UCHAR *),
                          const UCHAR *at, ULONG length, NTSTATUS code)
{
    const UCHAR *page = test_pages(1);

    hits = 0;
    skip = length;
    run(page);
    CHECK_SAY(hits == 2, "%s with TF: %u exceptions", name, hits);
    CHECK_STATUS(notes[0].code, code);
    CHECK_SAY(notes[0].rip == (ULONG_PTR)at && (notes[0].flags & EFLAGS_TF),
              "%s with TF: at %llx, flags %x", name,
              (ULONGLONG)notes[0].rip, notes[0].flags);
    CHECK_STATUS(notes[1].code, STATUS_SINGLE_STEP);
    CHECK_SAY(notes[1].rip == (ULONG_PTR)at + length + 1,
              "%s with TF: step at %llx", name, (ULONGLONG)notes[1].rip);
    CHECK(notes[1].dr6 == DR6_STEP);
}

/* A page that is made meanwhile; ICEBP, which is an exception only to QEMU. */
static void test_trapped(void)
{
    check_trapped("int3", with_int3, with_int3_at, 1, STATUS_BREAKPOINT);
    check_trapped("ud2", with_ud2, with_ud2_at, 2, STATUS_ILLEGAL_INSTRUCTION);

    hits = 0;
    with_touch(test_pages(1));
    CHECK_SAY(hits == 1 && notes[0].rip == (ULONG_PTR)with_touch_at + 2,
              "a page fault with TF: %u steps, at %llx", hits,
              (ULONGLONG)notes[0].rip);
    CHECK_STATUS(notes[0].code, STATUS_SINGLE_STEP);

    hits = 0;
    skip = 1;
    with_icebp(NULL);
    if (notes[0].code == STATUS_ILLEGAL_INSTRUCTION)
        CHECK(hits == 2 && notes[1].rip == (ULONG_PTR)with_icebp_at + 2);
    else
        CHECK_SAY(hits == 1 && notes[0].rip == (ULONG_PTR)with_icebp_at + 1,
                  "icebp: %u at %llx", hits, (ULONGLONG)notes[0].rip);
}

/*
 * A breakpoint whose handler never steps over it (C10): the thread makes no
 * progress, but it stays one that others run beside, and that can be ended.
 */
static void NTAPI go_nowhere(void *argument)
{
    ULONG (*volatile routine)(ULONG) = break_here;

    (void)argument;
    arm(0, (void *)(ULONG_PTR)routine, EXECUTED, 1);
    routine(5);
    stuck = FALSE;
    NtTerminateThread(SELF, 0);
}

/* It is not to end in ntdll, with a lock that handlers need. */
static void suspend_at(HANDLE thread, ULONG_PTR rip)
{
    for (;;) {
        CHECK_STATUS(NtSuspendThread(thread, NULL), STATUS_SUCCESS);
        context.ContextFlags = CONTEXT_CONTROL;
        CHECK_STATUS(NtGetContextThread(thread, &context), STATUS_SUCCESS);
        if (context.Rip == rip)
            return;
        CHECK_STATUS(NtResumeThread(thread, NULL), STATUS_SUCCESS);
        NtYieldExecution();
    }
}

static void test_stuck(void)
{
    HANDLE thread;

    hits = 0;
    stuck = TRUE;
    thread = create(go_nowhere, NULL, 0);
    while (hits < 500 && stuck)
        NtYieldExecution();
    CHECK(stuck && notes[NOTES - 1].rip == notes[0].rip);
    suspend_at(thread, notes[0].rip);
    CHECK_STATUS(NtTerminateThread(thread, 0), STATUS_SUCCESS);
    join(thread);
    stuck = FALSE;
}

static void test_steps(void)
{
    ULONG at;

    check_step(over_syscall, over_syscall_behind, "syscall");
    check_step(over_int2e, over_int2e_behind, "int2e");
    check_fault(over_int3, over_int3_at, over_int3_behind, STATUS_BREAKPOINT);
    check_fault(over_ud2, over_ud2_at, over_ud2_behind,
                STATUS_ILLEGAL_INSTRUCTION);

    hits = 0;
    step_on = TRUE;
    CHECK(over_loop(1000) == 0);
    step_on = FALSE;
    CHECK_SAY(hits > 1000 && hits < 1100, "%u steps", hits);
    for (at = 2; at < NOTES; at++)
        CHECK(notes[at].rip == (ULONG_PTR)over_loop_at);
}

/* A step onto an instruction that has a breakpoint: both are told. */
static void test_both(void)
{
    arm(0, over_syscall_behind + 2, EXECUTED, 1);
    over_syscall();
    CHECK_SAY(hits == 2, "%u", hits);
    CHECK(notes[0].dr6 == DR6_STEP && (notes[1].dr6 & 0xF) == 1);
    CHECK(notes[1].rip == (ULONG_PTR)over_syscall_behind + 2);
    clear();
}

/*
 * MOV SS holds a breakpoint back for one instruction (C5, C6).  QEMU tells it
 * at once, a processor in ring 0, where it is forgotten: once, or never.
 */
static void test_mov_ss(void)
{
    static void (*const ways[])(const volatile USHORT *) = {
        mov_ss_syscall, mov_ss_int2e, mov_ss_int3,
    };
    static volatile USHORT selector = 0x23;
    ULONG way, most;

    skip = 1;
    for (way = 0; way < ARRAY_SIZE(ways); way++) {
        most = ways[way] == mov_ss_int3 ? 2 : 1;
        arm(0, &selector, TOUCHED, 2);
        ways[way](&selector);
        CHECK_SAY(hits <= most, "way %u: %u", way, hits);
        hits = 0;
        touch(&selector, 2, FALSE);
        check_hit(0, 1, "behind MOV SS");
    }
    clear();
}

/* ---- A program, step by step (C4) ---- */

#define CALLS_A_ROUND 7

/* By a door of its own, whatever the stubs have. */
static NTSTATUS by_int2e(ULONG number)
{
    ULONGLONG rax = number;

    __asm__ volatile("int $0x2E"
                     : "+a"(rax) :
                     : "rcx", "rdx", "r8", "r9", "r10", "r11", "xmm0", "xmm1",
                       "xmm2", "xmm3", "xmm4", "xmm5", "memory", "cc");
    return (NTSTATUS)rax;
}

/* A page, which is made when it is touched, given back at once. */
static ULONG fresh_page(ULONG value)
{
    void *base = NULL;
    SIZE_T size = PAGE_SIZE;
    ULONG sum = (ULONG)NtAllocateVirtualMemory(NtCurrentProcess(), &base, 0,
                                               &size,
                                               MEM_RESERVE | MEM_COMMIT,
                                               PAGE_READWRITE);

    sum += *(volatile ULONG *)base;
    *(volatile ULONG *)base = value;
    sum += *(volatile ULONG *)base;
    size = 0;
    return sum + (ULONG)NtFreeVirtualMemory(NtCurrentProcess(), &base, &size,
                                            MEM_RELEASE);
}

static ULONG work(ULONG rounds)
{
    ULONG sum = 0;

    for (ULONG round = 0; round < rounds; round++) {
        LARGE_INTEGER time = { .QuadPart = 0 };

        sum = sum * 31 + (ULONG)NtClose((HANDLE)(ULONG_PTR)0x1234);
        sum += (ULONG)NtQuerySystemTime(&time);
        sum += time.QuadPart != 0;
        sum += (ULONG)NtQueueApcThread(SELF, (void *)apc, NULL, NULL, NULL);
        sum += (ULONG)NtTestAlert();
        sum += (ULONG)by_int2e(NO_SERVICE);
        sum += fresh_page(round);
        if (round % 4 == 0)
            over_int3();
        sum ^= break_here(round);
        sum += apcs;
    }
    return sum;
}

static void test_program(ULONG rounds)
{
    ULONG expected;

    apcs = 0;
    skip = 1;
    expected = work(rounds);
    apcs = 0;
    hits = 0;
    step_on = TRUE;
    over_syscall();
    CHECK_SAY(work(rounds) == expected, "%x expected", expected);
    step_on = FALSE;
    CHECK_SAY(apcs == rounds && hits >= rounds * 60, "%u APCs, %u steps", apcs,
              hits);
    print("%u calls, %u APCs, %u steps\n", rounds * CALLS_A_ROUND, apcs, hits);
}

NTSTATUS NtProcessStartup(PEB *peb)
{
    const char *words = test_words();

    (void)peb;
    test_registers();
    if (!CHECK(RtlAddVectoredExceptionHandler(TRUE, handle) != NULL))
        return test_end();
    test_data();
    test_execute();
    test_kernel();
    test_threads();
    test_instrumented_threads();
    test_status_leak();
    test_suspended();
    test_callback();
    test_steps();
    test_trapped();
    test_stuck();
    test_both();
    test_mov_ss();
    test_program(*words ? (ULONG)atoi(words) : ROUNDS);
    return test_end();
}
