/*
 * exceptions.c - every vector that ring 3 can raise: the record's code,
 * address and parameters, and where the CONTEXT stands.
 *
 * exceptions.asm has the cases and the table; a vectored handler compares.
 * Both processors' forms (XP's for 32-bit code) are in the table.  What an
 * emulator does not raise is not missed there (docs/debugging.md has the
 * list); which instruction an x87 error comes from only some of them keep.
 *
 * Nothing of the kernel is in any frame: neither an address nor what its stack
 * held (G10).
 */
#include "cases.h"
#include "paint.h"

#include "facts.h"
#include "../../programs/lib/find.h"

#define ON_PROCESSORS 1
#define ADDRESS_AT_IP 2
#define PAGE_PARAMETER 4
#define MXCSR_PARAMETER 8
#define IN_TEST_BUILD 16

#define ABSENT_SEGMENT 0x33     /* NtwSelfTest's number */
#define MARK 0xB0B0B0B0U
#define ADDRESS_IN_CASE 0xFFFFF78000000000ULL   /* that one case reads */

static const struct row *current;
static ULONG seen;

static void compare_parameters(const EXCEPTION_RECORD *record)
{
    for (ULONG i = 0; i < current->count; i++) {
        ULONG_PTR expected = current->parameters[i];
        ULONG_PTR found = record->ExceptionInformation[i];

        if (i == 1 && (current->flags & PAGE_PARAMETER))
            expected += (ULONG_PTR)pages;
        CHECK_SAY(found == expected, "%s: parameter %u is %p, not %p",
                  current->name, i, (void *)found, (void *)expected);
    }
}

static BOOLEAN is_address(ULONG_PTR found, const CONTEXT *context)
{
    ULONG_PTR expected = (ULONG_PTR)current->address;

    if (!expected)
        expected = (ULONG_PTR)pages;
    return found == expected ||
           ((current->flags & ADDRESS_AT_IP) && test_on_tcg() &&
            found == INSTRUCTION_POINTER(context));
}

static void compare(const EXCEPTION_RECORD *record, const CONTEXT *context)
{
    ULONG_PTR ip = (ULONG_PTR)current->ip;

    CHECK_SAY(record->ExceptionCode == current->code, "%s: code %08x, not %08x",
              current->name, record->ExceptionCode, current->code);
    CHECK_SAY(record->ExceptionFlags == 0 && !record->ExceptionRecord,
              "%s: flags %x, record %p", current->name,
              record->ExceptionFlags, (void *)record->ExceptionRecord);
    CHECK_SAY(is_address((ULONG_PTR)record->ExceptionAddress, context),
              "%s: address %p, not %p", current->name,
              record->ExceptionAddress, current->address);
    CHECK_SAY(INSTRUCTION_POINTER(context) == (ip ? ip : (ULONG_PTR)pages),
              "%s: the context stands at %p, not %p", current->name,
              (void *)INSTRUCTION_POINTER(context), current->ip);
    CHECK_SAY(record->NumberParameters == current->count,
              "%s: %u parameters, not %u", current->name,
              record->NumberParameters, current->count);
    if (record->NumberParameters == current->count)
        compare_parameters(record);
    CHECK_SAY(STACK_POINTER(context) == stack_of_case, "%s: stack at %p",
              current->name, (void *)STACK_POINTER(context));
    CHECK_SAY((ULONG)BASE_REGISTER(context) == MARK, "%s: rbx %p",
              current->name, (void *)BASE_REGISTER(context));
    CHECK_SAY(!(context->EFlags & 0x100), "%s: TF", current->name);
}

static LONG NTAPI handle(EXCEPTION_POINTERS *pointers)
{
    CONTEXT *context = pointers->ContextRecord;

    if (!current)
        return EXCEPTION_CONTINUE_SEARCH;
    seen++;
    compare(pointers->ExceptionRecord, context);
    check_nothing_of_kernel(current->name, pointers->ExceptionRecord,
                            pointers->ExceptionRecord + 1, ADDRESS_IN_CASE);
    check_nothing_of_kernel(current->name, context, (void *)stack_of_case,
                            ADDRESS_IN_CASE);
    INSTRUCTION_POINTER(context) = (ULONG_PTR)back;
    STACK_POINTER(context) = stack_of_case;
    context->EFlags &= ~0x40100;
    return EXCEPTION_CONTINUE_EXECUTION;
}

static BOOLEAN can_come(const struct row *row)
{
    return !((row->flags & ON_PROCESSORS) && test_on_tcg()) &&
           !((row->flags & IN_TEST_BUILD) && !absent_segment);
}

static void run(const struct row *row)
{
    ULONG before = seen;

    if (!can_come(row))
        return;
    paint_kernel_stack();
    current = row;
    run_case(row->routine);
    current = NULL;
    CHECK_SAY(seen == before + 1, "%s: %u exceptions", row->name,
              seen - before);
}

/*
 * Code that ends where a guard page begins: whoever looks at the instruction
 * does not touch what is behind it.
 */
static void check_end_of_page(const char *name, const UCHAR *code,
                              ULONG size, ULONG start, NTSTATUS expected)
{
    UCHAR *page = test_pages(2);
    UCHAR *at = page + PAGE_SIZE - size;
    MEMORY_BASIC_INFORMATION behind;
    const struct row row = {
        .name = name,
        .routine = at,
        .address = at + start,
        .ip = at + start,
        .code = expected,
    };

    memcpy(at, code, size);
    test_protect(page, 1, PAGE_EXECUTE_READ);
    test_protect(page + PAGE_SIZE, 1, PAGE_EXECUTE_READ | PAGE_GUARD);
    run(&row);
    CHECK_STATUS(NtQueryVirtualMemory(NtCurrentProcess(), page + PAGE_SIZE,
                                      MemoryBasicInformation, &behind,
                                      sizeof behind, NULL), STATUS_SUCCESS);
    CHECK_SAY(behind.Protect == (PAGE_EXECUTE_READ | PAGE_GUARD),
              "%s: behind it is %x", name, (unsigned)behind.Protect);
}

static void check_ends_of_pages(void)
{
    static const UCHAR hlt[] = { 0xF4 };
    static const UCHAR invalid[] = { 0x0F, 0x0B };
    static const UCHAR divide[] = { 0x31, 0xC9, 0xF7, 0xF1 };

    check_end_of_page("HLT at the end", hlt, sizeof hlt, 0,
                      STATUS_PRIVILEGED_INSTRUCTION);
    check_end_of_page("UD2 at the end", invalid, sizeof invalid, 0,
                      STATUS_ILLEGAL_INSTRUCTION);
    check_end_of_page("DIV at the end", divide, sizeof divide, 2,
                      STATUS_INTEGER_DIVIDE_BY_ZERO);
}

/* One page of data, one that is not there, one with a guard. */
static void prepare_pages(void)
{
    pages = test_pages(3);
    test_protect(pages + PAGE_SIZE, 1, PAGE_NOACCESS);
    test_protect(pages + 2 * PAGE_SIZE, 1, PAGE_READWRITE | PAGE_GUARD);
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    NTSTATUS (NTAPI *ask_kernel)(ULONG test, void *argument) =
        (void *)find_stub("NtwSelfTest");

    (void)peb;
    prepare_pages();
    if (ask_kernel)
        CHECK_STATUS(ask_kernel(ABSENT_SEGMENT, &absent_segment),
                     STATUS_SUCCESS);
    CHECK(RtlAddVectoredExceptionHandler(TRUE, handle) != NULL);
    for (ULONG i = 0; i < case_count; i++)
        run(&cases[i]);
    if (ask_kernel)
        CHECK_STATUS(ask_kernel(ABSENT_SEGMENT, NULL), STATUS_SUCCESS);
    check_ends_of_pages();
    return test_end();
}
