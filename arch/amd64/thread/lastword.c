/*
 * thread/lastword.c - what the console says of an exception that nobody has
 * taken: its name and place, and the registers.
 */
#include <arch/trap.h>
#include <kd.h>
#include <ps.h>

static const struct {
    NTSTATUS code;
    const char *name;
} names[] = {
    { STATUS_GUARD_PAGE_VIOLATION, "guard page" },
    { STATUS_DATATYPE_MISALIGNMENT, "datatype misalignment" },
    { STATUS_BREAKPOINT, "breakpoint" },
    { STATUS_SINGLE_STEP, "single step" },
    { STATUS_WX86_BREAKPOINT, "breakpoint" },
    { STATUS_WX86_SINGLE_STEP, "single step" },
    { STATUS_ACCESS_VIOLATION, "access violation" },
    { STATUS_IN_PAGE_ERROR, "in-page error" },
    { STATUS_INVALID_HANDLE, "invalid handle" },
    { STATUS_ILLEGAL_INSTRUCTION, "illegal instruction" },
    { STATUS_INVALID_LOCK_SEQUENCE, "invalid lock sequence" },
    { STATUS_NONCONTINUABLE_EXCEPTION, "noncontinuable exception" },
    { STATUS_INVALID_DISPOSITION, "invalid disposition" },
    { STATUS_ARRAY_BOUNDS_EXCEEDED, "array bounds exceeded" },
    { STATUS_FLOAT_DENORMAL_OPERAND, "floating point: denormal operand" },
    { STATUS_FLOAT_DIVIDE_BY_ZERO, "floating point: division by zero" },
    { STATUS_FLOAT_INEXACT_RESULT, "floating point: inexact result" },
    { STATUS_FLOAT_INVALID_OPERATION, "floating point: invalid operation" },
    { STATUS_FLOAT_OVERFLOW, "floating point: overflow" },
    { STATUS_FLOAT_STACK_CHECK, "floating point: stack check" },
    { STATUS_FLOAT_UNDERFLOW, "floating point: underflow" },
    { STATUS_FLOAT_MULTIPLE_FAULTS, "floating point: multiple faults" },
    { STATUS_FLOAT_MULTIPLE_TRAPS, "floating point: multiple traps" },
    { STATUS_INTEGER_DIVIDE_BY_ZERO, "integer divide by zero" },
    { STATUS_INTEGER_OVERFLOW, "integer overflow" },
    { STATUS_PRIVILEGED_INSTRUCTION, "privileged instruction" },
    { STATUS_STACK_OVERFLOW, "stack overflow" },
    { STATUS_STACK_BUFFER_OVERRUN, "fast fail" },
    { STATUS_ASSERTION_FAILURE, "assertion failure" },
};

static const char *name_of(NTSTATUS code)
{
    for (ULONG i = 0; i < ARRAY_SIZE(names); i++) {
        if (names[i].code == code)
            return names[i].name;
    }
    return "exception";
}

static BOOLEAN is_access(NTSTATUS code)
{
    return code == STATUS_ACCESS_VIOLATION || code == STATUS_IN_PAGE_ERROR ||
           code == STATUS_GUARD_PAGE_VIOLATION ||
           code == STATUS_STACK_OVERFLOW;
}

static const char *access_name(ULONG_PTR access)
{
    switch (access) {
    case EXCEPTION_EXECUTE_FAULT:
        return "executing";
    case EXCEPTION_WRITE_FAULT:
        return "writing";
    }
    return "reading";
}

void ki_show_registers(const KTRAP_FRAME *f, const KEXCEPTION_FRAME *e)
{
    DbgPrint("  rax %016llx  rbx %016llx  rcx %016llx\n", f->Rax, f->Rbx,
             f->Rcx);
    DbgPrint("  rdx %016llx  rsi %016llx  rdi %016llx\n", f->Rdx, f->Rsi,
             f->Rdi);
    DbgPrint("  rbp %016llx  rsp %016llx  rip %016llx\n", f->Rbp, f->Rsp,
             f->Rip);
    DbgPrint("  r8  %016llx  r9  %016llx  r10 %016llx\n", f->R8, f->R9,
             f->R10);
    if (e)
        DbgPrint("  r11 %016llx  r12 %016llx  r13 %016llx\n"
                 "  r14 %016llx  r15 %016llx\n", f->R11, e->R12, e->R13,
                 e->R14, e->R15);
    DbgPrint("  cs %04x  ss %04x  eflags %08x  error code %llx\n", f->SegCs,
             f->SegSs, f->EFlags, f->ErrorCode);
}

void ki_show_exception(const EXCEPTION_RECORD *record,
                       const KTRAP_FRAME *frame,
                       const KEXCEPTION_FRAME *exception)
{
    const ULONG_PTR *parameters = record->ExceptionInformation;

    DbgPrint("\n%s: %s (%08x) at %016llx",
             PsGetCurrentProcess()->ImageFileName,
             name_of(record->ExceptionCode), record->ExceptionCode,
             (ULONGLONG)record->ExceptionAddress);
    if (is_access(record->ExceptionCode) && record->NumberParameters >= 2)
        DbgPrint(", %s %016llx", access_name(parameters[0]),
                 (ULONGLONG)parameters[1]);
    DbgPrint("\n");
    ki_show_registers(frame, exception);
}
