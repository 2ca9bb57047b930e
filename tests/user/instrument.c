/*
 * instrument.c - the instrumentation callback: it gets every return of the
 * kernel to 64-bit code, no more and no less, and what it gets is as without
 * it.
 */
#include "test.h"

#include <nt/gdi.h>

#include "../../programs/lib/door.h"

#define SELF NtCurrentProcess()
#define ENTRIES 1024                            /* instrument.asm */
#define STUB_SIZE 24
#define STACK 0x10000
#define SELF_TEST_QUEUE_APC 0x21                /* tests/kernel/selftest.c */
#define TURNS 100
#define IMAGE L"\\SystemRoot\\System32\\instrument.exe"

typedef PROCESS_INSTRUMENTATION_CALLBACK_INFORMATION information;
typedef NTSTATUS NTAPI self_test(ULONG test, ULONGLONG argument);

struct entry {
    ULONG_PTR rip;
    ULONGLONG rax, rsp;
    HANDLE thread;
};
_Static_assert(sizeof(struct entry) == 32, "instrument.asm");

volatile ULONG log_count;
struct entry log_entries[ENTRIES];

void note_return(void);
extern const void *start_thunk;
extern volatile ULONGLONG start_registers[4];

static NTSTATUS set(void *callback)
{
    information new = { .Callback = callback };

    return NtSetInformationProcess(SELF, ProcessInstrumentationCallback, &new,
                                   sizeof new);
}

static void start(void)
{
    log_count = 0;
    CHECK_STATUS(set(note_return), STATUS_SUCCESS);
    log_count = 0;
}

/* What has been noted; the end itself is not. */
static ULONG stop(void)
{
    NTSTATUS status = set(NULL);
    ULONG count = log_count;

    CHECK_STATUS(status, STATUS_SUCCESS);
    return count;
}

static BOOLEAN is_in(ULONG_PTR rip, const char *name)
{
    return rip - (ULONG_PTR)find_stub(name) < STUB_SIZE;
}

static void expect(ULONG at, const char *name, NTSTATUS status)
{
    CHECK_SAY(is_in(log_entries[at].rip, name), "%u: %llx, not in %s", at,
              (ULONGLONG)log_entries[at].rip, name);
    CHECK_SAY(log_entries[at].rax == (ULONG)status, "%u: rax %llx, not %x",
              at, log_entries[at].rax, status);
    CHECK(log_entries[at].thread == NtCurrentTeb()->ClientId.UniqueThread);
}

/* Is this where the kernel starts ring 3?  There it is the routine itself. */
static void expect_start(ULONG at, const char *name)
{
    CHECK_SAY(log_entries[at].rip == (ULONG_PTR)find_stub(name),
              "%u: %llx, not %s", at, (ULONGLONG)log_entries[at].rip, name);
}

/* ---- A small run, service by service ---- */

static void test_run(void)
{
    LARGE_INTEGER time = { .QuadPart = 0 };
    ULONG_PTR before, behind;
    NTSTATUS statuses[4];

    start();
    __asm__ volatile("mov %%rsp, %0" : "=r"(before));
    statuses[0] = NtClose((HANDLE)0x1234);
    statuses[1] = NtQuerySystemTime(&time);
    statuses[2] = NtQuerySystemTime(NULL);
    statuses[3] = NtTestAlert();
    __asm__ volatile("mov %%rsp, %0" : "=r"(behind));
    CHECK(stop() == 4);
    CHECK_STATUS(statuses[0], STATUS_INVALID_HANDLE);
    CHECK_STATUS(statuses[1], STATUS_SUCCESS);
    CHECK_STATUS(statuses[2], STATUS_ACCESS_VIOLATION);
    CHECK_STATUS(statuses[3], STATUS_SUCCESS);
    CHECK(time.QuadPart != 0 && before == behind);
    expect(0, "NtClose", STATUS_INVALID_HANDLE);
    expect(1, "NtQuerySystemTime", STATUS_SUCCESS);
    expect(2, "NtQuerySystemTime", STATUS_ACCESS_VIOLATION);
    expect(3, "NtTestAlert", STATUS_SUCCESS);
    CHECK(log_entries[0].rsp == before - sizeof(void *));
}

/* The instruction behind the door, whichever it is; a number of no service. */
static void test_doors(void)
{
    static struct call call;
    const struct door *door;

    for (door = doors; door < doors_end(); door++) {
        call_prepare(&call, door->raw, 0, NULL);
        call.in.Rax = 0xFFE;
        start();
        call_with_registers(&call);
        CHECK_SAY(stop() == 1, "%s: %u", door->name, log_count);
        CHECK(log_entries[0].rip == (ULONG_PTR)door->raw_behind);
        CHECK_STATUS(log_entries[0].rax, STATUS_INVALID_SYSTEM_SERVICE);
        CHECK_STATUS(call.out.Rax, STATUS_INVALID_SYSTEM_SERVICE);
        CHECK(call.out.R10 == (ULONG_PTR)door->raw_behind);
        CHECK(call.out.Rbx == call.in.Rbx && call.out.R15 == call.in.R15);
        call_with_registers(&call);
        CHECK_SAY(call.out.R10 == 0, "%s: r10 %llx", door->name,
                  call.out.R10);
    }
}

/* ---- What the kernel starts ---- */

static volatile ULONG apcs;

static void NTAPI apc(void *argument1, void *argument2, void *argument3)
{
    CHECK(argument1 == (void *)1 && argument2 == (void *)2 &&
          argument3 == (void *)3);
    apcs++;
}

static void NTAPI later_apc(void *argument1, void *argument2, void *argument3)
{
    (void)argument1, (void)argument2, (void)argument3;
    apcs++;
}

static void queue(void)
{
    CHECK_STATUS(NtQueueApcThread(NtCurrentThread(), (void *)apc, (void *)1,
                                  (void *)2, (void *)3), STATUS_SUCCESS);
}

/* Two in a call, the second one out of the first one's NtContinue. */
static void test_apcs(void)
{
    NTSTATUS status;

    apcs = 0;
    start();
    queue();
    queue();
    status = NtTestAlert();
    CHECK_SAY(stop() == 4, "%u returns", log_count);
    CHECK_STATUS(status, STATUS_SUCCESS);
    CHECK(apcs == 2);
    expect(0, "NtQueueApcThread", STATUS_SUCCESS);
    expect(1, "NtQueueApcThread", STATUS_SUCCESS);
    expect_start(2, "KiUserApcDispatcher");
    expect_start(3, "KiUserApcDispatcher");
}

/*
 * And in the way back from an interrupt (test build).  The clock may have come
 * before the service was back: then again.
 */
static void test_interrupt_apc(void)
{
    self_test *test = (self_test *)(ULONG_PTR)find_stub("NtwSelfTest");
    ULONG count = 1;

    if (!test)
        return;
    for (ULONG turn = 0; turn < TURNS && count == 1; turn++) {
        apcs = 0;
        start();
        CHECK_STATUS(test(SELF_TEST_QUEUE_APC, (ULONG_PTR)later_apc),
                     STATUS_SUCCESS);
        while (!apcs)
            continue;
        count = stop();
    }
    CHECK_SAY(count == 2, "%u returns", count);
    expect(0, "NtwSelfTest", STATUS_SUCCESS);
    expect_start(1, "KiUserApcDispatcher");
}

static ULONG callbacks;

static NTSTATUS NTAPI called_back(void *data, ULONG length)
{
    ULONG value = 1;

    (void)data, (void)length;
    callbacks++;
    NtTestAlert();
    return NtCallbackReturn(&value, sizeof value, STATUS_SUCCESS);
}

/* A machine without a screen has no monitor to be called back about. */
static void test_callback(void)
{
    static void *table[] = { called_back };
    void *before = NtCurrentPeb()->KernelCallbackTable;
    BOOLEAN held;

    NtUserEnumDisplayMonitors((HANDLE)4, NULL, NULL, 0);    /* a GUI thread */
    NtCurrentPeb()->KernelCallbackTable = table;
    NtUserEnumDisplayMonitors(NULL, NULL, NULL, 0);
    if (!callbacks)
        return;
    start();
    held = NtUserEnumDisplayMonitors(NULL, NULL, NULL, 0);
    CHECK_SAY(stop() == 3, "%u returns", log_count);
    NtCurrentPeb()->KernelCallbackTable = before;
    CHECK(held);
    expect_start(0, "KiUserCallbackDispatcher");
    expect(1, "NtTestAlert", STATUS_SUCCESS);
    CHECK(is_in(log_entries[2].rip, "NtUserEnumDisplayMonitors"));
}

/* An exception, and one that NtRaiseException makes; no NtContinue. */
static LONG NTAPI handle(EXCEPTION_POINTERS *pointers)
{
    if (pointers->ExceptionRecord->ExceptionCode == STATUS_BREAKPOINT)
        pointers->ContextRecord->Rip++;
    return EXCEPTION_CONTINUE_EXECUTION;
}

static void test_exceptions(void)
{
    static CONTEXT context __attribute__((aligned(16)));
    void *handler = RtlAddVectoredExceptionHandler(TRUE, handle);
    EXCEPTION_RECORD record = { .ExceptionCode = (NTSTATUS)0xE0001234 };
    volatile ULONG raised = 0;

    start();
    __asm__ volatile("int3");
    RtlCaptureContext(&context);
    if (!raised++)
        NtRaiseException(&record, &context, TRUE);
    NtTestAlert();
    CHECK_SAY(stop() == 3, "%u returns", log_count);
    expect_start(0, "KiUserExceptionDispatcher");
    expect_start(1, "KiUserExceptionDispatcher");
    expect(2, "NtTestAlert", STATUS_SUCCESS);
    CHECK(RtlRemoveVectoredExceptionHandler(handler));
}

/* ---- Other threads ---- */

static volatile ULONG turns, over;

static void NTAPI take_turns(void *argument)
{
    (void)argument;
    while (!over) {
        turns++;
        NtYieldExecution();
    }
    NtTerminateThread(NtCurrentThread(), 0);
}

static void NTAPI end_at_once(void *argument)
{
    NtTestAlert();
    NtTerminateThread(NtCurrentThread(), (NTSTATUS)(ULONG_PTR)argument);
}

static HANDLE create(void *routine)
{
    HANDLE thread = NULL;

    CHECK_STATUS(NtCreateThreadEx(&thread, THREAD_ALL_ACCESS, NULL, SELF,
                                  routine, NULL, 0, 0, STACK, STACK, NULL),
                 STATUS_SUCCESS);
    return thread;
}

static HANDLE id_of(HANDLE thread)
{
    THREAD_BASIC_INFORMATION basic = { 0 };

    CHECK_STATUS(NtQueryInformationThread(thread, ThreadBasicInformation,
                                          &basic, sizeof basic, NULL),
                 STATUS_SUCCESS);
    return basic.ClientId.UniqueThread;
}

static void join(HANDLE thread)
{
    CHECK_STATUS(NtWaitForSingleObject(thread, FALSE, NULL), STATUS_SUCCESS);
    NtClose(thread);
}

/* The first of that thread's returns among count; count: none. */
static ULONG first_of(HANDLE id, ULONG count)
{
    ULONG at = 0;

    while (at < count && log_entries[at].thread != id)
        at++;
    return at;
}

/* One that is there already is instrumented, and not any more behind it. */
static void test_old_thread(void)
{
    HANDLE thread = create(take_turns), id = id_of(thread);
    ULONG count, at;

    while (turns < 3)
        NtYieldExecution();
    start();
    for (at = turns + 3; turns < at;)
        NtYieldExecution();
    count = stop();
    at = first_of(id, count);
    CHECK(at < count && is_in(log_entries[at].rip, "NtYieldExecution"));
    for (at = turns + 3; turns < at;)
        NtYieldExecution();
    CHECK(log_count == count);
    over = TRUE;
    join(thread);
}

/* One that comes later: from its first instruction on, with 0 in r12 to r15. */
static void test_new_thread(void)
{
    HANDLE thread, id;
    ULONG count, at;

    start_thunk = find_stub("LdrInitializeThunk");
    start();
    thread = create(end_at_once);
    id = id_of(thread);
    CHECK_STATUS(NtWaitForSingleObject(thread, FALSE, NULL), STATUS_SUCCESS);
    count = stop();
    at = first_of(id, count);
    if (CHECK(at < count))
        expect_start(at, "LdrInitializeThunk");
    for (ULONG i = 0; i < ARRAY_SIZE(start_registers); i++)
        CHECK_SAY(start_registers[i] == 0, "r%u: %llx", 12 + i,
                  start_registers[i]);
    while (at < count && !is_in(log_entries[at].rip, "NtTestAlert"))
        at++;
    CHECK(at < count && log_entries[at].thread == id);
    NtClose(thread);
}

/* ---- What is refused ---- */

static NTSTATUS set_bytes(const void *data, ULONG length)
{
    return NtSetInformationProcess(SELF, ProcessInstrumentationCallback, data,
                                   length);
}

static NTSTATUS create_process(HANDLE *process, HANDLE *thread)
{
    static RTL_USER_PROCESS_PARAMETERS parameters = {
        .MaximumLength = sizeof parameters,
        .Length = sizeof parameters,
        .Flags = RTL_USER_PROC_PARAMS_NORMALIZED,
    };
    static const WCHAR image[] = IMAGE;
    PS_CREATE_INFO info = { .Size = sizeof info };
    struct {
        SIZE_T length;
        PS_ATTRIBUTE attribute;
    } list = { sizeof list, { PS_ATTRIBUTE_IMAGE_NAME,
                              sizeof image - sizeof(WCHAR),
                              { .ValuePtr = (void *)image }, NULL } };

    RtlInitUnicodeString(&parameters.ImagePathName, image);
    RtlInitUnicodeString(&parameters.CommandLine, image);
    return NtCreateUserProcess(process, thread, PROCESS_ALL_ACCESS,
                               THREAD_ALL_ACCESS, NULL, NULL, 0,
                               THREAD_CREATE_FLAGS_CREATE_SUSPENDED,
                               &parameters, &info, (void *)&list);
}

static void test_other_process(void)
{
    information new = { .Callback = (void *)note_return };
    HANDLE process, thread;

    if (!CHECK_STATUS(create_process(&process, &thread), STATUS_SUCCESS))
        return;
    CHECK_STATUS(NtSetInformationProcess(process,
                                         ProcessInstrumentationCallback, &new,
                                         sizeof new),
                 STATUS_PRIVILEGE_NOT_HELD);
    NtTerminateProcess(process, 0);
    NtClose(process);
    NtClose(thread);
}

static void test_refused(void)
{
    static const ULONG lengths[] = { 0, 4, 12, 15, 17, 24, 32 };
    static const ULONGLONG bad[] = { ~0ULL, 0x7FFFFFFF0000, 0x800000000000,
                                     0xFFFF800000000000 };
    UCHAR bytes[32] = { 0 };
    information new = { .Version = 1 };
    ULONG at;

    for (at = 0; at < ARRAY_SIZE(lengths); at++)
        CHECK_STATUS(set_bytes(bytes, lengths[at]),
                     STATUS_INFO_LENGTH_MISMATCH);
    CHECK_STATUS(set_bytes(&new, sizeof new), STATUS_INVALID_PARAMETER);
    new = (information){ .Reserved = 1 };
    CHECK_STATUS(set_bytes(&new, sizeof new), STATUS_INVALID_PARAMETER);
    for (at = 0; at < ARRAY_SIZE(bad); at++)
        CHECK_STATUS(set((void *)(ULONG_PTR)bad[at]),
                     STATUS_INVALID_PARAMETER);
    CHECK_STATUS(set_bytes(NULL, sizeof new), STATUS_ACCESS_VIOLATION);
    log_count = 0;
    NtTestAlert();
    CHECK(log_count == 0);
}

/* The form of Windows 7: the callback alone. */
static void test_bare_pointer(void)
{
    void *callback = (void *)note_return, *none = NULL;

    CHECK_STATUS(set_bytes(&callback, sizeof callback), STATUS_SUCCESS);
    log_count = 0;
    NtTestAlert();
    CHECK_STATUS(set_bytes(&none, sizeof none), STATUS_SUCCESS);
    CHECK(log_count == 1);
    expect(0, "NtTestAlert", STATUS_SUCCESS);
}

NTSTATUS NtProcessStartup(PEB *peb)
{
    (void)peb;
    test_refused();
    test_other_process();
    test_run();
    test_doors();
    test_apcs();
    test_interrupt_apc();
    test_callback();
    test_exceptions();
    test_old_thread();
    test_new_thread();
    test_bare_pointer();
    return test_end();
}
