/*
 * objects.c - what all dispatcher objects answer alike, kind by kind.
 */
#include "objects.h"

#define UNTOUCHED ((HANDLE)(LONG_PTR)0x5A5A5A58)
#define NAME L"\\BaseNamedObjects\\ntwalk test"
#define OTHER_CASE L"\\BaseNamedObjects\\NTWALK Test"

static const struct kind *kind;
static UNICODE_STRING string;

static OBJECT_ATTRIBUTES *named(const WCHAR *name, ULONG flags)
{
    static OBJECT_ATTRIBUTES attributes;

    RtlInitUnicodeString(&string, name);
    attributes = (OBJECT_ATTRIBUTES){ .Length = sizeof attributes,
                                      .ObjectName = &string,
                                      .Attributes = flags };
    return &attributes;
}

NTSTATUS poll(HANDLE handle)
{
    LARGE_INTEGER now = { .QuadPart = 0 };

    return NtWaitForSingleObject(handle, FALSE, &now);
}

HANDLE make(const struct kind *what, ACCESS_MASK access)
{
    HANDLE handle = NULL;

    CHECK_STATUS(what->create(&handle, access, NULL), STATUS_SUCCESS);
    return handle;
}

static void refused(NTSTATUS expected, ACCESS_MASK access,
                    OBJECT_ATTRIBUTES *attributes)
{
    HANDLE handle = UNTOUCHED;

    CHECK_STATUS(kind->create(&handle, access, attributes), expected);
    CHECK(handle == UNTOUCHED);
}

static void check_create(void)
{
    OBJECT_ATTRIBUTES attributes = { .Length = sizeof attributes };
    UCHAR *page = test_pages(1);

    CHECK_STATUS(kind->create(NULL, kind->all, NULL),
                 STATUS_ACCESS_VIOLATION);
    CHECK_STATUS(kind->create(UNMAPPED, kind->all, NULL),
                 STATUS_ACCESS_VIOLATION);
    test_protect(page, 1, PAGE_READONLY);
    CHECK_STATUS(kind->create((HANDLE *)page, kind->all, NULL),
                 STATUS_ACCESS_VIOLATION);
    refused(STATUS_ACCESS_VIOLATION, kind->all, UNMAPPED);
    refused(STATUS_ACCESS_DENIED, 0x8000, NULL);
    refused(STATUS_PRIVILEGE_NOT_HELD, ACCESS_SYSTEM_SECURITY, NULL);
    attributes.Length--;
    refused(STATUS_INVALID_PARAMETER, kind->all, &attributes);
    attributes.Length++;
    attributes.Attributes = 0x80000000;
    refused(STATUS_INVALID_PARAMETER, kind->all, &attributes);
    refused(STATUS_OBJECT_PATH_SYNTAX_BAD, kind->all, named(L"name", 0));
    refused(STATUS_OBJECT_PATH_NOT_FOUND, kind->all,
            named(L"\\nowhere\\name", 0));
    NtClose(make(kind, kind->all));
}

static void check_open(NTSTATUS expected, const WCHAR *name, ULONG flags)
{
    HANDLE handle = UNTOUCHED;

    CHECK_STATUS(kind->open(&handle, kind->all, named(name, flags)),
                 expected);
    if (NT_SUCCESS(expected))
        CHECK_STATUS(NtClose(handle), STATUS_SUCCESS);
    else
        CHECK(handle == UNTOUCHED);
}

/* The second time it is the same object, or none. */
static void check_collision(void)
{
    HANDLE handle = UNTOUCHED;

    refused(STATUS_OBJECT_NAME_COLLISION, kind->all, named(NAME, 0));
    CHECK_STATUS(kind->create(&handle, kind->all, named(NAME, OBJ_OPENIF)),
                 STATUS_OBJECT_NAME_EXISTS);
    CHECK_STATUS(NtClose(handle), STATUS_SUCCESS);
    CHECK_STATUS(kind->create(&handle, kind->all,
                              named(OTHER_CASE,
                                    OBJ_OPENIF | OBJ_CASE_INSENSITIVE)),
                 STATUS_OBJECT_NAME_EXISTS);
    CHECK_STATUS(NtClose(handle), STATUS_SUCCESS);
    CHECK_STATUS(kind->create(&handle, 0x8000, named(NAME, OBJ_OPENIF)),
                 STATUS_ACCESS_DENIED);
}

static void check_names(void)
{
    HANDLE handle = UNTOUCHED;

    check_open(STATUS_OBJECT_NAME_NOT_FOUND, NAME, 0);
    CHECK_STATUS(kind->create(&handle, kind->all, named(NAME, 0)),
                 STATUS_SUCCESS);
    check_open(STATUS_SUCCESS, NAME, 0);
    check_open(STATUS_OBJECT_NAME_NOT_FOUND, OTHER_CASE, 0);
    check_open(STATUS_SUCCESS, OTHER_CASE, OBJ_CASE_INSENSITIVE);
    check_open(STATUS_OBJECT_PATH_NOT_FOUND, L"\\nowhere\\name", 0);
    check_open(STATUS_OBJECT_PATH_SYNTAX_BAD, L"name", 0);
    check_collision();
    CHECK_STATUS(kind->open_other(&(HANDLE){ NULL }, SYNCHRONIZE,
                                  named(NAME, 0)),
                 STATUS_OBJECT_TYPE_MISMATCH);
    CHECK_STATUS(kind->open(NULL, kind->all, named(NAME, 0)),
                 STATUS_ACCESS_VIOLATION);
    CHECK_STATUS(kind->open(&(HANDLE){ NULL }, 0x8000, named(NAME, 0)),
                 STATUS_ACCESS_DENIED);
    CHECK_STATUS(kind->open(&(HANDLE){ NULL }, kind->all, UNMAPPED),
                 STATUS_ACCESS_VIOLATION);
    CHECK_STATUS(NtClose(handle), STATUS_SUCCESS);
    check_open(STATUS_OBJECT_NAME_NOT_FOUND, NAME, 0);
}

static void check_query(void)
{
    static ULONGLONG space[4];
    UCHAR *buffer = (UCHAR *)space;
    HANDLE all = make(kind, kind->all), blind = make(kind, SYNCHRONIZE);
    HANDLE reader = make(kind, GENERIC_READ);
    ULONG length = 0;

    CHECK_STATUS(kind->query(all, 0, buffer, kind->size, &length),
                 STATUS_SUCCESS);
    CHECK(length == kind->size);
    CHECK_STATUS(kind->query(reader, 0, buffer, kind->size, NULL),
                 STATUS_SUCCESS);
    CHECK_STATUS(kind->query(all, 99, buffer, kind->size, NULL),
                 STATUS_INVALID_INFO_CLASS);
    CHECK_STATUS(kind->query(all, 0, buffer, kind->size - 1, NULL),
                 STATUS_INFO_LENGTH_MISMATCH);
    CHECK_STATUS(kind->query(all, 0, buffer, kind->size + 1, NULL),
                 STATUS_INFO_LENGTH_MISMATCH);
    CHECK_STATUS(kind->query(all, 0, buffer, 0, NULL),
                 STATUS_INFO_LENGTH_MISMATCH);
    CHECK_STATUS(kind->query(all, 0, NULL, kind->size, NULL),
                 STATUS_ACCESS_VIOLATION);
    CHECK_STATUS(kind->query(all, 0, buffer + 1, kind->size, NULL),
                 STATUS_DATATYPE_MISALIGNMENT);
    CHECK_STATUS(kind->query(all, 0, buffer, kind->size, UNMAPPED),
                 STATUS_ACCESS_VIOLATION);
    CHECK_STATUS(kind->query(NO_HANDLE, 0, buffer, kind->size, NULL),
                 STATUS_INVALID_HANDLE);
    CHECK_STATUS(kind->query(NtCurrentProcess(), 0, buffer, kind->size, NULL),
                 STATUS_OBJECT_TYPE_MISMATCH);
    CHECK_STATUS(kind->query(blind, 0, buffer, kind->size, NULL),
                 STATUS_ACCESS_DENIED);
    NtClose(all);
    NtClose(blind);
    NtClose(reader);
}

/* A handle without SYNCHRONIZE cannot be waited for. */
static void check_wait(void)
{
    HANDLE handle = make(kind, 1);

    CHECK_STATUS(poll(handle), STATUS_ACCESS_DENIED);
    NtClose(handle);
}

void check_kind(const struct kind *what)
{
    kind = what;
    test_where(what->name);
    check_create();
    check_names();
    check_query();
    check_wait();
    test_where("");
}
