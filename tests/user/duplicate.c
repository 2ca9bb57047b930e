/*
 * duplicate.c - handles: duplicating, protecting, closing, and waiting for
 * them. The object is a directory, of which nothing else depends on the right.
 */
#include "test.h"

#define BAD ((HANDLE)0x12344)

static HANDLE make(ACCESS_MASK access)
{
    HANDLE handle = NULL;

    CHECK_STATUS(NtCreateDirectoryObject(&handle, access, NULL),
                 STATUS_SUCCESS);
    return handle;
}

static NTSTATUS duplicate(HANDLE source, HANDLE *target, ACCESS_MASK access,
                          ULONG attributes, ULONG options)
{
    return NtDuplicateObject(NtCurrentProcess(), source, NtCurrentProcess(),
                             target, access, attributes, options);
}

static ACCESS_MASK granted(HANDLE handle)
{
    OBJECT_BASIC_INFORMATION basic = { .GrantedAccess = 0 };

    CHECK_STATUS(NtQueryObject(handle, ObjectBasicInformation, &basic,
                               sizeof basic, NULL), STATUS_SUCCESS);
    return basic.GrantedAccess;
}

static ULONG flags(HANDLE handle)
{
    OBJECT_HANDLE_FLAG_INFORMATION information = { 0, 0 };

    CHECK_STATUS(NtQueryObject(handle, ObjectHandleFlagInformation,
                               &information, sizeof information, NULL),
                 STATUS_SUCCESS);
    return (information.Inherit ? OBJ_INHERIT : 0) |
           (information.ProtectFromClose ? OBJ_PROTECT_CLOSE : 0);
}

static void set_flags(HANDLE handle, BOOLEAN inherit, BOOLEAN protect)
{
    OBJECT_HANDLE_FLAG_INFORMATION information = { inherit, protect };

    CHECK_STATUS(NtSetInformationObject(handle, ObjectHandleFlagInformation,
                                        &information, sizeof information),
                 STATUS_SUCCESS);
}

static void rights(void)
{
    HANDLE source = make(DIRECTORY_QUERY), target, file;

    CHECK_STATUS(duplicate(source, &target, 0, 0, DUPLICATE_SAME_ACCESS),
                 STATUS_SUCCESS);
    CHECK(target != source);
    CHECK(granted(target) == DIRECTORY_QUERY);
    CHECK_STATUS(NtClose(target), STATUS_SUCCESS);
    CHECK_STATUS(duplicate(source, &target, GENERIC_ALL, 0, 0),
                 STATUS_SUCCESS);
    CHECK(granted(target) == DIRECTORY_ALL_ACCESS);
    CHECK_STATUS(NtClose(target), STATUS_SUCCESS);
    CHECK_STATUS(duplicate(source, &target, 0x10, 0, 0),
                 STATUS_ACCESS_DENIED);
    CHECK_STATUS(NtClose(source), STATUS_SUCCESS);

    CHECK_STATUS(test_open(L"ntdll.dll", FILE_READ_ATTRIBUTES | SYNCHRONIZE,
                           &file), STATUS_SUCCESS);
    CHECK_STATUS(duplicate(file, &target, FILE_READ_DATA, 0, 0),
                 STATUS_ACCESS_DENIED);
    CHECK_STATUS(duplicate(file, &target, FILE_WRITE_DATA, 0, 0),
                 STATUS_ACCESS_DENIED);
    CHECK_STATUS(duplicate(file, &target, FILE_READ_ATTRIBUTES, 0, 0),
                 STATUS_SUCCESS);
    CHECK_STATUS(NtClose(target), STATUS_SUCCESS);
    CHECK_STATUS(NtClose(file), STATUS_SUCCESS);
}

static void attributes(void)
{
    HANDLE source = make(DIRECTORY_QUERY), target;

    CHECK(flags(source) == 0);
    set_flags(source, TRUE, TRUE);
    CHECK(flags(source) == (OBJ_INHERIT | OBJ_PROTECT_CLOSE));
    CHECK_STATUS(NtClose(source), STATUS_HANDLE_NOT_CLOSABLE);
    CHECK_STATUS(duplicate(source, &target, 0, 0, DUPLICATE_SAME_ACCESS),
                 STATUS_SUCCESS);
    CHECK(flags(target) == 0);
    CHECK_STATUS(NtClose(target), STATUS_SUCCESS);
    CHECK_STATUS(duplicate(source, &target, 0, 0, DUPLICATE_SAME_ACCESS |
                                                  DUPLICATE_SAME_ATTRIBUTES),
                 STATUS_SUCCESS);
    CHECK(flags(target) == (OBJ_INHERIT | OBJ_PROTECT_CLOSE));
    CHECK_STATUS(NtClose(target), STATUS_HANDLE_NOT_CLOSABLE);
    set_flags(target, FALSE, FALSE);
    CHECK_STATUS(NtClose(target), STATUS_SUCCESS);
    set_flags(source, FALSE, FALSE);
    CHECK_STATUS(duplicate(source, &target, 0, OBJ_INHERIT,
                           DUPLICATE_SAME_ACCESS), STATUS_SUCCESS);
    CHECK(flags(target) == OBJ_INHERIT);
    CHECK_STATUS(NtClose(target), STATUS_SUCCESS);
    CHECK_STATUS(NtSetInformationObject(source, ObjectBasicInformation,
                                        &target, 2),
                 STATUS_INVALID_INFO_CLASS);
    CHECK_STATUS(NtSetInformationObject(source, ObjectHandleFlagInformation,
                                        &target, 4),
                 STATUS_INFO_LENGTH_MISMATCH);
    CHECK_STATUS(NtSetInformationObject(BAD, ObjectHandleFlagInformation,
                                        &target, 2), STATUS_INVALID_HANDLE);
    CHECK_STATUS(NtClose(source), STATUS_SUCCESS);
}

/* The source is closed also when nothing comes of the duplicate. */
static void closing(void)
{
    HANDLE source = make(DIRECTORY_QUERY), target;

    CHECK_STATUS(duplicate(source, &target, 0, 0, DUPLICATE_SAME_ACCESS |
                                                  DUPLICATE_CLOSE_SOURCE),
                 STATUS_SUCCESS);
    CHECK_STATUS(NtClose(source), STATUS_INVALID_HANDLE);
    CHECK_STATUS(duplicate(target, &source, 0x10, 0, DUPLICATE_CLOSE_SOURCE),
                 STATUS_ACCESS_DENIED);
    CHECK_STATUS(NtClose(target), STATUS_INVALID_HANDLE);

    source = make(DIRECTORY_QUERY);
    CHECK_STATUS(NtDuplicateObject(NtCurrentProcess(), source, NULL, NULL, 0,
                                   0, DUPLICATE_SAME_ACCESS),
                 STATUS_INVALID_PARAMETER);
    CHECK_STATUS(NtDuplicateObject(NtCurrentProcess(), source, BAD, &target,
                                   0, 0, DUPLICATE_CLOSE_SOURCE),
                 STATUS_INVALID_HANDLE);
    CHECK_STATUS(NtClose(source), STATUS_INVALID_HANDLE);

    source = make(DIRECTORY_QUERY);
    CHECK_STATUS(NtDuplicateObject(NtCurrentProcess(), source, NULL, NULL, 0,
                                   0, DUPLICATE_CLOSE_SOURCE),
                 STATUS_SUCCESS);
    CHECK_STATUS(NtClose(source), STATUS_INVALID_HANDLE);
}

static void bad_handles(void)
{
    HANDLE source = make(DIRECTORY_QUERY), process, target;

    CHECK_STATUS(duplicate(BAD, &target, 0, 0, DUPLICATE_SAME_ACCESS),
                 STATUS_INVALID_HANDLE);
    CHECK_STATUS(NtDuplicateObject(BAD, source, NtCurrentProcess(), &target,
                                   0, 0, DUPLICATE_SAME_ACCESS),
                 STATUS_INVALID_HANDLE);
    CHECK_STATUS(NtDuplicateObject(source, source, NtCurrentProcess(),
                                   &target, 0, 0, DUPLICATE_SAME_ACCESS),
                 STATUS_OBJECT_TYPE_MISMATCH);
    CHECK_STATUS(duplicate(source, (HANDLE *)1, 0, 0, DUPLICATE_SAME_ACCESS),
                 STATUS_ACCESS_VIOLATION);
    CHECK_STATUS(duplicate(NtCurrentProcess(), &process,
                           PROCESS_QUERY_INFORMATION, 0, 0), STATUS_SUCCESS);
    CHECK_STATUS(NtDuplicateObject(process, source, NtCurrentProcess(),
                                   &target, 0, 0, DUPLICATE_SAME_ACCESS),
                 STATUS_ACCESS_DENIED);
    CHECK_STATUS(NtDuplicateObject(NtCurrentProcess(), source, process,
                                   &target, 0, 0, DUPLICATE_SAME_ACCESS),
                 STATUS_ACCESS_DENIED);
    CHECK_STATUS(NtClose(process), STATUS_SUCCESS);
    CHECK_STATUS(NtClose(source), STATUS_SUCCESS);
}

/* Waits that end at once. */
static void waits(void)
{
    LARGE_INTEGER now = { .QuadPart = 0 };
    HANDLE handles[65], process, thread, deaf;

    CHECK_STATUS(duplicate(NtCurrentProcess(), &process, SYNCHRONIZE, 0, 0),
                 STATUS_SUCCESS);
    CHECK_STATUS(duplicate(NtCurrentThread(), &thread, 0, 0,
                           DUPLICATE_SAME_ACCESS), STATUS_SUCCESS);
    CHECK_STATUS(duplicate(NtCurrentThread(), &deaf, THREAD_TERMINATE, 0, 0),
                 STATUS_SUCCESS);
    CHECK_STATUS(NtWaitForSingleObject(process, FALSE, &now), STATUS_TIMEOUT);
    CHECK_STATUS(NtWaitForSingleObject(thread, TRUE, &now), STATUS_TIMEOUT);
    CHECK_STATUS(NtWaitForSingleObject(deaf, FALSE, &now),
                 STATUS_ACCESS_DENIED);
    CHECK_STATUS(NtWaitForSingleObject(BAD, FALSE, &now),
                 STATUS_INVALID_HANDLE);
    CHECK_STATUS(NtWaitForSingleObject(thread, FALSE, (LARGE_INTEGER *)8),
                 STATUS_ACCESS_VIOLATION);
    CHECK_STATUS(NtWaitForSingleObject(thread, FALSE, (LARGE_INTEGER *)1),
                 STATUS_DATATYPE_MISALIGNMENT);

    for (ULONG i = 0; i < ARRAY_SIZE(handles); i++)
        handles[i] = thread;
    handles[0] = process;
    CHECK_STATUS(NtWaitForMultipleObjects(0, handles, 1, FALSE, &now),
                 STATUS_INVALID_PARAMETER_1);
    CHECK_STATUS(NtWaitForMultipleObjects(65, handles, 1, FALSE, &now),
                 STATUS_INVALID_PARAMETER_1);
    CHECK_STATUS(NtWaitForMultipleObjects(2, handles, 2, FALSE, &now),
                 STATUS_INVALID_PARAMETER_3);
    CHECK_STATUS(NtWaitForMultipleObjects(64, handles, 1, FALSE, &now),
                 STATUS_TIMEOUT);
    CHECK_STATUS(NtWaitForMultipleObjects(64, handles, 0, FALSE, &now),
                 STATUS_INVALID_PARAMETER_MIX);
    CHECK_STATUS(NtWaitForMultipleObjects(2, handles, 0, FALSE, &now),
                 STATUS_TIMEOUT);
    CHECK_STATUS(NtWaitForMultipleObjects(2, NULL, 1, FALSE, &now),
                 STATUS_ACCESS_VIOLATION);
    handles[1] = deaf;
    CHECK_STATUS(NtWaitForMultipleObjects(2, handles, 1, FALSE, &now),
                 STATUS_ACCESS_DENIED);
    handles[1] = BAD;
    CHECK_STATUS(NtWaitForMultipleObjects(2, handles, 1, FALSE, &now),
                 STATUS_INVALID_HANDLE);
    CHECK_STATUS(NtSignalAndWaitForSingleObject(thread, process, FALSE, &now),
                 STATUS_OBJECT_TYPE_MISMATCH);
    CHECK_STATUS(NtSignalAndWaitForSingleObject(BAD, process, FALSE, &now),
                 STATUS_INVALID_HANDLE);
    CHECK_STATUS(NtClose(deaf), STATUS_SUCCESS);
    CHECK_STATUS(NtClose(thread), STATUS_SUCCESS);
    CHECK_STATUS(NtClose(process), STATUS_SUCCESS);
}

/* What has nothing to wait for: a section. */
static void no_header(void)
{
    LARGE_INTEGER size = { .QuadPart = 0x1000 }, now = { .QuadPart = 0 };
    HANDLE section;

    CHECK_STATUS(NtCreateSection(&section, SECTION_ALL_ACCESS | SYNCHRONIZE,
                                 NULL, &size, PAGE_READWRITE, SEC_COMMIT,
                                 NULL), STATUS_SUCCESS);
    CHECK_STATUS(NtWaitForSingleObject(section, FALSE, &now),
                 STATUS_OBJECT_TYPE_MISMATCH);
    CHECK_STATUS(NtClose(section), STATUS_SUCCESS);
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    (void)peb;
    rights();
    attributes();
    closing();
    bad_handles();
    waits();
    no_header();
    return test_end();
}
