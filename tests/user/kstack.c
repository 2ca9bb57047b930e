/*
 * kstack.c - the kernel stack: what the deepest ways leave of it, and what a
 * switch to it leaves in SS (tests/kernel/stack.c).
 *
 * Scenarios: B9, D8.
 */
#include "test.h"

#include <nt/gdi.h>

#include "../../programs/lib/find.h"

#define PAINT_STACK 0x30
#define UNUSED_STACK 0x31
#define SS_AFTER_SWITCH 0x32

#define IMAGE L"\\SystemRoot\\System32\\kstack.exe"
#define SELF NtCurrentThread()
#define MARGIN 0x800                    /* of 24 KiB, behind an interrupt's */
#define QUARTER 0x1800                  /* where no callback is in between */

typedef NTSTATUS self_test(ULONG test, ULONGLONG argument);
static self_test *ask_kernel;
static ULONG depth, deepest, apcs;

static ULONG unused(void)
{
    ULONG left = 0;

    ask_kernel(UNUSED_STACK, (ULONG_PTR)&left);
    return left;
}

static void NTAPI spin(void *parameter)
{
    volatile BOOLEAN *stop = parameter;

    while (!*stop)
        continue;
}

static void test_ss(void)
{
    static volatile BOOLEAN stop;
    HANDLE thread;

    CHECK_STATUS(RtlCreateUserThread(NtCurrentProcess(), NULL, FALSE, 0, 0, 0,
                                     spin, (void *)&stop, &thread, NULL),
                 STATUS_SUCCESS);
    CHECK_STATUS(ask_kernel(SS_AFTER_SWITCH, 0), STATUS_SUCCESS);
    stop = TRUE;
    NtWaitForSingleObject(thread, FALSE, NULL);
    NtClose(thread);
}

static void check_unused(const char *what)
{
    ULONG left = unused();

    CHECK_SAY(left >= (depth ? MARGIN : QUARTER),
              "%u deep, %s: %u bytes left", depth, what, left);
}

static void NTAPI count_apc(void *a, void *b, void *c)
{
    (void)a, (void)b, (void)c;
    apcs++;
}

static void start_child(void)
{
    static RTL_USER_PROCESS_PARAMETERS parameters = {
        .MaximumLength = sizeof parameters,
        .Length = sizeof parameters,
        .Flags = RTL_USER_PROC_PARAMS_NORMALIZED,
    };
    static CLIENT_ID client;
    static SECTION_IMAGE_INFORMATION image;
    static TEB *teb;
    PS_CREATE_INFO info = { .Size = sizeof info };
    struct {
        SIZE_T length;
        PS_ATTRIBUTE attributes[4];
    } list = { sizeof list, {
        { PS_ATTRIBUTE_IMAGE_NAME, sizeof IMAGE - 2, { .ValuePtr = IMAGE },
          NULL },
        { PS_ATTRIBUTE_CLIENT_ID, sizeof client, { .ValuePtr = &client },
          NULL },
        { PS_ATTRIBUTE_IMAGE_INFO, sizeof image, { .ValuePtr = &image },
          NULL },
        { PS_ATTRIBUTE_TEB_ADDRESS, sizeof teb, { .ValuePtr = &teb },
          NULL },
    } };
    HANDLE process, thread;

    RtlInitUnicodeString(&parameters.ImagePathName, IMAGE);
    RtlInitUnicodeString(&parameters.CommandLine, L"kstack.exe child");
    if (!CHECK_STATUS(NtCreateUserProcess(&process, &thread,
                                          PROCESS_ALL_ACCESS,
                                          THREAD_ALL_ACCESS, NULL, NULL, 0, 0,
                                          &parameters, &info, (void *)&list),
                      STATUS_SUCCESS))
        return;
    NtWaitForSingleObject(process, FALSE, NULL);
    NtClose(process);
    NtClose(thread);
}

static void NTAPI nothing(void *parameter)
{
    (void)parameter;
}

/* The services that need most of it. */
static void work(void)
{
    LARGE_INTEGER soon = { .QuadPart = -500000 };
    CONTEXT context __attribute__((aligned(16)));
    HANDLE thread;

    check_unused("nothing");
    context.ContextFlags = CONTEXT_ALL;
    CHECK_STATUS(NtGetContextThread(SELF, &context), STATUS_SUCCESS);
    check_unused("context");
    NtQueueApcThread(SELF, (PPS_APC_ROUTINE)count_apc, NULL, NULL, NULL);
    CHECK_STATUS(NtDelayExecution(TRUE, &soon), STATUS_USER_APC);
    check_unused("APC");
    CHECK_STATUS(RtlCreateUserThread(NtCurrentProcess(), NULL, FALSE, 0, 0, 0,
                                     nothing, NULL, &thread, NULL),
                 STATUS_SUCCESS);
    NtWaitForSingleObject(thread, FALSE, NULL);
    NtClose(thread);
    check_unused("thread");
    start_child();
    check_unused("process");
}

/* Calls back; FALSE: too little of the stack is left. */
static BOOLEAN enumerate(void)
{
    return NtUserEnumDisplayMonitors(NULL, NULL, NULL, 0);
}

static NTSTATUS NTAPI dispatch(void *data, ULONG length)
{
    ULONG answer = 1;

    (void)data, (void)length;
    depth++;
    if (!enumerate()) {
        deepest = depth;
        work();
    }
    depth--;
    return NtCallbackReturn(&answer, sizeof answer, STATUS_SUCCESS);
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    static void *const table[] = { dispatch };

    if (!strcmp(test_words(), "child"))
        return STATUS_SUCCESS;
    peb->KernelCallbackTable = (void *)table;
    ask_kernel = (self_test *)(ULONG_PTR)find_stub("NtwSelfTest");
    if (!ask_kernel)
        return STATUS_PROCEDURE_NOT_FOUND;
    test_ss();
    CHECK_STATUS(ask_kernel(PAINT_STACK, 0), STATUS_SUCCESS);
    work();
    CHECK(enumerate() && deepest > 1);
    CHECK_SAY(apcs == 2, "%u APCs", apcs);
    return test_end();
}
