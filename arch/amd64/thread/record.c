/*
 * thread/record.c - an exception of ring 3 as an EXCEPTION_RECORD.
 *
 * Each vector has an NT exception code; some say more in parameters.  The
 * processor pushes the rip of the instruction for a fault and the next one for
 * a trap (docs/traps.md); ExceptionAddress is the instruction in both cases,
 * but where several may have been executed since (a single step).
 */
#include <arch/thread.h>
#include <arch/trap.h>
#include <ps.h>
#include <x86/registers.h>

/* What a general protection violation reports: no address is known. */
#define UNKNOWN_ADDRESS (~(ULONG_PTR)0)

#define BREAKPOINT_BREAK 0

/*
 * back: rip is that far behind the instruction.  again: the CONTEXT shows the
 * instruction, too.
 */
static const struct row {
    UCHAR vector, back, again;
    NTSTATUS code;
} rows[] = {
    { 0x00, 0, 0, STATUS_INTEGER_DIVIDE_BY_ZERO },
    { 0x01, 0, 0, STATUS_SINGLE_STEP },
    { 0x03, 1, 0, STATUS_BREAKPOINT },
    { 0x04, 1, 0, STATUS_INTEGER_OVERFLOW },
    { 0x05, 0, 0, STATUS_ARRAY_BOUNDS_EXCEEDED },
    { 0x06, 0, 0, STATUS_ILLEGAL_INSTRUCTION },
    { 0x07, 0, 0, STATUS_ILLEGAL_INSTRUCTION },
    { 0x0B, 0, 0, STATUS_ACCESS_VIOLATION },
    { 0x0C, 0, 0, STATUS_ACCESS_VIOLATION },
    { 0x0D, 0, 0, STATUS_ACCESS_VIOLATION },
    { 0x11, 0, 0, STATUS_DATATYPE_MISALIGNMENT },
    { 0x29, 2, 1, STATUS_STACK_BUFFER_OVERRUN },
    { 0x2C, 2, 1, STATUS_ASSERTION_FAILURE },
    { 0x2D, 1, 0, STATUS_BREAKPOINT },
};

static const struct row *find(ULONG vector)
{
    static const struct row other = { .code = STATUS_ACCESS_VIOLATION };

    for (ULONG i = 0; i < ARRAY_SIZE(rows); i++) {
        if (rows[i].vector == vector)
            return &rows[i];
    }
    return &other;
}

NTSTATUS ki_vector_code(ULONG vector)
{
    return find(vector)->code;
}

static void add(EXCEPTION_RECORD *record, ULONG_PTR parameter)
{
    record->ExceptionInformation[record->NumberParameters++] = parameter;
}

static void general_protection(const KTRAP_FRAME *frame,
                               EXCEPTION_RECORD *record)
{
    if (ki_is_privileged(frame)) {
        record->ExceptionCode = STATUS_PRIVILEGED_INSTRUCTION;
        return;
    }
    add(record, EXCEPTION_READ_FAULT);
    add(record, UNKNOWN_ADDRESS);
}

/*
 * XP's 32-bit code is told two registers besides, those that a debug service
 * has its arguments in.
 */
static void breakpoint(const KTRAP_FRAME *frame, ULONG_PTR service,
                       BOOLEAN registers, EXCEPTION_RECORD *record)
{
    add(record, service);
    if (!registers)
        return;
    add(record, frame->Rcx);
    add(record, frame->Rdx);
}

static void add_details(ULONG vector, KTRAP_FRAME *frame,
                        const KEXCEPTION_FRAME *exception,
                        EXCEPTION_RECORD *record)
{
    switch (vector) {
    case VECTOR_DIVIDE:
        record->ExceptionCode = arch_divide_error(frame, exception);
        break;
    case VECTOR_DEBUG:
        frame->EFlags &= ~EFLAGS_TF;
        break;
    case VECTOR_BREAKPOINT:
        breakpoint(frame, BREAKPOINT_BREAK,
                   PsGetCurrentProcess()->WoW64Process != NULL, record);
        break;
    case VECTOR_INVALID_OPCODE:
        if (ki_is_code32(frame) && ki_has_lock_prefix(frame))
            record->ExceptionCode = STATUS_INVALID_LOCK_SEQUENCE;
        break;
    case 0x0B: case 0x0C: case VECTOR_GENERAL_PROTECTION:
        general_protection(frame, record);
        break;
    case VECTOR_FLOATING_ERROR:
        ki_make_x87_record(frame, record);
        break;
    case VECTOR_XMM:
        ki_make_simd_record(frame, record);
        break;
    case VECTOR_FAST_FAIL:
        record->ExceptionFlags = EXCEPTION_NONCONTINUABLE;
        add(record, ki_is_code32(frame) ? (ULONG)frame->Rcx : frame->Rcx);
        break;
    case VECTOR_DEBUG_SERVICE:
        breakpoint(frame, (ULONG)frame->Rax, TRUE, record);
        break;
    }
}

void ki_make_record(ULONG vector, KTRAP_FRAME *frame,
                    const KEXCEPTION_FRAME *exception,
                    EXCEPTION_RECORD *record)
{
    const struct row *row = find(vector);

    *record = (EXCEPTION_RECORD){
        .ExceptionCode = row->code,
        .ExceptionAddress = (void *)(frame->Rip - row->back),
    };
    if (row->again)
        frame->Rip -= row->back;
    add_details(vector, frame, exception, record);
}

/* Any status that is no exception of its own is why a page did not come. */
void ki_make_access_record(NTSTATUS status, ULONG_PTR access,
                           ULONG_PTR address, ULONG_PTR rip,
                           EXCEPTION_RECORD *record)
{
    *record = (EXCEPTION_RECORD){
        .ExceptionCode = status,
        .ExceptionAddress = (void *)rip,
    };
    add(record, access);
    add(record, address);
    switch (status) {
    case STATUS_ACCESS_VIOLATION:
    case STATUS_GUARD_PAGE_VIOLATION:
    case STATUS_STACK_OVERFLOW:
        return;
    }
    record->ExceptionCode = STATUS_IN_PAGE_ERROR;
    add(record, (ULONG_PTR)(LONG_PTR)status);
}
