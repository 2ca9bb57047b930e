/*
 * timers.c - timer objects, their routines, and the services about time: every
 * status, and what one thread can see.
 *
 * Times are short where the test waits for them and an hour where it does
 * not; nothing depends on how long a wait has taken.
 */
#include "objects.h"

#define MILLISECOND 10000LL
#define HOUR (3600 * 1000 * MILLISECOND)
#define CONTEXT_VALUE ((void *)(LONG_PTR)0x12345678)
#define MANY 50

static NTSTATUS create(HANDLE *handle, ACCESS_MASK access,
                       OBJECT_ATTRIBUTES *attributes)
{
    return NtCreateTimer(handle, access, attributes, NotificationTimer);
}

static const struct kind kind = {
    "timer", create, NtOpenTimer, NtQueryTimer, TIMER_ALL_ACCESS,
    sizeof(TIMER_BASIC_INFORMATION), NtOpenEvent };

static struct {
    ULONG count;
    void *context;
    LONGLONG time;
    HANDLE close;                       /* by the routine */
} called;

static void NTAPI note(void *context, ULONG low, LONG high)
{
    called.count++;
    called.context = context;
    called.time = (LONGLONG)high << 32 | low;
    if (called.close)
        CHECK_STATUS(NtClose(called.close), STATUS_SUCCESS);
}

static HANDLE timer_of(ULONG type)
{
    HANDLE timer = NULL;

    CHECK_STATUS(NtCreateTimer(&timer, TIMER_ALL_ACCESS, NULL, type),
                 STATUS_SUCCESS);
    return timer;
}

static NTSTATUS set(HANDLE timer, LONGLONG due, PTIMER_APC_ROUTINE routine,
                    LONG period, BOOLEAN *previous)
{
    LARGE_INTEGER time = { .QuadPart = due };

    return NtSetTimer(timer, &time, routine, CONTEXT_VALUE, FALSE, period,
                      previous);
}

static TIMER_BASIC_INFORMATION query(HANDLE timer)
{
    TIMER_BASIC_INFORMATION basic;

    memset(&basic, 0xEE, sizeof basic);
    CHECK_STATUS(NtQueryTimer(timer, TimerBasicInformation, &basic,
                              sizeof basic, NULL), STATUS_SUCCESS);
    return basic;
}

static NTSTATUS delay(LONGLONG interval, BOOLEAN alertable)
{
    LARGE_INTEGER time = { .QuadPart = interval };

    return NtDelayExecution(alertable, &time);
}

static LONGLONG now(void)
{
    LARGE_INTEGER time;

    NtQuerySystemTime(&time);
    return time.QuadPart;
}

static void check_types(void)
{
    HANDLE timer;

    CHECK_STATUS(NtCreateTimer(&timer, TIMER_ALL_ACCESS, NULL, 2),
                 STATUS_INVALID_PARAMETER_4);
    CHECK_STATUS(NtCreateTimer(&timer, TIMER_ALL_ACCESS, NULL, ~0u),
                 STATUS_INVALID_PARAMETER_4);
    CHECK_STATUS(NtCreateTimer(NULL, TIMER_ALL_ACCESS, NULL, 2),
                 STATUS_ACCESS_VIOLATION);
}

static void check_refusals(void)
{
    LARGE_INTEGER due = { .QuadPart = -HOUR };
    HANDLE timer = make(&kind, TIMER_ALL_ACCESS);
    HANDLE reader = make(&kind, TIMER_QUERY_STATE | SYNCHRONIZE);
    BOOLEAN state = 77;

    CHECK_STATUS(NtSetTimer(timer, NULL, NULL, NULL, FALSE, 0, &state),
                 STATUS_ACCESS_VIOLATION);
    CHECK_STATUS(NtSetTimer(timer, (LARGE_INTEGER *)((UCHAR *)&due + 1), NULL,
                            NULL, FALSE, 0, &state),
                 STATUS_DATATYPE_MISALIGNMENT);
    CHECK_STATUS(set(timer, -HOUR, NULL, 0, UNMAPPED),
                 STATUS_ACCESS_VIOLATION);
    CHECK_STATUS(set(timer, -HOUR, NULL, -1, &state),
                 STATUS_INVALID_PARAMETER_6);
    CHECK_STATUS(set(NO_HANDLE, -HOUR, NULL, -1, &state),
                 STATUS_INVALID_PARAMETER_6);
    CHECK_STATUS(set(NO_HANDLE, -HOUR, NULL, 0, &state),
                 STATUS_INVALID_HANDLE);
    CHECK_STATUS(set(NtCurrentThread(), -HOUR, NULL, 0, &state),
                 STATUS_OBJECT_TYPE_MISMATCH);
    CHECK_STATUS(set(reader, -HOUR, NULL, 0, &state), STATUS_ACCESS_DENIED);
    CHECK_STATUS(NtCancelTimer(NO_HANDLE, &state), STATUS_INVALID_HANDLE);
    CHECK_STATUS(NtCancelTimer(NtCurrentThread(), &state),
                 STATUS_OBJECT_TYPE_MISMATCH);
    CHECK_STATUS(NtCancelTimer(reader, &state), STATUS_ACCESS_DENIED);
    CHECK_STATUS(NtCancelTimer(timer, UNMAPPED), STATUS_ACCESS_VIOLATION);
    CHECK(state == 77);
    CHECK_STATUS(poll(timer), STATUS_TIMEOUT);
    NtClose(timer);
    NtClose(reader);
}

/* Once, relative, absolute, and in the past; a wait takes the one kind. */
static void check_once(void)
{
    for (ULONG type = 0; type < 2; type++) {
        const LONGLONG due[] = { -MILLISECOND, now() + MILLISECOND, 0, 1,
                                 now() - HOUR, -1 };
        HANDLE timer = timer_of(type);
        BOOLEAN previous = 77;

        for (ULONG i = 0; i < ARRAY_SIZE(due); i++) {
            CHECK_STATUS(set(timer, due[i], NULL, 0, &previous),
                         STATUS_SUCCESS);
            CHECK(previous == (i > 0 && type == NotificationTimer));
            CHECK_STATUS(NtWaitForSingleObject(timer, FALSE, NULL),
                         STATUS_WAIT_0);
            CHECK_STATUS(poll(timer), type == NotificationTimer
                                          ? STATUS_WAIT_0 : STATUS_TIMEOUT);
        }
        CHECK(query(timer).TimerState == (type == NotificationTimer));
        CHECK_STATUS(set(timer, -HOUR, NULL, 0, NULL), STATUS_SUCCESS);
        CHECK_STATUS(poll(timer), STATUS_TIMEOUT);
        NtClose(timer);
    }
}

static void check_cancel(void)
{
    HANDLE timer = make(&kind, TIMER_ALL_ACCESS);
    BOOLEAN state = 77;

    CHECK_STATUS(set(timer, -HOUR, NULL, 0, NULL), STATUS_SUCCESS);
    CHECK(query(timer).RemainingTime.QuadPart > HOUR / 2);
    CHECK(query(timer).RemainingTime.QuadPart <= HOUR);
    CHECK(!query(timer).TimerState);
    CHECK_STATUS(NtCancelTimer(timer, &state), STATUS_SUCCESS);
    CHECK(state == FALSE);
    CHECK_STATUS(NtCancelTimer(timer, NULL), STATUS_SUCCESS);
    CHECK_STATUS(poll(timer), STATUS_TIMEOUT);
    CHECK_STATUS(set(timer, 0, NULL, 0, NULL), STATUS_SUCCESS);
    CHECK_STATUS(NtWaitForSingleObject(timer, FALSE, NULL), STATUS_WAIT_0);
    CHECK_STATUS(NtCancelTimer(timer, &state), STATUS_SUCCESS);
    CHECK(state == TRUE);
    CHECK(query(timer).RemainingTime.QuadPart <= 0);
    NtClose(timer);
}

/* Nothing here wakes a machine; the timer is set all the same. */
static void check_resume(void)
{
    HANDLE timer = make(&kind, TIMER_ALL_ACCESS);
    LARGE_INTEGER due = { .QuadPart = -MILLISECOND };

    CHECK_STATUS(NtSetTimer(timer, &due, NULL, NULL, TRUE, 0, NULL),
                 STATUS_TIMER_RESUME_IGNORED);
    CHECK_STATUS(NtWaitForSingleObject(timer, FALSE, NULL), STATUS_WAIT_0);
    NtClose(timer);
}

static void check_period(void)
{
    HANDLE timer = timer_of(SynchronizationTimer);

    CHECK_STATUS(set(timer, -MILLISECOND, NULL, 1, NULL), STATUS_SUCCESS);
    for (ULONG i = 0; i < 5; i++)
        CHECK_STATUS(NtWaitForSingleObject(timer, FALSE, NULL),
                     STATUS_WAIT_0);
    CHECK_STATUS(NtCancelTimer(timer, NULL), STATUS_SUCCESS);
    (void)poll(timer);
    CHECK_STATUS(poll(timer), STATUS_TIMEOUT);
    NtClose(timer);
}

/* ---- Routines ---- */

static void forget(void)
{
    memset(&called, 0, sizeof called);
}

static void check_routine(void)
{
    HANDLE timer = make(&kind, TIMER_ALL_ACCESS);
    LONGLONG before = now(), after;

    forget();
    CHECK_STATUS(set(timer, -MILLISECOND, note, 0, NULL), STATUS_SUCCESS);
    CHECK_STATUS(NtWaitForSingleObject(timer, FALSE, NULL), STATUS_WAIT_0);
    CHECK(called.count == 0);
    CHECK_STATUS(delay(-HOUR, TRUE), STATUS_USER_APC);
    after = now();
    CHECK(called.count == 1 && called.context == CONTEXT_VALUE);
    CHECK(before <= called.time && called.time <= after);
    CHECK_STATUS(poll(timer), STATUS_WAIT_0);
    CHECK_STATUS(delay(0, TRUE), STATUS_SUCCESS);
    CHECK(called.count == 1);
    NtClose(timer);
}

static void check_periodic_routine(void)
{
    HANDLE timer = make(&kind, TIMER_ALL_ACCESS);
    ULONG count;

    forget();
    CHECK_STATUS(set(timer, -MILLISECOND, note, 1, NULL), STATUS_SUCCESS);
    while (called.count < 5)
        CHECK_STATUS(delay(-HOUR, TRUE), STATUS_USER_APC);
    CHECK_STATUS(NtCancelTimer(timer, NULL), STATUS_SUCCESS);
    count = called.count;
    CHECK_STATUS(delay(-20 * MILLISECOND, TRUE), STATUS_SUCCESS);
    CHECK(called.count == count);
    NtClose(timer);
}

/* The APC waits in its queue, and goes with what it belonged to. */
static void check_taken_back(void)
{
    HANDLE timer;

    for (ULONG way = 0; way < 4; way++) {
        timer = make(&kind, TIMER_ALL_ACCESS);
        forget();
        CHECK_STATUS(set(timer, 0, note, way & 1, NULL), STATUS_SUCCESS);
        CHECK_STATUS(NtWaitForSingleObject(timer, FALSE, NULL),
                     STATUS_WAIT_0);
        if (way < 2)
            CHECK_STATUS(NtCancelTimer(timer, NULL), STATUS_SUCCESS);
        else
            CHECK_STATUS(set(timer, -HOUR, NULL, 0, NULL), STATUS_SUCCESS);
        CHECK_STATUS(delay(-1, TRUE), STATUS_SUCCESS);
        CHECK(called.count == 0);
        NtClose(timer);
    }
    timer = make(&kind, TIMER_ALL_ACCESS);
    CHECK_STATUS(set(timer, 0, note, 0, NULL), STATUS_SUCCESS);
    CHECK_STATUS(NtWaitForSingleObject(timer, FALSE, NULL), STATUS_WAIT_0);
    CHECK_STATUS(NtClose(timer), STATUS_SUCCESS);
    CHECK_STATUS(delay(-1, TRUE), STATUS_SUCCESS);
    CHECK(called.count == 0);
}

/* The routine may close its own timer, whatever else it would do. */
static void check_closed_by_routine(void)
{
    for (ULONG period = 0; period < 2; period++) {
        HANDLE timer = make(&kind, TIMER_ALL_ACCESS);

        forget();
        called.close = timer;
        CHECK_STATUS(set(timer, 0, note, period, NULL), STATUS_SUCCESS);
        CHECK_STATUS(delay(-HOUR, TRUE), STATUS_USER_APC);
        CHECK(called.count == 1);
        CHECK_STATUS(NtCancelTimer(timer, NULL), STATUS_INVALID_HANDLE);
    }
}

static void check_many(void)
{
    static HANDLE timers[MANY];

    forget();
    for (ULONG i = 0; i < MANY; i++) {
        timers[i] = make(&kind, TIMER_ALL_ACCESS);
        CHECK_STATUS(set(timers[i], -(LONGLONG)(i % 7), note, 0, NULL),
                     STATUS_SUCCESS);
    }
    while (called.count < MANY)
        CHECK_STATUS(delay(-HOUR, TRUE), STATUS_USER_APC);
    CHECK_STATUS(delay(0, TRUE), STATUS_SUCCESS);
    CHECK(called.count == MANY);
    for (ULONG i = 0; i < MANY; i++)
        NtClose(timers[i]);
}

/* ---- Time ---- */

static void check_delay(void)
{
    LONGLONG before = now();

    CHECK_STATUS(NtDelayExecution(FALSE, NULL), STATUS_ACCESS_VIOLATION);
    CHECK_STATUS(NtDelayExecution(TRUE, UNMAPPED), STATUS_ACCESS_VIOLATION);
    CHECK_STATUS(NtDelayExecution(FALSE, (LARGE_INTEGER *)(LONG_PTR)0x10001),
                 STATUS_DATATYPE_MISALIGNMENT);
    CHECK_STATUS(delay(0, FALSE), STATUS_SUCCESS);
    CHECK_STATUS(delay(0, TRUE), STATUS_SUCCESS);
    CHECK_STATUS(delay(before - HOUR, FALSE), STATUS_SUCCESS);
    CHECK_STATUS(delay(-20 * MILLISECOND, FALSE), STATUS_SUCCESS);
    CHECK(now() - before >= 5 * MILLISECOND);
    before = now();
    CHECK_STATUS(delay(before + 20 * MILLISECOND, TRUE), STATUS_SUCCESS);
    CHECK(now() >= before + 20 * MILLISECOND);
}

static void check_set_time(void)
{
    LARGE_INTEGER time = { .QuadPart = 1 }, previous = { .QuadPart = 77 };
    LONGLONG before = now();

    CHECK_STATUS(NtSetSystemTime(&time, &previous),
                 STATUS_PRIVILEGE_NOT_HELD);
    CHECK_STATUS(NtSetSystemTime(&time, NULL), STATUS_PRIVILEGE_NOT_HELD);
    CHECK_STATUS(NtSetSystemTime(UNMAPPED, &previous),
                 STATUS_ACCESS_VIOLATION);
    CHECK_STATUS(NtSetSystemTime(&time, UNMAPPED), STATUS_ACCESS_VIOLATION);
    CHECK(previous.QuadPart == 77 && now() >= before);
}

static void check_resolution(void)
{
    ULONG maximum = 0, minimum = 0, current = 0, actual = 0;

    CHECK_STATUS(NtQueryTimerResolution(&maximum, &minimum, &current),
                 STATUS_SUCCESS);
    CHECK(maximum >= current && current >= minimum && minimum > 0);
    CHECK_STATUS(NtQueryTimerResolution(NULL, &minimum, &current),
                 STATUS_ACCESS_VIOLATION);
    CHECK_STATUS(NtQueryTimerResolution(&maximum, &minimum, UNMAPPED),
                 STATUS_ACCESS_VIOLATION);
    CHECK_STATUS(NtSetTimerResolution(10000, FALSE, &actual),
                 STATUS_TIMER_RESOLUTION_NOT_SET);
    CHECK(actual == current);
    CHECK_STATUS(NtSetTimerResolution(10000, TRUE, &actual), STATUS_SUCCESS);
    CHECK(actual >= minimum && actual <= maximum);
    CHECK_STATUS(NtSetTimerResolution(10000, TRUE, NULL),
                 STATUS_ACCESS_VIOLATION);
    CHECK_STATUS(NtSetTimerResolution(10000, FALSE, &actual),
                 STATUS_SUCCESS);
    CHECK_STATUS(NtSetTimerResolution(10000, FALSE, &actual),
                 STATUS_TIMER_RESOLUTION_NOT_SET);
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    (void)peb;
    check_kind(&kind);
    check_types();
    check_refusals();
    check_once();
    check_cancel();
    check_resume();
    check_period();
    check_routine();
    check_periodic_routine();
    check_taken_back();
    check_closed_by_routine();
    check_many();
    check_delay();
    check_set_time();
    check_resolution();
    return test_end();
}
