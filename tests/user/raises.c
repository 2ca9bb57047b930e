/*
 * raises.c - exceptions that are asked for: NtRaiseException, also with what
 * is no record (H14), what a bad handle raises, the debug service; and the
 * frame that the kernel leaves on the stack.
 */
#include "cases.h"

#include "exceptionframe.h"
#include "facts.h"

#define CODE ((NTSTATUS)0xE0123456)
#define RESERVED_BIT 0x10000000
#define NOWHERE 0x123450
#define MARK 0x77778888

static struct {
    ULONG count;
    NTSTATUS code;
    CONTEXT context;
    EXCEPTION_RECORD record;
    BOOLEAN resume;                     /* where it happened, else at back */
    BOOLEAN look_at_frame;
} heard;

static LONG NTAPI handle(EXCEPTION_POINTERS *pointers)
{
    CONTEXT *context = pointers->ContextRecord;

    heard.count++;
    heard.code = pointers->ExceptionRecord->ExceptionCode;
    heard.record = *pointers->ExceptionRecord;
    heard.context = *context;
    if (heard.look_at_frame)
        check_frame(pointers->ExceptionRecord, context);
    if (heard.resume)
        return EXCEPTION_CONTINUE_EXECUTION;
    INSTRUCTION_POINTER(context) = (ULONG_PTR)back;
    STACK_POINTER(context) = stack_of_case;
    return EXCEPTION_CONTINUE_EXECUTION;
}

static void prepare(void)
{
    memset(&heard, 0, sizeof heard);
}

static void run(void (*code)(void))
{
    routine = code;
    run_case(call_routine);
}

static EXCEPTION_RECORD given;

/*
 * At a place of its own, on a stack of its own, with a register of its own.
 * The frame address is asked for so that there is a frame, which
 * RtlCaptureContext of 32-bit code wants.
 */
static void raise_there(void)
{
    CONTEXT context;

    CHECK(__builtin_frame_address(0) != NULL);
    RtlCaptureContext(&context);
    context.ContextFlags = CONTEXT_FULL;
    INSTRUCTION_POINTER(&context) = NOWHERE;
    STACK_POINTER(&context) = stack_of_case - 0x1000;
    BASE_REGISTER(&context) = MARK;
    NtRaiseException(&given, &context, TRUE);
    CHECK_SAY(FALSE, "NtRaiseException came back");
}

static void raise_code(NTSTATUS code, ULONG parameters)
{
    static EXCEPTION_RECORD inner;

    prepare();
    heard.look_at_frame = code != STATUS_BREAKPOINT;
    given = (EXCEPTION_RECORD){
        .ExceptionCode = code,
        .ExceptionFlags = 0,
        .ExceptionRecord = &inner,
        .ExceptionAddress = (void *)MARK,
        .NumberParameters = parameters,
    };
    for (ULONG i = 0; i < EXCEPTION_MAXIMUM_PARAMETERS; i++)
        given.ExceptionInformation[i] = 100 + i;
    run(raise_there);
    CHECK(heard.count == 1);
    CHECK(heard.record.ExceptionRecord == &inner &&
          heard.record.ExceptionAddress == (void *)MARK &&
          heard.record.NumberParameters == parameters);
    for (ULONG i = 0; i < parameters; i++)
        CHECK(heard.record.ExceptionInformation[i] == 100 + i);
    CHECK(STACK_POINTER(&heard.context) == stack_of_case - 0x1000);
    CHECK(BASE_REGISTER(&heard.context) == MARK);
}

static void test_raise(void)
{
    raise_code(CODE, EXCEPTION_MAXIMUM_PARAMETERS);
    CHECK(heard.code == CODE);
    CHECK(INSTRUCTION_POINTER(&heard.context) == NOWHERE);
    raise_code(CODE | RESERVED_BIT, 0);
    CHECK(heard.code == (NTSTATUS)(CODE & ~RESERVED_BIT));
    raise_code(STATUS_BREAKPOINT, 1);   /* taken for an INT3 */
    CHECK(INSTRUCTION_POINTER(&heard.context) == NOWHERE - 1);
}

/* ---- Records and contexts that are none (H14) ---- */

static NTSTATUS raise_bad(void *record, void *there)
{
    prepare();
    return NtRaiseException(record, there, TRUE);
}

/*
 * The call comes back with a status, and nothing was raised: too many
 * parameters, which a copy must not believe; each end of user space; the end
 * of a page before, in and behind the parameters.
 */
static void test_bad_records(void)
{
    static const ULONG counts[] = { 16, 17, 0x100, 0x7FFFFFFF, 0x80000000,
                                    0xFFFFFFFF };
    static CONTEXT there __attribute__((aligned(16)));
    UCHAR *page = test_pages(2), *end = page + PAGE_SIZE;
    EXCEPTION_RECORD *at_end;
    ULONG at, missing;

    there.ContextFlags = CONTEXT_FULL;
    given = (EXCEPTION_RECORD){ .ExceptionCode = CODE };
    for (at = 0; at < ARRAY_SIZE(counts); at++) {
        given.NumberParameters = counts[at];
        CHECK_STATUS(raise_bad(&given, &there), STATUS_INVALID_PARAMETER);
    }
    given.NumberParameters = EXCEPTION_MAXIMUM_PARAMETERS;
    CHECK_STATUS(raise_bad((UCHAR *)&given + 1, &there),
                 STATUS_DATATYPE_MISALIGNMENT);
    CHECK_STATUS(raise_bad(&given, (UCHAR *)&there + 1),
                 STATUS_DATATYPE_MISALIGNMENT);
    CHECK_STATUS(raise_bad((void *)KERNEL_ADDRESS, &there),
                 STATUS_ACCESS_VIOLATION);
    CHECK_STATUS(raise_bad(&given, (void *)KERNEL_ADDRESS),
                 STATUS_ACCESS_VIOLATION);
    test_protect(end, 1, PAGE_NOACCESS);
    for (missing = 4; missing < sizeof given; missing += 4) {
        at_end = (EXCEPTION_RECORD *)(end - sizeof given + missing);
        if ((ULONG_PTR)at_end % sizeof(void *))
            continue;
        memcpy(at_end, &given, sizeof given - missing);
        CHECK_SAY(raise_bad(at_end, &there) == STATUS_ACCESS_VIOLATION,
                  "%u bytes of a record", (ULONG)sizeof given - missing);
    }
    for (missing = 16; missing < sizeof there; missing += 16) {
        memcpy(end - sizeof there + missing, &there, sizeof there - missing);
        CHECK_SAY(raise_bad(&given, end - sizeof there + missing) ==
                      STATUS_ACCESS_VIOLATION,
                  "%u bytes of a context", (ULONG)sizeof there - missing);
    }
    CHECK(heard.count == 0);
}

static void access_nothing(void)
{
    static volatile ULONG_PTR place = 8;

    (void)*(volatile int *)place;
}

static void test_frame(void)
{
    prepare();
    heard.look_at_frame = TRUE;
    run(access_nothing);
    CHECK(heard.count == 1 && heard.code == STATUS_ACCESS_VIOLATION);
}

static ULONG debug_service(ULONG service, const void *text, ULONG length)
{
    ULONG result = service;

    __asm__ volatile("int $0x2D\n\tint3"
                     : "+a"(result) : "c"(text), "d"(length) : "memory");
    return result;
}

static void test_debug_service(void)
{
    static const char text[] = "by INT 2Dh\n";
    ULONG length = sizeof text - 1;

    prepare();
    print("expected: %s", text);
    CHECK_STATUS(debug_service(1, text, length), STATUS_SUCCESS);
    print("expected: %s", text);
    CHECK(debug_service(2, text, length) == 0);
    CHECK_STATUS(debug_service(1, (void *)8, length),
                 STATUS_ACCESS_VIOLATION);
    CHECK_STATUS(debug_service(1, (void *)KERNEL_ADDRESS, length),
                 STATUS_ACCESS_VIOLATION);
    debug_service(3, NULL, 0);
    debug_service(4, NULL, 0);
    debug_service(5, NULL, 0);
    CHECK(heard.count == 0);
}

/* The exception comes when the call is over, and the call returns then. */
static void test_bad_handle(void)
{
    PROCESS_MITIGATION_POLICY_INFORMATION policy = {
        .Policy = ProcessStrictHandleCheckPolicy,
        .Flags = PROCESS_STRICT_HANDLE_RAISE,
    };

    prepare();
    heard.resume = TRUE;
    CHECK_STATUS(NtClose((HANDLE)0x5550), STATUS_INVALID_HANDLE);
    CHECK_STATUS(NtSetInformationProcess(NtCurrentProcess(),
                                         ProcessMitigationPolicy, &policy,
                                         sizeof policy),
                 STATUS_INVALID_PARAMETER);
    CHECK_STATUS(NtClose((HANDLE)0x5550), STATUS_INVALID_HANDLE);
    CHECK(heard.count == 0);
    policy.Flags |= PROCESS_STRICT_HANDLE_PERMANENT;
    CHECK_STATUS(NtSetInformationProcess(NtCurrentProcess(),
                                         ProcessMitigationPolicy, &policy,
                                         sizeof policy), STATUS_SUCCESS);
    for (ULONG i = 1; i < 4; i++) {
        CHECK_STATUS(NtClose((HANDLE)0x5550), STATUS_INVALID_HANDLE);
        CHECK(heard.count == i && heard.code == STATUS_INVALID_HANDLE);
    }
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    (void)peb;
    CHECK(RtlAddVectoredExceptionHandler(TRUE, handle) != NULL);
    test_raise();
    test_bad_records();
    test_frame();
    test_debug_service();
    test_bad_handle();
    return test_end();
}
