/*
 * badiret.c - an IRETQ to ring 3 that faults, because the kernel has put into
 * the frame what cannot be loaded (B6): an access violation of ring 3, with
 * all of its registers, and the kernel goes on.
 *
 * NtwSelfTest puts selectors into the frame of its own call, and an address
 * beyond user space, so that the way back is by IRETQ.
 */
#include "test.h"

#include "../../programs/lib/call.h"

#define BAD_FRAME 0x5A                  /* NtwSelfTest's */
#define CODE (0x28 | 3)
#define DATA (0x20 | 3)
#define USER_BITS 0x00007FFFFFFFFFFFULL
#define CANARY 0xC0FFEE00C0FFEE00ULL

typedef NTSTATUS NTAPI self_test(ULONG test, ULONGLONG argument);

static struct {
    ULONG count;
    NTSTATUS code;
    ULONGLONG rip, parameters[2];
    ULONG parameter_count;
    USHORT cs, ss;
} heard;

/* Back to where the call would have returned. */
static LONG NTAPI handle(EXCEPTION_POINTERS *pointers)
{
    const EXCEPTION_RECORD *record = pointers->ExceptionRecord;
    CONTEXT *context = pointers->ContextRecord;

    heard.count++;
    heard.code = record->ExceptionCode;
    heard.rip = context->Rip;
    heard.parameter_count = record->NumberParameters;
    heard.parameters[0] = record->ExceptionInformation[0];
    heard.parameters[1] = record->ExceptionInformation[1];
    heard.cs = context->SegCs;
    heard.ss = context->SegSs;
    context->Rip &= USER_BITS;
    return EXCEPTION_CONTINUE_EXECUTION;
}

static void check_selectors(self_test *ask, USHORT cs, USHORT ss)
{
    volatile ULONGLONG canary = CANARY;
    NTSTATUS status;

    memset(&heard, 0, sizeof heard);
    status = ask(BAD_FRAME, (ULONGLONG)ss << 16 | cs);
    CHECK_SAY(heard.count == 1 && heard.code == STATUS_ACCESS_VIOLATION,
              "cs %x, ss %x: %u times %08x", cs, ss, heard.count, heard.code);
    CHECK_STATUS(status, STATUS_SUCCESS);
    CHECK(heard.rip >> 47 == 0x1FFFF && canary == CANARY);
    CHECK(heard.parameter_count == 2 && heard.parameters[0] == 0 &&
          heard.parameters[1] == ~0ULL);
    CHECK_SAY(heard.cs == CODE && heard.ss == DATA, "cs %x, ss %x", heard.cs,
              heard.ss);
    CHECK_STATUS(NtClose((HANDLE)0x1234), STATUS_INVALID_HANDLE);
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    /* Ring 0's; not code, not data; beyond the table; the TSS; absent. */
    static const USHORT codes[] = { 0x0B, 0x13, 0x23, 0x33, 0x43, 0x53,
                                    0x2B | 4, 0xFFFB };
    static const USHORT stacks[] = { 0, 0x08, 0x10, 0x13, 0x1B, 0x20, 0x2B,
                                     0x33, 0x38, 0x43, 0x53, 0xFFFB };
    self_test *ask = (self_test *)(ULONG_PTR)find_stub("NtwSelfTest");
    ULONG at;

    (void)peb;
    CHECK(RtlAddVectoredExceptionHandler(TRUE, handle) != NULL);
    for (at = 0; at < ARRAY_SIZE(codes); at++)
        check_selectors(ask, codes[at], DATA);
    for (at = 0; at < ARRAY_SIZE(stacks); at++)
        check_selectors(ask, CODE, stacks[at]);
    return test_end();
}
