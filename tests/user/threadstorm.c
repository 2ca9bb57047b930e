/*
 * threadstorm.c - threads that come and go while others queue APCs to them,
 * suspend, resume, alert and end them: every status is one that the service
 * may have, nothing runs in a thread that has ended, and pages and handles
 * are as many as before. "threadstorm N" makes N times as many.
 *
 * A thread that others end has begun: in the loader it would leave the loader's
 * lock behind.
 *
 * Scenarios: I4, I11, I12.
 */
#include "test.h"

#include "../../programs/lib/find.h"

#define SOME 100
#define QUEUERS 3
#define SPECIALS 16                             /* for one thread: they nest */
#define APCS 200                                /* for one thread */

static volatile HANDLE victim;
static volatile ULONG queued, refused, gone, run, specials, sent;
static volatile BOOLEAN over;
static volatile LONG alive;
static ULONG factor = 1;

static HANDLE create(void *routine, void *argument, BOOLEAN suspended)
{
    HANDLE thread = NULL;
    NTSTATUS status = RtlCreateUserThread(NtCurrentProcess(), NULL, suspended,
                                          0, 0, 0, routine, argument, &thread,
                                          NULL);

    CHECK_STATUS(status, STATUS_SUCCESS);
    return thread;
}

static void join(HANDLE thread)
{
    CHECK_STATUS(NtWaitForSingleObject(thread, FALSE, NULL), STATUS_SUCCESS);
    CHECK_STATUS(NtClose(thread), STATUS_SUCCESS);
}

static NTSTATUS exit_status(HANDLE thread)
{
    THREAD_BASIC_INFORMATION basic = { .ExitStatus = 0 };

    CHECK_STATUS(NtQueryInformationThread(thread, ThreadBasicInformation,
                                          &basic, sizeof basic, NULL),
                 STATUS_SUCCESS);
    return basic.ExitStatus;
}

/* ---- APCs to threads that end ---- */

static void NTAPI count_run(void *argument1, void *argument2, void *argument3)
{
    (void)argument1, (void)argument2, (void)argument3;
    run++;
}

/* XP has no special user APCs. */
static NTSTATUS queue(HANDLE thread, BOOLEAN special)
{
    static NTSTATUS (NTAPI *queue_ex)(HANDLE thread, HANDLE reserve,
                                      PPS_APC_ROUTINE routine,
                                      void *argument1, void *argument2,
                                      void *argument3);

    if (!queue_ex)
        queue_ex = find_stub("NtQueueApcThreadEx");
    if (queue_ex && special)
        return queue_ex(thread, QUEUE_USER_APC_SPECIAL_USER_APC, count_run,
                        NULL, NULL, NULL);
    return NtQueueApcThread(thread, count_run, NULL, NULL, NULL);
}

/* Some take what has come, some leave it behind. */
static void NTAPI short_life(void *argument)
{
    ULONG_PTR number = (ULONG_PTR)argument;

    NtYieldExecution();
    if (number % 3 == 0)
        NtTestAlert();
    if (number % 5 == 0)
        NtYieldExecution();
    NtTerminateThread(NtCurrentThread(), (NTSTATUS)number);
}

static void NTAPI queue_to_victim(void *argument)
{
    ULONG_PTR special = (ULONG_PTR)argument;
    ULONG count = 0;

    while (!over) {
        BOOLEAN now = (count++ + special) % 3 == 0 && specials < SPECIALS;
        NTSTATUS status;

        if (sent >= APCS) {
            NtYieldExecution();
            continue;
        }
        status = queue(victim, now);
        specials += now;
        sent += status == STATUS_SUCCESS;
        if (status == STATUS_SUCCESS)
            __sync_fetch_and_add(&queued, 1);
        else if (status == STATUS_UNSUCCESSFUL)
            __sync_fetch_and_add(&refused, 1);
        else if (CHECK_SAY(status == STATUS_INVALID_HANDLE ||
                           status == STATUS_OBJECT_TYPE_MISMATCH, "%08x",
                           status))
            __sync_fetch_and_add(&gone, 1);
        if (count % 16 == 0)
            NtYieldExecution();
    }
    RtlExitUserThread(0);
}

static void check_apcs_to_the_dying(void)
{
    HANDLE queuers[QUEUERS];
    ULONG_PTR at;

    over = FALSE;
    for (at = 0; at < QUEUERS; at++)
        queuers[at] = create(queue_to_victim, (void *)at, FALSE);
    for (at = 1; at <= SOME * factor; at++) {
        HANDLE thread = create(short_life, (void *)at, FALSE);
        ULONG before;

        specials = sent = 0;
        victim = thread;
        CHECK_STATUS(NtWaitForSingleObject(thread, FALSE, NULL),
                     STATUS_SUCCESS);
        before = run;
        CHECK_STATUS(exit_status(thread), at);
        CHECK_STATUS(NtQueueApcThread(thread, count_run, NULL, NULL, NULL),
                     STATUS_UNSUCCESSFUL);
        CHECK(run == before);
        CHECK_STATUS(NtClose(thread), STATUS_SUCCESS);
    }
    over = TRUE;
    for (at = 0; at < QUEUERS; at++)
        join(queuers[at]);
    CHECK_SAY(queued >= run, "%u queued, %u run", queued, run);
    print("%u queued, %u run, %u refused, %u without a thread\n", queued, run,
          refused, gone);
}

/* ---- Everything to a thread in any state ---- */

#define OTHERS 2

static volatile ULONG turns[OTHERS];
static HANDLE never;

static void NTAPI live(void *argument)
{
    ULONG_PTR state = (ULONG_PTR)argument % 5;
    LARGE_INTEGER time = { .QuadPart = -1000 };
    volatile ULONG spins;

    __sync_fetch_and_add(&alive, 1);
    for (;;) {
        switch (state) {
        case 0:
            for (spins = 0; spins < 1000; spins++)
                ;
            break;
        case 1:
            NtYieldExecution();
            break;
        case 2:
            NtWaitForSingleObject(never, TRUE, NULL);
            break;
        case 3:
            NtDelayExecution(FALSE, &time);
            break;
        case 4:
            NtSuspendThread(NtCurrentThread(), NULL);
            break;
        }
    }
}

static BOOLEAN is_fine(NTSTATUS status)
{
    return status == STATUS_SUCCESS || status == STATUS_UNSUCCESSFUL ||
           status == STATUS_THREAD_IS_TERMINATING ||
           status == STATUS_SUSPEND_COUNT_EXCEEDED;
}

static void torture(HANDLE thread, ULONG *seed)
{
    ULONG what = RtlUniform(seed) % 8;
    NTSTATUS status = STATUS_SUCCESS;

    switch (what) {
    case 0:
        status = NtSuspendThread(thread, NULL);
        break;
    case 1: case 2:
        status = NtResumeThread(thread, NULL);
        break;
    case 3:
        status = NtAlertThread(thread);
        break;
    case 4:
        status = NtAlertResumeThread(thread, NULL);
        break;
    case 5: case 6:
        status = queue(thread, what == 6);
        break;
    case 7:
        NtYieldExecution();
        break;
    }
    CHECK_SAY(is_fine(status), "%u: %08x", what, status);
}

/*
 * Who has seen the victim's handle is through with it: when it is closed, the
 * next thread's may have the same number.
 */
static void take_victim_away(void)
{
    victim = NULL;
    for (ULONG at = 0; at < OTHERS; at++) {
        ULONG before = turns[at];

        while (turns[at] - before < 2)
            NtYieldExecution();
    }
}

static void NTAPI torture_victim(void *argument)
{
    ULONG_PTR number = (ULONG_PTR)argument;
    ULONG seed = (ULONG)number + 99;

    for (; !over; turns[number]++) {
        HANDLE thread = victim, mine;

        if (NtDuplicateObject(NtCurrentProcess(), thread, NtCurrentProcess(),
                              &mine, 0, 0, DUPLICATE_SAME_ACCESS) != 0)
            continue;
        torture(mine, &seed);
        NtClose(mine);
    }
    RtlExitUserThread(0);
}

static void check_every_state(void)
{
    HANDLE others[OTHERS];
    ULONG seed = 4711, at, round;

    over = FALSE;
    victim = NULL;
    NtCreateEvent(&never, EVENT_ALL_ACCESS, NULL, NotificationEvent, FALSE);
    for (at = 0; at < ARRAY_SIZE(others); at++)
        others[at] = create(torture_victim, (void *)(ULONG_PTR)at, FALSE);
    for (at = 0; at < SOME / 10 * factor; at++) {
        LONG before = alive;
        HANDLE thread = create(live, (void *)(ULONG_PTR)at, FALSE);

        while (alive == before)
            NtYieldExecution();
        if (at % 7 == 0)
            CHECK_STATUS(NtSuspendThread(thread, NULL), STATUS_SUCCESS);
        victim = thread;
        for (round = RtlUniform(&seed) % 60; round; round--)
            torture(thread, &seed);
        CHECK_STATUS(NtTerminateThread(thread, at + 7), STATUS_SUCCESS);
        CHECK_STATUS(NtWaitForSingleObject(thread, FALSE, NULL),
                     STATUS_SUCCESS);
        CHECK_STATUS(exit_status(thread), at + 7);
        take_victim_away();
        CHECK_STATUS(NtClose(thread), STATUS_SUCCESS);
    }
    over = TRUE;
    for (at = 0; at < ARRAY_SIZE(others); at++)
        join(others[at]);
    NtClose(never);
}

/* ---- The end that comes first is the one that stays ---- */

static void NTAPI end_by_itself(void *argument)
{
    __sync_fetch_and_add(&alive, 1);
    NtYieldExecution();
    NtTerminateThread(NtCurrentThread(), (NTSTATUS)(ULONG_PTR)argument);
}

static void NTAPI end_victim(void *argument)
{
    ULONG_PTR number = (ULONG_PTR)argument;

    for (; !over; turns[number]++) {
        HANDLE mine;

        if (NtDuplicateObject(NtCurrentProcess(), victim, NtCurrentProcess(),
                              &mine, 0, 0, DUPLICATE_SAME_ACCESS) != 0) {
            NtYieldExecution();
            continue;
        }
        CHECK_STATUS(NtTerminateThread(mine, (NTSTATUS)number + 1),
                     STATUS_SUCCESS);
        NtClose(mine);
        NtYieldExecution();
    }
    RtlExitUserThread(0);
}

static void check_last_word(void)
{
    HANDLE others[OTHERS];
    ULONG_PTR at;

    over = FALSE;
    victim = NULL;
    for (at = 0; at < ARRAY_SIZE(others); at++)
        others[at] = create(end_victim, (void *)at, FALSE);
    for (at = 0; at < SOME * factor; at++) {
        LONG before = alive;
        HANDLE thread = create(end_by_itself, (void *)3, FALSE);
        NTSTATUS first;

        while (alive == before)
            NtYieldExecution();
        victim = thread;
        CHECK_STATUS(NtWaitForSingleObject(thread, FALSE, NULL),
                     STATUS_SUCCESS);
        first = exit_status(thread);
        NtYieldExecution();
        CHECK_SAY(first >= 1 && first <= 3, "%x", first);
        CHECK_STATUS(exit_status(thread), first);
        take_victim_away();
        NtClose(thread);
    }
    over = TRUE;
    for (at = 0; at < ARRAY_SIZE(others); at++)
        join(others[at]);
}

/* ---- Nothing is used up ---- */

static void NTAPI end_at_once(void *argument)
{
    RtlExitUserThread((NTSTATUS)(ULONG_PTR)argument);
}

static void check_leaks(void)
{
    ULONG at, round, pages, open;

    for (round = 0; round < 2; round++) {
        pages = test_settled_pages();
        open = test_handles();
        for (at = 0; at < SOME * factor / (2 - round); at++)
            join(create(end_at_once, (void *)(ULONG_PTR)at, FALSE));
    }
    CHECK_SAY(test_settled_pages() + test_page_slack() >= pages,
              "%u pages, then %u", pages,
              test_performance().AvailablePages);
    CHECK_SAY(test_handles() - open <= test_handle_slack(),
              "%u handles, then %u", open,
              test_handles());
}

static void check_no_leak_of(void (*check)(void))
{
    ULONG pages, open;

    check();
    pages = test_settled_pages();
    open = test_handles();
    check();
    CHECK_SAY(test_settled_pages() + 4 + test_page_slack() >= pages,
              "%u pages, then %u", pages,
              test_performance().AvailablePages);
    CHECK_SAY(test_handles() - open <= test_handle_slack(),
              "%u handles, then %u", open,
              test_handles());
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    (void)peb;
    if (*test_words())
        factor = (ULONG)atoi(test_words());
    print("storming\n");
    check_leaks();
    check_no_leak_of(check_apcs_to_the_dying);
    check_no_leak_of(check_every_state);
    check_no_leak_of(check_last_word);
    return test_end();
}
