/*
 * threads.c - threads made, ended, joined, opened.
 */
#include "test.h"

#define STACK 0x10000

static volatile LONG ran;

static void NTAPI count(void *argument)
{
    __sync_fetch_and_add(&ran, 1);
    NtTerminateThread(NtCurrentThread(), (NTSTATUS)(ULONG_PTR)argument);
}

static NTSTATUS status_of(HANDLE thread)
{
    THREAD_BASIC_INFORMATION basic = { .ExitStatus = -1 };

    NtQueryInformationThread(thread, ThreadBasicInformation, &basic,
                             sizeof basic, NULL);
    return basic.ExitStatus;
}

static NTSTATUS join(HANDLE thread)
{
    while (status_of(thread) == 0x103)
        NtYieldExecution();
    return status_of(thread);
}

static HANDLE create(void *routine, void *argument)
{
    HANDLE thread = NULL;

    CHECK_STATUS(NtCreateThreadEx(&thread, THREAD_ALL_ACCESS, NULL,
                                  NtCurrentProcess(), routine, argument, 0, 0,
                                  STACK, STACK, NULL), STATUS_SUCCESS);
    return thread;
}

static void test_join(void)
{
    for (ULONG i = 0; i < 100; i++) {
        HANDLE thread = create(count, (void *)(ULONG_PTR)(i + 5));
        CHECK_STATUS(join(thread), i + 5);
        CHECK_STATUS(NtClose(thread), STATUS_SUCCESS);
    }
    CHECK(ran == 100);

}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    (void)peb;
    test_join();
    return test_end();
}
