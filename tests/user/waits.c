/*
 * waits.c - several threads that wait: who goes on, in which order, and with
 * which status.
 *
 * A worker says that it waits by NtSignalAndWaitForSingleObject, which leaves
 * no moment between the two, on one processor; what the test then does finds
 * it waiting.
 */
#include "objects.h"

#define WAIT_ALL 0                      /* NtWaitForMultipleObjects' WaitType */
#define WAIT_ANY 1
#define WORKERS 3
#define HOUR (-36000000000LL)

static struct worker {
    HANDLE thread, object;
    BOOLEAN alertable;
    volatile NTSTATUS status;
    volatile LONG place;                /* who went on first: 1, 2, ... */
} workers[WORKERS];

static HANDLE ready, woken;             /* an event, a semaphore */
static volatile LONG places;
static volatile ULONG apcs;

static ULONG NTAPI work(void *argument)
{
    struct worker *worker = argument;

    worker->status = NtSignalAndWaitForSingleObject(ready, worker->object,
                                                    worker->alertable, NULL);
    worker->place = __sync_add_and_fetch(&places, 1);
    NtReleaseSemaphore(woken, 1, NULL);
    RtlExitUserThread(STATUS_SUCCESS);
}

static void wait_for(HANDLE handle)
{
    CHECK_STATUS(NtWaitForSingleObject(handle, FALSE, NULL), STATUS_WAIT_0);
}

/* It waits when this returns. */
static void start(struct worker *worker, HANDLE object, BOOLEAN alertable)
{
    worker->object = object;
    worker->alertable = alertable;
    worker->place = 0;
    worker->status = STATUS_UNSUCCESSFUL;
    CHECK_STATUS(NtCreateThreadEx(&worker->thread, THREAD_ALL_ACCESS, NULL,
                                  NtCurrentProcess(), work, worker, 0, 0, 0,
                                  0, NULL), STATUS_SUCCESS);
    wait_for(ready);
}

static void start_all(HANDLE object)
{
    places = 0;
    for (ULONG i = 0; i < WORKERS; i++)
        start(&workers[i], object, FALSE);
    CHECK_STATUS(poll(woken), STATUS_TIMEOUT);
}

static void finish(struct worker *worker, NTSTATUS expected)
{
    wait_for(worker->thread);
    CHECK_STATUS(worker->status, expected);
    NtClose(worker->thread);
}

static void finish_all(void)
{
    for (ULONG i = 0; i < WORKERS; i++)
        finish(&workers[i], STATUS_WAIT_0);
}

/* One for each signal, the first to come the first to go. */
static void check_order(HANDLE object, NTSTATUS (*signal)(HANDLE object))
{
    start_all(object);
    for (ULONG i = 0; i < WORKERS; i++) {
        CHECK_STATUS(signal(object), STATUS_SUCCESS);
        wait_for(woken);
        CHECK_STATUS(poll(woken), STATUS_TIMEOUT);
        CHECK_SAY(workers[i].place == (LONG)i + 1, "worker %u went on as %d",
                  i, workers[i].place);
    }
    CHECK_STATUS(poll(object), STATUS_TIMEOUT);
    finish_all();
}

/* One signal is enough for everybody. */
static void check_all(HANDLE object, NTSTATUS (*signal)(HANDLE object),
                      NTSTATUS afterwards)
{
    start_all(object);
    CHECK_STATUS(signal(object), STATUS_SUCCESS);
    for (ULONG i = 0; i < WORKERS; i++)
        wait_for(woken);
    CHECK_STATUS(poll(object), afterwards);
    finish_all();
}

static NTSTATUS set(HANDLE event)
{
    return NtSetEvent(event, NULL);
}

static NTSTATUS pulse(HANDLE event)
{
    return NtPulseEvent(event, NULL);
}

static NTSTATUS release_one(HANDLE semaphore)
{
    return NtReleaseSemaphore(semaphore, 1, NULL);
}

static NTSTATUS release_three(HANDLE semaphore)
{
    return NtReleaseSemaphore(semaphore, WORKERS, NULL);
}

static NTSTATUS set_timer(HANDLE timer)
{
    LARGE_INTEGER now = { .QuadPart = -1 };

    return NtSetTimer(timer, &now, NULL, NULL, FALSE, 0, NULL);
}

static void check_wakings(void)
{
    HANDLE event, notification, semaphore, timers[2];

    NtCreateEvent(&event, EVENT_ALL_ACCESS, NULL, SynchronizationEvent,
                  FALSE);
    NtCreateEvent(&notification, EVENT_ALL_ACCESS, NULL, NotificationEvent,
                  FALSE);
    NtCreateSemaphore(&semaphore, SEMAPHORE_ALL_ACCESS, NULL, 0, WORKERS);
    for (ULONG i = 0; i < 2; i++)
        NtCreateTimer(&timers[i], TIMER_ALL_ACCESS, NULL, i);
    check_order(event, set);
    check_order(event, pulse);
    check_order(semaphore, release_one);
    check_order(timers[SynchronizationTimer], set_timer);
    check_all(notification, set, STATUS_WAIT_0);
    NtResetEvent(notification, NULL);
    check_all(notification, pulse, STATUS_TIMEOUT);
    check_all(semaphore, release_three, STATUS_TIMEOUT);
    check_all(timers[NotificationTimer], set_timer, STATUS_WAIT_0);
    NtClose(event);
    NtClose(notification);
    NtClose(semaphore);
    for (ULONG i = 0; i < 2; i++)
        NtClose(timers[i]);
}

/* A worker ends with what it has got; the next owner is told. */
static void check_abandonment(void)
{
    HANDLE mutant, event, handles[2];
    MUTANT_BASIC_INFORMATION basic;
    LARGE_INTEGER now = { .QuadPart = 0 };

    NtCreateEvent(&event, EVENT_ALL_ACCESS, NULL, NotificationEvent, FALSE);
    for (ULONG way = 0; way < 3; way++) {
        NtCreateMutant(&mutant, MUTANT_ALL_ACCESS, NULL, TRUE);
        start(&workers[0], mutant, FALSE);
        CHECK_STATUS(NtReleaseMutant(mutant, NULL), STATUS_SUCCESS);
        finish(&workers[0], STATUS_WAIT_0);
        wait_for(woken);
        CHECK_STATUS(NtQueryMutant(mutant, MutantBasicInformation, &basic,
                                   sizeof basic, NULL), STATUS_SUCCESS);
        CHECK(basic.CurrentCount == 1 && !basic.OwnedByCaller &&
              basic.AbandonedState);
        handles[0] = event;
        handles[1] = mutant;
        if (way == 0) {
            CHECK_STATUS(poll(mutant), STATUS_ABANDONED_WAIT_0);
        } else if (way == 1) {
            CHECK_STATUS(NtWaitForMultipleObjects(2, handles, WAIT_ANY, FALSE,
                                                  &now),
                         STATUS_ABANDONED_WAIT_0 + 1);
        } else {
            CHECK_STATUS(NtWaitForMultipleObjects(2, handles, WAIT_ALL, FALSE,
                                                  &now), STATUS_TIMEOUT);
            NtSetEvent(event, NULL);
            CHECK_STATUS(NtWaitForMultipleObjects(2, handles, WAIT_ALL, FALSE,
                                                  &now),
                         STATUS_ABANDONED_WAIT_0);
        }
        CHECK_STATUS(poll(mutant), STATUS_WAIT_0);
        CHECK_STATUS(NtReleaseMutant(mutant, NULL), STATUS_SUCCESS);
        CHECK_STATUS(NtReleaseMutant(mutant, NULL), STATUS_SUCCESS);
        CHECK_STATUS(NtReleaseMutant(mutant, NULL), STATUS_MUTANT_NOT_OWNED);
        NtClose(mutant);
    }
    NtClose(event);
}

/* Somebody else's mutant is not ours to give back. */
static void check_owner(void)
{
    HANDLE mutant;
    MUTANT_OWNER_INFORMATION owner;

    NtCreateMutant(&mutant, MUTANT_ALL_ACCESS, NULL, TRUE);
    start(&workers[0], mutant, FALSE);
    CHECK_STATUS(NtReleaseMutant(mutant, NULL), STATUS_SUCCESS);
    CHECK_STATUS(NtReleaseMutant(mutant, NULL), STATUS_MUTANT_NOT_OWNED);
    wait_for(woken);
    finish(&workers[0], STATUS_WAIT_0);
    CHECK_STATUS(NtQueryMutant(mutant, MutantOwnerInformation, &owner,
                               sizeof owner, NULL), STATUS_SUCCESS);
    CHECK(owner.ClientId.UniqueThread == NULL);
    NtClose(mutant);
}

static void NTAPI count_apc(void *argument1, void *argument2, void *argument3)
{
    (void)argument1, (void)argument2, (void)argument3;
    __sync_fetch_and_add(&apcs, 1);
}

/* What ends a wait that the object does not end. */
static void check_interruptions(void)
{
    HANDLE event;

    NtCreateEvent(&event, EVENT_ALL_ACCESS, NULL, SynchronizationEvent,
                  FALSE);
    apcs = 0;
    start(&workers[0], event, TRUE);
    CHECK_STATUS(NtQueueApcThread(workers[0].thread, count_apc, NULL, NULL,
                                  NULL), STATUS_SUCCESS);
    finish(&workers[0], STATUS_USER_APC);
    CHECK(apcs == 1);
    start(&workers[0], event, TRUE);
    CHECK_STATUS(NtAlertThread(workers[0].thread), STATUS_SUCCESS);
    finish(&workers[0], STATUS_ALERTED);
    wait_for(woken);
    wait_for(woken);

    /* Not alertable: neither disturbs it. */
    start(&workers[0], event, FALSE);
    CHECK_STATUS(NtAlertThread(workers[0].thread), STATUS_SUCCESS);
    CHECK_STATUS(NtQueueApcThread(workers[0].thread, count_apc, NULL, NULL,
                                  NULL), STATUS_SUCCESS);
    CHECK_STATUS(poll(woken), STATUS_TIMEOUT);
    CHECK_STATUS(NtSetEvent(event, NULL), STATUS_SUCCESS);
    finish(&workers[0], STATUS_WAIT_0);
    wait_for(woken);
    NtClose(event);
}

/* Any: the lowest index that is signalled, and only that is taken. */
static void check_multiple(void)
{
    HANDLE events[4];
    LARGE_INTEGER now = { .QuadPart = 0 };

    for (ULONG i = 0; i < ARRAY_SIZE(events); i++)
        NtCreateEvent(&events[i], EVENT_ALL_ACCESS, NULL,
                      SynchronizationEvent, i > 0);
    for (LONG i = 1; i < 4; i++)
        CHECK_STATUS(NtWaitForMultipleObjects(4, events, WAIT_ANY, FALSE,
                                              &now), STATUS_WAIT_0 + i);
    CHECK_STATUS(NtWaitForMultipleObjects(4, events, WAIT_ANY, FALSE, &now),
                 STATUS_TIMEOUT);
    for (ULONG i = 1; i < 4; i++)
        NtSetEvent(events[i], NULL);
    CHECK_STATUS(NtWaitForMultipleObjects(4, events, WAIT_ALL, FALSE, &now),
                 STATUS_TIMEOUT);
    for (ULONG i = 1; i < 4; i++)
        CHECK_STATUS(poll(events[i]), STATUS_WAIT_0);
    for (ULONG i = 0; i < 4; i++)
        NtSetEvent(events[i], NULL);
    CHECK_STATUS(NtWaitForMultipleObjects(4, events, WAIT_ALL, FALSE, &now),
                 STATUS_WAIT_0);
    for (ULONG i = 0; i < 4; i++) {
        CHECK_STATUS(poll(events[i]), STATUS_TIMEOUT);
        NtClose(events[i]);
    }
}

static void check_timeouts(void)
{
    LARGE_INTEGER times[4], now;
    HANDLE event, pair[2];

    NtCreateEvent(&event, EVENT_ALL_ACCESS, NULL, NotificationEvent, FALSE);
    pair[0] = event;
    pair[1] = NtCurrentThread();
    NtQuerySystemTime(&now);
    times[0].QuadPart = 0;
    times[1].QuadPart = -10000;
    times[2].QuadPart = now.QuadPart + 20000;
    times[3].QuadPart = now.QuadPart + HOUR;
    for (ULONG i = 0; i < ARRAY_SIZE(times); i++) {
        CHECK_STATUS(NtWaitForSingleObject(event, FALSE, &times[i]),
                     STATUS_TIMEOUT);
        CHECK_STATUS(NtWaitForMultipleObjects(2, pair, WAIT_ANY, TRUE,
                                              &times[i]), STATUS_TIMEOUT);
    }
    NtClose(event);
}

/* A timer that was to call a thread goes quiet when the thread ends. */
static HANDLE periodic;

static void NTAPI never(void *context, ULONG low, LONG high)
{
    (void)context, (void)low, (void)high;
    CHECK(FALSE);
}

static ULONG NTAPI set_and_end(void *argument)
{
    LARGE_INTEGER soon = { .QuadPart = -10000 };

    (void)argument;
    CHECK_STATUS(NtSetTimer(periodic, &soon, never, NULL, FALSE, 1, NULL),
                 STATUS_SUCCESS);
    wait_for(periodic);
    RtlExitUserThread(STATUS_SUCCESS);
}

static void check_timer_of_ended_thread(void)
{
    LARGE_INTEGER time = { .QuadPart = -300000 };
    HANDLE thread;

    NtCreateTimer(&periodic, TIMER_ALL_ACCESS, NULL, SynchronizationTimer);
    CHECK_STATUS(NtCreateThreadEx(&thread, THREAD_ALL_ACCESS, NULL,
                                  NtCurrentProcess(), set_and_end, NULL, 0, 0,
                                  0, 0, NULL), STATUS_SUCCESS);
    wait_for(thread);
    (void)poll(periodic);
    CHECK_STATUS(NtWaitForSingleObject(periodic, FALSE, &time),
                 STATUS_TIMEOUT);
    NtClose(thread);
    NtClose(periodic);
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    (void)peb;
    test_on_one_processor();
    NtCreateEvent(&ready, EVENT_ALL_ACCESS, NULL, SynchronizationEvent,
                  FALSE);
    NtCreateSemaphore(&woken, SEMAPHORE_ALL_ACCESS, NULL, 0, 100);
    check_wakings();
    check_abandonment();
    check_owner();
    check_interruptions();
    check_multiple();
    check_timeouts();
    check_timer_of_ended_thread();
    return test_end();
}
