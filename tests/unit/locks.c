/*
 * locks.c - ntdll's locks, with the host's threads and events made of its
 * condition variables. In two builds, one for each meaning of LockCount.
 */
#include "unit.h"

#include <pthread.h>
#include <sched.h>

/* ntdll.h declares them with 32-bit longs. */
#define atol nt_atol
#define labs nt_labs
#define strtol nt_strtol
#define strtoul nt_strtoul
#include <ntdll.h>

#define THREADS 6
#define ROUNDS 30000
#define LISTS 16                                /* waitaddr.c's, with a lock */

struct event {
    pthread_mutex_t mutex;
    pthread_cond_t set;
    BOOLEAN signalled;
};

static PEB peb = { .NumberOfProcessors = 2 };
static __thread TEB teb;
static volatile LONG events;                    /* alive */
static BOOLEAN no_events;

TEB *NtCurrentTeb(void)
{
    teb.ProcessEnvironmentBlock = &peb;
    teb.ClientId.UniqueThread = &teb;
    return &teb;
}

NTSTATUS NtCreateEvent(HANDLE *handle, ACCESS_MASK access,
                       OBJECT_ATTRIBUTES *attributes, ULONG type,
                       BOOLEAN state)
{
    struct event *event;

    if (no_events)
        return STATUS_INSUFFICIENT_RESOURCES;
    assert_int_equal(access, EVENT_ALL_ACCESS);
    assert_null(attributes);
    assert_int_equal(type, SynchronizationEvent);
    event = calloc(1, sizeof *event);
    pthread_mutex_init(&event->mutex, NULL);
    pthread_cond_init(&event->set, NULL);
    event->signalled = state;
    *handle = event;
    __atomic_add_fetch(&events, 1, __ATOMIC_SEQ_CST);
    return STATUS_SUCCESS;
}

NTSTATUS NtSetEvent(HANDLE handle, LONG *previous)
{
    struct event *event = handle;

    assert_null(previous);
    pthread_mutex_lock(&event->mutex);
    event->signalled = TRUE;
    pthread_cond_signal(&event->set);
    pthread_mutex_unlock(&event->mutex);
    return STATUS_SUCCESS;
}

/* Any time that is not "for ever" has passed already. */
NTSTATUS NtWaitForSingleObject(HANDLE handle, BOOLEAN alertable,
                               LARGE_INTEGER *timeout)
{
    struct event *event = handle;
    NTSTATUS status = STATUS_SUCCESS;

    assert_false(alertable);
    pthread_mutex_lock(&event->mutex);
    while (!event->signalled && !timeout)
        pthread_cond_wait(&event->set, &event->mutex);
    if (!event->signalled)
        status = STATUS_TIMEOUT;
    event->signalled = FALSE;
    pthread_mutex_unlock(&event->mutex);
    return status;
}

NTSTATUS NtClose(HANDLE handle)
{
    struct event *event = handle;

    pthread_mutex_lock(&event->mutex);          /* who sets it has left */
    pthread_mutex_unlock(&event->mutex);
    free(event);
    __atomic_sub_fetch(&events, 1, __ATOMIC_SEQ_CST);
    return STATUS_SUCCESS;
}

NTSTATUS NtDelayExecution(BOOLEAN alertable, LARGE_INTEGER *interval)
{
    assert_false(alertable);
    assert_true(interval->QuadPart < 0);
    sched_yield();
    return STATUS_SUCCESS;
}

NTSTATUS NtTerminateProcess(HANDLE process, NTSTATUS status)
{
    (void)process;
    (void)status;
    abort();
}

void RtlRaiseStatus(NTSTATUS status)
{
    (void)status;
    abort();
}

BOOLEAN RtlDllShutdownInProgress(void)
{
    return FALSE;
}

void wait_initialize(void);

static void run(void *(*routine)(void *))
{
    pthread_t threads[THREADS];

    for (size_t at = 0; at < THREADS; at++)
        pthread_create(&threads[at], NULL, routine, (void *)at);
    for (size_t at = 0; at < THREADS; at++)
        pthread_join(threads[at], NULL);
}

/* ---- Critical sections ---- */

static RTL_CRITICAL_SECTION section;
static volatile ULONG count;
static volatile HANDLE inside;

static void *count_up(void *argument)
{
    for (int round = 0; round < ROUNDS; round++) {
        BOOLEAN twice = (round + (size_t)argument) % 7 == 0;

        RtlEnterCriticalSection(&section);
        assert_null(inside);
        inside = section.OwningThread;
        if (twice)
            RtlEnterCriticalSection(&section);
        assert_int_equal(section.RecursionCount, 1 + twice);
        count = count + 1;
        if (round % 64 == 0)
            sched_yield();
        if (twice)
            RtlLeaveCriticalSection(&section);
        assert_ptr_equal(inside, NtCurrentTeb()->ClientId.UniqueThread);
        inside = NULL;
        RtlLeaveCriticalSection(&section);
    }
    return NULL;
}

static void check_section(ULONG spins)
{
    RtlInitializeCriticalSectionAndSpinCount(&section, spins);
    assert_int_equal(section.SpinCount, spins);
    count = 0;
    run(count_up);
    assert_int_equal(count, THREADS * ROUNDS);
    assert_int_equal(section.LockCount, -1);
    assert_null(section.OwningThread);
    assert_int_equal(RtlDeleteCriticalSection(&section), STATUS_SUCCESS);
    assert_int_equal(events, 0);
}

static void exclusion(void **state)
{
    (void)state;
    check_section(0);
    check_section(100);
}

static void exclusion_without_events(void **state)
{
    (void)state;
    no_events = TRUE;
    check_section(0);
    no_events = FALSE;
}

static void lock_count(void **state)
{
    (void)state;
    RtlInitializeCriticalSection(&section);
    assert_int_equal(section.LockCount, -1);
    RtlEnterCriticalSection(&section);
    assert_int_equal(section.LockCount, TAKEN);
    assert_true(RtlTryEnterCriticalSection(&section));
    assert_int_equal(section.LockCount, TAKEN_TWICE);
    assert_int_equal(RtlGetCriticalSectionRecursionCount(&section), 2);
    assert_true(RtlIsCriticalSectionLockedByThread(&section));
    RtlLeaveCriticalSection(&section);
    RtlLeaveCriticalSection(&section);
    assert_int_equal(section.LockCount, -1);
    assert_false(RtlIsCriticalSectionLocked(&section));
    assert_null(section.LockSemaphore);
}

static void *wait_inside(void *argument)
{
    (void)argument;
    assert_false(RtlTryEnterCriticalSection(&section));
    assert_false(RtlIsCriticalSectionLockedByThread(&section));
    assert_true(RtlIsCriticalSectionLocked(&section));
    RtlEnterCriticalSection(&section);
    RtlLeaveCriticalSection(&section);
    return NULL;
}

/* The owner sees in LockCount how many wait. */
static void waiters_are_counted(void **state)
{
    pthread_t threads[2];

    (void)state;
    RtlInitializeCriticalSection(&section);
    RtlEnterCriticalSection(&section);
    pthread_create(&threads[0], NULL, wait_inside, NULL);
    while (section.LockCount != ONE_WAITS)
        sched_yield();
    pthread_create(&threads[1], NULL, wait_inside, NULL);
    while (section.LockCount != TWO_WAIT)
        sched_yield();
    assert_int_equal(events, 1);
    RtlLeaveCriticalSection(&section);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    assert_int_equal(section.LockCount, -1);
    RtlDeleteCriticalSection(&section);
}

static void bad_parameters(void **state)
{
    (void)state;
    assert_int_equal(RtlInitializeCriticalSectionEx(&section, 0x1000000, 0),
                     STATUS_INVALID_PARAMETER_2);
    assert_int_equal(RtlInitializeCriticalSectionEx(&section, 0, 1),
                     STATUS_INVALID_PARAMETER_3);
    peb.NumberOfProcessors = 1;
    RtlInitializeCriticalSectionAndSpinCount(&section, 4000);
    assert_int_equal(section.SpinCount, 0);
    peb.NumberOfProcessors = 2;
    assert_int_equal(RtlSetCriticalSectionSpinCount(&section, 5), 0);
    assert_int_equal(RtlSetCriticalSectionSpinCount(&section, 0), 5);
}

/* ---- Slim locks ---- */

static RTL_SRWLOCK lock;
static volatile ULONG first, second;
static volatile LONG readers, most_readers;

static void read_both(void)
{
    LONG now;

    RtlAcquireSRWLockShared(&lock);
    now = __atomic_add_fetch(&readers, 1, __ATOMIC_SEQ_CST);
    if (now > most_readers)
        most_readers = now;
    sched_yield();
    assert_int_equal(first, second);
    __atomic_sub_fetch(&readers, 1, __ATOMIC_SEQ_CST);
    RtlReleaseSRWLockShared(&lock);
}

static void *read_and_write(void *argument)
{
    for (int round = 0; round < ROUNDS / 4; round++) {
        if ((round + (size_t)argument) % 4) {
            read_both();
            continue;
        }
        if (round % 2 || !RtlTryAcquireSRWLockExclusive(&lock))
            RtlAcquireSRWLockExclusive(&lock);
        assert_int_equal(readers, 0);
        first = first + 1;
        sched_yield();
        second = second + 1;
        RtlReleaseSRWLockExclusive(&lock);
    }
    return NULL;
}

static void readers_and_writers(void **state)
{
    (void)state;
    RtlInitializeSRWLock(&lock);
    first = second = 0;
    most_readers = 0;
    run(read_and_write);
    assert_int_equal(first, second);
    assert_int_equal(first, THREADS * ROUNDS / 4 / 4);
    assert_true(most_readers > 1);
    assert_null(lock.Ptr);
}

static void readers_and_writers_without_events(void **state)
{
    no_events = TRUE;
    readers_and_writers(state);
    no_events = FALSE;
}

static void slim_lock_by_one(void **state)
{
    (void)state;
    RtlInitializeSRWLock(&lock);
    assert_true(RtlTryAcquireSRWLockShared(&lock));
    assert_true(RtlTryAcquireSRWLockShared(&lock));
    assert_ptr_equal(lock.Ptr, 0x21);
    assert_false(RtlTryAcquireSRWLockExclusive(&lock));
    RtlReleaseSRWLockShared(&lock);
    RtlReleaseSRWLockShared(&lock);
    assert_true(RtlTryAcquireSRWLockExclusive(&lock));
    assert_ptr_equal(lock.Ptr, 1);
    assert_false(RtlTryAcquireSRWLockShared(&lock));
    RtlReleaseSRWLockExclusive(&lock);
    assert_null(lock.Ptr);
}

/* ---- Once ---- */

#define ONCES 200

static RTL_RUN_ONCE onces[ONCES];
static LONG runs[ONCES], failures;

/* The first run of each fails. */
static LONG initialize(RTL_RUN_ONCE *once, void *parameter, void **context)
{
    LONG run = __atomic_add_fetch(&runs[once - onces], 1, __ATOMIC_SEQ_CST);

    assert_int_equal((ULONG_PTR)once->Ptr & 3, 1);
    sched_yield();
    *context = (char *)parameter + 4 * (once - onces);
    return run > 1;
}

static void *run_all(void *argument)
{
    (void)argument;
    for (size_t at = 0; at < ONCES; at++) {
        void *context = NULL;
        NTSTATUS status = RtlRunOnceExecuteOnce(&onces[at], initialize,
                                                (void *)0x1000, &context);

        if (status == STATUS_UNSUCCESSFUL) {
            __atomic_add_fetch(&failures, 1, __ATOMIC_SEQ_CST);
            at--;
            continue;
        }
        assert_int_equal(status, STATUS_SUCCESS);
        assert_ptr_equal(context, (void *)(0x1000 + 4 * at));
    }
    return NULL;
}

static void once(void **state)
{
    (void)state;
    run(run_all);
    for (size_t at = 0; at < ONCES; at++)
        assert_int_equal(runs[at], 2);
    assert_int_equal(failures, ONCES);
    assert_in_range(events, 0, LISTS);
}

/* ---- Addresses ---- */

static volatile ULONG word;

static void *wait_for_one(void *argument)
{
    ULONG zero = 0;

    (void)argument;
    while (!word)
        RtlWaitOnAddress(&word, &zero, sizeof zero, NULL);
    return NULL;
}

static void addresses(void **state)
{
    LARGE_INTEGER soon = { .QuadPart = -10 };
    pthread_t threads[2];
    ULONG zero = 0, one = 1;
    LONG before = events;

    (void)state;
    word = 0;
    assert_int_equal(RtlWaitOnAddress(&word, &zero, 3, NULL),
                     STATUS_INVALID_PARAMETER);
    assert_int_equal(RtlWaitOnAddress(&word, &one, 4, NULL), STATUS_SUCCESS);
    assert_int_equal(RtlWaitOnAddress(&word, &zero, 4, &soon),
                     STATUS_TIMEOUT);
    RtlWakeAddressSingle(&word);
    pthread_create(&threads[0], NULL, wait_for_one, NULL);
    pthread_create(&threads[1], NULL, wait_for_one, NULL);
    while (events < before + 2)
        sched_yield();
    word = 1;
    RtlWakeAddressSingle(&word);
    RtlWakeAddressSingle(&word);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lock_count),
        cmocka_unit_test(waiters_are_counted),
        cmocka_unit_test(bad_parameters),
        cmocka_unit_test(exclusion),
        cmocka_unit_test(exclusion_without_events),
        cmocka_unit_test(slim_lock_by_one),
        cmocka_unit_test(readers_and_writers),
        cmocka_unit_test(readers_and_writers_without_events),
        cmocka_unit_test(once),
        cmocka_unit_test(addresses),
    };

    wait_initialize();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
