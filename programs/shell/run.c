/*
 * run.c - run: another program, and how it ended.
 *
 * Until then Ctrl-C is the program's end. The console's interrupt is opened
 * first: a program that opens the keys itself, as a shell, comes later and
 * gets Ctrl-C among them.
 */
#include "shell.h"
#include "../lib/start.h"

#define TEXT_SIZE 550                           /* more than a line */
#define WAIT_ANY 1                              /* WAIT_TYPE */

static WCHAR path[PROGRAM_PATH], command_line[TEXT_SIZE];

static void make_path(const char *name)
{
    WCHAR wide[TEXT_SIZE];
    ULONG length = 0;

    while (name[length]) {
        wide[length] = (UCHAR)name[length];
        length++;
    }
    program_path(wide, length, path);
}

/* The words as they were typed: those with spaces in quotation marks. */
static void make_command_line(int count, const struct word *words)
{
    WCHAR *to = command_line;
    int at;

    for (at = 0; at < count; at++) {
        const char *text = word_text(&words[at]);

        if (at)
            *to++ = ' ';
        if (words[at].string)
            *to++ = '"';
        while (*text)
            *to++ = (UCHAR)*text++;
        if (words[at].string)
            *to++ = '"';
    }
    *to = 0;
}

static NTSTATUS open_interrupt(HANDLE *interrupt)
{
    UNICODE_STRING name;
    OBJECT_ATTRIBUTES attributes = { .Length = sizeof attributes,
                                     .ObjectName = &name };
    IO_STATUS_BLOCK io;

    RtlInitUnicodeString(&name, L"\\Device\\ConDrv\\interrupt");
    return NtOpenFile(interrupt, SYNCHRONIZE, &attributes, &io,
                      FILE_SHARE_READ, FILE_SYNCHRONOUS_IO_NONALERT);
}

static NTSTATUS wait_for_end(HANDLE process, HANDLE interrupt)
{
    HANDLE handles[] = { process, interrupt };
    NTSTATUS status = NtWaitForMultipleObjects(
        ARRAY_SIZE(handles), handles, WAIT_ANY, FALSE, NULL);

    if (status != STATUS_WAIT_0 + 1)
        return status;
    print("^C\n");
    NtTerminateProcess(process, STATUS_CONTROL_C_EXIT);
    return NtWaitForSingleObject(process, FALSE, NULL);
}

static void show_end(HANDLE process, const char *name)
{
    PROCESS_BASIC_INFORMATION basic;
    NTSTATUS status = NtQueryInformationProcess(
        process, ProcessBasicInformation, &basic, sizeof basic, NULL);

    if (NT_SUCCESS(status))
        print("%s ended with %08X %s\n", name, (ULONG)basic.ExitStatus,
              status_name(basic.ExitStatus));
    else
        print_failure("NtQueryInformationProcess", status);
}

/* It is named before it can say anything itself. */
static void run(const char *name, HANDLE interrupt)
{
    HANDLE process, thread;
    CLIENT_ID client;
    NTSTATUS status = start_program(path, command_line,
                                    THREAD_CREATE_FLAGS_CREATE_SUSPENDED,
                                    &process, &thread, &client);

    if (!NT_SUCCESS(status)) {
        print_failure(name, status);
        return;
    }
    print("process %llu, thread %llu\n", (ULONGLONG)client.UniqueProcess,
          (ULONGLONG)client.UniqueThread);
    NtResumeThread(thread, NULL);
    status = wait_for_end(process, interrupt);
    if (status == STATUS_WAIT_0)
        show_end(process, name);
    else
        print_failure("waiting", status);
    NtClose(thread);
    NtClose(process);
}

void command_run(int count, const struct word *words)
{
    HANDLE interrupt;
    NTSTATUS status = open_interrupt(&interrupt);

    if (!NT_SUCCESS(status)) {
        print_failure("the console's interrupt", status);
        return;
    }
    make_path(word_text(&words[1]));
    make_command_line(count - 1, words + 1);
    run(word_text(&words[1]), interrupt);
    NtClose(interrupt);
}
