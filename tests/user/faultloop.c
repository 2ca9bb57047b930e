/*
 * faultloop.c - a fault that Mm resolves and that comes again at once (M5).
 *
 * Nothing that ring 3 can do makes one, so the kernel breaks an entry of the
 * program's (tests/kernel/selftest.c): Mm says that the page may be executed,
 * the processor says that it may not.  After 65,536 times it is named on the
 * console, and an access violation.
 */
#include "test.h"

#include "../../programs/lib/find.h"

#define FORBID_EXECUTION 0x3A
#define EXECUTE_FAULT 8                 /* in ExceptionInformation[0] */
#define RETURN 0xC3

typedef NTSTATUS self_test(ULONG test, ULONGLONG argument);

static UCHAR *code;
static ULONG loops;

/* The call that did not come to its first instruction returns. */
static LONG NTAPI note_loop(EXCEPTION_POINTERS *pointers)
{
    const EXCEPTION_RECORD *record = pointers->ExceptionRecord;
    CONTEXT *context = pointers->ContextRecord;

    if (record->ExceptionCode != STATUS_ACCESS_VIOLATION ||
        context->Rip != (ULONG_PTR)code)
        return EXCEPTION_CONTINUE_SEARCH;
    CHECK(record->NumberParameters == 2 &&
          record->ExceptionInformation[0] == EXECUTE_FAULT &&
          record->ExceptionInformation[1] == (ULONG_PTR)code);
    loops++;
    context->Rip = *(ULONG_PTR *)context->Rsp;
    context->Rsp += sizeof(ULONG_PTR);
    return EXCEPTION_CONTINUE_EXECUTION;
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    self_test *ask_kernel = (self_test *)find_stub("NtwSelfTest");

    (void)peb;
    if (!ask_kernel)
        return STATUS_PROCEDURE_NOT_FOUND;
    RtlAddVectoredExceptionHandler(TRUE, note_loop);
    code = test_pages(1);
    *code = RETURN;
    test_protect(code, 1, PAGE_EXECUTE_READ);
    ((void (*)(void))code)();
    CHECK(loops == 0);
    CHECK_STATUS(ask_kernel(FORBID_EXECUTION, (ULONG_PTR)code),
                 STATUS_SUCCESS);
    print("expected: faultloop.exe: fault loop at\n");
    ((void (*)(void))code)();
    CHECK(loops == 1);
    test_protect(code, 1, PAGE_READWRITE);
    test_protect(code, 1, PAGE_EXECUTE_READ);
    ((void (*)(void))code)();
    CHECK(loops == 1);
    return test_end();
}
