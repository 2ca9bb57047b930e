/*
 * sections.c - sections with names, and what a section tells of itself.
 *
 * The 64-bit program starts itself again: the other process opens the section
 * by its name, and each sees what the other writes.
 */
#include "test.h"

#include "child.h"

#define NAME L"\\BaseNamedObjects\\sections"
#define SELF NtCurrentProcess()

static NTSTATUS create(const WCHAR *path, ULONG flags, ACCESS_MASK access,
                       HANDLE *handle)
{
    LARGE_INTEGER size = { .QuadPart = 0x1800 };
    UNICODE_STRING name;
    OBJECT_ATTRIBUTES attributes = { .Length = sizeof attributes,
                                     .ObjectName = &name,
                                     .Attributes = flags };

    RtlInitUnicodeString(&name, path);
    *handle = NULL;
    return NtCreateSection(handle, access, &attributes, &size, PAGE_READWRITE,
                           SEC_COMMIT, NULL);
}

static NTSTATUS open(const WCHAR *path, ACCESS_MASK access, HANDLE *handle)
{
    UNICODE_STRING name;
    OBJECT_ATTRIBUTES attributes = { .Length = sizeof attributes,
                                     .ObjectName = &name };

    RtlInitUnicodeString(&name, path);
    *handle = NULL;
    return NtOpenSection(handle, access, &attributes);
}

static NTSTATUS map(HANDLE section, ULONG protect, volatile UCHAR **view)
{
    void *base = NULL;
    SIZE_T size = 0;
    NTSTATUS status = NtMapViewOfSection(section, SELF, &base, 0, 0, NULL,
                                         &size, ViewUnmap, 0, protect);

    *view = base;
    return status;
}

static void check_names(void)
{
    HANDLE section, other, event;

    CHECK_STATUS(open(NAME, SECTION_ALL_ACCESS, &other),
                 STATUS_OBJECT_NAME_NOT_FOUND);
    CHECK_STATUS(create(NAME, 0, SECTION_ALL_ACCESS, &section),
                 STATUS_SUCCESS);
    CHECK_STATUS(create(NAME, 0, SECTION_ALL_ACCESS, &other),
                 STATUS_OBJECT_NAME_COLLISION);
    CHECK(other == NULL);
    CHECK_STATUS(create(NAME, OBJ_OPENIF, SECTION_ALL_ACCESS, &other),
                 STATUS_OBJECT_NAME_EXISTS);
    CHECK(other && other != section);
    CHECK_STATUS(NtClose(other), STATUS_SUCCESS);
    CHECK_STATUS(open(NAME, SECTION_ALL_ACCESS, &other), STATUS_SUCCESS);
    CHECK_STATUS(NtClose(section), STATUS_SUCCESS);
    CHECK_STATUS(open(NAME, SECTION_QUERY, &section), STATUS_SUCCESS);
    CHECK_STATUS(NtClose(section), STATUS_SUCCESS);
    CHECK_STATUS(NtClose(other), STATUS_SUCCESS);
    CHECK_STATUS(open(NAME, SECTION_ALL_ACCESS, &other),
                 STATUS_OBJECT_NAME_NOT_FOUND);
    CHECK_STATUS(open(L"\\BaseNamedObjects", SECTION_QUERY, &other),
                 STATUS_OBJECT_TYPE_MISMATCH);
    CHECK_STATUS(create(L"\\BaseNamedObjects\\none\\x", 0, SECTION_QUERY,
                        &other), STATUS_OBJECT_PATH_NOT_FOUND);
    CHECK_STATUS(NtOpenSection(&other, SECTION_QUERY, NULL),
                 STATUS_INVALID_PARAMETER);
    NtCreateEvent(&event, EVENT_ALL_ACCESS, NULL, NotificationEvent, FALSE);
    CHECK_STATUS(NtQuerySection(event, SectionBasicInformation,
                                &(SECTION_BASIC_INFORMATION){ 0 },
                                sizeof(SECTION_BASIC_INFORMATION), NULL),
                 STATUS_OBJECT_TYPE_MISMATCH);
    NtClose(event);
}

/* Each handle can what it was opened for. */
static void check_rights(void)
{
    SECTION_BASIC_INFORMATION basic;
    volatile UCHAR *view, *other;
    HANDLE section, read, query;

    CHECK_STATUS(create(NAME, 0, SECTION_ALL_ACCESS, &section),
                 STATUS_SUCCESS);
    CHECK_STATUS(open(NAME, GENERIC_READ, &read), STATUS_SUCCESS);
    CHECK_STATUS(open(NAME, SECTION_MAP_WRITE, &query), STATUS_SUCCESS);
    CHECK_STATUS(NtQuerySection(query, SectionBasicInformation, &basic,
                                sizeof basic, NULL), STATUS_ACCESS_DENIED);
    CHECK_STATUS(NtQuerySection(read, SectionBasicInformation, &basic,
                                sizeof basic, NULL), STATUS_SUCCESS);
    CHECK_STATUS(map(read, PAGE_READWRITE, &view), STATUS_ACCESS_DENIED);
    CHECK_STATUS(map(read, PAGE_READONLY, &view), STATUS_SUCCESS);
    CHECK_STATUS(map(section, PAGE_READWRITE, &other), STATUS_SUCCESS);
    other[0x1234] = 5;
    CHECK(view[0x1234] == 5);
    NtClose(query);
    CHECK_STATUS(open(NAME, 0x20, &query), STATUS_ACCESS_DENIED);
    NtUnmapViewOfSection(SELF, (void *)view);
    NtUnmapViewOfSection(SELF, (void *)other);
    NtClose(read);
    NtClose(section);
}

static void check_basic(HANDLE section, ULONG attributes, ULONG size)
{
    struct {
        SECTION_BASIC_INFORMATION basic;
        UCHAR behind[8];
    } answer;
    SIZE_T length = 0;

    memset(&answer, 0xEE, sizeof answer);
    CHECK_STATUS(NtQuerySection(section, SectionBasicInformation,
                                &answer.basic, sizeof answer, &length),
                 STATUS_SUCCESS);
    CHECK(length == sizeof answer.basic && answer.behind[0] == 0xEE);
    CHECK(answer.basic.BaseAddress == NULL);
    CHECK_SAY(answer.basic.AllocationAttributes == attributes,
              "attributes %x", answer.basic.AllocationAttributes);
    CHECK_SAY(size == 0 || answer.basic.MaximumSize.QuadPart == size,
              "size %x", answer.basic.MaximumSize.LowPart);
}

static void check_image(HANDLE section)
{
    const UCHAR *base = NtCurrentPeb()->ImageBaseAddress;
    const IMAGE_NT_HEADERS *headers = RtlImageNtHeader((void *)base);
    SECTION_IMAGE_INFORMATION image;
    SIZE_T length = 0;

    memset(&image, 0xEE, sizeof image);
    CHECK_STATUS(NtQuerySection(section, SectionImageInformation, &image,
                                sizeof image, &length), STATUS_SUCCESS);
    CHECK(length == sizeof image);
    CHECK(image.TransferAddress ==
          base + headers->OptionalHeader.AddressOfEntryPoint);
    CHECK(image.MaximumStackSize ==
          headers->OptionalHeader.SizeOfStackReserve);
    CHECK(image.CommittedStackSize ==
          headers->OptionalHeader.SizeOfStackCommit);
    CHECK(image.Machine == headers->FileHeader.Machine);
    CHECK(image.SubSystemType == headers->OptionalHeader.Subsystem);
    CHECK(image.DllCharacteristics ==
          headers->OptionalHeader.DllCharacteristics);
    CHECK(image.ImageContainsCode == TRUE && image.ZeroBits == 0);
}

static void check_query(void)
{
    SECTION_IMAGE_INFORMATION image;
    SECTION_BASIC_INFORMATION basic;
    HANDLE section, file;
    SIZE_T length = 77;

    CHECK_STATUS(create(NAME, 0, SECTION_ALL_ACCESS, &section),
                 STATUS_SUCCESS);
    check_basic(section, SEC_COMMIT, 0x2000);
    CHECK_STATUS(NtQuerySection(section, SectionImageInformation, &image,
                                sizeof image, &length),
                 STATUS_SECTION_NOT_IMAGE);
    CHECK_STATUS(NtQuerySection(section, SectionBasicInformation, &basic,
                                sizeof basic - 1, &length),
                 STATUS_INFO_LENGTH_MISMATCH);
    CHECK_STATUS(NtQuerySection(section, 99, &image, sizeof image, &length),
                 STATUS_INVALID_INFO_CLASS);
    CHECK_STATUS(NtQuerySection(section, SectionBasicInformation, NULL,
                                sizeof basic, &length),
                 STATUS_ACCESS_VIOLATION);
    CHECK(length == 77);
    NtClose(section);

    CHECK_STATUS(test_open(L"sections.exe", FILE_GENERIC_READ | FILE_EXECUTE,
                           &file), STATUS_SUCCESS);
    CHECK_STATUS(NtCreateSection(&section, SECTION_ALL_ACCESS, NULL, NULL,
                                 PAGE_EXECUTE, SEC_IMAGE, file),
                 STATUS_SUCCESS);
    check_basic(section, SEC_IMAGE | SEC_FILE, 0);
    check_image(section);
    NtClose(section);
    CHECK_STATUS(NtCreateSection(&section, SECTION_ALL_ACCESS, NULL,
                                 &(LARGE_INTEGER){ .QuadPart = 77 },
                                 PAGE_READONLY, SEC_COMMIT, file),
                 STATUS_SUCCESS);
    check_basic(section, SEC_FILE, 77);
    NtClose(section);
    NtClose(file);
}

/* ---- two processes ---- */

static void child(void)
{
    volatile UCHAR *view;
    HANDLE section;

    if (!CHECK_STATUS(open(NAME, SECTION_ALL_ACCESS, &section),
                      STATUS_SUCCESS))
        return;
    CHECK_STATUS(map(section, PAGE_READWRITE, &view), STATUS_SUCCESS);
    CHECK(view[0] == 1 && view[0x1FFF] == 2);
    view[0x1000] = 3;
}

static void check_shared(void)
{
    volatile UCHAR *view;
    HANDLE section;

    if (!HAS_CHILDREN)
        return;
    CHECK_STATUS(create(NAME, 0, SECTION_ALL_ACCESS, &section),
                 STATUS_SUCCESS);
    CHECK_STATUS(map(section, PAGE_READWRITE, &view), STATUS_SUCCESS);
    view[0] = 1;
    view[0x1FFF] = 2;
    CHECK_STATUS(run_child(L"\\SystemRoot\\System32\\sections.exe"),
                 STATUS_SUCCESS);
    CHECK(view[0x1000] == 3);
    NtUnmapViewOfSection(SELF, (void *)view);
    NtClose(section);
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    (void)peb;
    if (*test_words() != '\0') {
        child();
        return test_end();
    }
    check_names();
    check_rights();
    check_query();
    check_shared();
    return test_end();
}
