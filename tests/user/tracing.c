/*
 * tracing.c - NtTraceControl and its records: what calls look like in them,
 * that nothing else about the calls changes, and what does not fit.
 *
 * Scenarios: H19.
 */
#include "test.h"
#include "../../programs/lib/door.h"

#include <nt/ntex.h>
#include <nt/ntob.h>
#include <nt/ntps.h>
#include <nt/nttrace.h>
#include <services.h>

#define RING 0x10000
#define CALLS 200                               /* more than fit into a page */
#define NO_HANDLE ((HANDLE)0x1234)
#define KERNEL 0xFFFF800000000000ULL
#define HOLE 0x1D0                              /* a number of no service */

static ULONGLONG records[RING / sizeof(ULONGLONG)];
static ULONG length;                            /* of what records has */

static struct trace_order own_order(ULONG ring)
{
    return (struct trace_order){
        .ring = ring,
        .process = (ULONGLONG)NtCurrentTeb()->ClientId.UniqueProcess,
    };
}

static NTSTATUS start(const struct trace_order *order)
{
    return NtTraceControl(EtwStartLoggerCode, (void *)order, sizeof *order,
                          NULL, 0, &length);
}

static NTSTATUS stop(void)
{
    return NtTraceControl(EtwStopLoggerCode, NULL, 0, NULL, 0, &length);
}

static NTSTATUS flush(ULONG size)
{
    return NtTraceControl(EtwFlushLoggerCode, NULL, 0, records, size,
                          &length);
}

static NTSTATUS query(struct trace_state *state)
{
    return NtTraceControl(EtwQueryLoggerCode, NULL, 0, state, sizeof *state,
                          &length);
}

static void begin(ULONG ring)
{
    struct trace_order order = own_order(ring);

    CHECK_STATUS(start(&order), STATUS_SUCCESS);
}

/* What was recorded since begin. */
static void end(void)
{
    CHECK_STATUS(stop(), STATUS_SUCCESS);
    CHECK_STATUS(flush(sizeof records), STATUS_SUCCESS);
}

static const struct trace_record *next(const struct trace_record *record)
{
    const UCHAR *at = record ? (const UCHAR *)record + record->size
                             : (const UCHAR *)records;

    return at < (const UCHAR *)records + length ? (const void *)at : NULL;
}

/* The first record of that kind and number behind another one. */
static const struct trace_record *find(const struct trace_record *record,
                                       enum trace_kind kind, ULONG number)
{
    do {
        record = next(record);
    } while (record && (record->kind != kind ||
                        (kind <= TRACE_LEAVE && record->number != number)));
    return record;
}

static const struct trace_piece *piece(const struct trace_record *record,
                                       ULONG argument)
{
    const UCHAR *at = (const UCHAR *)&record->values[record->count];

    while (at < (const UCHAR *)record + record->size) {
        const struct trace_piece *it = (const void *)at;

        if (it->argument == argument)
            return it;
        at += sizeof *it + ((it->length + 7) & ~7u);
    }
    return NULL;
}

static BOOLEAN piece_is(const struct trace_record *record, ULONG argument,
                        const void *bytes, ULONG size)
{
    const struct trace_piece *it = piece(record, argument);

    return it && it->length == size && !memcmp(it->bytes, bytes, size);
}

/* The two halves of the next call of a service. */
static const struct trace_record *pair(const struct trace_record *after,
                                       ULONG number, NTSTATUS status)
{
    const struct trace_record *enter = find(after, TRACE_ENTER, number);
    const struct trace_record *leave =
        enter ? find(enter, TRACE_LEAVE, number) : NULL;

    if (!CHECK(leave))
        return after;
    CHECK(leave->call == enter->call && leave->count == 2);
    CHECK_STATUS(leave->values[0], status);
    CHECK(leave->values[1] > 0 && leave->time >= enter->time);
    CHECK(enter->thread ==
          (ULONG)(ULONGLONG)NtCurrentTeb()->ClientId.UniqueThread);
    return enter;
}

/* ---- The service ---- */

static void check_orders(void)
{
    struct trace_order good = own_order(TRACE_SMALLEST_RING), order = good;
    struct trace_state state;
    HANDLE mutant;

    CHECK_STATUS(stop(), STATUS_WMI_INSTANCE_NOT_FOUND);
    CHECK_STATUS(query(&state), STATUS_WMI_INSTANCE_NOT_FOUND);
    CHECK_STATUS(flush(8), STATUS_WMI_INSTANCE_NOT_FOUND);
    order.flags = 2;
    CHECK_STATUS(start(&order), STATUS_INVALID_PARAMETER);
    order = own_order(TRACE_SMALLEST_RING - 8);
    CHECK_STATUS(start(&order), STATUS_INVALID_PARAMETER);
    order = own_order(TRACE_LARGEST_RING + 8);
    CHECK_STATUS(start(&order), STATUS_INVALID_PARAMETER);
    order = own_order(TRACE_SMALLEST_RING + 4);
    CHECK_STATUS(start(&order), STATUS_INVALID_PARAMETER);
    order = good;
    order.event = (ULONGLONG)NO_HANDLE;
    CHECK_STATUS(start(&order), STATUS_INVALID_HANDLE);
    CHECK_STATUS(NtCreateMutant(&mutant, MUTANT_ALL_ACCESS, NULL, FALSE),
                 STATUS_SUCCESS);
    order.event = (ULONGLONG)mutant;
    CHECK_STATUS(start(&order), STATUS_OBJECT_TYPE_MISMATCH);
    NtClose(mutant);
    CHECK_STATUS(start(&good), STATUS_SUCCESS);
    CHECK_STATUS(start(&good), STATUS_OBJECT_NAME_COLLISION);
    CHECK_STATUS(query(&state), STATUS_SUCCESS);
    CHECK(length == sizeof state && state.running == 1 &&
          state.ring == good.ring && state.process == good.process &&
          state.lost == 0 && state.records && state.waiting);
    CHECK_STATUS(stop(), STATUS_SUCCESS);
    CHECK_STATUS(stop(), STATUS_WMI_INSTANCE_NOT_FOUND);
    CHECK_STATUS(query(&state), STATUS_SUCCESS);
    CHECK(state.running == 0 && state.process == good.process);
    CHECK_STATUS(flush(sizeof records), STATUS_SUCCESS);
    CHECK(length != 0);
    CHECK_STATUS(flush(sizeof records), STATUS_WMI_INSTANCE_NOT_FOUND);
}

/* Refused, and nothing taken out of a trace by it. */
static void check_buffers(void)
{
    struct trace_order order = own_order(RING);
    UCHAR *page = test_pages(1);
    ULONG out;

    begin(RING);
    CHECK_STATUS(flush(8), STATUS_BUFFER_TOO_SMALL);
    test_protect(page, 1, PAGE_READONLY);
    CHECK_STATUS(NtTraceControl(EtwFlushLoggerCode, NULL, 0, page, 0x1000,
                                &out), STATUS_ACCESS_VIOLATION);
    CHECK_STATUS(NtTraceControl(EtwFlushLoggerCode, NULL, 0,
                                (void *)KERNEL, 0x1000, &out),
                 STATUS_ACCESS_VIOLATION);
    CHECK_STATUS(NtTraceControl(EtwFlushLoggerCode, NULL, 0, records,
                                sizeof records, (ULONG *)KERNEL),
                 STATUS_ACCESS_VIOLATION);
    CHECK_STATUS(NtTraceControl(EtwFlushLoggerCode, NULL, 0,
                                (UCHAR *)records + 1, 0x1000, &out),
                 STATUS_DATATYPE_MISALIGNMENT);
    CHECK_STATUS(NtTraceControl(EtwQueryLoggerCode, NULL, 0, records, 8,
                                &out), STATUS_INVALID_PARAMETER);
    CHECK_STATUS(NtTraceControl(EtwStartLoggerCode, &order, 8, NULL, 0, &out),
                 STATUS_INVALID_PARAMETER);
    CHECK_STATUS(NtTraceControl(EtwStartLoggerCode, (void *)KERNEL,
                                sizeof order, NULL, 0, &out),
                 STATUS_ACCESS_VIOLATION);
    CHECK_STATUS(NtTraceControl(99, NULL, 0, NULL, 0, &out),
                 STATUS_INVALID_DEVICE_REQUEST);
    end();
    CHECK(find(NULL, TRACE_LEAVE, stub_number(find_stub("NtTraceControl"))));
}

/* ---- What records tell ---- */

static void check_doors(void)
{
    const struct trace_record *record = NULL;
    ULONG close = stub_number(find_stub("NtClose"));
    const struct door *door;

    begin(RING);
    for (door = doors; door < doors_end(); door++)
        door->call(close, NO_HANDLE);
    doors->call(HOLE, 1, 2);
    end();
    for (door = doors; door < doors_end(); door++) {
        record = pair(record, close, STATUS_INVALID_HANDLE);
        CHECK(record->door == TRACE_SYSCALL + (door - doors));
        CHECK(record->count == 1 &&
              record->values[0] == (ULONGLONG)NO_HANDLE);
    }
    record = pair(record, HOLE, STATUS_INVALID_SYSTEM_SERVICE);
    CHECK(record->count == 0);
}

static void check_arguments(void)
{
    static const WCHAR bell[] = L"\\BaseNamedObjects\\tracing";
    ULONG create = stub_number(find_stub("NtCreateEvent"));
    ULONG wait = stub_number(find_stub("NtWaitForSingleObject"));
    const struct trace_record *record, *leave;
    LARGE_INTEGER timeout = { .QuadPart = 0 };
    OBJECT_ATTRIBUTES attributes = { .Length = sizeof attributes };
    ULONGLONG name_piece[1 + sizeof bell / 8] = { 0 };
    UNICODE_STRING name;
    HANDLE event;

    RtlInitUnicodeString(&name, bell);
    attributes.ObjectName = &name;
    memcpy(name_piece + 1, bell, name.Length);
    begin(RING);
    NtCreateEvent(&event, EVENT_ALL_ACCESS, &attributes, NotificationEvent,
                  FALSE);
    NtWaitForSingleObject(event, FALSE, &timeout);
    end();
    record = pair(NULL, create, STATUS_SUCCESS);
    leave = find(record, TRACE_LEAVE, create);
    CHECK(record->count == 5 && record->values[0] == (ULONGLONG)&event &&
          record->values[1] == EVENT_ALL_ACCESS &&
          (UCHAR)record->values[4] == FALSE);
    CHECK(piece_is(record, 2, name_piece, 8 + name.Length));
    CHECK(piece_is(leave, 0, &event, sizeof event));
    record = pair(record, wait, STATUS_TIMEOUT);
    CHECK(piece_is(record, 2, &timeout, sizeof timeout));
    CHECK_STATUS(NtClose(event), STATUS_SUCCESS);
}

/* What a traced call is counted as, and given: as any other. */
static void check_calls(void)
{
    typedef NTSTATUS NTAPI echo_routine(ULONGLONG *out, ULONGLONG a2,
                                        ULONGLONG a3, ULONGLONG a4);
    echo_routine *echo = (echo_routine *)(ULONG_PTR)find_stub("NtwEcho0");
    ULONGLONG out[4];
    ULONG before;

    begin(RING);
    before = test_performance().SystemCalls;
    CHECK(test_performance().SystemCalls == before + 1);
    for (ULONGLONG i = 1; echo && i < 4; i++) {
        CHECK_STATUS(echo(out, i << 4, i << 8, i << 12), STATUS_SUCCESS);
        CHECK(out[0] == (ULONG_PTR)out && out[1] == i << 4 &&
              out[2] == i << 8 && out[3] == i << 12);
    }
    end();
}

static void NTAPI leave_thread(void *argument)
{
    NtTerminateThread(NtCurrentThread(), (NTSTATUS)(ULONG_PTR)argument);
}

static LONG NTAPI go_on(EXCEPTION_POINTERS *pointers)
{
    (void)pointers;
    return EXCEPTION_CONTINUE_EXECUTION;
}

static void continue_and_raise(void)
{
    static KCONTINUE_ARGUMENT argument = { .ContinueType = KCONTINUE_RESUME };
    static EXCEPTION_RECORD exception = { .ExceptionCode = 0x2000000 };
    static volatile ULONG turn;
    static CONTEXT context;
    void *handler;

    RtlCaptureContext(&context);
    if (turn++ == 0)
        NtContinueEx(&context, &argument);
    handler = RtlAddVectoredExceptionHandler(TRUE, go_on);
    RtlCaptureContext(&context);
    if (turn++ == 2)
        NtRaiseException(&exception, &context, TRUE);
    RtlRemoveVectoredExceptionHandler(handler);
}

static BOOLEAN goes_away(const char *name)
{
    const struct trace_record *record =
        find(NULL, TRACE_ENTER, stub_number(find_stub(name)));

    return record && next(record)->kind == TRACE_AWAY &&
           next(record)->thread == record->thread;
}

/* Calls that do not come back: a context, a thread's end. */
static void check_away(void)
{
    static volatile BOOLEAN continued;
    const struct trace_record *record;
    static CONTEXT context;
    CLIENT_ID client;
    HANDLE thread;

    begin(RING);
    RtlCaptureContext(&context);
    if (!continued) {
        continued = TRUE;
        NtContinue(&context, FALSE);
    }
    continue_and_raise();
    CHECK_STATUS(RtlCreateUserThread(NtCurrentProcess(), NULL, FALSE, 0, 0, 0,
                                     leave_thread, NULL, &thread, &client),
                 STATUS_SUCCESS);
    NtWaitForSingleObject(thread, FALSE, NULL);
    end();
    CHECK(goes_away("NtContinue") && goes_away("NtContinueEx") &&
          goes_away("NtRaiseException"));
    record = find(NULL, TRACE_ENTER,
                  stub_number(find_stub("NtTerminateThread")));
    CHECK(record && record->thread == (ULONG)(ULONGLONG)client.UniqueThread);
    CHECK(record && next(record)->kind == TRACE_END &&
          next(record)->thread == record->thread);
    NtClose(thread);
}

static void NTAPI wait_for(void *event)
{
    NtWaitForSingleObject(event, FALSE, NULL);
    NtTerminateThread(NtCurrentThread(), STATUS_SUCCESS);
}

/* A call that began in one trace, and comes back in one about all others. */
static void check_old_call(void)
{
    ULONG wait = stub_number(find_stub("NtWaitForSingleObject"));
    struct trace_order others = own_order(RING);
    HANDLE event, thread;

    CHECK_STATUS(NtCreateEvent(&event, EVENT_ALL_ACCESS, NULL,
                               SynchronizationEvent, FALSE), STATUS_SUCCESS);
    begin(RING);
    CHECK_STATUS(RtlCreateUserThread(NtCurrentProcess(), NULL, FALSE, 0, 0, 0,
                                     wait_for, event, &thread, NULL),
                 STATUS_SUCCESS);
    do {
        NtYieldExecution();
        CHECK_STATUS(flush(sizeof records), STATUS_SUCCESS);
    } while (!find(NULL, TRACE_ENTER, wait));
    end();
    others.flags = TRACE_EXCEPT;
    CHECK_STATUS(start(&others), STATUS_SUCCESS);
    NtSetEvent(event, NULL);
    NtWaitForSingleObject(thread, FALSE, NULL);
    CHECK_STATUS(flush(sizeof records), STATUS_SUCCESS);
    CHECK(length == 0);
    CHECK_STATUS(stop(), STATUS_SUCCESS);
    NtClose(thread);
    NtClose(event);
}

/* ---- Nothing changes ---- */

static NTSTATUS open_with(const void *attributes)
{
    HANDLE event;

    return NtOpenEvent(&event, EVENT_ALL_ACCESS, (void *)attributes);
}

static NTSTATUS write_with(const void *buffer)
{
    IO_STATUS_BLOCK io;

    return NtWriteFile(NO_HANDLE, NULL, NULL, NULL, &io, (void *)buffer,
                       0x1000, NULL, NULL);
}

static NTSTATUS display_with(const void *string)
{
    return NtDisplayString((void *)string);
}

static NTSTATUS protect_with(const void *base)
{
    SIZE_T size = 0;
    ULONG before;

    return NtProtectVirtualMemory(NtCurrentProcess(), (void **)base, &size,
                                  PAGE_READONLY, &before);
}

static NTSTATUS (*const calls[])(const void *) = {
    open_with, write_with, display_with, protect_with,
};

/* Structures whose inner pointers are bad, at the end of readable memory. */
static void check_hostile(void)
{
    UCHAR *pages = test_pages(2);
    UNICODE_STRING *string = (void *)(pages + 0x1000 - sizeof *string);
    OBJECT_ATTRIBUTES *attributes = (void *)(pages + 0x800);
    const ULONGLONG bad[] = {
        0, 1, 0xFFFF, (ULONGLONG)pages + 0xFF8, (ULONGLONG)pages + 0x1000,
        0x7FFFFFFEFFF8, 0x7FFFFFFF0000, 0x800000000000, KERNEL,
        0xFFFFF78000000000, ~7ULL, ~0ULL,
    };
    NTSTATUS before[ARRAY_SIZE(calls)][ARRAY_SIZE(bad)][3];
    ULONG call, at, way, round;

    test_protect(pages + 0x1000, 1, PAGE_NOACCESS);
    for (round = 0; round < 2; round++) {
        if (round)
            begin(RING);
        for (call = 0; call < ARRAY_SIZE(calls); call++) {
            for (at = 0; at < ARRAY_SIZE(bad); at++) {
                const void *direct = (const void *)bad[at];
                NTSTATUS now[3];

                *string = (UNICODE_STRING){ 0xFFFE, 0xFFFE, (WCHAR *)direct };
                *attributes = (OBJECT_ATTRIBUTES){
                    .Length = sizeof *attributes, .ObjectName = string };
                now[0] = calls[call](direct);
                now[1] = calls[call](string);
                now[2] = calls[call](attributes);
                for (way = 0; way < 3; way++) {
                    if (round == 0)
                        before[call][at][way] = now[way];
                    CHECK_STATUS(now[way], before[call][at][way]);
                }
            }
        }
    }
    end();
}

/* A guard page stays one, a page that nobody has touched stays away. */
static void check_untouched(void)
{
    UCHAR *pages = test_pages(2);
    SIZE_T set;

    test_protect(pages, 1, PAGE_READWRITE | PAGE_GUARD);
    begin(RING);
    CHECK_STATUS(write_with(pages), STATUS_INVALID_HANDLE);
    CHECK_STATUS(open_with(pages), STATUS_GUARD_PAGE_VIOLATION);
    set = test_counters().WorkingSetSize;
    CHECK_STATUS(write_with(pages + 0x1000), STATUS_INVALID_HANDLE);
    CHECK(test_counters().WorkingSetSize == set);
    end();
}

/* Only what the program itself has said is above the kernel's border. */
static void check_addresses(void)
{
    const struct trace_record *record;
    HANDLE handle;
    ULONG at;

    begin(RING);
    open_with(NULL);
    test_counters();
    NtDuplicateObject(NtCurrentProcess(), NtCurrentThread(),
                      NtCurrentProcess(), &handle, 0, 0, 2);
    NtClose(handle);
    end();
    for (record = next(NULL); record; record = next(record)) {
        const ULONGLONG *words = (const void *)record;

        CHECK(record->door != TRACE_ZW && record->size % 8 == 0);
        for (at = 2; at < record->size / 8; at++)
            CHECK_SAY(words[at] < KERNEL || words[at] >= ~1ULL,
                      "word %u of %#x is %llx", at, record->number,
                      words[at]);
    }
}

/* ---- More than there is room for ---- */

static void check_overflow(void)
{
    ULONG close = stub_number(find_stub("NtClose"));
    const struct trace_record *record = NULL, *last = NULL;
    struct trace_state state;
    ULONG at, left = 0;

    begin(TRACE_SMALLEST_RING);
    for (at = 0; at < CALLS; at++)
        NtClose((HANDLE)(0x10000 + 4 * (ULONGLONG)at));
    CHECK_STATUS(stop(), STATUS_SUCCESS);
    CHECK_STATUS(query(&state), STATUS_SUCCESS);
    CHECK_STATUS(flush(sizeof records), STATUS_SUCCESS);
    CHECK(length == state.waiting && length <= TRACE_SMALLEST_RING);
    while ((record = next(record)) != NULL) {
        left++;
        if (record->kind == TRACE_ENTER && record->number == close) {
            CHECK(!last || record->values[0] == last->values[0] + 4);
            last = record;
        }
    }
    CHECK(last && last->values[0] == 0x10000 + 4 * (CALLS - 1));
    CHECK(state.records > 2 * CALLS && state.lost + left == state.records);
}

/* A sleeper is told of records, and a trace can be about all others. */
static void check_wake(void)
{
    struct trace_order order = own_order(RING);
    LARGE_INTEGER now = { .QuadPart = 0 };
    HANDLE event;

    CHECK_STATUS(NtCreateEvent(&event, EVENT_ALL_ACCESS, NULL,
                               SynchronizationEvent, FALSE), STATUS_SUCCESS);
    order.event = (ULONGLONG)event;
    order.wake = 0x100;
    CHECK_STATUS(start(&order), STATUS_SUCCESS);
    CHECK_STATUS(NtWaitForSingleObject(event, FALSE, &now), STATUS_TIMEOUT);
    NtYieldExecution();
    NtYieldExecution();
    NtYieldExecution();
    CHECK_STATUS(NtWaitForSingleObject(event, FALSE, &now), STATUS_WAIT_0);
    end();
    order.flags = TRACE_EXCEPT;
    CHECK_STATUS(start(&order), STATUS_SUCCESS);
    NtClose(NO_HANDLE);
    CHECK_STATUS(flush(sizeof records), STATUS_SUCCESS);
    CHECK(length == 0);
    CHECK_STATUS(stop(), STATUS_SUCCESS);
    NtClose(event);
}

NTSTATUS NtProcessStartup(PEB *peb)
{
    (void)peb;
    check_orders();
    check_buffers();
    check_doors();
    check_arguments();
    check_away();
    check_calls();
    check_old_call();
    check_hostile();
    check_untouched();
    check_addresses();
    check_overflow();
    check_wake();
    return test_end();
}
