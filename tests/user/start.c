/*
 * start.c - RtlCreateUserProcess and the parameters that it takes. With a word
 * it is the child, which tells by its status what it found.
 */
#include "test.h"

#define IMAGE L"\\SystemRoot\\System32\\start.exe"

static NTSTATUS as_child(void)
{
    const WCHAR *environment = NtCurrentPeb()->ProcessParameters->Environment;

    return !wcscmp(environment, L"A=1") && !wcscmp(environment + 4, L"B=2")
               ? 0x1234 : 0x4321;
}

static void check_parameters(RTL_USER_PROCESS_PARAMETERS *block)
{
    CHECK(!(block->Flags & RTL_USER_PROC_PARAMS_NORMALIZED));
    CHECK((ULONG_PTR)block->CommandLine.Buffer < block->Length);
    RtlNormalizeProcessParams(block);
    CHECK(!wcscmp(block->CommandLine.Buffer, L"start.exe child"));
    CHECK(!wcscmp(block->ImagePathName.Buffer, IMAGE));
    CHECK(block->EnvironmentSize == 18);
    RtlDeNormalizeProcessParams(block);
    CHECK((ULONG_PTR)block->CommandLine.Buffer < block->Length);
}

static void check_start(void)
{
    UNICODE_STRING image, line;
    RTL_USER_PROCESS_PARAMETERS *block = NULL;
    RTL_USER_PROCESS_INFORMATION made;
    PROCESS_BASIC_INFORMATION basic = { .ExitStatus = -1 };

    RtlInitUnicodeString(&image, IMAGE);
    RtlInitUnicodeString(&line, L"start.exe child");
    if (!CHECK_STATUS(RtlCreateProcessParametersEx(
                          &block, &image, NULL, NULL, &line, L"A=1\0B=2\0",
                          NULL, NULL, NULL, NULL, 0), STATUS_SUCCESS))
        return;
    check_parameters(block);
    if (!CHECK_STATUS(RtlCreateUserProcess(&image, 0, block, NULL, NULL, NULL,
                                           FALSE, NULL, NULL, &made),
                      STATUS_SUCCESS))
        return;
    CHECK_STATUS(RtlDestroyProcessParameters(block), STATUS_SUCCESS);
    CHECK(made.ImageInformation.Machine == IMAGE_FILE_MACHINE_AMD64);
    CHECK_STATUS(NtResumeThread(made.ThreadHandle, NULL), STATUS_SUCCESS);
    CHECK_STATUS(NtWaitForSingleObject(made.ProcessHandle, FALSE, NULL),
                 STATUS_SUCCESS);
    NtQueryInformationProcess(made.ProcessHandle, ProcessBasicInformation,
                              &basic, sizeof basic, NULL);
    CHECK_SAY(basic.ExitStatus == 0x1234, "%x", basic.ExitStatus);
    CHECK(basic.UniqueProcessId == made.ClientId.UniqueProcess);
    NtClose(made.ThreadHandle);
    NtClose(made.ProcessHandle);
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    (void)peb;
    if (*test_words())
        return as_child();
    check_start();
    return test_end();
}
