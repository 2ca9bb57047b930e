/*
 * threads32.c - threads of 32-bit code: by NtCreateThread, joined, ended,
 * their XP contexts, and what is left of them.
 */
#include "test.h"

#define CYCLES 2000

static volatile ULONG landed, spins;

static void NTAPI leave(void *argument)
{
    RtlExitUserThread((NTSTATUS)(ULONG_PTR)argument);
}

static void NTAPI spin(void *argument)
{
    for (;;)
        spins += argument == NULL;
}

static void land(void)
{
    landed++;
    for (;;)
        NtYieldExecution();
}

static HANDLE create(void *routine, void *argument, BOOLEAN suspended)
{
    CLIENT_ID id = { NULL, NULL };
    HANDLE thread = NULL;

    CHECK_STATUS(RtlCreateUserThread(NtCurrentProcess(), NULL, suspended, 0,
                                     0x10000, 0x10000, routine, argument,
                                     &thread, &id), STATUS_SUCCESS);
    CHECK(id.UniqueProcess == NtCurrentTeb()->ClientId.UniqueProcess);
    return thread;
}

static void join(HANDLE thread, NTSTATUS expected)
{
    THREAD_BASIC_INFORMATION basic = { .ExitStatus = -1 };

    CHECK_STATUS(NtWaitForSingleObject(thread, FALSE, NULL), STATUS_WAIT_0);
    NtQueryInformationThread(thread, ThreadBasicInformation, &basic,
                             sizeof basic, NULL);
    CHECK_STATUS(basic.ExitStatus, expected);
    CHECK_STATUS(NtClose(thread), STATUS_SUCCESS);
}

static void test_context(void)
{
    HANDLE thread = create(spin, NULL, TRUE);
    CONTEXT context = { .ContextFlags = CONTEXT_FULL };

    CHECK_STATUS(NtGetContextThread(thread, &context), STATUS_SUCCESS);
    CHECK(context.Esp != 0 && context.SegCs == 0x1B);
    CHECK_STATUS(NtResumeThread(thread, NULL), STATUS_SUCCESS);
    while (!spins)
        NtYieldExecution();
    CHECK_STATUS(NtGetContextThread(thread, &context), STATUS_SUCCESS);
    context.Eip = (ULONG)(ULONG_PTR)land;
    context.SegCs = 8;
    context.EFlags = 0xFFFFFFFF & ~0x100;
    CHECK_STATUS(NtSetContextThread(thread, &context), STATUS_SUCCESS);
    while (!landed)
        NtYieldExecution();
    CHECK_STATUS(NtTerminateThread(thread, 31), STATUS_SUCCESS);
    join(thread, 31);
}

static void cycle(ULONG times)
{
    for (ULONG i = 0; i < times; i++)
        join(create(leave, (void *)(ULONG_PTR)i, FALSE), (NTSTATUS)i);
}

static void test_leaks(void)
{
    ULONG before, after;

    cycle(50);
    before = test_settled_pages();
    cycle(CYCLES);
    after = test_settled_pages();
    CHECK_SAY(after + test_page_slack() >= before, "pages %u -> %u", before,
              after);
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    (void)peb;
    test_context();
    test_leaks();
    return test_end();
}
