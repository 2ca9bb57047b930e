/*
 * apcstorm.c - user APCs that another thread queues while this one makes
 * calls by each door, waits, and spins without a call: each runs once, and
 * what it interrupts keeps every register.
 *
 * The target's registers hold a pattern while an APC can come (call.h); the
 * APC's routine leaves none of them as it was (apc.asm). Each APC has a number
 * that counts how often it ran. "apcstorm N" makes N rounds: 36,000 APCs each
 * where there are three doors.
 *
 * Scenarios: G3, I1.
 */
#include "test.h"

#include "../../programs/lib/door.h"
#include "services.h"

#define SPECIAL QUEUE_USER_APC_SPECIAL_USER_APC
#define STACK 0x10000
#define WAYS 10
#define EACH 4000                               /* APCs for each way */
#define OPEN 48                                 /* queued and not run: most */
#define MXCSR_OTHER 0x5F80
#define TICK (-1LL)

enum pace { PACE_FULL, PACE_TICK };

static struct call call;
static HANDLE target, event;
static UCHAR *ran;                              /* times, by number */
static volatile ULONG queued, runs, limit, more;
static volatile enum pace pace;
static volatile BOOLEAN special, over;
static ULONG interrupted;
volatile ULONG apc_count;

void NTAPI apc_trash(void *argument1, void *argument2, void *argument3);
void NTAPI apc_note(void *argument1, void *argument2, void *argument3,
                    CONTEXT *context);
void apc_spin(void);

/* Its caller, apc_trash, leaves with trash in every register. */
void NTAPI apc_note(void *argument1, void *argument2, void *argument3,
                    CONTEXT *context)
{
    ULONG_PTR number = (ULONG_PTR)argument1;

    CHECK(argument2 == (void *)~number && argument3 == (void *)(number << 8));
    if (number < limit)
        ran[number]++;
    runs++;
    apc_count = 1;
    if (context->Rip - (ULONG_PTR)apc_spin < 16)
        interrupted++;
}

/* ---- The thread that queues ---- */

static void queue_one(void)
{
    ULONG_PTR number = queued;
    NTSTATUS status =
        NtQueueApcThreadEx(target, special || number % 8 == 7 ? SPECIAL : NULL,
                           (PPS_APC_ROUTINE)apc_trash, (void *)number,
                           (void *)~number, (void *)(number << 8));

    if (CHECK_STATUS(status, STATUS_SUCCESS))
        queued++;
}

static void NTAPI queue_all(void *argument)
{
    LARGE_INTEGER tick = { .QuadPart = TICK };

    (void)argument;
    while (!over) {
        ULONG batch = 1 + queued % 5;

        while (batch-- && queued < more && queued - runs < OPEN)
            queue_one();
        if (pace == PACE_TICK)
            NtDelayExecution(FALSE, &tick);
        else if (queued == more || queued - runs >= OPEN)
            NtYieldExecution();
    }
    NtTerminateThread(NtCurrentThread(), 0);
}

/* ---- The one that is interrupted ---- */

static const UCHAR kept[] = { 3, 4, 5, 6, 7, 12, 13, 14, 15 };

/* What a service returns with, or everything. */
static BOOLEAN is_kept(BOOLEAN all)
{
    const ULONGLONG *in = &call.in.Rax, *out = &call.out.Rax;
    ULONG at, wrong = 0;

    for (at = 0; at < (all ? 16 : ARRAY_SIZE(kept)); at++)
        wrong += in[all ? at : kept[at]] != out[all ? at : kept[at]];
    at = all ? 0 : 6;
    wrong += memcmp(&call.in.Xmm[at], &call.out.Xmm[at],
                    (16 - at) * sizeof(M128A)) != 0;
    wrong += call.mxcsr_out != MXCSR_OTHER;
    wrong += !all && call.out.Rflags != call.in.Rflags;
    return wrong == 0;
}

static void show_lost(const char *name)
{
    const ULONGLONG *in = &call.in.Rax, *out = &call.out.Rax;
    ULONG at;

    for (at = 0; at < 17; at++)
        CHECK_SAY(in[at] == out[at], "%s: register %u: %llx, not %llx", name,
                  at, out[at], in[at]);
    for (at = 0; at < 16; at++)
        CHECK_SAY(!memcmp(&call.in.Xmm[at], &call.out.Xmm[at], sizeof(M128A)),
                  "%s: xmm%u", name, at);
    CHECK_SAY(FALSE, "%s: mxcsr %x", name, call.mxcsr_out);
}

static void call_once(const char *name, BOOLEAN all)
{
    static XSAVE_FORMAT before __attribute__((aligned(16)));
    static XSAVE_FORMAT after __attribute__((aligned(16)));

    call.mxcsr_in = MXCSR_OTHER;
    __asm__ volatile("fninit\n\tfldl2e\n\tfldln2\n\tfldz\n\tfxsave64 %0"
                     : "=m"(before));
    call_with_registers(&call);
    __asm__ volatile("fxsave64 %0\n\tfninit" : "=m"(after));
    if (!CHECK(is_kept(all)))
        show_lost(name);
    CHECK(before.ControlWord == after.ControlWord &&
          before.StatusWord == after.StatusWord &&
          before.TagWord == after.TagWord);
    CHECK(!memcmp(before.FloatRegisters, after.FloatRegisters,
                  sizeof before.FloatRegisters));
}

static void prepare(const struct door *door, ULONG number, ULONG count,
                    const ULONGLONG *arguments)
{
    call_prepare(&call, door->raw, count, arguments);
    call.in.Rax = number;
    call.in.Rflags |= 0x400;                    /* DF */
}

/* Nothing is there: the other thread's turn. */
static void wait_for_more(void)
{
    if (runs == queued && runs < more)
        NtYieldExecution();
}

static void order(BOOLEAN all_special)
{
    special = all_special;
    more += EACH;
}

static void by_test_alert(const struct door *door)
{
    order(FALSE);
    while (runs < more) {
        wait_for_more();
        prepare(door, SERVICE_NtTestAlert, 0, NULL);
        call_once(door->name, FALSE);
    }
}

/* Nothing alertable: only special ones come. */
static void by_other_call(const struct door *door)
{
    order(TRUE);
    while (runs < more) {
        prepare(door, SERVICE_NtYieldExecution, 0, NULL);
        call_once(door->name, FALSE);
    }
}

static void by_wait(const struct door *door)
{
    const ULONGLONG arguments[] = { (ULONG_PTR)event, TRUE, 0 };

    order(FALSE);
    while (runs < more) {
        prepare(door, SERVICE_NtWaitForSingleObject, 3, arguments);
        call_once(door->name, FALSE);
        CHECK_SAY(call.out.Rax == STATUS_USER_APC, "%llx", call.out.Rax);
    }
}

/* The clock's interrupt is the only way into the kernel. */
static void by_interrupt(void)
{
    LONG up = 2, down = 0;

    interrupted = 0;
    pace = PACE_TICK;
    CHECK_STATUS(NtSetInformationThread(NtCurrentThread(), ThreadBasePriority,
                                        &(LONG){ -2 }, sizeof up),
                 STATUS_SUCCESS);
    special = TRUE;
    more += 300;
    while (runs < more) {
        apc_count = 0;
        call_prepare(&call, apc_spin, 0, NULL);
        call_once("interrupt", TRUE);
    }
    CHECK_SAY(interrupted >= 50, "%u times", interrupted);
    CHECK_STATUS(NtSetInformationThread(NtCurrentThread(), ThreadBasePriority,
                                        &down, sizeof down), STATUS_SUCCESS);
    pace = PACE_FULL;
}

static void check_each_once(void)
{
    ULONG number, wrong = 0;

    while (NtTestAlert() != STATUS_SUCCESS || runs < queued)
        NtYieldExecution();
    CHECK_SAY(runs == queued, "%u queued, %u ran", queued, runs);
    for (number = 0; number < queued; number++)
        wrong += ran[number] != 1;
    CHECK_SAY(wrong == 0, "%u did not run once", wrong);
}

static void one_round(void)
{
    const struct door *door;

    for (door = doors; door < doors_end(); door++) {
        by_test_alert(door);
        by_other_call(door);
        by_wait(door);
    }
    by_interrupt();
    check_each_once();
}

static HANDLE start(void)
{
    HANDLE thread;

    CHECK_STATUS(NtDuplicateObject(NtCurrentProcess(), NtCurrentThread(),
                                   NtCurrentProcess(), &target, 0, 0,
                                   DUPLICATE_SAME_ACCESS), STATUS_SUCCESS);
    CHECK_STATUS(NtCreateEvent(&event, EVENT_ALL_ACCESS, NULL,
                               NotificationEvent, FALSE), STATUS_SUCCESS);
    CHECK_STATUS(NtCreateThreadEx(&thread, THREAD_ALL_ACCESS, NULL,
                                  NtCurrentProcess(), queue_all, NULL, 0, 0,
                                  STACK, STACK, NULL), STATUS_SUCCESS);
    return thread;
}

NTSTATUS NtProcessStartup(PEB *peb)
{
    ULONG rounds = 1;
    HANDLE thread;

    (void)peb;
    if (*test_words())
        rounds = (ULONG)atoi(test_words());
    limit = rounds * (WAYS * EACH);
    ran = test_pages(limit / PAGE_SIZE + 1);
    print("storming\n");
    thread = start();
    while (rounds--)
        one_round();
    over = TRUE;
    CHECK_STATUS(NtWaitForSingleObject(thread, FALSE, NULL), STATUS_SUCCESS);
    print("%u APCs\n", runs);
    return test_end();
}
