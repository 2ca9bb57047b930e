/*
 * processes.c - processes made, ended, opened, waited for.
 *
 * Without words it starts itself again, in different ways; with words it is
 * such a child and does what they say.
 */
#include "test.h"

#define IMAGE L"\\SystemRoot\\System32\\processes.exe"

static RTL_USER_PROCESS_PARAMETERS parameters = {
    .MaximumLength = sizeof parameters,
    .Length = sizeof parameters,
    .Flags = RTL_USER_PROC_PARAMS_NORMALIZED,
};

static CLIENT_ID client;
static SECTION_IMAGE_INFORMATION image;
static TEB *teb;
static PS_CREATE_INFO info;

static NTSTATUS start(const WCHAR *path, const WCHAR *line, ULONG flags,
                      HANDLE *process, HANDLE *thread)
{
    struct {
        SIZE_T length;
        PS_ATTRIBUTE attributes[4];
    } list = { sizeof list, {
        { PS_ATTRIBUTE_IMAGE_NAME, 0, { .ValuePtr = (void *)path }, NULL },
        { PS_ATTRIBUTE_CLIENT_ID, sizeof client, { .ValuePtr = &client },
          NULL },
        { PS_ATTRIBUTE_IMAGE_INFO, sizeof image, { .ValuePtr = &image },
          NULL },
        { PS_ATTRIBUTE_TEB_ADDRESS, sizeof teb, { .ValuePtr = &teb },
          NULL },
    } };

    while (path[list.attributes[0].Size])
        list.attributes[0].Size++;
    list.attributes[0].Size *= sizeof(WCHAR);
    RtlInitUnicodeString(&parameters.ImagePathName, path);
    RtlInitUnicodeString(&parameters.CommandLine, line);
    info = (PS_CREATE_INFO){ .Size = sizeof info };
    return NtCreateUserProcess(process, thread, PROCESS_ALL_ACCESS,
                               THREAD_ALL_ACCESS, NULL, NULL, 0, flags,
                               &parameters, &info, (void *)&list);
}

static NTSTATUS status_of(HANDLE process)
{
    PROCESS_BASIC_INFORMATION basic = { .ExitStatus = -1 };

    NtQueryInformationProcess(process, ProcessBasicInformation, &basic,
                              sizeof basic, NULL);
    return basic.ExitStatus;
}

static NTSTATUS wait_for(HANDLE process)
{
    CHECK_STATUS(NtWaitForSingleObject(process, FALSE, NULL), STATUS_WAIT_0);
    return status_of(process);
}

/* Started, waited for, its status; what the creator was told. */
static void test_start(void)
{
    PROCESS_BASIC_INFORMATION basic;
    HANDLE process, thread;

    if (!CHECK_STATUS(start(IMAGE, L"processes.exe exit", 0, &process,
                            &thread), STATUS_SUCCESS))
        return;
    CHECK(info.State == PsCreateSuccess);
    CHECK(image.Machine == IMAGE_FILE_MACHINE_AMD64);
    CHECK_STATUS(NtQueryInformationProcess(process, ProcessBasicInformation,
                                           &basic, sizeof basic, NULL),
                 STATUS_SUCCESS);
    CHECK(basic.UniqueProcessId == client.UniqueProcess);
    CHECK(basic.InheritedFromUniqueProcessId ==
          NtCurrentTeb()->ClientId.UniqueProcess);
    CHECK((ULONG_PTR)basic.PebBaseAddress == info.PebAddressNative);
    CHECK_STATUS(wait_for(process), 42);
    NtClose(process);
    NtClose(thread);
}

static void test_refused(void)
{
    HANDLE process, thread;

    CHECK_STATUS(start(L"\\SystemRoot\\System32\\nothing.exe", L"x", 0,
                       &process, &thread), STATUS_OBJECT_NAME_NOT_FOUND);
    CHECK(info.State == PsCreateFailOnFileOpen);
    CHECK_STATUS(start(IMAGE, L"x", 0x80000000, &process, &thread),
                 STATUS_INVALID_PARAMETER);
}

/* One that runs for ever, ended from here. */
static void test_terminate(void)
{
    HANDLE process, thread;

    if (!CHECK_STATUS(start(IMAGE, L"processes.exe spin", 0, &process,
                            &thread), STATUS_SUCCESS))
        return;
    CHECK_STATUS(NtTerminateProcess(process, 77), STATUS_SUCCESS);
    CHECK_STATUS(wait_for(process), 77);
    NtClose(process);
    NtClose(thread);
}

/* This program is in the list of processes, with its one thread. */
static void test_list(void)
{
    static UCHAR buffer[0x10000] __attribute__((aligned(16)));
    const SYSTEM_PROCESS_INFORMATION *at = (void *)buffer;
    const CLIENT_ID *self = &NtCurrentTeb()->ClientId;
    ULONG length = 0, found = 0;

    CHECK_STATUS(NtQuerySystemInformation(SystemProcessInformation, buffer,
                                          0x10, &length),
                 STATUS_INFO_LENGTH_MISMATCH);
    CHECK(length > 2 * sizeof *at);
    CHECK_STATUS(NtQuerySystemInformation(SystemProcessInformation, buffer,
                                          sizeof buffer, &length),
                 STATUS_SUCCESS);
    CHECK((ULONG_PTR)at->UniqueProcessId == 4);
    for (;; at = (void *)((UCHAR *)at + at->NextEntryOffset)) {
        const SYSTEM_THREAD_INFORMATION *thread = (void *)(at + 1);

        if (at->UniqueProcessId == self->UniqueProcess) {
            found++;
            CHECK(at->NumberOfThreads == 1);
            CHECK(thread->ClientId.UniqueThread == self->UniqueThread);
            CHECK(at->ImageName.Length == sizeof L"processes.exe" - 2);
            CHECK(at->ImageName.Buffer[0] == L'p');
        }
        if (!at->NextEntryOffset)
            break;
    }
    CHECK(found == 1);
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    const char *words = test_words();

    (void)peb;
    if (words[0] == 'e')
        return 42;
    while (words[0] == 's')
        continue;
    test_start();
    test_refused();
    test_terminate();
    test_list();
    return test_end();
}
