/*
 * ums.c - a thread that says it is a scheduler of user-mode threads.  With its
 * own gs base its calls are as before; with another they would be a UMS
 * thread's, and there are none.
 *
 * The gs base comes back with the next switch of threads, so a second thread
 * is there to be switched to.
 */
#include "test.h"

#include "../../programs/lib/call.h"

#define STACK 0x10000
#define NUMBER_OF_YIELD 0x1C5                   /* NtUmsThreadYield */

static volatile BOOLEAN over;

static void NTAPI spin(void *argument)
{
    (void)argument;
    while (!over)
        continue;
    NtTerminateThread(NtCurrentThread(), 0);
}

static NTSTATUS set(HANDLE thread, ULONG command, void *context, ULONG flags)
{
    THREAD_UMS_INFORMATION ums = {
        .Command = command, .UmsContext = context, .Flags = flags,
    };

    return NtSetInformationThread(thread, ThreadUmsInformation, &ums,
                                  sizeof ums);
}

static NTSTATUS call(ULONG number)
{
    ULONGLONG status = number;

    __asm__ volatile("syscall" : "+a"(status)
                     : : "rcx", "rdx", "r8", "r9", "r10", "r11", "xmm0",
                         "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "memory");
    return (NTSTATUS)status;
}

/* Until the thread has its TEB again, and then once: *refused counts. */
static NTSTATUS call_elsewhere(ULONG number, ULONG *refused)
{
    NTSTATUS status;

    __asm__ volatile("mov %0, %%gs" : : "r"(0x23));     /* base 0 */
    while ((status = call(number)) == STATUS_NOT_SUPPORTED)
        ++*refused;
    return status;
}

static void test_refused(HANDLE other)
{
    THREAD_UMS_INFORMATION ums = { .Command = UmsInformationCommandAttach };
    HANDLE self = NtCurrentThread();

    CHECK_STATUS(NtSetInformationThread(self, ThreadUmsInformation, &ums,
                                        sizeof ums - 1),
                 STATUS_INFO_LENGTH_MISMATCH);
    CHECK_STATUS(set(self, UmsInformationCommandInvalid, NULL, 0),
                 STATUS_INVALID_PARAMETER);
    CHECK_STATUS(set(self, UmsInformationCommandQuery, NULL, 0),
                 STATUS_INVALID_PARAMETER);
    CHECK_STATUS(set(self, UmsInformationCommandAttach, NULL, 1),
                 STATUS_INVALID_PARAMETER);
    CHECK_STATUS(set(self, UmsInformationCommandAttach, &ums, 0),
                 STATUS_NOT_SUPPORTED);
    CHECK_STATUS(set(other, UmsInformationCommandAttach, NULL, 0),
                 STATUS_NOT_SUPPORTED);
    CHECK_STATUS(call(NUMBER_OF_YIELD), STATUS_INVALID_SYSTEM_SERVICE);
}

static void test_scheduler(void)
{
    ULONG number = stub_number(find_stub("NtTestAlert")), refused = 0, at;
    HANDLE self = NtCurrentThread();

    CHECK_STATUS(set(self, UmsInformationCommandAttach, NULL, 0),
                 STATUS_SUCCESS);
    for (at = 0; at < 100; at++)
        CHECK_STATUS(NtClose((HANDLE)0x1234), STATUS_INVALID_HANDLE);
    while (!refused)
        CHECK_STATUS(call_elsewhere(number, &refused), STATUS_SUCCESS);
    CHECK(NtCurrentTeb()->NtTib.Self == NtCurrentTeb());
    CHECK_STATUS(NtClose((HANDLE)0x1234), STATUS_INVALID_HANDLE);
    CHECK_STATUS(set(self, UmsInformationCommandDetach, NULL, 0),
                 STATUS_SUCCESS);
}

NTSTATUS NtProcessStartup(PEB *peb)
{
    HANDLE other = NULL;

    (void)peb;
    test_on_one_processor();            /* so that there are switches */
    CHECK_STATUS(NtCreateThreadEx(&other, THREAD_ALL_ACCESS, NULL,
                                  NtCurrentProcess(), spin, NULL, 0, 0, STACK,
                                  STACK, NULL), STATUS_SUCCESS);
    test_refused(other);
    test_scheduler();
    over = TRUE;
    CHECK_STATUS(NtWaitForSingleObject(other, FALSE, NULL), STATUS_SUCCESS);
    return test_end();
}
