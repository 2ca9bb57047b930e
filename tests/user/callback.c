/*
 * callback.c - KiUserCallbackDispatcher, entered as the kernel enters it.
 *
 * The dispatcher never comes back: the routine that it calls ends the process
 * with the result. With the word "return" it returns instead, and as no
 * service is waiting that must be the end, too, with NtCallbackReturn's status.
 *
 * Scenarios: I10.
 */
#include "test.h"

#include "callbackframe.h"

#define API 2
#define LENGTH 24

static char buffer[LENGTH];
static ULONG calls;

static NTSTATUS NTAPI wrong(void *data, ULONG length)
{
    CHECK_SAY(FALSE, "called with %p, %u", data, length);
    return NtTerminateProcess(NtCurrentProcess(), test_end());
}

static NTSTATUS NTAPI right(void *data, ULONG length)
{
    CHECK(data == buffer);
    CHECK(length == LENGTH);
    CHECK(++calls == 1);
    if (!strcmp(test_words(), "return"))
        return STATUS_SUCCESS;
    return NtTerminateProcess(NtCurrentProcess(), test_end());
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    static void *const table[] = { wrong, wrong, right, wrong };

    peb->KernelCallbackTable = (void *)table;
    enter_callback(API, buffer, LENGTH);
}
