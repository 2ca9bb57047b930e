/*
 * tests/user/ring0.c - asks the test build's kernel to test itself.
 *
 * "ring0 N" calls NtwSelfTest(N, address of two variables): numbers below 100h
 * are tests whose status is this program's, the others end in a bugcheck
 * (tests/kernel/selftest.c lists them).  "ring0 spin" waits to be killed, with
 * an NMI or two on the way.
 */
#include "test.h"

#include "../../programs/lib/door.h"

#define FAULT_IN_COPY 0x129             /* wants a page that is not there */

typedef NTSTATUS self_test(ULONG test, ULONGLONG argument);

static const WCHAR *last_word(const UNICODE_STRING *line)
{
    const WCHAR *word = line->Buffer + line->Length / sizeof(WCHAR);

    while (word > line->Buffer && word[-1] != ' ')
        word--;
    return word;
}

static ULONG hex(const WCHAR *text)
{
    ULONG number = 0;

    for (; *text; text++)
        number = number * 16 +
                 (*text <= '9' ? *text - '0' : (*text | 0x20) - 'a' + 10);
    return number;
}

NTSTATUS NtProcessStartup(PEB *peb)
{
    const WCHAR *word = last_word(&peb->ProcessParameters->CommandLine);
    self_test *test = (self_test *)(ULONG_PTR)find_stub("NtwSelfTest");
    static volatile ULONG variable[2] = { 1, 1 };

    if (*word == 's') {
        print("spinning\n");
        while (variable[0])
            continue;
    }
    if (!test)
        return STATUS_PROCEDURE_NOT_FOUND;
    if (hex(word) == FAULT_IN_COPY)
        return test(hex(word), (ULONG_PTR)test_pages(1));
    variable[0] = 1;                    /* its page is there */
    return test(hex(word), (ULONG_PTR)variable);
}
