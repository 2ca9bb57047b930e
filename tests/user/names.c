/*
 * names.c - the namespace of objects: paths, directories, attributes, and how
 * long a name lives. Statuses are Windows'.
 */
#include "test.h"

#define BASE L"\\BaseNamedObjects\\"

static void init(OBJECT_ATTRIBUTES *attributes, UNICODE_STRING *name,
                 const WCHAR *path, ULONG flags, HANDLE root)
{
    RtlInitUnicodeString(name, path);
    *attributes = (OBJECT_ATTRIBUTES){ .Length = sizeof *attributes,
                                       .RootDirectory = root,
                                       .ObjectName = path ? name : NULL,
                                       .Attributes = flags };
}

static NTSTATUS create(const WCHAR *path, ULONG flags, HANDLE root,
                       HANDLE *handle)
{
    OBJECT_ATTRIBUTES attributes;
    UNICODE_STRING name;

    init(&attributes, &name, path, flags, root);
    *handle = NULL;
    return NtCreateDirectoryObject(handle, DIRECTORY_ALL_ACCESS, &attributes);
}

static NTSTATUS open(const WCHAR *path, ULONG flags, HANDLE root,
                     HANDLE *handle)
{
    OBJECT_ATTRIBUTES attributes;
    UNICODE_STRING name;

    init(&attributes, &name, path, flags, root);
    *handle = NULL;
    return NtOpenDirectoryObject(handle, DIRECTORY_QUERY, &attributes);
}

/* Creating and opening say the same of a path that is wrong. */
static void check_both(const WCHAR *path, HANDLE root, NTSTATUS expected)
{
    HANDLE handle;

    CHECK_STATUS(create(path, 0, root, &handle), expected);
    CHECK(handle == NULL);
    CHECK_STATUS(open(path, 0, root, &handle), expected);
    CHECK(handle == NULL);
}

static void bad_paths(void)
{
    HANDLE handle;

    check_both(L"BaseNamedObjects", NULL, STATUS_OBJECT_PATH_SYNTAX_BAD);
    check_both(L"\\BaseNamedObjects\\", NULL, STATUS_OBJECT_NAME_INVALID);
    check_both(L"\\\\BaseNamedObjects", NULL, STATUS_OBJECT_NAME_INVALID);
    check_both(BASE L"\\x", NULL, STATUS_OBJECT_NAME_INVALID);
    check_both(BASE L"none\\", NULL, STATUS_OBJECT_PATH_NOT_FOUND);
    check_both(BASE L"none\\x", NULL, STATUS_OBJECT_PATH_NOT_FOUND);
    check_both(L"\\BASENAMEDOBJECTS\\x", NULL, STATUS_OBJECT_PATH_NOT_FOUND);
    check_both(L"\\ObjectTypes\\Directory", NULL,
               STATUS_OBJECT_TYPE_MISMATCH);
    check_both(L"\\ObjectTypes\\Directory\\x", NULL,
               STATUS_OBJECT_TYPE_MISMATCH);
    CHECK_STATUS(open(BASE L"none", 0, NULL, &handle),
                 STATUS_OBJECT_NAME_NOT_FOUND);
    CHECK_STATUS(open(L"", 0, NULL, &handle), STATUS_OBJECT_PATH_SYNTAX_BAD);
    CHECK_STATUS(open(NULL, 0, NULL, &handle),
                 STATUS_OBJECT_PATH_SYNTAX_BAD);
    CHECK_STATUS(NtOpenDirectoryObject(&handle, DIRECTORY_QUERY, NULL),
                 STATUS_INVALID_PARAMETER);
}

static void no_name(void)
{
    HANDLE handle;

    CHECK_STATUS(NtCreateDirectoryObject(&handle, DIRECTORY_QUERY, NULL),
                 STATUS_SUCCESS);
    CHECK_STATUS(NtClose(handle), STATUS_SUCCESS);
    CHECK_STATUS(create(NULL, 0, NULL, &handle), STATUS_SUCCESS);
    CHECK_STATUS(NtClose(handle), STATUS_SUCCESS);
    CHECK_STATUS(create(L"", 0, (HANDLE)0x12344, &handle), STATUS_SUCCESS);
    CHECK_STATUS(NtClose(handle), STATUS_SUCCESS);
    CHECK_STATUS(create(NULL, 0, (HANDLE)0x12344, &handle),
                 STATUS_OBJECT_NAME_INVALID);
}

static void the_root(void)
{
    HANDLE handle;

    CHECK_STATUS(create(L"\\", 0, NULL, &handle),
                 STATUS_OBJECT_NAME_COLLISION);
    CHECK_STATUS(create(L"\\", OBJ_OPENIF, NULL, &handle),
                 STATUS_OBJECT_NAME_EXISTS);
    CHECK_STATUS(NtClose(handle), STATUS_SUCCESS);
    CHECK_STATUS(open(L"\\", 0, NULL, &handle), STATUS_SUCCESS);
    CHECK_STATUS(NtClose(handle), STATUS_SUCCESS);
}

/* A name is there as long as a handle is. */
static void a_life(void)
{
    HANDLE first, second, none;

    CHECK_STATUS(create(BASE L"life", 0, NULL, &first), STATUS_SUCCESS);
    CHECK_STATUS(create(BASE L"life", 0, NULL, &none),
                 STATUS_OBJECT_NAME_COLLISION);
    CHECK_STATUS(open(BASE L"LIFE", 0, NULL, &none),
                 STATUS_OBJECT_NAME_NOT_FOUND);
    CHECK_STATUS(open(BASE L"LIFE", OBJ_CASE_INSENSITIVE, NULL, &second),
                 STATUS_SUCCESS);
    CHECK_STATUS(NtClose(first), STATUS_SUCCESS);
    CHECK_STATUS(create(BASE L"life", OBJ_OPENIF, NULL, &first),
                 STATUS_OBJECT_NAME_EXISTS);
    CHECK_STATUS(NtClose(second), STATUS_SUCCESS);
    CHECK_STATUS(NtClose(first), STATUS_SUCCESS);
    CHECK_STATUS(open(BASE L"life", 0, NULL, &none),
                 STATUS_OBJECT_NAME_NOT_FOUND);
    CHECK_STATUS(create(BASE L"life", OBJ_OPENIF, NULL, &first),
                 STATUS_SUCCESS);
    CHECK_STATUS(NtClose(first), STATUS_SUCCESS);
}

static void relative(void)
{
    HANDLE root, inner, again, file;

    CHECK_STATUS(create(BASE L"outer", 0, NULL, &root), STATUS_SUCCESS);
    CHECK_STATUS(create(L"inner", 0, root, &inner), STATUS_SUCCESS);
    CHECK_STATUS(open(BASE L"outer\\inner", 0, NULL, &again),
                 STATUS_SUCCESS);
    CHECK_STATUS(NtClose(again), STATUS_SUCCESS);
    CHECK_STATUS(open(L"", 0, inner, &again), STATUS_SUCCESS);
    CHECK_STATUS(NtClose(again), STATUS_SUCCESS);
    check_both(L"\\inner", root, STATUS_OBJECT_PATH_SYNTAX_BAD);
    check_both(L"inner\\", root, STATUS_OBJECT_NAME_INVALID);
    check_both(L"x", (HANDLE)0x12344, STATUS_INVALID_HANDLE);
    CHECK_STATUS(test_open(L"ntdll.dll", FILE_READ_DATA | SYNCHRONIZE, &file),
                 STATUS_SUCCESS);
    check_both(L"x", file, STATUS_OBJECT_TYPE_MISMATCH);
    CHECK_STATUS(NtClose(file), STATUS_SUCCESS);
    /* Its handle keeps the inner one, but nothing leads there any more. */
    CHECK_STATUS(NtClose(root), STATUS_SUCCESS);
    CHECK_STATUS(open(BASE L"outer\\inner", 0, NULL, &again),
                 STATUS_OBJECT_PATH_NOT_FOUND);
    CHECK_STATUS(create(L"leaf", 0, inner, &again), STATUS_SUCCESS);
    CHECK_STATUS(NtClose(inner), STATUS_SUCCESS);
    CHECK_STATUS(NtClose(again), STATUS_SUCCESS);
}

static void flags(void)
{
    HANDLE first, second;

    CHECK_STATUS(create(BASE L"flags", 0x1, NULL, &first),
                 STATUS_INVALID_PARAMETER);
    CHECK_STATUS(create(BASE L"flags", 0x2000, NULL, &first),
                 STATUS_INVALID_PARAMETER);
    CHECK_STATUS(create(BASE L"flags", OBJ_PERMANENT, NULL, &first),
                 STATUS_PRIVILEGE_NOT_HELD);
    CHECK_STATUS(create(BASE L"flags", OBJ_EXCLUSIVE, NULL, &first),
                 STATUS_SUCCESS);
    CHECK_STATUS(open(BASE L"flags", OBJ_EXCLUSIVE, NULL, &second),
                 STATUS_SUCCESS);
    CHECK_STATUS(NtClose(second), STATUS_SUCCESS);
    CHECK_STATUS(NtClose(first), STATUS_SUCCESS);
    CHECK_STATUS(open(L"\\BaseNamedObjects", OBJ_EXCLUSIVE, NULL, &second),
                 STATUS_INVALID_PARAMETER);
}

static NTSTATUS create_length(WCHAR *text, USHORT length, HANDLE root,
                              HANDLE *handle)
{
    UNICODE_STRING name = { length, length, text };
    OBJECT_ATTRIBUTES attributes = { .Length = sizeof attributes,
                                     .RootDirectory = root,
                                     .ObjectName = &name };

    return NtCreateDirectoryObject(handle, DIRECTORY_QUERY, &attributes);
}

static void lengths(void)
{
    WCHAR *text = test_pages(16);
    OBJECT_ATTRIBUTES attributes = { .Length = 0 };
    HANDLE root, handle;

    for (ULONG i = 0; i < 0x8000; i++)
        text[i] = L'a';
    CHECK_STATUS(open(L"\\BaseNamedObjects", 0, NULL, &root),
                 STATUS_SUCCESS);
    CHECK_STATUS(create_length(text, 67, root, &handle),
                 STATUS_OBJECT_NAME_INVALID);
    CHECK_STATUS(create_length(text, 65532, root, &handle), STATUS_SUCCESS);
    CHECK_STATUS(NtClose(handle), STATUS_SUCCESS);
    CHECK_STATUS(create_length(text, 65534, root, &handle),
                 STATUS_OBJECT_NAME_INVALID);
    CHECK_STATUS(create_length(NULL, 8, root, &handle),
                 STATUS_ACCESS_VIOLATION);
    CHECK_STATUS(NtClose(root), STATUS_SUCCESS);
    for (; attributes.Length <= 2 * sizeof attributes; attributes.Length++) {
        if (attributes.Length != sizeof attributes)
            CHECK_STATUS(NtCreateDirectoryObject(&handle, DIRECTORY_QUERY,
                                                 &attributes),
                         STATUS_INVALID_PARAMETER);
    }
}

static void rights(void)
{
    HANDLE handle;

    CHECK_STATUS(NtCreateDirectoryObject(&handle, 0x10, NULL),
                 STATUS_ACCESS_DENIED);
    CHECK_STATUS(NtCreateDirectoryObject(&handle, ACCESS_SYSTEM_SECURITY,
                                         NULL), STATUS_PRIVILEGE_NOT_HELD);
    CHECK_STATUS(NtCreateDirectoryObject(&handle, GENERIC_ALL, NULL),
                 STATUS_SUCCESS);
    CHECK_STATUS(NtWaitForSingleObject(handle, FALSE, NULL),
                 STATUS_ACCESS_DENIED);
    CHECK_STATUS(NtClose(handle), STATUS_SUCCESS);
    CHECK_STATUS(NtCreateDirectoryObject(NULL, GENERIC_ALL, NULL),
                 STATUS_ACCESS_VIOLATION);
}

/* The object's name and type. */
static void query(void)
{
    ULONG_PTR buffer[0x40];
    OBJECT_NAME_INFORMATION *name = (void *)buffer;
    OBJECT_TYPE_INFORMATION *type = (void *)buffer;
    UNICODE_STRING expected;
    OBJECT_BASIC_INFORMATION basic;
    HANDLE handle;
    ULONG length = 0, needed;

    CHECK_STATUS(create(BASE L"query", OBJ_INHERIT, NULL, &handle),
                 STATUS_SUCCESS);
    RtlInitUnicodeString(&expected, BASE L"query");
    needed = sizeof *name + expected.Length + sizeof(WCHAR);
    CHECK_STATUS(NtQueryObject(handle, ObjectNameInformation, NULL, 0,
                               &length), STATUS_INFO_LENGTH_MISMATCH);
    CHECK(length == needed);
    CHECK_STATUS(NtQueryObject(handle, ObjectNameInformation, buffer,
                               needed - 1, &length), STATUS_BUFFER_OVERFLOW);
    CHECK_STATUS(NtQueryObject(handle, ObjectNameInformation, buffer, needed,
                               &length), STATUS_SUCCESS);
    CHECK(length == needed);
    CHECK(RtlEqualUnicodeString(&name->Name, &expected, FALSE));
    CHECK(name->Name.Buffer == (WCHAR *)(name + 1));
    CHECK(name->Name.Buffer[expected.Length / 2] == 0);

    CHECK_STATUS(NtQueryObject(handle, ObjectTypeInformation, buffer,
                               sizeof *type, &length),
                 STATUS_INFO_LENGTH_MISMATCH);
    CHECK_STATUS(NtQueryObject(handle, ObjectTypeInformation, buffer,
                               sizeof buffer, NULL), STATUS_SUCCESS);
    RtlInitUnicodeString(&expected, L"Directory");
    CHECK(RtlEqualUnicodeString(&type->TypeName, &expected, FALSE));
    CHECK(type->ValidAccessMask == DIRECTORY_ALL_ACCESS);

    CHECK_STATUS(NtQueryObject(handle, ObjectBasicInformation, &basic,
                               sizeof basic - 1, NULL),
                 STATUS_INFO_LENGTH_MISMATCH);
    CHECK_STATUS(NtQueryObject(handle, ObjectBasicInformation, &basic,
                               sizeof basic, NULL), STATUS_SUCCESS);
    CHECK(basic.Attributes == OBJ_INHERIT);
    CHECK(basic.GrantedAccess == DIRECTORY_ALL_ACCESS);
    CHECK(basic.HandleCount == 1);
    CHECK(basic.PointerCount == 2);
    CHECK_STATUS(NtQueryObject(handle, 3, buffer, sizeof buffer, NULL),
                 STATUS_INVALID_INFO_CLASS);
    CHECK_STATUS(NtQueryObject((HANDLE)0x12344, ObjectBasicInformation,
                               &basic, sizeof basic, NULL),
                 STATUS_INVALID_HANDLE);
    CHECK_STATUS(NtClose(handle), STATUS_SUCCESS);

    CHECK_STATUS(NtQueryObject(NtCurrentProcess(), ObjectNameInformation,
                               buffer, sizeof buffer, &length),
                 STATUS_SUCCESS);
    CHECK(length == sizeof *name);
    CHECK(name->Name.Length == 0 && name->Name.Buffer == NULL);
}

/* Of a name that does not fit into a page; every length is answered. */
static void query_long(void)
{
    static WCHAR text[3000];
    const ULONG first = (ULONG)wcslen(BASE), bytes = sizeof text;
    OBJECT_NAME_INFORMATION *name = test_pages(4);
    const ULONG needed = sizeof *name + bytes + sizeof(WCHAR);
    ULONG length = 0;
    HANDLE handle;

    memcpy(text, BASE, first * sizeof(WCHAR));
    for (ULONG i = first; i < ARRAY_SIZE(text); i++)
        text[i] = (WCHAR)(L'a' + i % 26);
    CHECK_STATUS(create_length(text, sizeof text, NULL, &handle),
                 STATUS_SUCCESS);
    CHECK_STATUS(NtQueryObject(handle, ObjectNameInformation, name,
                               sizeof *name - 1, &length),
                 STATUS_INFO_LENGTH_MISMATCH);
    CHECK(length == needed);
    CHECK_STATUS(NtQueryObject(handle, ObjectNameInformation, name,
                               sizeof *name, &length),
                 STATUS_BUFFER_OVERFLOW);
    CHECK_STATUS(NtQueryObject(handle, ObjectNameInformation, name,
                               needed - 1, &length), STATUS_BUFFER_OVERFLOW);
    CHECK_STATUS(NtQueryObject(handle, ObjectNameInformation, name, needed,
                               &length), STATUS_SUCCESS);
    CHECK(length == needed && name->Name.Length == bytes &&
          name->Name.Buffer == (WCHAR *)(name + 1) &&
          !memcmp(name + 1, text, bytes) &&
          name->Name.Buffer[ARRAY_SIZE(text)] == 0);
    CHECK_STATUS(NtClose(handle), STATUS_SUCCESS);
}

/* ---- Directories that are listed ---- */

static NTSTATUS list(HANDLE directory, void *buffer, ULONG length,
                     BOOLEAN single, BOOLEAN restart, ULONG *context,
                     ULONG *returned)
{
    return NtQueryDirectoryObject(directory, buffer, length, single, restart,
                                  context, returned);
}

static BOOLEAN is(const UNICODE_STRING *string, const WCHAR *expected)
{
    UNICODE_STRING text;

    RtlInitUnicodeString(&text, expected);
    return RtlEqualUnicodeString(string, &text, FALSE) &&
           string->MaximumLength == string->Length + sizeof(WCHAR) &&
           string->Buffer[string->Length / sizeof(WCHAR)] == 0;
}

/* Three names, one by one and together: each of them once. */
static void check_listed(HANDLE directory)
{
    ULONG_PTR buffer[0x40];
    const OBJECT_DIRECTORY_INFORMATION *at = (void *)buffer;
    const ULONG pair = sizeof *at, each = pair + 3 * sizeof(WCHAR) + 20;
    ULONG context = 77, length = 0, seen = 0;

    for (ULONG i = 0; i < 3; i++) {
        CHECK_STATUS(list(directory, buffer, sizeof buffer, TRUE, i == 0,
                          &context, &length), STATUS_SUCCESS);
        CHECK(context == i + 1);
        CHECK(length == pair + each);
        CHECK(is(&at->TypeName, L"Directory"));
        CHECK(at[1].Name.Buffer == NULL && at[1].TypeName.Buffer == NULL);
        seen |= 1u << (at->Name.Buffer[0] - L'a');
    }
    CHECK(seen == 7);
    CHECK_STATUS(list(directory, buffer, sizeof buffer, TRUE, FALSE, &context,
                      &length), STATUS_NO_MORE_ENTRIES);
    CHECK_STATUS(list(directory, buffer, sizeof buffer, FALSE, FALSE,
                      &context, NULL), STATUS_NO_MORE_ENTRIES);
    CHECK(context == 3);
    CHECK_STATUS(list(directory, buffer, sizeof buffer, FALSE, TRUE, &context,
                      &length), STATUS_SUCCESS);
    CHECK(length == pair + 3 * each && context == 3);
    for (seen = 0; at->Name.Buffer != NULL; at++)
        seen |= 1u << (at->Name.Buffer[0] - L'a');
    CHECK(seen == 7 && at == (void *)((UCHAR *)buffer + 3 * pair));

    /* A pair and a half: the rest comes in the next call. */
    at = (void *)buffer;
    CHECK_STATUS(list(directory, buffer, pair + 2 * each + 2, FALSE, TRUE,
                      &context, &length), STATUS_MORE_ENTRIES);
    CHECK(length == pair + 2 * each && context == 2);
    CHECK_STATUS(list(directory, buffer, sizeof buffer, FALSE, FALSE,
                      &context, &length), STATUS_SUCCESS);
    CHECK(length == pair + each && context == 3 && at[1].Name.Buffer == NULL);
    CHECK_STATUS(list(directory, NULL, 0, TRUE, TRUE, &context, &length),
                 STATUS_BUFFER_TOO_SMALL);
    CHECK(length == pair + each);
    CHECK_STATUS(list(directory, buffer, pair + each - 1, FALSE, TRUE,
                      &context, NULL), STATUS_MORE_ENTRIES);
    CHECK_STATUS(list(directory, buffer, sizeof buffer, FALSE, TRUE, NULL,
                      NULL), STATUS_ACCESS_VIOLATION);
}

static void listing(void)
{
    const WCHAR *const names[] = { L"aa", L"bb", L"cc" };
    HANDLE directory, blind, inner[3], file;
    ULONG context = 0;
    ULONG_PTR buffer[0x40];

    CHECK_STATUS(create(BASE L"listing", 0, NULL, &directory),
                 STATUS_SUCCESS);
    CHECK_STATUS(list(directory, buffer, sizeof buffer, FALSE, TRUE, &context,
                      NULL), STATUS_NO_MORE_ENTRIES);
    for (ULONG i = 0; i < ARRAY_SIZE(names); i++)
        CHECK_STATUS(create(names[i], 0, directory, &inner[i]),
                     STATUS_SUCCESS);
    check_listed(directory);
    for (ULONG i = 0; i < ARRAY_SIZE(names); i++)
        CHECK_STATUS(NtClose(inner[i]), STATUS_SUCCESS);
    CHECK_STATUS(NtDuplicateObject(NtCurrentProcess(), directory,
                                   NtCurrentProcess(), &blind,
                                   DIRECTORY_TRAVERSE, 0, 0), STATUS_SUCCESS);
    CHECK_STATUS(list(blind, buffer, sizeof buffer, FALSE, TRUE, &context,
                      NULL), STATUS_ACCESS_DENIED);
    CHECK_STATUS(NtClose(blind), STATUS_SUCCESS);
    CHECK_STATUS(NtClose(directory), STATUS_SUCCESS);
    CHECK_STATUS(test_open(L"ntdll.dll", FILE_READ_DATA | SYNCHRONIZE, &file),
                 STATUS_SUCCESS);
    CHECK_STATUS(list(file, buffer, sizeof buffer, FALSE, TRUE, &context,
                      NULL), STATUS_OBJECT_TYPE_MISMATCH);
    CHECK_STATUS(NtClose(file), STATUS_SUCCESS);
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    (void)peb;
    bad_paths();
    no_name();
    the_root();
    a_life();
    relative();
    flags();
    lengths();
    rights();
    query();
    query_long();
    listing();
    return test_end();
}
