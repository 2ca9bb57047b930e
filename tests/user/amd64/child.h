/*
 * child.h - another process of a program: only 64-bit code can start one.
 */
#pragma once

#include "../test.h"

#define HAS_CHILDREN 1

/*
 * A program of the image, suspended before its first instruction, with the
 * word "child" behind its name.
 */
static inline NTSTATUS start_child(const WCHAR *path,
                                   RTL_USER_PROCESS_INFORMATION *information)
{
    RTL_USER_PROCESS_PARAMETERS *parameters;
    UNICODE_STRING name, line;
    NTSTATUS status;

    RtlInitUnicodeString(&name, path);
    RtlInitUnicodeString(&line, L"program child");
    status = RtlCreateProcessParametersEx(&parameters, &name, NULL, NULL,
                                          &line, NULL, NULL, NULL, NULL, NULL,
                                          RTL_USER_PROC_PARAMS_NORMALIZED);
    if (!NT_SUCCESS(status))
        return status;
    information->Length = sizeof *information;
    status = RtlCreateUserProcess(&name, 0, parameters, NULL, NULL, NULL,
                                  FALSE, NULL, NULL, information);
    RtlDestroyProcessParameters(parameters);
    return status;
}

/* The status it ends with, once it has. */
static inline NTSTATUS end_child(RTL_USER_PROCESS_INFORMATION *information)
{
    PROCESS_BASIC_INFORMATION basic = { .ExitStatus = -1 };

    NtWaitForSingleObject(information->ProcessHandle, FALSE, NULL);
    NtQueryInformationProcess(information->ProcessHandle,
                              ProcessBasicInformation, &basic, sizeof basic,
                              NULL);
    NtClose(information->ThreadHandle);
    NtClose(information->ProcessHandle);
    return basic.ExitStatus;
}

static inline NTSTATUS run_child(const WCHAR *path)
{
    RTL_USER_PROCESS_INFORMATION information;
    NTSTATUS status = start_child(path, &information);

    if (!NT_SUCCESS(status))
        return status;
    NtResumeThread(information.ThreadHandle, NULL);
    return end_child(&information);
}
