/*
 * critical.c - ntdll's locks with several threads: who waits is counted and
 * gets its turn, the heap stays whole, output stays in whole lines.
 */
#include "test.h"

#include "facts.h"

#define THREADS 4
#define ROUNDS 300

static RTL_CRITICAL_SECTION section;
static RTL_SRWLOCK lock;
static RTL_RUN_ONCE once;
static volatile ULONG count, first, second, once_runs;

static void run(void (NTAPI *routine)(void *))
{
    HANDLE threads[THREADS] = { NULL };
    ULONG_PTR at;

    for (at = 0; at < THREADS; at++)
        CHECK_STATUS(RtlCreateUserThread(NtCurrentProcess(), NULL, FALSE, 0, 0,
                                         0, routine, (void *)at, &threads[at],
                                         NULL), STATUS_SUCCESS);
    for (at = 0; at < THREADS; at++) {
        CHECK_STATUS(NtWaitForSingleObject(threads[at], FALSE, NULL),
                     STATUS_SUCCESS);
        NtClose(threads[at]);
    }
}

static void NTAPI count_up(void *parameter)
{
    ULONG round;

    (void)parameter;
    for (round = 0; round < ROUNDS; round++) {
        ULONG before;

        RtlEnterCriticalSection(&section);
        before = count;
        if (round % 3 == 0)
            NtYieldExecution();
        count = before + 1;
        RtlLeaveCriticalSection(&section);
    }
}

static void check_exclusion(void)
{
    run(count_up);
    CHECK_SAY(count == THREADS * ROUNDS, "%u", count);
    CHECK(section.LockCount == -1 && !section.OwningThread);
}

static void NTAPI enter_once(void *parameter)
{
    (void)parameter;
    CHECK(!RtlTryEnterCriticalSection(&section));
    CHECK(!RtlIsCriticalSectionLockedByThread(&section));
    RtlEnterCriticalSection(&section);
    CHECK(RtlIsCriticalSectionLockedByThread(&section));
    RtlLeaveCriticalSection(&section);
}

static void check_count(void)
{
    HANDLE thread;

    RtlEnterCriticalSection(&section);
    CHECK(section.LockCount == LOCK_COUNT_TAKEN);
    RtlCreateUserThread(NtCurrentProcess(), NULL, FALSE, 0, 0, 0, enter_once,
                        NULL, &thread, NULL);
    while (section.LockCount == LOCK_COUNT_TAKEN)
        NtYieldExecution();
    CHECK(section.LockCount == LOCK_COUNT_ONE_WAITS);
    RtlLeaveCriticalSection(&section);
    CHECK_STATUS(NtWaitForSingleObject(thread, FALSE, NULL), STATUS_SUCCESS);
    NtClose(thread);
    CHECK(section.LockCount == -1);
    CHECK_STATUS(RtlDeleteCriticalSection(&section), STATUS_SUCCESS);
}

static void NTAPI use_heap(void *parameter)
{
    void *heap = NtCurrentPeb()->ProcessHeap;
    UCHAR *blocks[20] = { NULL };
    ULONG seed = (ULONG)(ULONG_PTR)parameter + 1, round;

    for (round = 0; round < ROUNDS * 4; round++) {
        ULONG at = RtlUniform(&seed) % ARRAY_SIZE(blocks);
        ULONG size = RtlUniform(&seed) % 2000 + 8;

        if (blocks[at]) {
            CHECK(blocks[at][0] == (UCHAR)at &&
                  blocks[at][7] == (UCHAR)(ULONG_PTR)parameter);
            CHECK(RtlFreeHeap(heap, 0, blocks[at]));
            blocks[at] = NULL;
            continue;
        }
        blocks[at] = RtlAllocateHeap(heap, 0, size);
        if (!CHECK(blocks[at] != NULL))
            break;
        memset(blocks[at], (UCHAR)(ULONG_PTR)parameter, size);
        blocks[at][0] = (UCHAR)at;
    }
}

static void check_heap(void)
{
    run(use_heap);
    CHECK(RtlValidateHeap(NtCurrentPeb()->ProcessHeap, 0, NULL));
}

static LONG NTAPI initialize(RTL_RUN_ONCE *run_once, void *parameter,
                             void **context)
{
    CHECK(run_once == &once);
    NtYieldExecution();
    once_runs++;
    *context = parameter;
    return TRUE;
}

static void NTAPI read_and_write(void *parameter)
{
    void *context = NULL;
    ULONG round;

    CHECK_STATUS(RtlRunOnceExecuteOnce(&once, initialize, (void *)0x40,
                                       &context), STATUS_SUCCESS);
    CHECK(context == (void *)0x40);
    for (round = 0; round < ROUNDS; round++) {
        if ((round + (ULONG_PTR)parameter) % 3) {
            RtlAcquireSRWLockShared(&lock);
            NtYieldExecution();
            CHECK(first == second);
            RtlReleaseSRWLockShared(&lock);
        } else {
            RtlAcquireSRWLockExclusive(&lock);
            first = first + 1;
            NtYieldExecution();
            second = second + 1;
            RtlReleaseSRWLockExclusive(&lock);
        }
    }
}

static void check_slim_lock(void)
{
    run(read_and_write);
    CHECK(once_runs == 1);
    CHECK_SAY(first == THREADS * ROUNDS / 3 && first == second, "%u, %u",
              first, second);
    CHECK(!lock.Ptr);
}

static void NTAPI say_lines(void *parameter)
{
    char line[101];
    ULONG round;

    memset(line, 'a' + (int)(ULONG_PTR)parameter, 100);
    line[100] = 0;
    for (round = 0; round < 5; round++) {
        DbgPrint("[%s]\n", line);
        print("(%s)\n", line);
    }
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    (void)peb;
    RtlInitializeCriticalSection(&section);
    check_exclusion();
    check_count();
    check_heap();
    check_slim_lock();
    run(say_lines);
    RtlInitializeCriticalSection(&section);
    test_on_one_processor();            /* now somebody has to wait */
    count = 0;
    check_exclusion();
    CHECK(section.LockSemaphore != NULL);
    return test_end();
}
