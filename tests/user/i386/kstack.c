/*
 * i386/kstack.c - callbacks in callbacks until the kernel says that it is
 * enough, and then the services that need most of its stack.  Another thread
 * runs meanwhile, so that interrupts and switches come in between.
 *
 * Scenarios: D8.
 */
#include "../test.h"

#include "../../../programs/lib/find.h"

/* tests/kernel/selftest.c */
#define PAINT_STACK 0x30
#define UNUSED_STACK 0x31

#define ROUNDS 10000
#define THREADS 10                      /* a quantum of the other each */
#define MARGIN 0x800                    /* of 24 KiB, behind an interrupt's */

typedef NTSTATUS NTAPI self_test(ULONG test, void *argument);
static self_test *ask_kernel;
static ULONG depth, deepest;
static volatile BOOLEAN stop;

static void NTAPI spin(void *parameter)
{
    (void)parameter;
    while (!stop)
        continue;
}

static void NTAPI nothing(void *parameter)
{
    (void)parameter;
}

static HANDLE start(PUSER_THREAD_START_ROUTINE routine)
{
    HANDLE thread = NULL;

    CHECK_STATUS(RtlCreateUserThread(NtCurrentProcess(), NULL, FALSE, 0, 0, 0,
                                     routine, NULL, &thread, NULL),
                 STATUS_SUCCESS);
    return thread;
}

static void end(HANDLE thread)
{
    CHECK_STATUS(NtWaitForSingleObject(thread, FALSE, NULL), STATUS_WAIT_0);
    NtClose(thread);
}

static void work(void)
{
    CONTEXT context;
    ULONG left = 0;

    for (ULONG i = 0; i < ROUNDS; i++) {
        context.ContextFlags = CONTEXT_ALL;
        NtGetContextThread(NtCurrentThread(), &context);
    }
    for (ULONG i = 0; i < THREADS; i++)
        end(start(nothing));
    CHECK_STATUS(ask_kernel(UNUSED_STACK, &left), STATUS_SUCCESS);
    CHECK_SAY(left >= MARGIN, "%u deep: %u bytes left", depth, left);
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
    if (++depth > deepest)
        deepest = depth;
    if (!enumerate())
        work();
    depth--;
    return NtCallbackReturn(&answer, sizeof answer, STATUS_SUCCESS);
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    static void *const table[] = { dispatch };
    HANDLE thread;

    peb->KernelCallbackTable = (void *)table;
    ask_kernel = (self_test *)find_stub("NtwSelfTest");
    if (!ask_kernel)
        return STATUS_PROCEDURE_NOT_FOUND;
    CHECK_STATUS(ask_kernel(PAINT_STACK, NULL), STATUS_SUCCESS);
    thread = start(spin);
    CHECK(enumerate() && depth == 0 && deepest > 1);
    stop = TRUE;
    end(thread);
    return test_end();
}
