/*
 * files.c - the files of the image and the console, through NtCreateFile,
 * NtOpenFile, NtReadFile, NtWriteFile and NtQueryInformationFile.
 *
 * The file read here is this program's own: it begins with "MZ" and its size
 * is known from its end. Statuses are Windows' for a read-only volume.
 */
#include "test.h"

#define SYSTEM32 L"\\SystemRoot\\System32\\"
#define SELF L"files.exe"

static HANDLE event_none;

static NTSTATUS create(const WCHAR *path, ACCESS_MASK access,
                       ULONG disposition, ULONG options, HANDLE *file,
                       IO_STATUS_BLOCK *io)
{
    UNICODE_STRING name;
    OBJECT_ATTRIBUTES attributes = { .Length = sizeof attributes,
                                     .ObjectName = &name,
                                     .Attributes = OBJ_CASE_INSENSITIVE };

    RtlInitUnicodeString(&name, path);
    *file = NULL;
    return NtCreateFile(file, access, &attributes, io, NULL,
                        FILE_ATTRIBUTE_NORMAL, FILE_SHARE_READ, disposition,
                        options, NULL, 0);
}

static NTSTATUS read_at(HANDLE file, void *buffer, ULONG size,
                        LONGLONG offset, ULONG_PTR *count)
{
    LARGE_INTEGER where = { .QuadPart = offset };
    IO_STATUS_BLOCK io = { .Information = 0 };
    NTSTATUS status = NtReadFile(file, event_none, NULL, NULL, &io, buffer,
                                 size, offset < 0 ? NULL : &where, NULL);

    *count = io.Information;
    return status;
}

static LONGLONG position_of(HANDLE file)
{
    FILE_POSITION_INFORMATION position = { .CurrentByteOffset.QuadPart = -1 };
    IO_STATUS_BLOCK io;

    CHECK_STATUS(NtQueryInformationFile(file, &io, &position, sizeof position,
                                        FilePositionInformation),
                 STATUS_SUCCESS);
    return position.CurrentByteOffset.QuadPart;
}

static LONGLONG size_of(HANDLE file)
{
    FILE_STANDARD_INFORMATION standard;
    IO_STATUS_BLOCK io;

    memset(&standard, 0xEE, sizeof standard);
    CHECK_STATUS(NtQueryInformationFile(file, &io, &standard, sizeof standard,
                                        FileStandardInformation),
                 STATUS_SUCCESS);
    CHECK(io.Information == sizeof standard);
    CHECK(standard.AllocationSize.QuadPart >= standard.EndOfFile.QuadPart);
    CHECK(standard.NumberOfLinks == 1 && !standard.DeletePending &&
          !standard.Directory);
    return standard.EndOfFile.QuadPart;
}

static void check_reading(void)
{
    UCHAR buffer[64], again[64];
    ULONG_PTR count;
    LONGLONG size;
    HANDLE file;

    if (!CHECK_STATUS(test_open(SELF, FILE_GENERIC_READ, &file), 0))
        return;
    size = size_of(file);
    CHECK(size > 0x1000 && position_of(file) == 0);
    CHECK_STATUS(read_at(file, buffer, 2, -1, &count), STATUS_SUCCESS);
    CHECK(count == 2 && buffer[0] == 'M' && buffer[1] == 'Z');
    CHECK(position_of(file) == 2);
    CHECK_STATUS(read_at(file, buffer, 64, -1, &count), STATUS_SUCCESS);
    CHECK(count == 64 && position_of(file) == 66);
    CHECK_STATUS(read_at(file, again, 64, 2, &count), STATUS_SUCCESS);
    CHECK(count == 64 && !memcmp(buffer, again, 64));
    CHECK(position_of(file) == 66);
    CHECK_STATUS(read_at(file, buffer, 64, size - 10, &count), STATUS_SUCCESS);
    CHECK(count == 10 && position_of(file) == size);
    CHECK_STATUS(read_at(file, buffer, 64, -1, &count), STATUS_END_OF_FILE);
    CHECK(count == 0);
    CHECK_STATUS(read_at(file, buffer, 1, size, &count), STATUS_END_OF_FILE);
    CHECK_STATUS(read_at(file, buffer, 1, INT64_MAX, &count),
                 STATUS_END_OF_FILE);
    CHECK_STATUS(read_at(file, buffer, 0, 0, &count), STATUS_SUCCESS);
    CHECK(count == 0);
    CHECK_STATUS(NtClose(file), STATUS_SUCCESS);
    CHECK_STATUS(read_at(file, buffer, 1, 0, &count), STATUS_INVALID_HANDLE);
    CHECK_STATUS(NtClose(file), STATUS_INVALID_HANDLE);
}

/* "Where the last read ended" can be said in words; other negatives cannot. */
static void check_offsets(void)
{
    LARGE_INTEGER current = { .LowPart = FILE_USE_FILE_POINTER_POSITION,
                              .HighPart = -1 };
    LARGE_INTEGER negative = { .QuadPart = -5 };
    IO_STATUS_BLOCK io;
    UCHAR buffer[8];
    HANDLE file;

    if (!CHECK_STATUS(test_open(SELF, FILE_GENERIC_READ, &file), 0))
        return;
    CHECK_STATUS(NtReadFile(file, NULL, NULL, NULL, &io, buffer, 4, &current,
                            NULL), STATUS_SUCCESS);
    CHECK(io.Information == 4 && position_of(file) == 4);
    CHECK_STATUS(NtReadFile(file, NULL, NULL, NULL, &io, buffer, 4, &negative,
                            NULL), STATUS_INVALID_PARAMETER);
    CHECK(position_of(file) == 4);
    NtClose(file);
}

static void check_dispositions(void)
{
    static const struct {
        const WCHAR *path;
        ULONG disposition;
        NTSTATUS status;
    } rows[] = {
        { SYSTEM32 SELF, FILE_OPEN, STATUS_SUCCESS },
        { SYSTEM32 SELF, FILE_OPEN_IF, STATUS_SUCCESS },
        { SYSTEM32 SELF, FILE_CREATE, STATUS_OBJECT_NAME_COLLISION },
        { SYSTEM32 L"none", FILE_OPEN, STATUS_OBJECT_NAME_NOT_FOUND },
        { SYSTEM32 L"none", FILE_CREATE, STATUS_MEDIA_WRITE_PROTECTED },
        { SYSTEM32 L"none", FILE_OPEN_IF, STATUS_MEDIA_WRITE_PROTECTED },
        { SYSTEM32 SELF, FILE_OVERWRITE, STATUS_MEDIA_WRITE_PROTECTED },
        { SYSTEM32 SELF, FILE_OVERWRITE_IF, STATUS_MEDIA_WRITE_PROTECTED },
        { SYSTEM32 SELF, FILE_SUPERSEDE, STATUS_MEDIA_WRITE_PROTECTED },
        { SYSTEM32 SELF, FILE_MAXIMUM_DISPOSITION + 1,
          STATUS_INVALID_PARAMETER },
    };
    ULONG at;

    for (at = 0; at < ARRAY_SIZE(rows); at++) {
        IO_STATUS_BLOCK io;
        HANDLE file;
        NTSTATUS status = create(rows[at].path, FILE_GENERIC_READ,
                                 rows[at].disposition,
                                 FILE_SYNCHRONOUS_IO_NONALERT, &file, &io);

        CHECK_SAY(status == rows[at].status,
                  "disposition %u of %ls: %08x, not %08x",
                  rows[at].disposition, rows[at].path, status,
                  rows[at].status);
        if (!NT_SUCCESS(status)) {
            CHECK(!file);
            continue;
        }
        CHECK(io.Information == FILE_OPENED && file);
        NtClose(file);
    }
}

static void check_names(void)
{
    static const struct {
        const WCHAR *path;
        NTSTATUS status;
    } rows[] = {
        { L"\\systemroot\\SYSTEM32\\FILES.EXE", STATUS_SUCCESS },
        { L"\\SystemRoot\\System32\\ntdll.dll", STATUS_SUCCESS },
        { L"\\SystemRoot\\System32\\ntdll.dl", STATUS_OBJECT_NAME_NOT_FOUND },
        { L"\\SystemRoot\\System32\\ntdll.dllx",
          STATUS_OBJECT_NAME_NOT_FOUND },
        { L"\\SystemRoot\\Other\\ntdll.dll", STATUS_OBJECT_PATH_NOT_FOUND },
        { L"\\SystemRoot\\System32\\x\\ntdll.dll",
          STATUS_OBJECT_PATH_NOT_FOUND },
        { L"ntdll.dll", STATUS_OBJECT_PATH_SYNTAX_BAD },
        { L"", STATUS_OBJECT_PATH_SYNTAX_BAD },
        { L"\\Nowhere", STATUS_OBJECT_NAME_NOT_FOUND },
    };
    ULONG at;

    for (at = 0; at < ARRAY_SIZE(rows); at++) {
        IO_STATUS_BLOCK io;
        HANDLE file;
        NTSTATUS status = create(rows[at].path, FILE_GENERIC_READ, FILE_OPEN,
                                 FILE_SYNCHRONOUS_IO_NONALERT, &file, &io);

        CHECK_SAY(status == rows[at].status, "\"%ls\": %08x, not %08x",
                  rows[at].path, status, rows[at].status);
        if (NT_SUCCESS(status))
            NtClose(file);
    }
}

static void check_access(void)
{
    IO_STATUS_BLOCK io;
    UCHAR buffer[4] = { 0 };
    ULONG_PTR count;
    HANDLE file;

    CHECK_STATUS(create(SYSTEM32 SELF, SYNCHRONIZE | FILE_READ_ATTRIBUTES,
                        FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT, &file, &io),
                 STATUS_SUCCESS);
    CHECK_STATUS(read_at(file, buffer, 4, 0, &count), STATUS_ACCESS_DENIED);
    NtClose(file);
    CHECK_STATUS(test_open(SELF, FILE_GENERIC_READ, &file), STATUS_SUCCESS);
    CHECK_STATUS(NtWriteFile(file, NULL, NULL, NULL, &io, buffer, 4, NULL,
                             NULL), STATUS_ACCESS_DENIED);
    NtClose(file);
    CHECK_STATUS(create(SYSTEM32 SELF, FILE_GENERIC_READ, FILE_OPEN,
                        FILE_DIRECTORY_FILE | FILE_SYNCHRONOUS_IO_NONALERT,
                        &file, &io), STATUS_NOT_A_DIRECTORY);
    CHECK_STATUS(create(SYSTEM32 SELF, FILE_GENERIC_READ, FILE_OPEN,
                        FILE_DIRECTORY_FILE | FILE_NON_DIRECTORY_FILE,
                        &file, &io), STATUS_INVALID_PARAMETER);
    CHECK_STATUS(read_at(NtCurrentProcess(), buffer, 4, 0, &count),
                 STATUS_OBJECT_TYPE_MISMATCH);
    CHECK_STATUS(NtClose(NULL), STATUS_INVALID_HANDLE);
}

static void check_queries(void)
{
    UCHAR buffer[64];
    IO_STATUS_BLOCK io;
    HANDLE file;

    if (!CHECK_STATUS(test_open(SELF, FILE_GENERIC_READ, &file), 0))
        return;
    CHECK_STATUS(NtQueryInformationFile(file, &io, buffer, sizeof buffer, 0),
                 STATUS_INVALID_INFO_CLASS);
    CHECK_STATUS(NtQueryInformationFile(file, &io, buffer, sizeof buffer,
                                        0x7FFFFFFF),
                 STATUS_INVALID_INFO_CLASS);
    CHECK_STATUS(NtQueryInformationFile(file, &io, buffer,
                                        sizeof(FILE_STANDARD_INFORMATION) - 1,
                                        FileStandardInformation),
                 STATUS_INFO_LENGTH_MISMATCH);
    CHECK_STATUS(NtQueryInformationFile(file, &io, buffer, 4,
                                        FilePositionInformation),
                 STATUS_INFO_LENGTH_MISMATCH);
    NtClose(file);
}

static void check_console(PEB *peb)
{
    HANDLE output = peb->ProcessParameters->StandardOutput;
    UNICODE_STRING empty = { .Length = 0 };
    IO_STATUS_BLOCK io;

    CHECK_STATUS(NtWriteFile(output, NULL, NULL, NULL, &io, "", 0, NULL,
                             NULL), STATUS_SUCCESS);
    CHECK(io.Information == 0);
    CHECK_STATUS(NtWriteFile(output, NULL, NULL, NULL, &io, "console\n", 8,
                             NULL, NULL), STATUS_SUCCESS);
    CHECK(io.Information == 8 && io.Status == STATUS_SUCCESS);
    CHECK_STATUS(NtDisplayString(&empty), STATUS_SUCCESS);
}

static NTSTATUS read_console(HANDLE input, ULONG size, IO_STATUS_BLOCK *io)
{
    char byte[1];

    memset(io, 0xEE, sizeof *io);
    return NtReadFile(input, NULL, NULL, NULL, io, byte, size, NULL, NULL);
}

/* Nothing has been typed: what would wait is not asked for here. */
static void check_console_input(const WCHAR *name)
{
    HANDLE input, output;
    IO_STATUS_BLOCK io;

    if (!CHECK_STATUS(create(name, FILE_GENERIC_READ, FILE_OPEN,
                             FILE_SYNCHRONOUS_IO_ALERT, &input, &io), 0))
        return;
    CHECK_STATUS(read_console(input, 0, &io), STATUS_SUCCESS);
    CHECK(io.Status == STATUS_SUCCESS && io.Information == 0);
    CHECK_STATUS(NtWriteFile(input, NULL, NULL, NULL, &io, "x", 1, NULL,
                             NULL), STATUS_ACCESS_DENIED);
    CHECK_STATUS(NtReadFile(input, NULL, NULL, NULL, &io, (void *)8, 1, NULL,
                            NULL), STATUS_ACCESS_VIOLATION);
    CHECK_STATUS(NtReadFile(input, input, NULL, NULL, &io, &io, 1, NULL,
                            NULL), STATUS_OBJECT_TYPE_MISMATCH);
    NtClose(input);
    CHECK_STATUS(create(name, FILE_GENERIC_READ | FILE_GENERIC_WRITE,
                        FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT, &output,
                        &io), 0);
    CHECK_STATUS(NtWriteFile(output, NULL, NULL, NULL, &io, "x", 1, NULL,
                             NULL), STATUS_INVALID_HANDLE);
    NtClose(output);
}

static LONG state_of(HANDLE event)
{
    EVENT_BASIC_INFORMATION basic = { .EventState = -1 };

    CHECK_STATUS(NtQueryEvent(event, EventBasicInformation, &basic,
                              sizeof basic, NULL), STATUS_SUCCESS);
    return basic.EventState;
}

/* An event is set by a transfer that went well, cleared by one that did not. */
static void check_event(PEB *peb)
{
    HANDLE output = peb->ProcessParameters->StandardOutput, event, weak, file;
    IO_STATUS_BLOCK io;
    char byte;

    if (!CHECK_STATUS(NtCreateEvent(&event, EVENT_ALL_ACCESS, NULL,
                                    NotificationEvent, FALSE), 0))
        return;
    CHECK_STATUS(NtWriteFile(output, event, NULL, NULL, &io, "", 0, NULL,
                             NULL), STATUS_SUCCESS);
    CHECK(state_of(event) == 1);
    CHECK_STATUS(NtWriteFile(output, event, NULL, NULL, &io, (void *)8, 1,
                             NULL, NULL), STATUS_ACCESS_VIOLATION);
    if (CHECK_STATUS(test_open(SELF, FILE_GENERIC_READ, &file), 0)) {
        LARGE_INTEGER far = { .QuadPart = 1LL << 40 };

        CHECK_STATUS(NtReadFile(file, event, NULL, NULL, &io, &byte, 1, &far,
                                NULL), STATUS_END_OF_FILE);
        CHECK(state_of(event) == 0);
        CHECK_STATUS(NtReadFile(file, event, NULL, NULL, &io, &byte, 1, NULL,
                                NULL), STATUS_SUCCESS);
        CHECK(state_of(event) == 1);
        NtClose(file);
    }
    CHECK_STATUS(NtCreateEvent(&weak, EVENT_QUERY_STATE, NULL,
                               NotificationEvent, FALSE), STATUS_SUCCESS);
    CHECK_STATUS(NtWriteFile(output, weak, NULL, NULL, &io, "", 0, NULL,
                             NULL), STATUS_ACCESS_DENIED);
    NtClose(weak);
    NtClose(event);
}

static void check_console_output(void)
{
    HANDLE output;
    IO_STATUS_BLOCK io;

    CHECK_STATUS(create(L"\\??\\CONOUT$", FILE_GENERIC_READ, FILE_OPEN,
                        FILE_SYNCHRONOUS_IO_NONALERT, &output, &io), 0);
    CHECK_STATUS(read_console(output, 1, &io), STATUS_INVALID_HANDLE);
    NtClose(output);
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    check_reading();
    check_offsets();
    check_dispositions();
    check_names();
    check_access();
    check_queries();
    check_console(peb);
    check_console_input(L"\\??\\CONIN$");
    check_console_input(L"\\Device\\ConDrv\\CurrentIn");
    check_console_input(L"\\Device\\ConDrv\\keys");
    check_console_output();
    check_event(peb);
    return test_end();
}
