/*
 * images.c - a process maps images for its own machine only.
 *
 * The other kind's ntdll is a sound image, so there can be a section over it;
 * what fails is the view.  Built twice: a 64-bit program tries the 32-bit one,
 * a 32-bit program the 64-bit one.
 */
#include "test.h"

#define SELF NtCurrentProcess()

#define OTHER (sizeof(void *) == 8 ? L"ntdll32.dll" : L"ntdll.dll")
#define OWN (sizeof(void *) == 8 ? L"ntdll.dll" : L"ntdll32.dll")

static HANDLE open_section(const WCHAR *name, ULONG attributes)
{
    HANDLE file = NULL, section = NULL;

    CHECK_STATUS(test_open(name, FILE_READ_DATA | FILE_EXECUTE | SYNCHRONIZE,
                           &file), STATUS_SUCCESS);
    CHECK_STATUS(NtCreateSection(&section, SECTION_ALL_ACCESS, NULL, NULL,
                                 PAGE_READONLY, attributes, file),
                 STATUS_SUCCESS);
    CHECK_STATUS(NtClose(file), STATUS_SUCCESS);
    return section;
}

static NTSTATUS map(HANDLE section, void **base)
{
    SIZE_T size = 0;

    return NtMapViewOfSection(section, SELF, base, 0, 0, NULL, &size,
                              ViewShare, 0, PAGE_READONLY);
}

static void check_view(const WCHAR *name, ULONG attributes, NTSTATUS expected)
{
    HANDLE section = open_section(name, attributes);
    void *base = NULL;
    NTSTATUS status = map(section, &base);

    CHECK_STATUS(status, expected);
    CHECK((base != NULL) == NT_SUCCESS(expected));
    if (base)
        CHECK_STATUS(NtUnmapViewOfSection(SELF, base), STATUS_SUCCESS);
    CHECK_STATUS(NtClose(section), STATUS_SUCCESS);
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    (void)peb;
    check_view(OTHER, SEC_IMAGE, STATUS_INVALID_IMAGE_FORMAT);
    check_view(OTHER, SEC_COMMIT, STATUS_SUCCESS);
    check_view(OWN, SEC_IMAGE, STATUS_IMAGE_NOT_AT_BASE);
    return test_end();
}
