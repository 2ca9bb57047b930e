/*
 * intel.c - what Intel's processors do and QEMU does not, or otherwise: traps
 * that come when an instruction more is done, and that is a door (A2, C1 to
 * C8); faults of stacks and of accesses that are not aligned (F6); what UMIP
 * hides (E5).  Then intelreturns.c.
 *
 * A row is some bytes, and what ring 3 hears of them: letter and place of each
 * exception.  Where emulators differ the row has two answers, the second a
 * processor's; Bochs is taken for one.
 */
#include "test.h"

#include "intel.h"

#define SELF NtCurrentThread()
#define EVENTS 8
#define RBX_MARK 0xB0B0B0B0B0B0B0B0ULL
#define R12_MARK 0xC0C0C0C0C0C0C0C0ULL
#define FAR_AWAY 0x0000900000000000ULL
/* TF, DF, IOPL, NT, RF, VM, VIF, VIP */
#define NOT_LEFT 0x1B7500

/* What stands before a row's bytes. */
#define STEP 1                          /* TF: POPFQ has set it */
#define WATCH 2                         /* MOV SS, [rsi]: a breakpoint there */
#define ALIGN 4                         /* AC */
#define KERNEL_STACK 8                  /* rsp is the kernel's; processors */
#define WITH_UMIP 16                    /* only where the processor has it */

extern ULONGLONG kept_stack;
extern struct left {
    ULONGLONG rbx, r12, r13, rsp;
    USHORT cs, ss;
    ULONGLONG flags;
} left;
extern const UCHAR code_ended[];
void run_code(void *code, const void *word, void *behind, ULONGLONG far_away);

static struct {
    ULONG_PTR at, behind;               /* the instruction of the row */
    ULONG count;
    char text[EVENTS * 12];
    ULONG length;
} heard;

static char letter_of(NTSTATUS code)
{
    switch (code) {
    case STATUS_SINGLE_STEP:
        return 'S';
    case STATUS_BREAKPOINT:
        return 'B';
    case STATUS_ILLEGAL_INSTRUCTION:
        return 'I';
    case STATUS_PRIVILEGED_INSTRUCTION:
        return 'P';
    case STATUS_ACCESS_VIOLATION:
        return 'A';
    case STATUS_DATATYPE_MISALIGNMENT:
        return 'M';
    case STATUS_ASSERTION_FAILURE:
        return 'F';
    default:
        return '?';
    }
}

static void note(NTSTATUS code, LONG_PTR place)
{
    char *at = heard.text + heard.length;

    if (heard.count++ >= EVENTS)
        return;
    if (heard.length)
        *at++ = ' ';
    *at++ = letter_of(code);
    if (place < -9 || place > 99)
        *at++ = '!';
    else {
        if (place < 0)
            *at++ = '-';
        place = place < 0 ? -place : place;
        if (place > 9)
            *at++ = (char)('0' + place / 10);
        *at++ = (char)('0' + place % 10);
    }
    heard.length = (ULONG)(at - heard.text);
}

/* A trap goes on; a fault, behind its instruction. */
static void go_on(CONTEXT *context, NTSTATUS code)
{
    if (heard.count > EVENTS)
        context->Rip = (ULONG_PTR)code_ended;
    else if (code == STATUS_SINGLE_STEP)
        return;
    else if (context->Rip >= heard.at && context->Rip <= heard.behind)
        context->Rip = heard.behind;
    else
        context->Rip = (ULONG_PTR)code_ended;
    context->Rsp = kept_stack;
    context->EFlags &= ~0x40000U;       /* C's accesses need no AC */
}

static LONG NTAPI handle(EXCEPTION_POINTERS *pointers)
{
    const EXCEPTION_RECORD *record = pointers->ExceptionRecord;
    CONTEXT *context = pointers->ContextRecord;

    if (!returns_heard(record, context)) {
        note(record->ExceptionCode, (LONG_PTR)(context->Rip - heard.at));
        go_on(context, record->ExceptionCode);
    }
    return EXCEPTION_CONTINUE_EXECUTION;
}

/* ---- Rows of bytes ---- */

struct row {
    const char *name;
    ULONG before;
    UCHAR code[12];
    UCHAR length;
    const char *tcg, *processor;        /* NULL: the same */
};

#define BYTES(...) { __VA_ARGS__ }, sizeof (UCHAR[]){ __VA_ARGS__ }

#define LOAD_8 0x8A, 0x04, 0x25, 8, 0, 0, 0     /* mov al, [8] */

static const struct row rows[] = {
#include "intelrows.h"
};

static UCHAR *page;
static USHORT watched __attribute__((aligned(8))) = SS64;

static ULONG put(ULONG at, const void *code, ULONG length)
{
    memcpy(page + at, code, length);
    return at + length;
}

static ULONG put_flag(ULONG at, ULONG flag)
{
    static const UCHAR push[] = { 0x9C, 0x81, 0x0C, 0x24 };     /* or [rsp] */
    static const UCHAR pop[] = { 0x9D };

    at = put(at, push, sizeof push);
    at = put(at, &flag, sizeof flag);
    return put(at, pop, sizeof pop);
}

/* The bytes, four NOPs for what steps behind them, and the way to the end. */
static void build(const struct row *row)
{
    static const UCHAR kernel_stack[] = { 0x48, 0xC7, 0xC4, 0, 0, 0, 0x80 };
    static const UCHAR kept[] = { 0x4C, 0x89, 0xF4 };   /* mov rsp, r14 */
    static const UCHAR mov_ss[] = { 0x8E, 0x16 };
    static const UCHAR nops[] = { 0x90, 0x90, 0x90, 0x90 };
    static const UCHAR load[] = { 0x48, 0xB8 };         /* mov rax, end */
    static const UCHAR jump[] = { 0xFF, 0xE0 };         /* jmp rax */
    const void *end = code_ended;
    ULONG at = 0;

    test_protect(page, 1, PAGE_READWRITE);
    if (row->before & KERNEL_STACK)
        at = put(at, kernel_stack, sizeof kernel_stack);
    else if (row->before & (STEP | ALIGN))
        at = put_flag(at, (row->before & STEP ? 0x100 : 0) |
                              (row->before & ALIGN ? 0x40000 : 0));
    if (row->before & WATCH)
        at = put(at, mov_ss, sizeof mov_ss);
    heard.at = (ULONG_PTR)page + at;
    at = put(at, row->code, row->length);
    heard.behind = (ULONG_PTR)page + at;
    at = put(at, nops, sizeof nops);
    if (row->before & KERNEL_STACK)
        at = put(at, kept, sizeof kept);
    at = put(at, load, sizeof load);
    at = put(at, &end, sizeof end);
    put(at, jump, sizeof jump);
    test_protect(page, 1, PAGE_EXECUTE_READ);
}

static void arm(const volatile void *address)
{
    static CONTEXT context __attribute__((aligned(16)));

    memset(&context, 0, sizeof context);
    context.ContextFlags = CONTEXT_DEBUG_REGISTERS;
    context.Dr0 = (ULONG_PTR)address;
    context.Dr7 = address ? 0x70001 : 0;        /* read or write, two bytes */
    CHECK_STATUS(NtSetContextThread(SELF, &context), STATUS_SUCCESS);
}

static BOOLEAN has_umip(void)
{
    ULONG eax = 7, ebx, ecx = 0, edx;

    __asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
    return (ecx & 4) != 0;
}

static void run(const struct row *row)
{
    const char *expected = row->tcg;

    if (row->processor && !test_on_tcg())
        expected = row->processor;
    if (((row->before & KERNEL_STACK) && test_on_tcg()) ||
        ((row->before & WITH_UMIP) && !has_umip()))
        return;
    memset(&heard, 0, sizeof heard);
    build(row);
    if (row->before & WATCH)
        arm(&watched);
    run_code(page, &watched, (void *)heard.behind, FAR_AWAY);
    if (row->before & WATCH)
        arm(NULL);
    CHECK_SAY(strcmp(heard.text, expected) == 0, "%s: \"%s\", not \"%s\"",
              row->name, heard.text, expected);
    CHECK_SAY(left.rbx == RBX_MARK && left.r12 == R12_MARK &&
              left.r13 == R12_MARK && left.rsp == kept_stack,
              "%s: registers are lost", row->name);
    CHECK_SAY(left.cs == CS64 && left.ss == SS64 &&
              !(left.flags & NOT_LEFT), "%s: cs %x, ss %x, flags %llx",
              row->name, left.cs, left.ss, left.flags);
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    (void)peb;
    page = test_pages(1);
    CHECK(RtlAddVectoredExceptionHandler(TRUE, handle) != NULL);
    for (ULONG at = 0; at < ARRAY_SIZE(rows); at++)
        run(&rows[at]);
    test_returns();
    return test_end();
}

