/*
 * contexts2.c - NtGetContextThread and NtSetContextThread on threads in every
 * state, with contexts of all kinds: what arrives is ring 3's, always.
 *
 * Scenarios: B4, F4, I9.
 */
#include "test.h"

#define STACK 0x10000
#define ROUNDS 2000
#define CHILDREN 40
#define IMAGE L"\\SystemRoot\\System32\\contexts2.exe"

static volatile ULONG spins, landed;
static ULONG seed = 12345;
static CONTEXT context __attribute__((aligned(16)));

static ULONG random32(void)
{
    seed = seed * 1664525 + 1013904223;
    return seed ^ seed >> 16;
}

static void NTAPI spin(void *argument)
{
    for (;;)
        spins += argument != (void *)1;
}

static void NTAPI sleep(void *argument)
{
    LARGE_INTEGER long_time = { .QuadPart = -10000000000LL };

    (void)argument;
    for (;;)
        NtDelayExecution(FALSE, &long_time);
}

/* Where a changed rip leads: with every register as it was set. */
static void land(void)
{
    landed++;
    for (;;)
        NtYieldExecution();
}

static HANDLE create(void *routine, ULONG flags)
{
    HANDLE thread = NULL;

    CHECK_STATUS(NtCreateThreadEx(&thread, THREAD_ALL_ACCESS, NULL,
                                  NtCurrentProcess(), routine, NULL, flags, 0,
                                  STACK, STACK, NULL), STATUS_SUCCESS);
    return thread;
}

static void end(HANDLE thread)
{
    THREAD_BASIC_INFORMATION basic = { .ExitStatus = STATUS_PENDING };

    CHECK_STATUS(NtTerminateThread(thread, 9), STATUS_SUCCESS);
    while (basic.ExitStatus == STATUS_PENDING || basic.TebBaseAddress) {
        if (!CHECK_STATUS(NtQueryInformationThread(thread,
                                                   ThreadBasicInformation,
                                                   &basic, sizeof basic,
                                                   NULL), STATUS_SUCCESS))
            break;
        NtYieldExecution();
    }
    CHECK_STATUS(basic.ExitStatus, 9);
    CHECK_STATUS(NtClose(thread), STATUS_SUCCESS);
}

static void get(HANDLE thread)
{
    context.ContextFlags = CONTEXT_ALL;
    CHECK_STATUS(NtGetContextThread(thread, &context), STATUS_SUCCESS);
}

/* A context that may be loaded: nothing in it is ring 0's. */
static void check_harmless(void)
{
    CHECK(context.SegCs == 0x2B || context.SegCs == 0x1B);
    CHECK(context.SegSs == 0x23);
    CHECK((context.EFlags & 0x27200) == 0x200);   /* IF, no IOPL, NT, VM */
    CHECK(context.Rip >> 47 == 0 || context.Rip >> 47 == 0x1FFFF);
    CHECK(!(context.Dr7 & ~0xFFFF0355ULL) && !(context.Dr0 >> 47));
}

static void fill_random(void)
{
    UCHAR *bytes = (UCHAR *)&context;

    for (ULONG i = 0; i < sizeof context; i++)
        bytes[i] = (UCHAR)random32();
    context.ContextFlags = (context.ContextFlags & 0x1F) | CONTEXT_AMD64;
    if (random32() % 2)
        context.SegCs = 8;
}

/* What is set can be read again, in the parts that ring 3 may choose. */
static void test_values(HANDLE thread)
{
    CONTEXT before;

    get(thread);
    before = context;
    context.R12 = 0x1212121212121212;
    context.R15 = 0x1515151515151515;
    context.Rbx = 0xBBBBBBBB00000001;
    context.Rsi = 0x5151515151515151;
    context.FltSave.XmmRegisters[9].Low = 0x999;
    CHECK_STATUS(NtSetContextThread(thread, &context), STATUS_SUCCESS);
    get(thread);
    CHECK(context.R12 == 0x1212121212121212);
    CHECK(context.R15 == 0x1515151515151515);
    CHECK(context.Rbx == 0xBBBBBBBB00000001);
    CHECK(context.Rsi == 0x5151515151515151);
    CHECK(context.FltSave.XmmRegisters[9].Low == 0x999);
    CHECK(context.Rip == before.Rip && context.Rsp == before.Rsp);
    context = before;
    CHECK_STATUS(NtSetContextThread(thread, &context), STATUS_SUCCESS);
}

static void test_random(HANDLE thread)
{
    for (ULONG i = 0; i < ROUNDS; i++) {
        fill_random();
        CHECK_STATUS(NtSetContextThread(thread, &context), STATUS_SUCCESS);
        get(thread);
        check_harmless();
    }
}

/* Rip changed: the thread goes on there. */
static void test_rip(HANDLE thread, BOOLEAN suspended)
{
    ULONG before = landed;

    get(thread);
    context.ContextFlags = CONTEXT_CONTROL;
    context.Rip = (ULONG_PTR)land;
    context.Rsp = (context.Rsp & ~0xFULL) - 0x28;
    CHECK_STATUS(NtSetContextThread(thread, &context), STATUS_SUCCESS);
    if (suspended)
        CHECK_STATUS(NtResumeThread(thread, NULL), STATUS_SUCCESS);
    while (landed == before)
        NtYieldExecution();
}

static void test_states(void)
{
    HANDLE thread = create(spin, 0);
    ULONG before = spins;

    while (spins == before)
        NtYieldExecution();
    for (ULONG i = 0; i < 200; i++) {
        get(thread);
        check_harmless();
    }
    test_rip(thread, FALSE);
    CHECK_STATUS(NtSuspendThread(thread, NULL), STATUS_SUCCESS);
    test_values(thread);
    test_random(thread);
    end(thread);

    thread = create(spin, THREAD_CREATE_FLAGS_CREATE_SUSPENDED);
    get(thread);
    CHECK(context.Rcx == (ULONG_PTR)spin);
    test_values(thread);
    context.Rcx = (ULONG_PTR)land;
    context.ContextFlags = CONTEXT_INTEGER;
    before = landed;
    CHECK_STATUS(NtSetContextThread(thread, &context), STATUS_SUCCESS);
    CHECK_STATUS(NtResumeThread(thread, NULL), STATUS_SUCCESS);
    while (landed == before)
        NtYieldExecution();
    end(thread);

    thread = create(sleep, 0);
    test_until_it_waits(thread);
    test_values(thread);
    test_random(thread);
    end(thread);
}

static void test_refused(void)
{
    CONTEXT *misaligned = (CONTEXT *)((UCHAR *)&context + 4);

    context.ContextFlags = 0;
    CHECK_STATUS(NtGetContextThread(NtCurrentThread(), &context),
                 STATUS_INVALID_PARAMETER);
    CHECK_STATUS(NtGetContextThread(NtCurrentThread(), NULL),
                 STATUS_ACCESS_VIOLATION);
    CHECK_STATUS(NtGetContextThread(NtCurrentThread(), misaligned),
                 STATUS_DATATYPE_MISALIGNMENT);
    CHECK_STATUS(NtGetContextThread((HANDLE)0x5550, &context),
                 STATUS_INVALID_PARAMETER);
    context.ContextFlags = CONTEXT_FULL;
    CHECK_STATUS(NtGetContextThread((HANDLE)0x5550, &context),
                 STATUS_INVALID_HANDLE);
    CHECK_STATUS(NtGetContextThread(NtCurrentProcess(), &context),
                 STATUS_OBJECT_TYPE_MISMATCH);
    CHECK_STATUS(NtGetContextThread(NtCurrentThread(), &context),
                 STATUS_SUCCESS);
    check_harmless();
}

/* A child that runs with such contexts: it ends, and nothing else does. */
static void test_child(void)
{
    static RTL_USER_PROCESS_PARAMETERS parameters = {
        .MaximumLength = sizeof parameters,
        .Length = sizeof parameters,
        .Flags = RTL_USER_PROC_PARAMS_NORMALIZED,
    };
    struct {
        SIZE_T length;
        PS_ATTRIBUTE name;
    } list = { sizeof list, { PS_ATTRIBUTE_IMAGE_NAME, sizeof IMAGE - 2,
                              { .ValuePtr = (void *)IMAGE }, NULL } };
    PS_CREATE_INFO info = { .Size = sizeof info };
    LARGE_INTEGER now = { .QuadPart = 0 };
    HANDLE process, thread;

    RtlInitUnicodeString(&parameters.CommandLine, L"contexts2.exe spin");
    if (!CHECK_STATUS(NtCreateUserProcess(&process, &thread,
                                          PROCESS_ALL_ACCESS,
                                          THREAD_ALL_ACCESS, NULL, NULL, 0, 0,
                                          &parameters, &info, (void *)&list),
                      STATUS_SUCCESS))
        return;
    for (ULONG i = 0; i < 1000; i++) {
        if (NtWaitForSingleObject(process, FALSE, &now) == STATUS_WAIT_0)
            break;
        fill_random();
        NtSetContextThread(thread, &context);
        NtYieldExecution();
    }
    NtTerminateProcess(process, 1);
    CHECK_STATUS(NtWaitForSingleObject(process, FALSE, NULL), STATUS_WAIT_0);
    NtClose(process);
    NtClose(thread);
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    (void)peb;
    while (test_words()[0] == 's')
        spins++;
    test_refused();
    test_states();
    for (ULONG i = 0; i < CHILDREN; i++)
        test_child();
    return test_end();
}
