/*
 * console.c - threads that wait for the console: what ends a read when
 * nothing is typed, and who gets what is.
 *
 * Nobody types; so a reader that comes back was sent back. Each reader says
 * before it reads that it is about to. Whether an alert or an APC finds it
 * waiting already or not is all the same: the read ends.
 */
#include "test.h"

#define STACK 0x10000
#define KEYS L"\\Device\\ConDrv\\keys"
#define INTERRUPT L"\\Device\\ConDrv\\interrupt"
#define LINES L"\\??\\CONIN$"
#define STILL_RUNNING ((NTSTATUS)0x103)

struct reader {
    HANDLE file, thread;
    IO_STATUS_BLOCK io;
    volatile LONG begun;
    volatile LONG apcs;
};

static HANDLE open_input(const WCHAR *path, ULONG option)
{
    UNICODE_STRING name;
    OBJECT_ATTRIBUTES attributes = { .Length = sizeof attributes,
                                     .ObjectName = &name };
    IO_STATUS_BLOCK io;
    HANDLE file = NULL;

    RtlInitUnicodeString(&name, path);
    CHECK_STATUS(NtOpenFile(&file, FILE_GENERIC_READ, &attributes, &io,
                            FILE_SHARE_READ, option), STATUS_SUCCESS);
    return file;
}

/* The status of the read is the thread's. */
static void NTAPI read_once(void *argument)
{
    struct reader *reader = argument;
    NTSTATUS status;
    char byte;

    reader->begun = 1;
    status = NtReadFile(reader->file, NULL, NULL, NULL, &reader->io, &byte,
                        1, NULL, NULL);
    NtTerminateThread(NtCurrentThread(), status);
}

static void start(struct reader *reader, HANDLE file)
{
    memset(reader, 0, sizeof *reader);
    reader->file = file;
    memset(&reader->io, 0xEE, sizeof reader->io);
    CHECK_STATUS(NtCreateThreadEx(&reader->thread, THREAD_ALL_ACCESS, NULL,
                                  NtCurrentProcess(), read_once, reader, 0, 0,
                                  STACK, STACK, NULL), STATUS_SUCCESS);
    while (!reader->begun)
        NtYieldExecution();
}

static NTSTATUS status_of(const struct reader *reader)
{
    THREAD_BASIC_INFORMATION basic = { .ExitStatus = -1 };

    NtQueryInformationThread(reader->thread, ThreadBasicInformation, &basic,
                             sizeof basic, NULL);
    return basic.ExitStatus;
}

static NTSTATUS end_of(struct reader *reader)
{
    NTSTATUS status;

    while ((status = status_of(reader)) == STILL_RUNNING)
        NtYieldExecution();
    NtClose(reader->thread);
    return status;
}

static void check_cancelled(struct reader *reader)
{
    CHECK_STATUS(end_of(reader), STATUS_CANCELLED);
    CHECK_STATUS(reader->io.Status, STATUS_CANCELLED);
    CHECK(reader->io.Information == 0);
}

static void NTAPI count_apc(void *argument1, void *argument2, void *argument3)
{
    struct reader *reader = argument1;

    (void)argument2, (void)argument3;
    reader->apcs++;
}

static void check_alerts(const WCHAR *path)
{
    HANDLE file = open_input(path, FILE_SYNCHRONOUS_IO_ALERT);
    struct reader reader;

    start(&reader, file);
    CHECK_STATUS(NtAlertThread(reader.thread), STATUS_SUCCESS);
    check_cancelled(&reader);

    start(&reader, file);
    CHECK_STATUS(NtQueueApcThread(reader.thread, count_apc, &reader, NULL,
                                  NULL), STATUS_SUCCESS);
    check_cancelled(&reader);
    CHECK(reader.apcs == 1);
    NtClose(file);
}

/* Several at one file object, of which with lines all but one wait for it. */
static void check_several(const WCHAR *path)
{
    HANDLE file = open_input(path, FILE_SYNCHRONOUS_IO_ALERT);
    struct reader readers[4];
    int at;

    for (at = 0; at < 4; at++)
        start(&readers[at], file);
    for (at = 3; at >= 0; at--) {
        CHECK_STATUS(status_of(&readers[at]), STILL_RUNNING);
        CHECK_STATUS(NtAlertThread(readers[at].thread), STATUS_SUCCESS);
        check_cancelled(&readers[at]);
    }
    NtClose(file);
}

/* Not alertable: only the thread's end ends the read. */
static void check_termination(const WCHAR *path)
{
    HANDLE file = open_input(path, FILE_SYNCHRONOUS_IO_NONALERT);
    struct reader reader;
    int turns;

    start(&reader, file);
    CHECK_STATUS(NtAlertThread(reader.thread), STATUS_SUCCESS);
    CHECK_STATUS(NtQueueApcThread(reader.thread, count_apc, &reader, NULL,
                                  NULL), STATUS_SUCCESS);
    for (turns = 0; turns < 100; turns++)
        NtYieldExecution();
    CHECK_STATUS(status_of(&reader), STILL_RUNNING);
    CHECK_STATUS(NtTerminateThread(reader.thread, 77), STATUS_SUCCESS);
    CHECK_STATUS(end_of(&reader), 77);
    CHECK(reader.apcs == 0);
    NtClose(file);
}

static NTSTATUS wait_now(HANDLE file)
{
    LARGE_INTEGER now = { .QuadPart = 0 };

    return NtWaitForSingleObject(file, FALSE, &now);
}

/* No transfer is under way; and nobody has typed Ctrl-C. */
static void check_waits(void)
{
    HANDLE file = open_input(KEYS, FILE_SYNCHRONOUS_IO_NONALERT);
    HANDLE interrupt = open_input(INTERRUPT, FILE_SYNCHRONOUS_IO_NONALERT);
    HANDLE newer = open_input(INTERRUPT, FILE_SYNCHRONOUS_IO_NONALERT);
    IO_STATUS_BLOCK io;
    char byte;

    CHECK_STATUS(wait_now(file), STATUS_WAIT_0);
    CHECK_STATUS(wait_now(interrupt), STATUS_TIMEOUT);
    CHECK_STATUS(NtReadFile(interrupt, NULL, NULL, NULL, &io, &byte, 1, NULL,
                            NULL), STATUS_INVALID_HANDLE);
    CHECK_STATUS(NtClose(interrupt), STATUS_SUCCESS);
    CHECK_STATUS(wait_now(newer), STATUS_TIMEOUT);
    CHECK_STATUS(NtClose(newer), STATUS_SUCCESS);
    CHECK_STATUS(NtClose(file), STATUS_SUCCESS);
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    struct reader left[2];

    (void)peb;
    check_waits();
    check_alerts(KEYS);
    check_alerts(LINES);
    check_several(KEYS);
    check_several(LINES);
    check_termination(KEYS);
    check_termination(LINES);

    /* The process ends although these two still read. */
    start(&left[0], open_input(KEYS, FILE_SYNCHRONOUS_IO_NONALERT));
    start(&left[1], open_input(LINES, FILE_SYNCHRONOUS_IO_NONALERT));
    RtlExitUserProcess(test_end());
}
