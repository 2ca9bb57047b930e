/*
 * tlsfault.c - exceptions in TLS callbacks: while the process and a thread
 * begin, before any code of the program's own has run, and while the thread
 * ends.
 *
 * The first callback has itself heard; after that each one faults once and
 * goes on behind the instruction. With a word it faults unheard, in the
 * process's beginning or in the thread's: that ends the process.
 */
#include "test.h"

#include "facts.h"

#define SIZE_OF_UD2 2

static ULONG heard[4];                          /* by the callback's reason */
static ULONG reason_now;
static ULONG_PTR low, high;                     /* where it may be */
static ULONG tls_index;
static ULONG template[1];

static LONG NTAPI skip(EXCEPTION_POINTERS *pointers)
{
    CONTEXT *context = pointers->ContextRecord;

    if (pointers->ExceptionRecord->ExceptionCode !=
        STATUS_ILLEGAL_INSTRUCTION)
        return EXCEPTION_CONTINUE_SEARCH;
    if (context->PC >= low && context->PC < high)
        heard[reason_now]++;
    context->PC += SIZE_OF_UD2;
    return EXCEPTION_CONTINUE_EXECUTION;
}

static void NTAPI on_tls(void *base __attribute__((unused)), ULONG reason,
                         void *reserved __attribute__((unused)))
{
    const char *word = test_words();

    low = (ULONG_PTR)on_tls;
    high = low + 0x200;
    if (reason == DLL_PROCESS_ATTACH && !*word)
        RtlAddVectoredExceptionHandler(TRUE, skip);
    if (reason == DLL_PROCESS_ATTACH && !strcmp(word, "thread"))
        return;
    reason_now = reason;
    __asm__ volatile("ud2");
}

static const ULONG_PTR callbacks[] = { (ULONG_PTR)on_tls, 0 };
extern const IMAGE_TLS_DIRECTORY _tls_used;
const IMAGE_TLS_DIRECTORY _tls_used = {
    .StartAddressOfRawData = (ULONG_PTR)template,
    .EndAddressOfRawData = (ULONG_PTR)(template + 1),
    .AddressOfIndex = (ULONG_PTR)&tls_index,
    .AddressOfCallBacks = (ULONG_PTR)callbacks,
};

static void NTAPI nothing(void *argument __attribute__((unused)))
{
    RtlExitUserThread(heard[DLL_THREAD_ATTACH] == 1 ? 5 : 6);
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb __attribute__((unused)))
{
    THREAD_BASIC_INFORMATION basic = { .ExitStatus = -1 };
    HANDLE thread = NULL;

    CHECK(heard[DLL_PROCESS_ATTACH] == !*test_words());
    CHECK_STATUS(RtlCreateUserThread(NtCurrentProcess(), NULL, FALSE, 0, 0, 0,
                                     nothing, NULL, &thread, NULL),
                 STATUS_SUCCESS);
    CHECK_STATUS(NtWaitForSingleObject(thread, FALSE, NULL), STATUS_SUCCESS);
    NtQueryInformationThread(thread, ThreadBasicInformation, &basic,
                             sizeof basic, NULL);
    CHECK_STATUS(basic.ExitStatus, 5);
    CHECK(heard[DLL_THREAD_DETACH] == 1);
    return test_end();
}
