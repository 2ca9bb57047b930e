/*
 * lib/start.c - another program.
 *
 * What is wrong with a name is the kernel's to say.
 */
#include "start.h"

#include <nt/ntps.h>

#define FOLDER L"\\SystemRoot\\System32\\"
#define EXTENSION L".exe"

void program_path(const WCHAR *name, ULONG length, WCHAR path[PROGRAM_PATH])
{
    WCHAR *to = wcscpy(path, FOLDER) + ARRAY_SIZE(FOLDER) - 1;
    BOOLEAN dot = FALSE;
    ULONG at;

    for (at = 0; at < length; at++) {
        dot |= name[at] == '.';
        *to++ = name[at];
    }
    *to = 0;
    if (!dot)
        wcscpy(to, EXTENSION);
}

NTSTATUS start_program(const WCHAR *path, const WCHAR *command_line,
                       ULONG flags, HANDLE *process, HANDLE *thread,
                       CLIENT_ID *client)
{
    RTL_USER_PROCESS_PARAMETERS parameters = {
        .MaximumLength = sizeof parameters, .Length = sizeof parameters,
        .Flags = RTL_USER_PROC_PARAMS_NORMALIZED,
    };
    PS_CREATE_INFO info = { .Size = sizeof info };
    struct {
        SIZE_T size;
        PS_ATTRIBUTE attributes[2];
    } list = { sizeof list, {
        { PS_ATTRIBUTE_IMAGE_NAME, wcslen(path) * sizeof(WCHAR),
          { .ValuePtr = (void *)path }, NULL },
        { PS_ATTRIBUTE_CLIENT_ID, sizeof *client, { .ValuePtr = client },
          NULL },
    } };

    RtlInitUnicodeString(&parameters.ImagePathName, path);
    RtlInitUnicodeString(&parameters.CommandLine, command_line);
    return NtCreateUserProcess(process, thread, PROCESS_ALL_ACCESS,
                               THREAD_ALL_ACCESS, NULL, NULL, 0, flags,
                               &parameters, &info, (PS_ATTRIBUTE_LIST *)&list);
}
