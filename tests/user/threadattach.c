/*
 * threadattach.c - what the loader does for threads: DllMain and TLS callbacks
 * in order, a block of TLS for each, DLLs with TLS that come later, threads
 * that start too early, and the end with threads still there.
 */
#include "test.h"
#include "dll/ldrq.h"
#include "dll/ldrt.h"

#define TOGETHER 4
#define MANY 100

static HANDLE go;                               /* a notification event */

static void NTAPI on_tls(void *base, ULONG reason, void *reserved)
{
    (void)base;
    (void)reserved;
    if (reason == DLL_THREAD_ATTACH || reason == DLL_THREAD_DETACH)
        t_log(reason == DLL_THREAD_ATTACH ? '3' : '2');
}

static ULONG tls_index;
static ULONG template[1] = { 0x55556666 };
static const ULONG_PTR callbacks[] = { (ULONG_PTR)on_tls, 0 };
extern const IMAGE_TLS_DIRECTORY _tls_used;
const IMAGE_TLS_DIRECTORY _tls_used = {
    .StartAddressOfRawData = (ULONG_PTR)template,
    .EndAddressOfRawData = (ULONG_PTR)(template + 1),
    .AddressOfIndex = (ULONG_PTR)&tls_index,
    .AddressOfCallBacks = (ULONG_PTR)callbacks,
};

static ULONG *own_tls(void)
{
    return ((ULONG **)NtCurrentTeb()->ThreadLocalStoragePointer)[tls_index];
}

static HANDLE start(PUSER_THREAD_START_ROUTINE routine, void *parameter,
                    HANDLE *id)
{
    HANDLE thread = NULL;
    CLIENT_ID cid;

    CHECK_STATUS(RtlCreateUserThread(NtCurrentProcess(), NULL, FALSE, 0, 0, 0,
                                     routine, parameter, &thread, &cid),
                 STATUS_SUCCESS);
    CHECK(cid.UniqueProcess == NtCurrentTeb()->ClientId.UniqueProcess);
    if (id)
        *id = cid.UniqueThread;
    return thread;
}

/* The thread's exit status. */
static NTSTATUS wait_for(HANDLE thread)
{
    THREAD_BASIC_INFORMATION basic = { .ExitStatus = -1 };

    CHECK_STATUS(NtWaitForSingleObject(thread, FALSE, NULL), STATUS_SUCCESS);
    CHECK_STATUS(NtQueryInformationThread(thread, ThreadBasicInformation,
                                          &basic, sizeof basic, NULL),
                 STATUS_SUCCESS);
    NtClose(thread);
    return basic.ExitStatus;
}

static void check_log(HANDLE id, const char *expected)
{
    char text[40];

    t_text(id, text, sizeof text);
    CHECK_SAY(!strcmp(text, expected), "log is %s, not %s", text, expected);
}

static void check_early_thread(void)
{
    CHECK_STATUS(NtWaitForSingleObject(t_early_thread(), FALSE, NULL),
                 STATUS_SUCCESS);
    CHECK(t_early_result() == 1);
    NtClose(t_early_thread());
    check_log(NULL, "");
}

static void NTAPI exit_by_call(void *parameter)
{
    RtlExitUserThread((NTSTATUS)(ULONG_PTR)parameter);
}

static ULONG_PTR NTAPI exit_by_return(void *parameter)
{
    CHECK(NtCurrentTeb()->NtTib.StackBase > (void *)&parameter);
    CHECK(NtCurrentTeb()->NtTib.StackLimit < (void *)&parameter);
    return (ULONG_PTR)parameter;
}

static void check_order(void)
{
    HANDLE id;

    CHECK(wait_for(start(exit_by_call, (void *)0x1234, &id)) == 0x1234);
    check_log(id, "1T30t2");
    CHECK(wait_for(start((PUSER_THREAD_START_ROUTINE)(void *)exit_by_return,
                         (void *)0x4321, &id)) == 0x4321);
    check_log(id, "1T30t2");
    check_log(NtCurrentTeb()->ClientId.UniqueThread, "");
    CHECK(q_calls() == 0);
}

static void NTAPI use_tls(void *parameter)
{
    ULONG mark = (ULONG)(ULONG_PTR)parameter, round;

    CHECK(t_tls()[0] == T_TLS_FIRST && !t_tls()[1]);
    CHECK(own_tls()[0] == 0x55556666 && own_tls() != template);
    t_tls()[0] = mark;
    own_tls()[0] = ~mark;
    NtWaitForSingleObject(go, FALSE, NULL);
    for (round = 0; round < 20; round++) {
        CHECK(t_tls()[0] == mark && own_tls()[0] == ~mark);
        NtYieldExecution();
    }
}

static void check_tls(void)
{
    HANDLE threads[TOGETHER];
    ULONG at;

    for (at = 0; at < TOGETHER; at++)
        threads[at] = start(use_tls, (void *)(ULONG_PTR)(at + 1), NULL);
    NtSetEvent(go, NULL);
    for (at = 0; at < TOGETHER; at++)
        wait_for(threads[at]);
    NtResetEvent(go, NULL);
    CHECK(t_tls()[0] == T_TLS_FIRST && own_tls()[0] == 0x55556666);
}

static ULONG *(*a_tls)(void);
static HANDLE loaded, used, unloaded;

static void NTAPI use_late_tls(void *parameter)
{
    ULONG *block;

    (void)parameter;
    NtSetEvent(used, NULL);
    NtWaitForSingleObject(loaded, FALSE, NULL);
    block = a_tls();
    CHECK(block && block[0] == 0x11112222 && block[1] == 0x33334444 &&
          !block[2]);
    block[0] = 5;
    NtSetEvent(used, NULL);
    NtWaitForSingleObject(unloaded, FALSE, NULL);
}

static HANDLE new_event(void)
{
    HANDLE event = NULL;

    CHECK_STATUS(NtCreateEvent(&event, EVENT_ALL_ACCESS, NULL,
                               SynchronizationEvent, FALSE), STATUS_SUCCESS);
    return event;
}

/* A DLL with TLS is loaded while another thread runs. */
static void check_late_tls(void)
{
    UNICODE_STRING name;
    ANSI_STRING routine;
    HANDLE thread;
    void *dll;

    loaded = new_event();
    used = new_event();
    unloaded = new_event();
    thread = start(use_late_tls, NULL, NULL);
    NtWaitForSingleObject(used, FALSE, NULL);
    RtlInitUnicodeString(&name, L"ldra.dll");
    RtlInitAnsiString(&routine, "a_tls");
    CHECK_STATUS(LdrLoadDll(NULL, NULL, &name, &dll), STATUS_SUCCESS);
    CHECK_STATUS(LdrGetProcedureAddress(dll, &routine, 0, (void **)&a_tls),
                 STATUS_SUCCESS);
    NtSetEvent(loaded, NULL);
    NtWaitForSingleObject(used, FALSE, NULL);
    CHECK(a_tls()[0] == 0x11112222);
    CHECK_STATUS(LdrDisableThreadCalloutsForDll(dll), STATUS_DLL_NOT_FOUND);
    CHECK_STATUS(LdrUnloadDll(dll), STATUS_SUCCESS);
    NtSetEvent(unloaded, NULL);
    wait_for(thread);
    CHECK(RtlValidateHeap(NtCurrentPeb()->ProcessHeap, 0, NULL));
}

static void NTAPI wait_forever(void *parameter)
{
    NtSetEvent(parameter, NULL);
    NtWaitForSingleObject(new_event(), FALSE, NULL);
}

/* Nobody is told, and what the thread had is found by the next. */
static void check_terminated(void)
{
    HANDLE ready = new_event(), id, thread;
    ULONG at;

    check_log(NULL, "");
    for (at = 0; at < 10; at++) {
        thread = start(wait_forever, ready, &id);
        NtWaitForSingleObject(ready, FALSE, NULL);
        CHECK_STATUS(NtTerminateThread(thread, 77), STATUS_SUCCESS);
        CHECK(wait_for(thread) == 77);
        check_log(id, "1T3");
    }
    NtClose(ready);
}

static void check_many(void)
{
    ULONG at;

    for (at = 0; at < MANY; at++)
        CHECK(wait_for(start(exit_by_call, (void *)(ULONG_PTR)at, NULL)) ==
              (NTSTATUS)at);
    CHECK(RtlValidateHeap(NtCurrentPeb()->ProcessHeap, 0, NULL));
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    HANDLE ready = new_event();
    NTSTATUS status;

    (void)peb;
    CHECK_STATUS(NtCreateEvent(&go, EVENT_ALL_ACCESS, NULL, NotificationEvent,
                               FALSE), STATUS_SUCCESS);
    check_early_thread();
    check_order();
    check_tls();
    check_late_tls();
    check_terminated();
    check_many();
    start(wait_forever, ready, NULL);           /* there when all ends */
    NtWaitForSingleObject(ready, FALSE, NULL);
    status = test_end();
    print("expected: ldrt: the process ends\n");
    RtlExitUserProcess(status);
}
