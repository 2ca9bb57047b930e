/*
 * runtime32.c - what only the 32-bit ntdll has: 64-bit numbers for compilers,
 * stack probes, RtlCaptureContext's view of the caller's caller.
 *
 * Compilers call the first two by rules of their own, so these declarations
 * give the linker's names.
 */
#include "test.h"

#define NAMED(name) __asm__(#name)

LONGLONG NTAPI alldiv(LONGLONG a, LONGLONG b) NAMED(__alldiv);
LONGLONG NTAPI allrem(LONGLONG a, LONGLONG b) NAMED(__allrem);
LONGLONG NTAPI allmul(LONGLONG a, LONGLONG b) NAMED(__allmul);
ULONGLONG NTAPI aulldiv(ULONGLONG a, ULONGLONG b) NAMED(__aulldiv);
ULONGLONG NTAPI aullrem(ULONGLONG a, ULONGLONG b) NAMED(__aullrem);

struct division {
    LONGLONG a, b, quotient, remainder;
};

static const struct division divisions[] = {
    { 7, 2, 3, 1 }, { -7, 2, -3, -1 }, { 7, -2, -3, 1 }, { -7, -2, 3, -1 },
    { 0, 5, 0, 0 }, { 0x123456789ABCDEF0, 0x10000, 0x123456789ABC, 0xDEF0 },
    { 0x7FFFFFFFFFFFFFFF, 0x7FFFFFFFFFFFFFFE, 1, 1 },
    { -0x7FFFFFFFFFFFFFFF - 1, 0x100000000, -0x80000000LL, 0 },
    { 0xFFFFFFFF, 0xFFFFFFFF00, 0, 0xFFFFFFFF },
};

/* edx:eax and ebx:ecx of a routine that gives both. */
static void divide_both(void *routine, LONGLONG a, LONGLONG b,
                        LONGLONG *quotient, LONGLONG *remainder)
{
    ULONG low, high;

    __asm__ volatile("pushl 4(%%esi)\n\tpushl (%%esi)\n\t"
                     "pushl 4(%%edi)\n\tpushl (%%edi)\n\tcall *%%eax"
                     : "=A"(*quotient), "=c"(low), "=b"(high)
                     : "a"(routine), "D"(&a), "S"(&b) : "memory", "cc");
    *remainder = (LONGLONG)high << 32 | low;
}

static void *ntdll_routine(const char *name)
{
    void *ntdll, *routine = NULL;
    UNICODE_STRING dll;
    ANSI_STRING text;

    RtlInitUnicodeString(&dll, L"ntdll.dll");
    RtlInitAnsiString(&text, name);
    LdrGetDllHandle(NULL, NULL, &dll, &ntdll);
    CHECK_STATUS(LdrGetProcedureAddress(ntdll, &text, 0, &routine),
                 STATUS_SUCCESS);
    return routine;
}

static void check_division(void)
{
    void *both = ntdll_routine("_alldvrm");
    void *unsigned_both = ntdll_routine("_aulldvrm");
    LONGLONG quotient, remainder;
    ULONG at;

    for (at = 0; at < ARRAY_SIZE(divisions); at++) {
        const struct division *row = &divisions[at];

        CHECK_SAY(alldiv(row->a, row->b) == row->quotient, "row %u", at);
        CHECK_SAY(allrem(row->a, row->b) == row->remainder, "row %u", at);
        divide_both(both, row->a, row->b, &quotient, &remainder);
        CHECK_SAY(quotient == row->quotient && remainder == row->remainder,
                  "row %u, both: %lld, %lld", at, quotient, remainder);
    }
    CHECK(aulldiv(~0ULL, 10) == 1844674407370955161ULL);
    CHECK(aullrem(~0ULL, 10) == 5);
    divide_both(unsigned_both, -1, 10, &quotient, &remainder);
    CHECK(quotient == 1844674407370955161LL && remainder == 5);
    CHECK((ULONGLONG)allmul(0x123456789, 0x987654321) ==
          0x123456789ULL * 0x987654321ULL);
    CHECK(allmul(-3, 0x100000001) == -0x300000003);
}

static ULONGLONG shift(void *routine, ULONGLONG value, ULONG count)
{
    ULONGLONG result;

    __asm__ volatile("call *%%esi" : "=A"(result), "+c"(count)
                     : "A"(value), "S"(routine) : "cc");
    return result;
}

static void check_shifts(void)
{
    void *left = ntdll_routine("_allshl"), *right = ntdll_routine("_allshr");
    void *unsigned_right = ntdll_routine("_aullshr");
    const ULONGLONG value = 0x923456789ABCDEF1ULL;
    ULONG count;

    for (count = 0; count < 64; count++) {
        CHECK_SAY(shift(left, value, count) == value << count, "%u", count);
        CHECK_SAY(shift(right, value, count) ==
                  (ULONGLONG)((LONGLONG)value >> count), "%u", count);
        CHECK_SAY(shift(unsigned_right, value, count) == value >> count, "%u",
                  count);
    }
    for (; count < 256; count++) {
        CHECK(shift(left, value, count) == 0);
        CHECK(shift(right, value, count) == ~0ULL);
        CHECK(shift(unsigned_right, value, count) == 0);
    }
}

/* A probe moves esp by eax and loses nothing else; GCC's moves nothing. */
static void check_probe(const char *name, BOOLEAN moves, ULONG size)
{
    ULONG down, ecx, eax;

    __asm__ volatile("movl %%esp, %%edi\n\tcall *%%esi\n\t"
                     "subl %%esp, %%edi\n\taddl %%edi, %%esp"
                     : "=&D"(down), "=c"(ecx), "=a"(eax)
                     : "S"(ntdll_routine(name)), "a"(size), "c"(0x1234)
                     : "memory", "cc");
    CHECK_SAY(down == (moves ? size : 0), "%s of %x: %x", name, size, down);
    CHECK(ecx == 0x1234 && (moves || eax == size));
}

static void check_probes(void)
{
    static const ULONG sizes[] = { 0, 4, 0xFFC, 0x1000, 0x1004, 0x3000,
                                   0x8004 };
    ULONG at;

    for (at = 0; at < ARRAY_SIZE(sizes); at++) {
        check_probe("_chkstk", TRUE, sizes[at]);
        check_probe("_alloca_probe", TRUE, sizes[at]);
        check_probe("__chkstk_ms", FALSE, sizes[at]);
    }
}

static CONTEXT captured;
static void *return_address, **frame;

static __attribute__((noinline)) void capture(void)
{
    frame = __builtin_frame_address(0);
    return_address = __builtin_return_address(0);
    RtlCaptureContext(&captured);
}

static void check_capture(void)
{
    memset(&captured, 0xEE, sizeof captured);
    capture();
    CHECK(captured.ContextFlags == CONTEXT_FULL);
    CHECK(captured.Eip == (ULONG)return_address);
    CHECK(captured.Ebp == (ULONG)frame[0]);
    CHECK(captured.Esp == (ULONG)(frame + 2));
    CHECK(captured.SegCs == 0x1B && captured.SegSs == 0x23);
    CHECK(captured.SegFs == 0x3B && captured.SegDs == 0x23 &&
          captured.SegEs == 0x23);
    CHECK((captured.EFlags & 0x202) == 0x202);
    CHECK(captured.Dr7 == 0xEEEEEEEE);          /* not asked for, not there */
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    (void)peb;
    check_division();
    check_shifts();
    check_probes();
    check_capture();
    return test_end();
}
