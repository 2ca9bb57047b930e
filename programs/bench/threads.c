/*
 * threads.c - switches from thread to thread, and threads themselves.
 *
 * Threads are made by NtCreateThread on stacks of two pages, which is little
 * enough for ten thousand.
 */
#include "bench.h"

#define STACK 0x2000
#define LEAST_STACK 0x10000              /* that NtCreateThreadEx gives */
#define SLOT 0x40                       /* below the top: home area, return */

static volatile BOOLEAN stop;
static HANDLE threads[MANY];
static UCHAR *stacks;

void set_priority(HANDLE thread, LONG priority)
{
    must(NtSetInformationThread(thread, ThreadPriority, &priority,
                                sizeof priority), "priority");
}

void join(HANDLE thread)
{
    must(NtWaitForSingleObject(thread, FALSE, NULL), "join");
    must(NtClose(thread), "close");
}

static HANDLE create(thread_routine *routine, void *argument)
{
    HANDLE thread;

    must(NtCreateThreadEx(&thread, THREAD_ALL_ACCESS, NULL,
                          NtCurrentProcess(), (void *)routine, argument, 0, 0,
                          LEAST_STACK, LEAST_STACK, NULL), "NtCreateThreadEx");
    return thread;
}

/* Whoever calls has HIGH or HIGHER: the thread does not run before it may. */
HANDLE start_thread(thread_routine *routine, void *argument, LONG priority)
{
    HANDLE thread = create(routine, argument);

    set_priority(thread, priority);
    return thread;
}

static void NTAPI yield_until_stop(void *argument)
{
    (void)argument;
    while (!stop)
        NtYieldExecution();
    NtTerminateThread(NtCurrentThread(), STATUS_SUCCESS);
}

static void yield(void *context)
{
    (void)context;
    NtYieldExecution();
}

/* There and back between two: half of it is one call with its switch. */
static ULONGLONG yield_ticks(LONG priority)
{
    HANDLE partner;
    ULONGLONG both;

    stop = FALSE;
    set_priority(NtCurrentThread(), priority);
    partner = start_thread(yield_until_stop, NULL, priority);
    NtYieldExecution();
    both = fewest(yield, NULL);
    stop = TRUE;
    join(partner);
    return both / 2;
}

static void NTAPI end(void *argument)
{
    (void)argument;
    NtTerminateThread(NtCurrentThread(), STATUS_SUCCESS);
}

static void create_and_join(void *context)
{
    (void)context;
    join(create(end, NULL));
}

void show_threads(void)
{
    figure("yield", yield_ticks(HIGH),
           "NtYieldExecution, on to the other thread");
    set_priority(NtCurrentThread(), NORMAL);
    figure("thread", fewest_single(create_and_join, NULL),
           "made with a stack of 64 KiB, until it ends");
    set_priority(NtCurrentThread(), HIGH);
}

/* ---- many that are ready ---- */

static void create_small(ULONG index)
{
    INITIAL_TEB stack = {
        .StackBase = stacks + (SIZE_T)(index + 1) * STACK,
        .StackLimit = stacks + (SIZE_T)index * STACK,
    };
    CONTEXT context = {
        .ContextFlags = CONTEXT_CONTROL,
        .Rip = (ULONG_PTR)yield_until_stop,
        .Rsp = (ULONG_PTR)stack.StackBase - SLOT - sizeof(ULONG_PTR),
    };
    CLIENT_ID cid;

    must(NtCreateThread(&threads[index], THREAD_ALL_ACCESS, NULL,
                        NtCurrentProcess(), &cid, &context, &stack, FALSE),
         "NtCreateThread");
    set_priority(threads[index], HIGH);
}

static void start_small(ULONG from, ULONG to)
{
    stop = FALSE;
    for (ULONG i = from; i < to; i++)
        create_small(i);
}

static void join_small(ULONG count)
{
    stop = TRUE;
    for (ULONG i = 0; i < count; i++)
        join(threads[i]);
}

/* Once around all of them and back here; the first time they begin. */
static ULONGLONG turn(ULONG count)
{
    NtYieldExecution();
    NtYieldExecution();
    return fewest(yield, NULL) / (count + 1);
}

struct ready {
    ULONGLONG equals, others;
};

/* A pair of better ones first, so that the many have not begun yet. */
static struct ready measure(ULONG count)
{
    struct ready result;

    set_priority(NtCurrentThread(), HIGHER);
    start_small(0, count);
    result.others = yield_ticks(HIGHER);
    stop = FALSE;
    set_priority(NtCurrentThread(), HIGH);
    result.equals = turn(count);
    join_small(count);
    return result;
}

void show_ready_growth(void)
{
    SIZE_T size = (SIZE_T)MANY * STACK;
    struct ready few, many;
    void *base = NULL;

    must(NtAllocateVirtualMemory(NtCurrentProcess(), &base, 0, &size,
                                 MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE),
         "stacks");
    stacks = base;
    few = measure(FEW);
    many = measure(MANY);
    growth("yield among ready equals", few.equals, many.equals);
    growth("yield of two above them", few.others, many.others);
}
