/*
 * threads.c - threads made, joined, ended, opened, asked and set; what is left
 * of them when they are gone ("threads N": when N are gone).
 *
 * Scenarios: I12.
 */
#include "test.h"

#define STACK 0x10000
#define MANY 1000
#define CYCLES 10000

static volatile ULONG ran, spins;

static void NTAPI count(void *argument)
{
    __sync_fetch_and_add(&ran, 1);
    NtTerminateThread(NtCurrentThread(), (NTSTATUS)(ULONG_PTR)argument);
}

static void NTAPI spin(void *argument)
{
    for (;;)
        spins += argument == NULL;
}

static void NTAPI sleep(void *argument)
{
    LARGE_INTEGER long_time = { .QuadPart = -100000000000LL };

    (void)argument;
    spins++;
    NtDelayExecution(FALSE, &long_time);
}

static THREAD_BASIC_INFORMATION basic_of(HANDLE thread)
{
    THREAD_BASIC_INFORMATION basic = { .ExitStatus = -1 };

    CHECK_STATUS(NtQueryInformationThread(thread, ThreadBasicInformation,
                                          &basic, sizeof basic, NULL),
                 STATUS_SUCCESS);
    return basic;
}

static void join(HANDLE thread, NTSTATUS expected)
{
    CHECK_STATUS(NtWaitForSingleObject(thread, FALSE, NULL), STATUS_WAIT_0);
    CHECK_STATUS(basic_of(thread).ExitStatus, expected);
    CHECK_STATUS(NtClose(thread), STATUS_SUCCESS);
}

static NTSTATUS try(void *routine, void *argument, ULONG flags,
                    HANDLE *thread)
{
    return NtCreateThreadEx(thread, THREAD_ALL_ACCESS, NULL,
                            NtCurrentProcess(), routine, argument, flags, 0,
                            STACK, STACK, NULL);
}

static HANDLE create(void *routine, void *argument, ULONG flags)
{
    HANDLE thread = NULL;

    CHECK_STATUS(try(routine, argument, flags, &thread), STATUS_SUCCESS);
    return thread;
}

/* A thousand at the same time, each with a status of its own. */
static void test_many(void)
{
    static HANDLE threads[MANY];

    for (ULONG i = 0; i < MANY; i++)
        threads[i] = create(count, (void *)(ULONG_PTR)(i + 5), 0);
    for (ULONG i = 0; i < MANY; i++)
        join(threads[i], (NTSTATUS)(i + 5));
    CHECK(ran == MANY);
}

static void test_suspended(void)
{
    HANDLE thread = create(count, (void *)7,
                           THREAD_CREATE_FLAGS_CREATE_SUSPENDED);
    LARGE_INTEGER short_time = { .QuadPart = -200000 };
    ULONG before = ran, suspended;

    CHECK_STATUS(NtWaitForSingleObject(thread, FALSE, &short_time),
                 STATUS_TIMEOUT);
    CHECK_STATUS(NtQueryInformationThread(thread, ThreadSuspendCount,
                                          &suspended, sizeof suspended,
                                          NULL), STATUS_SUCCESS);
    CHECK(suspended == 1 && ran == before);
    CHECK_STATUS(NtResumeThread(thread, NULL), STATUS_SUCCESS);
    join(thread, 7);
}

/* In each of its states: the end comes, and comes at once. */
static void test_terminate(void)
{
    HANDLE thread = create(spin, NULL, 0);
    ULONG before = spins;

    while (spins == before)
        NtYieldExecution();
    CHECK_STATUS(NtTerminateThread(thread, 21), STATUS_SUCCESS);
    join(thread, 21);

    before = spins;
    thread = create(sleep, NULL, 0);
    while (spins == before)
        NtYieldExecution();
    for (ULONG i = 0; i < 50; i++)
        NtYieldExecution();
    CHECK_STATUS(NtTerminateThread(thread, 22), STATUS_SUCCESS);
    join(thread, 22);

    thread = create(spin, NULL, THREAD_CREATE_FLAGS_CREATE_SUSPENDED);
    CHECK_STATUS(NtTerminateThread(thread, 23), STATUS_SUCCESS);
    join(thread, 23);
}

static void test_ids(void)
{
    OBJECT_ATTRIBUTES attributes = { .Length = sizeof attributes };
    HANDLE thread = create(spin, NULL, THREAD_CREATE_FLAGS_CREATE_SUSPENDED);
    CLIENT_ID id = basic_of(thread).ClientId;
    CLIENT_ID wrong = { (HANDLE)4, id.UniqueThread };
    HANDLE again = NULL;

    CHECK_STATUS(NtOpenThread(&again, THREAD_TERMINATE, &attributes, &id),
                 STATUS_SUCCESS);
    CHECK_STATUS(NtOpenThread(&again, THREAD_TERMINATE, &attributes, &wrong),
                 STATUS_INVALID_CID);
    wrong = (CLIENT_ID){ NULL, (HANDLE)0x123454 };
    CHECK_STATUS(NtOpenThread(&again, THREAD_TERMINATE, &attributes, &wrong),
                 STATUS_INVALID_PARAMETER);
    CHECK_STATUS(NtOpenProcess(&again, PROCESS_TERMINATE, &attributes, &id),
                 STATUS_SUCCESS);
    CHECK_STATUS(NtClose(again), STATUS_SUCCESS);
    CHECK_STATUS(NtTerminateThread(thread, 3), STATUS_SUCCESS);
    join(thread, 3);
}

static NTSTATUS set(HANDLE thread, ULONG class, LONG value)
{
    return NtSetInformationThread(thread, class, &value, sizeof value);
}

/* Nobody stops, hurries or ends the kernel's own threads. */
static void check_system_thread(HANDLE thread)
{
    ULONG before;

    if (!CHECK_STATUS(NtSuspendThread(thread, &before), STATUS_ACCESS_DENIED))
        NtResumeThread(thread, &before);
    CHECK_STATUS(set(thread, ThreadPriority, 1), STATUS_ACCESS_DENIED);
    CHECK_STATUS(set(thread, ThreadBasePriority, -16), STATUS_ACCESS_DENIED);
    CHECK_STATUS(NtTerminateThread(thread, 0), STATUS_INVALID_PARAMETER);
}

static void test_system_threads(void)
{
    OBJECT_ATTRIBUTES attributes = { .Length = sizeof attributes };
    ULONG found = 0;
    LONG priority = 1;
    HANDLE handle;

    for (ULONG_PTR number = 4; number < 100; number += 4) {
        CLIENT_ID id = { (HANDLE)4, (HANDLE)number };

        if (!NT_SUCCESS(NtOpenThread(&handle, THREAD_ALL_ACCESS, &attributes,
                                     &id)))
            continue;
        found++;
        check_system_thread(handle);
        NtClose(handle);
    }
    CHECK(found > 0);
    CHECK_STATUS(NtOpenProcess(&handle, PROCESS_ALL_ACCESS, &attributes,
                               &(CLIENT_ID){ (HANDLE)4, NULL }),
                 STATUS_SUCCESS);
    CHECK_STATUS(NtSetInformationProcess(handle, ProcessBasePriority,
                                         &priority, sizeof priority),
                 STATUS_ACCESS_DENIED);
    NtClose(handle);
}

static void test_set(void)
{
    HANDLE thread = create(spin, NULL, THREAD_CREATE_FLAGS_CREATE_SUSPENDED);
    void *start = NULL;
    UCHAR self[8];
    THREAD_TEB_INFORMATION teb = { self, offsetof(TEB, NtTib.Self), 8 };

    CHECK_STATUS(set(thread, ThreadPriority, 0), STATUS_INVALID_PARAMETER);
    CHECK_STATUS(set(thread, ThreadPriority, 32), STATUS_INVALID_PARAMETER);
    CHECK_STATUS(set(thread, ThreadPriority, 3), STATUS_SUCCESS);
    CHECK(basic_of(thread).Priority == 3);
    CHECK_STATUS(set(thread, ThreadBasePriority, 3),
                 STATUS_INVALID_PARAMETER);
    CHECK_STATUS(set(thread, ThreadBasePriority, -2), STATUS_SUCCESS);
    CHECK(basic_of(thread).BasePriority == -2);
    CHECK_STATUS(NtQueryInformationThread(thread,
                                          ThreadQuerySetWin32StartAddress,
                                          &start, sizeof start, NULL),
                 STATUS_SUCCESS);
    CHECK(start == (void *)spin);
    CHECK_STATUS(NtQueryInformationThread(thread, ThreadTebInformation, &teb,
                                          sizeof teb, NULL), STATUS_SUCCESS);
    CHECK(*(void **)self == (void *)basic_of(thread).TebBaseAddress);
    teb.TebOffset = 0xFFFFFFFF;
    CHECK_STATUS(NtQueryInformationThread(thread, ThreadTebInformation, &teb,
                                          sizeof teb, NULL),
                 STATUS_INVALID_PARAMETER);
    CHECK_STATUS(NtTerminateThread(thread, 4), STATUS_SUCCESS);
    join(thread, 4);
}

static void cycle(ULONG times)
{
    for (ULONG i = 0; i < times; i++) {
        HANDLE thread = NULL;

        if (try(count, NULL, 0, &thread) != STATUS_SUCCESS ||
            NtWaitForSingleObject(thread, FALSE, NULL) != STATUS_WAIT_0 ||
            NtClose(thread) != STATUS_SUCCESS) {
            CHECK_SAY(FALSE, "cycle %u", i);
            return;
        }
    }
}

static ULONG cycles(void)
{
    ULONG number = 0;

    for (const char *digit = test_words(); *digit; digit++)
        number = number * 10 + (ULONG)(*digit - '0');
    return number ? number : CYCLES;
}

/* After a start that fills the pool's lists nothing is used up any more. */
static void test_leaks(void)
{
    ULONG pages, handles;

    test_on_one_processor();            /* the lists are as full as before */
    cycle(100);
    pages = test_settled_pages();
    handles = test_handles();
    cycle(cycles());
    CHECK(test_handles() == handles);
    CHECK_SAY(test_settled_pages() == pages, "pages %u -> %u", pages,
              test_settled_pages());
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    (void)peb;
    test_many();
    test_suspended();
    test_terminate();
    test_ids();
    test_system_threads();
    test_set();
    test_leaks();
    return test_end();
}
