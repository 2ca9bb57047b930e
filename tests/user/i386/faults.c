/*
 * faults.c - exceptions of the processor in 32-bit code: for each the record
 * and the CONTEXT that a handler finds, and the registers that the thread goes
 * on with.
 */
#include "guard.h"

#include "../../../programs/lib/i386/call.h"

#define UNMAPPED 0x1000U
#define KERNEL_ADDRESS 0x80000000U
#define UNKNOWN 0xFFFFFFFFU
#define EFLAGS_TF 0x100U
#define EFLAGS_OF 0x800U
#define EFLAGS_RF 0x10000U
#define READ 0
#define WRITE 1
#define EXECUTE 8
#define NEW_EDX 0x0EDEDEDEU
#define CONTEXT_OF_FAULT 0x1003FU

/* FXSAVE's image. */
#define FX_CONTROL 0
#define FX_STATUS 2
#define FX_MXCSR 24
#define FX_XMM 160
#define X87_ZERO_DIVIDE 0x04
#define X87_SUMMARY 0x8080
#define MXCSR_ZERO_DIVIDE 0x200

#define DECLARE(name) \
    void fault_##name(void); \
    extern const UCHAR fault_##name##_at[], fault_##name##_behind[]
DECLARE(int3); DECLARE(ud2); DECLARE(divide); DECLARE(divide_overflow);
DECLARE(into); DECLARE(bound); DECLARE(hlt); DECLARE(cli); DECLARE(in);
DECLARE(int_20); DECLARE(int_2c); DECLARE(lock); DECLARE(read);
DECLARE(write); DECLARE(jump); DECLARE(x87); DECLARE(sse); DECLARE(step);
DECLARE(segments);

#define FAULT(name) \
    #name, fault_##name, fault_##name##_at, fault_##name##_behind

#define ACCESS(access, address) \
    .code = STATUS_ACCESS_VIOLATION, .parameters = 2, \
    .information = { access, address }

static const LONG limits[2] = { 1, 2 };

/*
 * eip: what the CONTEXT shows, where that is not the instruction.  address:
 * the same of the record.
 */
static const struct row {
    const char *name;
    void (*routine)(void);
    const UCHAR *at, *behind;
    NTSTATUS code;
    ULONG eax, ecx, eflags;
    ULONG parameters, information[2];
    const void *eip, *address;
} rows[] = {
    { FAULT(int3), .code = STATUS_BREAKPOINT, .parameters = 3 },
    { FAULT(ud2), .code = STATUS_ILLEGAL_INSTRUCTION },
    { FAULT(lock), .code = STATUS_INVALID_LOCK_SEQUENCE },
    { FAULT(divide), .code = STATUS_INTEGER_DIVIDE_BY_ZERO },
    { FAULT(divide_overflow), .code = STATUS_INTEGER_OVERFLOW, .ecx = 1 },
    { FAULT(into), .code = STATUS_INTEGER_OVERFLOW, .eflags = EFLAGS_OF,
      .eip = fault_into_behind },
    { FAULT(bound), .code = STATUS_ARRAY_BOUNDS_EXCEEDED, .eax = 3,
      .ecx = (ULONG)limits },
    { FAULT(hlt), .code = STATUS_PRIVILEGED_INSTRUCTION },
    { FAULT(cli), .code = STATUS_PRIVILEGED_INSTRUCTION },
    { FAULT(in), .code = STATUS_PRIVILEGED_INSTRUCTION },
    { FAULT(int_20), ACCESS(READ, UNKNOWN) },
    { FAULT(int_2c), .code = STATUS_ASSERTION_FAILURE },
    { FAULT(read), ACCESS(READ, UNMAPPED), .ecx = UNMAPPED },
    { FAULT(read), ACCESS(READ, KERNEL_ADDRESS), .ecx = KERNEL_ADDRESS },
    { FAULT(write), ACCESS(WRITE, UNMAPPED), .ecx = UNMAPPED },
    { FAULT(write), ACCESS(WRITE, USER_SHARED_DATA),
      .ecx = USER_SHARED_DATA },
    { FAULT(jump), ACCESS(EXECUTE, UNMAPPED), .ecx = UNMAPPED,
      .eip = (void *)UNMAPPED, .address = (void *)UNMAPPED },
    { FAULT(jump), ACCESS(EXECUTE, (ULONG)limits), .ecx = (ULONG)limits,
      .eip = limits, .address = limits },
    { FAULT(step), .code = STATUS_SINGLE_STEP },
};

static const struct row *row;
static struct call call;

static EXCEPTION_DISPOSITION skip(struct guard *guard,
                                  EXCEPTION_RECORD *record, CONTEXT *context)
{
    (void)guard;
    (void)record;
    context->Eip = (ULONG)row->behind;
    context->Edx = NEW_EDX;
    return ExceptionContinueExecution;
}

static void check_record(const EXCEPTION_RECORD *record)
{
    const void *address = row->address ? row->address : row->at;
    ULONG at;

    CHECK_STATUS(record->ExceptionCode, row->code);
    CHECK(record->ExceptionFlags == 0 && !record->ExceptionRecord);
    CHECK_SAY(record->ExceptionAddress == address, "address %p, not %p",
              record->ExceptionAddress, address);
    CHECK_SAY(record->NumberParameters == row->parameters, "%u parameters",
              record->NumberParameters);
    for (at = 0; at < row->parameters && at < ARRAY_SIZE(row->information) &&
                 row->code != STATUS_BREAKPOINT; at++)
        CHECK_SAY(record->ExceptionInformation[at] == row->information[at],
                  "parameter %u is %x", at, record->ExceptionInformation[at]);
}

static void check_context(const CONTEXT *context)
{
    const struct registers *in = &call.in;
    const void *eip = row->eip ? row->eip : row->at;

    CHECK_SAY(context->ContextFlags == CONTEXT_OF_FAULT, "flags %x",
              context->ContextFlags);
    CHECK_SAY(context->Eip == (ULONG)eip, "eip %x, not %p", context->Eip, eip);
    CHECK(context->Esp == in->Esp - 4 && context->Ebp == in->Ebp);
    CHECK(context->Eax == in->Eax && context->Ebx == in->Ebx &&
          context->Ecx == in->Ecx && context->Edx == in->Edx &&
          context->Esi == in->Esi && context->Edi == in->Edi);
    CHECK_SAY((context->EFlags & ~EFLAGS_RF) == in->Eflags,
              "eflags %x, not %x", context->EFlags, in->Eflags);
    CHECK(context->SegCs == 0x1B && context->SegSs == 0x23 &&
          context->SegDs == 0x23 && context->SegEs == 0x23 &&
          context->SegFs == 0x3B);
}

static void check_after(void)
{
    const struct registers *in = &call.in, *out = &call.out;

    CHECK(out->Edx == NEW_EDX);
    CHECK(out->Eax == in->Eax && out->Ebx == in->Ebx && out->Ecx == in->Ecx &&
          out->Esi == in->Esi && out->Edi == in->Edi && out->Ebp == in->Ebp);
    CHECK_SAY(out->Esp == in->Esp, "esp %x, not %x", out->Esp, in->Esp);
    CHECK_SAY(out->Eflags == in->Eflags, "eflags %x, not %x", out->Eflags,
              in->Eflags);
    CHECK(!memcmp(in->fx + FX_XMM, out->fx + FX_XMM, 128));
}

static void check_row(void)
{
    struct guard guard;

    test_where(row->name);
    call_prepare(&call, row->routine);
    call.in.Eax = row->eax;
    call.in.Ecx = row->ecx;
    if (row->code == STATUS_INTEGER_OVERFLOW)
        call.in.Edx = 5;                        /* a quotient too large */
    call.in.Eflags |= row->eflags;
    if (GUARDED(&guard, skip))
        call_with_registers(&call);
    guard_leave(&guard);
    CHECK(guard.asked == 1 && guard.unwound == 0);
    check_record(&guard.last);
    check_context(&guard.context);
    check_after();
    test_where("");
}

/* ---- Floating point ---- */

static void put16(UCHAR *at, USHORT value)
{
    memcpy(at, &value, sizeof value);
}

static USHORT get16(const UCHAR *at)
{
    USHORT value;

    memcpy(&value, at, sizeof value);
    return value;
}

/* What is pending must go: it would be raised again by the next one. */
static EXCEPTION_DISPOSITION clear_x87(struct guard *guard,
                                       EXCEPTION_RECORD *record,
                                       CONTEXT *context)
{
    (void)guard;
    (void)record;
    context->FloatSave.StatusWord &= ~(X87_SUMMARY | X87_ZERO_DIVIDE);
    put16(context->ExtendedRegisters + FX_STATUS,
          get16(context->ExtendedRegisters + FX_STATUS) &
              ~(X87_SUMMARY | X87_ZERO_DIVIDE));
    return ExceptionContinueExecution;
}

static void check_x87(void)
{
    struct guard guard;

    call_prepare(&call, fault_x87);
    put16(call.in.fx + FX_CONTROL, 0x037F & ~X87_ZERO_DIVIDE);
    put16(call.in.fx + FX_STATUS, X87_SUMMARY | X87_ZERO_DIVIDE);
    if (GUARDED(&guard, clear_x87))
        call_with_registers(&call);
    guard_leave(&guard);
    CHECK(guard.asked == 1);
    CHECK_STATUS(guard.last.ExceptionCode, STATUS_FLOAT_DIVIDE_BY_ZERO);
    CHECK(guard.context.FloatSave.StatusWord & X87_ZERO_DIVIDE);
    CHECK(guard.context.Eip == (ULONG)fault_x87_at);
    CHECK(get16(call.out.fx + FX_STATUS) == 0);
}

static void check_sse(void)
{
    static const ULONG mxcsr = 0x1F80 & ~MXCSR_ZERO_DIVIDE;
    static const float ones[4] = { 1, 1, 1, 1 };
    struct guard guard;

    call_prepare(&call, fault_sse);
    memcpy(call.in.fx + FX_MXCSR, &mxcsr, sizeof mxcsr);
    memcpy(call.in.fx + FX_XMM, ones, sizeof ones);
    memset(call.in.fx + FX_XMM + 16, 0, 16);
    row = &(const struct row){ FAULT(sse), .code = 0 };
    if (GUARDED(&guard, skip))
        call_with_registers(&call);
    guard_leave(&guard);
    CHECK(guard.asked == 1);
    CHECK_STATUS(guard.last.ExceptionCode, STATUS_FLOAT_MULTIPLE_TRAPS);
    CHECK(guard.context.Eip == (ULONG)fault_sse_at);
    CHECK(!memcmp(guard.context.ExtendedRegisters + FX_XMM, ones,
                  sizeof ones));
    CHECK(!memcmp(call.out.fx + FX_XMM, ones, sizeof ones));
}

/* ---- Faults that are mended, and the instruction done again ---- */

static void check_guard_page(void)
{
    volatile ULONG *page = test_pages(1);
    struct guard guard;
    ULONG read = 1;

    test_protect((void *)page, 1, PAGE_READWRITE | PAGE_GUARD);
    if (GUARDED(&guard, guard_continue))
        read = page[4];
    guard_leave(&guard);
    CHECK(read == 0 && guard.asked == 1);
    CHECK_STATUS(guard.last.ExceptionCode, STATUS_GUARD_PAGE_VIOLATION);
    CHECK(guard.last.NumberParameters == 2 &&
          guard.last.ExceptionInformation[0] == READ &&
          guard.last.ExceptionInformation[1] == (ULONG)&page[4]);
}

static EXCEPTION_DISPOSITION allow(struct guard *guard,
                                   EXCEPTION_RECORD *record, CONTEXT *context)
{
    (void)guard;
    (void)context;
    test_protect((void *)ALIGN_DOWN(record->ExceptionInformation[1],
                                    PAGE_SIZE), 1, PAGE_READWRITE);
    return ExceptionContinueExecution;
}

static void check_mended(void)
{
    volatile ULONG *page = test_pages(1);
    struct guard guard;

    test_protect((void *)page, 1, PAGE_NOACCESS);
    if (GUARDED(&guard, allow))
        page[5] = 0x12345678;
    guard_leave(&guard);
    CHECK(guard.asked == 1 && page[5] == 0x12345678);
}

/* A handler has the segments that it needs, whatever the program has. */
static EXCEPTION_DISPOSITION go_behind(struct guard *guard,
                                       EXCEPTION_RECORD *record,
                                       CONTEXT *context)
{
    (void)guard;
    (void)record;
    context->Eip = (ULONG)fault_segments_behind;
    return ExceptionContinueExecution;
}

static void check_segments(void)
{
    struct guard guard;

    if (GUARDED(&guard, go_behind))
        fault_segments();
    guard_leave(&guard);
    CHECK(guard.asked == 1 &&
          guard.context.Eip == (ULONG)fault_segments_at);
}

/* Unwound from the fault to here. */
static void check_caught(void)
{
    struct guard guard;

    if (GUARDED(&guard, guard_execute)) {
        *(volatile int *)UNMAPPED = 0;
        CHECK(FALSE);
    }
    guard_leave(&guard);
    CHECK(guard.asked == 1 && guard.last.ExceptionInformation[0] == WRITE);
}

/* No service of ntdll's DbgPrint is an exception for the program. */
static void check_debug_service(void)
{
    struct guard guard;

    if (GUARDED(&guard, guard_continue))
        CHECK_STATUS(DbgPrint("faults: said by INT %xh\n", 0x2D),
                     STATUS_SUCCESS);
    guard_leave(&guard);
    CHECK(guard.asked == 0);
}

static EXCEPTION_DISPOSITION step_over(struct guard *guard,
                                       EXCEPTION_RECORD *record,
                                       CONTEXT *context)
{
    (void)guard;
    CHECK(context->Eip == (ULONG)record->ExceptionAddress);
    context->Eip++;
    return ExceptionContinueExecution;
}

static void check_breakpoints(void)
{
    struct guard guard;

    if (GUARDED(&guard, step_over)) {
        DbgBreakPoint();
        DbgUserBreakPoint();
    }
    guard_leave(&guard);
    CHECK(guard.asked == 2);
    CHECK(guard.context.Eip == (ULONG)guard.last.ExceptionAddress);
    CHECK_STATUS(guard.last.ExceptionCode, STATUS_BREAKPOINT);
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    (void)peb;
    for (row = rows; row < rows + ARRAY_SIZE(rows); row++)
        check_row();
    check_x87();
    if (!test_on_tcg())
        check_sse();
    check_guard_page();
    check_mended();
    check_segments();
    check_caught();
    check_debug_service();
    check_breakpoints();
    return test_end();
}
