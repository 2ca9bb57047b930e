/*
 * doors/files.c - the services of files, by the door that is chosen.
 */
#include "doors.h"

#define FILE_READ 0x100                         /* bytes of this program */

static IO_STATUS_BLOCK io;

static NTSTATUS open_by_door(const WCHAR *name, HANDLE *file)
{
    UNICODE_STRING string;
    OBJECT_ATTRIBUTES attributes = { .Length = sizeof attributes,
                                     .ObjectName = &string,
                                     .Attributes = OBJ_CASE_INSENSITIVE };

    RtlInitUnicodeString(&string, name);
    memset(&io, 0xEE, sizeof io);
    return CALL(NtOpenFile, file, FILE_GENERIC_READ | FILE_EXECUTE,
                &attributes, &io, FILE_SHARE_READ,
                FILE_SYNCHRONOUS_IO_NONALERT);
}

HANDLE by_door_open_self(void)
{
    HANDLE file = NULL;

    CHECK_STATUS(open_by_door(L"\\SystemRoot\\System32\\doors.exe", &file),
                 STATUS_SUCCESS);
    CHECK(file && io.Status == STATUS_SUCCESS &&
          io.Information == FILE_OPENED);
    return file;
}

void by_door_open_file(void)
{
    HANDLE file;

    NtClose(by_door_open_self());
    CHECK_STATUS(open_by_door(L"\\SystemRoot\\System32\\none", &file),
                 STATUS_OBJECT_NAME_NOT_FOUND);
}

void by_door_close_file(void)
{
    HANDLE file = by_door_open_self();

    EXPECT(STATUS_SUCCESS, NtClose, file);
    EXPECT(STATUS_INVALID_HANDLE, NtClose, file);
}

void by_door_create_file(void)
{
    UNICODE_STRING string;
    OBJECT_ATTRIBUTES attributes = { .Length = sizeof attributes,
                                     .ObjectName = &string };
    HANDLE file = NULL;

    RtlInitUnicodeString(&string, L"\\SystemRoot\\System32\\doors.exe");
    EXPECT(STATUS_SUCCESS, NtCreateFile, &file, FILE_GENERIC_READ,
           &attributes, &io, NULL, FILE_ATTRIBUTE_NORMAL, FILE_SHARE_READ,
           FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0);
    CHECK(io.Information == FILE_OPENED);
    CHECK_STATUS(NtClose(file), STATUS_SUCCESS);
    EXPECT(STATUS_OBJECT_NAME_COLLISION, NtCreateFile, &file,
           FILE_GENERIC_READ, &attributes, &io, NULL, FILE_ATTRIBUTE_NORMAL,
           FILE_SHARE_READ, FILE_CREATE, FILE_SYNCHRONOUS_IO_NONALERT, NULL,
           0);
}

void by_door_read_file(void)
{
    HANDLE file = by_door_open_self();
    LARGE_INTEGER offset = { .QuadPart = 0 };
    static UCHAR bytes[FILE_READ], again[FILE_READ];

    memset(bytes, 0, sizeof bytes);
    EXPECT(STATUS_SUCCESS, NtReadFile, file, NULL, NULL, NULL, &io, bytes,
           FILE_READ, &offset, NULL);
    CHECK(io.Information == FILE_READ);
    CHECK_STATUS(NtReadFile(file, NULL, NULL, NULL, &io, again, FILE_READ,
                            &offset, NULL), STATUS_SUCCESS);
    CHECK(bytes[0] == 'M' && !memcmp(bytes, again, FILE_READ));
    offset.QuadPart = 1LL << 40;
    EXPECT(STATUS_END_OF_FILE, NtReadFile, file, NULL, NULL, NULL, &io, bytes,
           FILE_READ, &offset, NULL);
    NtClose(file);
}

/* The boot test looks for the line that is expected (test_user.py). */
void by_door_write_file(void)
{
    HANDLE output = NtCurrentPeb()->ProcessParameters->StandardOutput;
    HANDLE file = by_door_open_self();
    char text[40];
    ULONG length = sprintf(text, "written by %s\n", door->name);

    print("expected: %s", text);
    EXPECT(STATUS_SUCCESS, NtWriteFile, output, NULL, NULL, NULL, &io, text,
           length, NULL, NULL);
    CHECK(io.Information == length);
    EXPECT(STATUS_ACCESS_DENIED, NtWriteFile, file, NULL, NULL, NULL, &io,
           text, length, NULL, NULL);
    NtClose(file);
}

void by_door_query_file(void)
{
    HANDLE file = by_door_open_self();
    FILE_STANDARD_INFORMATION standard, again;

    memset(&standard, 0xEE, sizeof standard);
    memset(&again, 0x11, sizeof again);
    EXPECT(STATUS_SUCCESS, NtQueryInformationFile, file, &io, &standard,
           (ULONG)sizeof standard, FileStandardInformation);
    CHECK(io.Information == sizeof standard);
    CHECK_STATUS(NtQueryInformationFile(file, &io, &again, sizeof again,
                                        FileStandardInformation),
                 STATUS_SUCCESS);
    CHECK(standard.EndOfFile.QuadPart == again.EndOfFile.QuadPart &&
          standard.NumberOfLinks == 1);
    EXPECT(STATUS_INFO_LENGTH_MISMATCH, NtQueryInformationFile, file, &io,
           &standard, 1, FileStandardInformation);
    NtClose(file);
}
