/*
 * frames.c - an exception at every distance from the end of the memory that
 * its frame has to go to (H12): the process ends with the exception's code,
 * or with the fault of who would have handled it, or it is handled; nearer to
 * the end it never gets further.
 *
 * Each is a process of its own: "frames DISTANCE".  Below the stack is a page
 * without access, a read-only one, nothing, or where user space begins.
 */
#include "test.h"

#define IMAGE L"\\SystemRoot\\System32\\frames.exe"
#define HANDLED 0x12345678
#define STEP 0x1F8                      /* no multiple of 16 */
#define FARTHEST 0x3000
#define SMALLEST_FRAME (sizeof(CONTEXT) + sizeof(EXCEPTION_RECORD))
#define ENOUGH 0x2000
#define PAGES 4

enum below { NO_ACCESS, READ_ONLY, NOTHING, KINDS };

static LONG NTAPI handle(EXCEPTION_POINTERS *pointers)
{
    if (pointers->ExceptionRecord->ExceptionCode == STATUS_ILLEGAL_INSTRUCTION)
        NtTerminateProcess(NtCurrentProcess(), HANDLED);
    return EXCEPTION_CONTINUE_SEARCH;
}

static UCHAR *make_stack(enum below below)
{
    UCHAR *pages = test_pages(1 + PAGES);
    void *first = pages;
    SIZE_T size = PAGE_SIZE;

    if (below == NOTHING)
        NtFreeVirtualMemory(NtCurrentProcess(), &first, &size, MEM_DECOMMIT);
    else
        test_protect(pages, 1, below == NO_ACCESS ? PAGE_NOACCESS
                                                  : PAGE_READONLY);
    return pages + PAGE_SIZE;
}

/* The number is distance * KINDS + kind. */
static void fault(ULONG number)
{
    UCHAR *stack = make_stack(number % KINDS) + number / KINDS;

    RtlAddVectoredExceptionHandler(TRUE, handle);
    __asm__ volatile("movq %0, %%rsp\n\tud2" : : "r"(stack));
}

static NTSTATUS run(ULONG number)
{
    RTL_USER_PROCESS_PARAMETERS *parameters = NULL;
    RTL_USER_PROCESS_INFORMATION child = { .Length = sizeof child };
    PROCESS_BASIC_INFORMATION basic = { .ExitStatus = -1 };
    UNICODE_STRING image, line;
    ANSI_STRING words;
    char text[32];

    sprintf(text, "frames %u", number);
    RtlInitAnsiString(&words, text);
    RtlInitUnicodeString(&image, IMAGE);
    RtlAnsiStringToUnicodeString(&line, &words, TRUE);
    CHECK_STATUS(RtlCreateProcessParametersEx(&parameters, &image, NULL, NULL,
                                              &line, NULL, NULL, NULL, NULL,
                                              NULL, 0), STATUS_SUCCESS);
    RtlFreeUnicodeString(&line);
    if (!CHECK_STATUS(RtlCreateUserProcess(&image, 0, parameters, NULL, NULL,
                                           NULL, FALSE, NULL, NULL, &child),
                      STATUS_SUCCESS))
        return STATUS_UNSUCCESSFUL;
    RtlDestroyProcessParameters(parameters);
    NtResumeThread(child.ThreadHandle, NULL);
    NtWaitForSingleObject(child.ProcessHandle, FALSE, NULL);
    NtQueryInformationProcess(child.ProcessHandle, ProcessBasicInformation,
                              &basic, sizeof basic, NULL);
    NtClose(child.ThreadHandle);
    NtClose(child.ProcessHandle);
    return basic.ExitStatus;
}

/* How far it got: no frame, a frame but no handler, handled; 3: none. */
static ULONG stage_of(NTSTATUS status)
{
    return status == STATUS_ILLEGAL_INSTRUCTION ? 0 :
           status == STATUS_ACCESS_VIOLATION ? 1 : status == HANDLED ? 2 : 3;
}

static void check(enum below below)
{
    ULONG distance, last = 0;

    for (distance = 8; distance < FARTHEST; distance += STEP) {
        NTSTATUS status = run(distance * KINDS + below);
        ULONG stage = stage_of(status);

        CHECK_SAY(stage < 3, "%x bytes above %u: %08x", distance, below,
                  status);
        CHECK_SAY(stage >= last, "%x bytes above %u: %08x, but less did",
                  distance, below, status);
        CHECK_SAY(distance >= SMALLEST_FRAME || stage == 0,
                  "%x bytes above %u: a frame, %08x", distance, below,
                  status);
        CHECK_SAY(distance < ENOUGH || stage == 2,
                  "%x bytes above %u: %08x", distance, below, status);
        last = stage;
    }
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    ULONG below;

    (void)peb;
    if (*test_words())
        fault((ULONG)atoi(test_words()));
    for (below = 0; below < KINDS; below++)
        check(below);
    return test_end();
}
