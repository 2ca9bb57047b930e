/*
 * other.c - bench32, in a process of its own, before the rest of the table.
 */
#include "bench.h"

void show_calls32(void)
{
    static WCHAR path[] = L"\\SystemRoot\\System32\\bench32.exe";
    RTL_USER_PROCESS_PARAMETERS parameters = {
        .MaximumLength = sizeof parameters, .Length = sizeof parameters,
        .Flags = RTL_USER_PROC_PARAMS_NORMALIZED,
    };
    PS_CREATE_INFO info = { .Size = sizeof info };
    struct {
        SIZE_T size;
        PS_ATTRIBUTE image;
    } list = { sizeof list,
               { PS_ATTRIBUTE_IMAGE_NAME, sizeof path - sizeof *path,
                 { .ValuePtr = path }, NULL } };
    HANDLE process, thread;

    RtlInitUnicodeString(&parameters.ImagePathName, path);
    RtlInitUnicodeString(&parameters.CommandLine,
                         per_try > 1 ? L"bench32 time" : L"bench32");
    must(NtCreateUserProcess(&process, &thread, PROCESS_ALL_ACCESS,
                             THREAD_ALL_ACCESS, NULL, NULL, 0, 0, &parameters,
                             &info, (PS_ATTRIBUTE_LIST *)&list), "bench32");
    must(NtClose(thread), "close");
    join(process);
}
