/*
 * entrypaths.c - the kernel's ways in and out, one at a time, for whoever
 * steps through them (tests/entry).
 *
 * It says what its paths are called, then takes each of them once: path_asked
 * (eax is the path's number; a debugger may write another one, or one that is
 * none, to end), path_begin, the path, path_end.  With the word "step" the
 * clock stands still meanwhile.  What a path must have done is checked, and
 * that two pages of memory are as they were.
 *
 * Scenarios: D1, D11.
 */
#include "cases.h"
#include "entrypaths.h"

#include "../../programs/lib/find.h"
#include "facts.h"

#define TEST_ZW 0                       /* NtwSelfTest's */
#define TEST_CLOCK 0x26
#define CANARY_PAGES 2
#define SECOND 10000000LL
#define NO_ADDRESS ((void *)0x10)
#define ROUNDS_OF_NOPS 8

static NTSTATUS (NTAPI *ask_kernel)(ULONG test, void *argument);
static ULONG *canary;
static BOOLEAN stepped;

/* ---- Marks ---- */

#ifdef __x86_64__
#define SYMBOL(name) #name
#define FIRST_ARGUMENT "%ecx"
#else
#define SYMBOL(name) "_" #name
#define FIRST_ARGUMENT "4(%esp)"
#endif

#define MARK(name) \
    "\t.globl " SYMBOL(name) "\n" SYMBOL(name) ":\n\tnop\n\tret\n"

__asm__("\t.text\n\t.globl " SYMBOL(path_ask) "\n" SYMBOL(path_ask) ":\n"
        "\tmovl " FIRST_ARGUMENT ", %eax\n"
        MARK(path_asked) MARK(path_begin) MARK(path_end));

ULONG path_ask(ULONG number);
void path_begin(void);
void path_end(void);

/* ---- Exceptions of ring 3, to a handler and back by NtContinue ---- */

static const char *const raised[] = {
    "divide by zero", "single step", "INT3", "LOCK NOP", "INTO", "BOUND",
    "UD2", "HLT", "ring 0's DS", "INT 20h", "read 8", "execute data",
    "read across an edge", "guard page", "INT 2Ch", "INT 2Dh",
    "x87 zero divide", "read beyond the hole", "stack beyond the hole",
};

static const struct row *current;
static ULONG seen;

/* Not the path's own: whoever steps through it has set TF, or broken a frame */
static BOOLEAN tolerant;
static ULONG tolerated;

static LONG handle_other(NTSTATUS code, CONTEXT *context)
{
    if (code != STATUS_SINGLE_STEP &&
        (!tolerant || code != STATUS_ACCESS_VIOLATION))
        return EXCEPTION_CONTINUE_SEARCH;
    tolerated++;
    context->EFlags &= ~0x100;
    return EXCEPTION_CONTINUE_EXECUTION;
}

static LONG NTAPI handle(EXCEPTION_POINTERS *pointers)
{
    CONTEXT *context = pointers->ContextRecord;

    if (!current)
        return handle_other(pointers->ExceptionRecord->ExceptionCode, context);
    seen += pointers->ExceptionRecord->ExceptionCode == current->code;
    INSTRUCTION_POINTER(context) = (ULONG_PTR)back;
    STACK_POINTER(context) = stack_of_case;
    context->EFlags &= ~0x40100;
    return EXCEPTION_CONTINUE_EXECUTION;
}

static void prepare_case(void)
{
    seen = 0;
    pages[0] = 0;
    test_protect(pages + 2 * PAGE_SIZE, 1, PAGE_READWRITE | PAGE_GUARD);
}

static void walk_case(void)
{
    run_case(current->routine);
}

static void check_case(void)
{
    CHECK(seen == 1);
    current = NULL;
}

static void prepare_pages(void)
{
    pages = test_pages(3);
    test_protect(pages + PAGE_SIZE, 1, PAGE_NOACCESS);
}

/* ---- Memory ---- */

static UCHAR *fresh;

static void prepare_fresh(void)
{
    fresh = test_pages(1);
}

static void check_fresh(void)
{
    void *base = fresh;
    SIZE_T size = 0;

    CHECK(fresh[PAGE_SIZE - 1] == 0);
    CHECK_STATUS(NtFreeVirtualMemory(NtCurrentProcess(), &base, &size,
                                     MEM_RELEASE), STATUS_SUCCESS);
}

static void walk_demand(void)
{
    *(volatile UCHAR *)fresh = 1;
}

static NTSTATUS answer;

static void walk_demand_in_service(void)
{
    answer = NtQuerySystemTime((LARGE_INTEGER *)fresh);
}

static void check_demand_in_service(void)
{
    CHECK_STATUS(answer, STATUS_SUCCESS);
    check_fresh();
}

static void walk_bad_pointer(void)
{
    answer = NtQuerySystemTime(NO_ADDRESS);
}

static void check_bad_pointer(void)
{
    CHECK_STATUS(answer, STATUS_ACCESS_VIOLATION);
}

/* ---- Calls that come back another way ---- */

static void walk_zw(void)
{
    answer = ask_kernel(TEST_ZW, NULL);
}

static void check_answer(void)
{
    CHECK_STATUS(answer, STATUS_SUCCESS);
}

static ULONG came;

static void NTAPI come(void *argument1, void *argument2, void *argument3)
{
    came += argument1 == &came && argument2 == NULL && argument3 == fresh;
}

static void prepare_apc(void)
{
    came = 0;
}

static void walk_apc(void)
{
    NtQueueApcThread(NtCurrentThread(), come, &came, NULL, fresh);
    answer = NtTestAlert();
}

static void check_came(void)
{
    CHECK(came == 1);
}

static void check_apc(void)
{
    CHECK_STATUS(answer, STATUS_SUCCESS);
    check_came();
}

static NTSTATUS NTAPI call_back(void *data, ULONG length)
{
    ULONG value = TRUE;

    (void)data, (void)length;
    came++;
    return NtCallbackReturn(&value, sizeof value, STATUS_SUCCESS);
}

static void walk_callback(void)
{
    answer = !NtUserEnumDisplayMonitors(NULL, NULL, NO_ADDRESS, 0);
}

static CONTEXT context;

static void prepare_continue(void)
{
    came = 0;
    context.ContextFlags = CONTEXT_FULL;
    CHECK_STATUS(NtGetContextThread(NtCurrentThread(), &context),
                 STATUS_SUCCESS);
}

/* To where the cases of exceptions.asm end. */
static void go_on(void)
{
    INSTRUCTION_POINTER(&context) = (ULONG_PTR)back;
    STACK_POINTER(&context) = stack_of_case;
    came++;
    NtContinue(&context, FALSE);
    came++;
}

static void walk_continue(void)
{
    routine = go_on;
    run_case(call_routine);
}

/* ---- Threads ---- */

static HANDLE ours, theirs, partner;
static volatile ULONG yielding;

static void NTAPI run_partner(void *parameter)
{
    (void)parameter;
    for (;;) {
        NtWaitForSingleObject(theirs, FALSE, NULL);
        while (yielding)
            NtYieldExecution();
        NtSetEvent(ours, NULL);
    }
}

static HANDLE make_event(void)
{
    HANDLE event = NULL;

    CHECK_STATUS(NtCreateEvent(&event, EVENT_ALL_ACCESS, NULL,
                               SynchronizationEvent, FALSE), STATUS_SUCCESS);
    return event;
}

static void prepare_partner(void)
{
    ours = make_event();
    theirs = make_event();
    CHECK_STATUS(RtlCreateUserThread(NtCurrentProcess(), NULL, FALSE, 0, 0, 0,
                                     run_partner, NULL, &partner, NULL),
                 STATUS_SUCCESS);
}

/* The partner is in the middle of its loop when we begin. */
static void prepare_yield(void)
{
    yielding = 1;
    NtSetEvent(theirs, NULL);
    NtYieldExecution();
}

static void walk_yield(void)
{
    answer = NtYieldExecution();
}

static void check_yield(void)
{
    CHECK_STATUS(answer, STATUS_SUCCESS);
    yielding = 0;
    CHECK_STATUS(NtWaitForSingleObject(ours, FALSE, NULL), STATUS_SUCCESS);
}

static void walk_event(void)
{
    NtSetEvent(theirs, NULL);
    answer = NtWaitForSingleObject(ours, FALSE, NULL);
}

/* The idle thread has done what was left to it. */
static void rest(void)
{
    LARGE_INTEGER moment = { .QuadPart = -SECOND / 10 };

    CHECK_STATUS(NtDelayExecution(FALSE, &moment), STATUS_SUCCESS);
}

/* Until the next tick, however late it comes. */
static void walk_delay(void)
{
    LARGE_INTEGER time;

    NtQuerySystemTime(&time);
    time.QuadPart++;
    answer = NtDelayExecution(FALSE, &time);
}

static void NTAPI run_short(void *parameter)
{
    came += parameter == &came;
}

static void walk_thread(void)
{
    HANDLE thread = NULL;

    RtlCreateUserThread(NtCurrentProcess(), NULL, FALSE, 0, 0, 0, run_short,
                        &came, &thread, NULL);
    answer = NtWaitForSingleObject(thread, FALSE, NULL);
    NtClose(thread);
}

/* ---- Nothing: what comes by itself ---- */

static void prepare_nothing(void)
{
    tolerant = TRUE;
}

static void walk_nothing(void)
{
    for (ULONG i = 0; i < ROUNDS_OF_NOPS; i++)
        __asm__ volatile("nop");
}

static const struct path own_paths[] = {
    { "nothing", prepare_nothing, walk_nothing, NULL },
    { "Zw calls", NULL, walk_zw, check_answer },
    { "demand-zero page", prepare_fresh, walk_demand, check_fresh },
    { "demand-zero page in a service", prepare_fresh, walk_demand_in_service,
      check_demand_in_service },
    { "bad pointer", NULL, walk_bad_pointer, check_bad_pointer },
    { "user APC", prepare_apc, walk_apc, check_apc },
    { "callback", prepare_apc, walk_callback, check_apc },
    { "NtContinue", prepare_continue, walk_continue, check_came },
    { "yield", prepare_yield, walk_yield, check_yield },
    { "event and wait", NULL, walk_event, check_answer },
    { "delay", rest, walk_delay, check_answer },
    { "thread", prepare_apc, walk_thread, check_apc },
};

/* ---- All of them ---- */

static struct path paths[64];
static ULONG count;

static void add(const struct path *path)
{
    if (CHECK(count < ARRAY_SIZE(paths)))
        paths[count++] = *path;
}

static const struct row *row_named(const char *name)
{
    for (ULONG at = 0; at < case_count; at++)
        if (!strcmp(cases[at].name, name))
            return &cases[at];
    return NULL;
}

static void collect(void)
{
    struct path path = { NULL, prepare_case, walk_case, check_case };

    for (ULONG at = 0; at < door_path_count; at++)
        add(&door_paths[at]);
    for (ULONG at = 0; at < ARRAY_SIZE(own_paths); at++)
        add(&own_paths[at]);
    for (ULONG at = 0; at < ARRAY_SIZE(raised); at++) {
        path.name = raised[at];
        if (row_named(path.name))
            add(&path);
    }
}

static void say_what_there_is(void)
{
    for (ULONG at = 0; at < count; at++)
        print("path %u %s\n", at, paths[at].name);
    print("%u paths\n", count);
}

static void check_canary(void)
{
    for (ULONG at = 0; at < CANARY_PAGES * PAGE_SIZE / sizeof *canary; at++)
        if (!CHECK_SAY(canary[at] == ~at, "canary %u is %x", at, canary[at]))
            canary[at] = ~at;
}

static void take(const struct path *path)
{
    test_where(path->name);
    current = row_named(path->name);
    tolerant = FALSE;
    tolerated = 0;
    if (path->prepare)
        path->prepare();
    if (stepped)
        ask_kernel(TEST_CLOCK, (void *)FALSE);
    path_begin();
    path->walk();
    path_end();
    if (stepped)
        ask_kernel(TEST_CLOCK, (void *)TRUE);
    if (path->check)
        path->check();
    CHECK(tolerated <= stepped);
    check_canary();
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    static void *const callbacks[] = { call_back };
    ULONG number;

    test_on_one_processor();
    peb->KernelCallbackTable = (void *)callbacks;
    ask_kernel = (void *)find_stub("NtwSelfTest");
    if (!ask_kernel)
        return STATUS_PROCEDURE_NOT_FOUND;
    canary = test_pages(CANARY_PAGES);
    for (ULONG at = 0; at < CANARY_PAGES * PAGE_SIZE / sizeof *canary; at++)
        canary[at] = ~at;
    prepare_pages();
    prepare_partner();
    CHECK(RtlAddVectoredExceptionHandler(TRUE, handle) != NULL);
    stepped = !strcmp(test_words(), "step");
    collect();
    say_what_there_is();
    rest();
    for (number = path_ask(0); number < count; number = path_ask(number + 1))
        take(&paths[number]);
    RtlExitUserProcess(test_end());
}
