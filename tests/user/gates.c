/*
 * gates.c - what ring 3 may not enter by: INT n for every vector (A5, K11), far
 * jumps and calls through every selector (A9), instructions that are too long
 * or end on a page that is not there (A10), and those that would tell where
 * the tables are (E5).  Each is an exception at that instruction.
 *
 * 29h ends the process, 2Eh is a door: they have tests of their own.
 */
#include "cases.h"

#include "facts.h"

#define CODE32 0x18
#define CODE64 0x28
#define LONGEST 15

/* The page of code; one of data before it, one that is not there behind. */
static UCHAR *page, *data;
static struct {
    ULONG count;
    NTSTATUS code;
    ULONG_PTR ip, parameters[2];
    ULONG parameter_count;
} heard;

static LONG NTAPI handle(EXCEPTION_POINTERS *pointers)
{
    const EXCEPTION_RECORD *record = pointers->ExceptionRecord;
    CONTEXT *context = pointers->ContextRecord;

    heard.count++;
    heard.code = record->ExceptionCode;
    heard.ip = INSTRUCTION_POINTER(context);
    heard.parameter_count = record->NumberParameters;
    heard.parameters[0] = record->ExceptionInformation[0];
    heard.parameters[1] = record->ExceptionInformation[1];
    INSTRUCTION_POINTER(context) = (ULONG_PTR)back;
    STACK_POINTER(context) = stack_of_case;
    return EXCEPTION_CONTINUE_EXECUTION;
}

/* INT3 follows what is no exception. */
static void put(const UCHAR *code, ULONG length, ULONG offset)
{
    ULONG room = PAGE_SIZE - offset;

    test_protect(page, 1, PAGE_READWRITE);
    memcpy(page + offset, code, length < room ? length : room);
    if (length < room)
        page[offset + length] = 0xCC;
    test_protect(page, 1, PAGE_EXECUTE_READ);
}

/* Its exception, if it is at the first instruction. */
static NTSTATUS run_at(ULONG offset)
{
    memset(&heard, 0, sizeof heard);
    run_case(page + offset);
    return heard.count == 1 && heard.ip == (ULONG_PTR)page + offset
               ? heard.code : STATUS_UNSUCCESSFUL;
}

static NTSTATUS run(const UCHAR *code, ULONG length, ULONG offset)
{
    put(code, length, offset);
    return run_at(offset);
}

static void check_vector(ULONG vector)
{
    const UCHAR code[] = { 0xCD, (UCHAR)vector };
    NTSTATUS status = run(code, sizeof code, 0);

    switch (vector) {
    case 3:
    case 0x2D:
        CHECK_SAY(heard.count == 1 && heard.code == STATUS_BREAKPOINT,
                  "int %x: %08x", vector, heard.code);
        break;
    case 4:
        CHECK_SAY(heard.count == 1 && heard.code == STATUS_INTEGER_OVERFLOW,
                  "int 4: %08x", heard.code);
        break;
    case 0x2C:
        CHECK_STATUS(status, STATUS_ASSERTION_FAILURE);
        break;
    default:
        CHECK_SAY(status == STATUS_ACCESS_VIOLATION &&
                  heard.parameter_count == 2 && heard.parameters[0] == 0 &&
                  heard.parameters[1] == ~(ULONG_PTR)0, "int %x: %08x",
                  vector, heard.code);
    }
}

static void check_vectors(void)
{
    ULONG vector;

    for (vector = 0; vector < 256; vector++)
        if (vector != 0x29 && vector != 0x2E)
            check_vector(vector);
}

/* jmp far [data] and call far [data]: relative, or absolute. */
static void put_far(BOOLEAN call)
{
    UCHAR code[6] = { 0xFF, call ? 0x1D : 0x2D };
    ULONG place = sizeof(void *) == 8 ? (ULONG)-(PAGE_SIZE + sizeof code)
                                      : (ULONG)(ULONG_PTR)data;

    memcpy(code + 2, &place, sizeof place);
    put(code, sizeof code, 0);
}

static void check_selector(USHORT selector)
{
    ULONG offset = (ULONG)(ULONG_PTR)back;
    NTSTATUS status;

    memcpy(data, &offset, sizeof offset);
    memcpy(data + 4, &selector, sizeof selector);
    status = run_at(0);
    CHECK_SAY(status == STATUS_ACCESS_VIOLATION, "far to %x: %08x", selector,
              heard.code);
}

/* Those of the GDT with every RPL, the others with 0 and 3, and of the LDT. */
static void check_selectors(BOOLEAN call)
{
    ULONG selector;

    put_far(call);
    for (selector = 0; selector < 0x10000; selector++) {
        if (selector > 0x80 && selector % 8 != 0 && selector % 8 != 3 &&
            selector % 0x100 != 7)
            continue;
        if ((selector & ~7U) != CODE32 && (selector & ~7U) != CODE64)
            check_selector((USHORT)selector);
    }
}

/* Prefixes, until there are too many. */
static void check_length(void)
{
    UCHAR code[LONGEST + 1];
    NTSTATUS status;

    memset(code, 0x66, sizeof code);
    code[LONGEST - 1] = 0x90;
    status = run(code, LONGEST, 0);
    CHECK_SAY(heard.count == 1 && heard.code == STATUS_BREAKPOINT,
              "%u bytes: %08x", LONGEST, status);
    code[LONGEST - 1] = 0x66;
    code[LONGEST] = 0x90;
    status = run(code, LONGEST + 1, 0);
    CHECK_SAY(status == STATUS_ACCESS_VIOLATION ||
              status == STATUS_ILLEGAL_INSTRUCTION, "%u bytes: %08x",
              LONGEST + 1, heard.code);
}

/* mov eax, imm32 with 1 to 4 of its bytes on the next page. */
static void check_page_end(void)
{
    static const UCHAR code[] = { 0xB8, 1, 2, 3, 4 };
    ULONG there;

    for (there = 1; there < sizeof code; there++) {
        CHECK_STATUS(run(code, sizeof code, PAGE_SIZE - there),
                     STATUS_ACCESS_VIOLATION);
        CHECK_SAY(heard.parameters[0] == 8 &&
                  heard.parameters[1] == (ULONG_PTR)page + PAGE_SIZE,
                  "%u bytes of an instruction: %p, %p", there,
                  (void *)heard.parameters[0], (void *)heard.parameters[1]);
    }
}

static BOOLEAN has_umip(void)
{
    ULONG eax = 7, ebx, ecx = 0, edx;

    __asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
    return (ecx & 4) != 0;
}

/* SLDT, STR, SMSW of a register; SGDT, SIDT to the stack. */
static void check_tables(void)
{
    static const UCHAR codes[][5] = {
        { 0x0F, 0x00, 0xC0 }, { 0x0F, 0x00, 0xC8 }, { 0x0F, 0x01, 0xE0 },
        { 0x0F, 0x01, 0x44, 0x24, 0x80 }, { 0x0F, 0x01, 0x4C, 0x24, 0x80 },
    };
    ULONG at;

    if (!has_umip())
        return;
    for (at = 0; at < ARRAY_SIZE(codes); at++) {
        NTSTATUS status = run(codes[at], at < 3 ? 3 : 5, 0);

        CHECK_SAY(status == STATUS_ACCESS_VIOLATION ||
                  status == STATUS_PRIVILEGED_INSTRUCTION,
                  "instruction %u: %08x", at, heard.code);
    }
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    (void)peb;
    data = test_pages(3);
    page = data + PAGE_SIZE;
    test_protect(page + PAGE_SIZE, 1, PAGE_NOACCESS);
    CHECK(RtlAddVectoredExceptionHandler(TRUE, handle) != NULL);
    check_vectors();
    check_selectors(FALSE);
    check_selectors(TRUE);
    check_length();
    check_page_end();
    check_tables();
    return test_end();
}
