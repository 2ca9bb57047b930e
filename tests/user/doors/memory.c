/*
 * doors/memory.c - the services of memory and of sections, by the door that
 * is chosen.
 */
#include "doors.h"

static UCHAR *two_pages(void)
{
    void *base = NULL;
    SIZE_T size = PAGE_SIZE + 1;

    EXPECT(STATUS_SUCCESS, NtAllocateVirtualMemory, SELF, &base, (ULONG_PTR)0,
           &size, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    CHECK(base && size == 2 * PAGE_SIZE);
    return base;
}

static NTSTATUS release(void *base)
{
    SIZE_T size = 0;

    return CALL(NtFreeVirtualMemory, SELF, &base, &size, MEM_RELEASE);
}

static MEMORY_BASIC_INFORMATION query(void *base)
{
    MEMORY_BASIC_INFORMATION memory;
    SIZE_T length = 0;

    memset(&memory, 0xEE, sizeof memory);
    EXPECT(STATUS_SUCCESS, NtQueryVirtualMemory, SELF, base,
           MemoryBasicInformation, &memory, sizeof memory, &length);
    CHECK(length == sizeof memory);
    return memory;
}

void by_door_allocate_memory(void)
{
    void *base = NULL;
    SIZE_T size = PAGE_SIZE;
    UCHAR *pages = two_pages();

    CHECK(pages[0] == 0);
    pages[2 * PAGE_SIZE - 1] = 1;
    CHECK_STATUS(release(pages), STATUS_SUCCESS);
    EXPECT(STATUS_INVALID_PARAMETER_5, NtAllocateVirtualMemory, SELF, &base,
           (ULONG_PTR)0, &size, 0, PAGE_READWRITE);
}

void by_door_free_memory(void)
{
    UCHAR *pages = two_pages();

    CHECK_STATUS(release(pages), STATUS_SUCCESS);
    CHECK(query(pages).State == MEM_FREE);
    CHECK_STATUS(release(pages), STATUS_MEMORY_NOT_ALLOCATED);
}

void by_door_query_memory(void)
{
    UCHAR *pages = two_pages();
    MEMORY_BASIC_INFORMATION memory = query(pages);

    CHECK(memory.BaseAddress == pages && memory.State == MEM_COMMIT &&
          memory.RegionSize == 2 * PAGE_SIZE &&
          memory.Protect == PAGE_READWRITE);
    EXPECT(STATUS_INVALID_INFO_CLASS, NtQueryVirtualMemory, SELF, pages, 999,
           &memory, sizeof memory, NULL);
    CHECK_STATUS(release(pages), STATUS_SUCCESS);
}

void by_door_protect_memory(void)
{
    UCHAR *pages = two_pages();
    void *base = pages + PAGE_SIZE;
    SIZE_T size = 1;
    ULONG old = 0;

    EXPECT(STATUS_SUCCESS, NtProtectVirtualMemory, SELF, &base, &size,
           PAGE_READONLY, &old);
    CHECK(old == PAGE_READWRITE && size == PAGE_SIZE);
    CHECK(query(pages).Protect == PAGE_READWRITE &&
          query(pages + PAGE_SIZE).Protect == PAGE_READONLY);
    EXPECT(STATUS_INVALID_PAGE_PROTECTION, NtProtectVirtualMemory, SELF,
           &base, &size, 0, &old);
    CHECK_STATUS(release(pages), STATUS_SUCCESS);
}

static HANDLE create_section(void)
{
    HANDLE section = NULL;
    LARGE_INTEGER size = { .QuadPart = PAGE_SIZE };

    EXPECT(STATUS_SUCCESS, NtCreateSection, &section, SECTION_ALL_ACCESS,
           NULL, &size, PAGE_READWRITE, SEC_COMMIT, NULL);
    return section;
}

void by_door_section_object(void)
{
    HANDLE file = by_door_open_self(), image = NULL;

    CHECK_STATUS(NtClose(create_section()), STATUS_SUCCESS);
    EXPECT(STATUS_SUCCESS, NtCreateSection, &image, SECTION_ALL_ACCESS, NULL,
           NULL, PAGE_EXECUTE, SEC_IMAGE, file);
    CHECK_STATUS(NtClose(image), STATUS_SUCCESS);
    EXPECT(STATUS_INVALID_HANDLE, NtCreateSection, &image, SECTION_ALL_ACCESS,
           NULL, NULL, PAGE_EXECUTE, SEC_IMAGE, NO_HANDLE);
    NtClose(file);
}

static UCHAR *map_view(HANDLE section)
{
    void *base = NULL;
    SIZE_T size = 0;

    EXPECT(STATUS_SUCCESS, NtMapViewOfSection, section, SELF, &base,
           (ULONG_PTR)0, (SIZE_T)0, NULL, &size, ViewShare, 0,
           PAGE_READWRITE);
    CHECK(base && size == PAGE_SIZE);
    return base;
}

/* Two views of one section show each other's writes. */
void by_door_views(void)
{
    HANDLE section = create_section();
    UCHAR *one = map_view(section), *other = map_view(section);
    void *base = NULL;
    SIZE_T size = 0;

    one[5] = 77;
    CHECK(one != other && other[5] == 77);
    EXPECT(STATUS_SUCCESS, NtUnmapViewOfSection, SELF, one);
    CHECK(query(one).State == MEM_FREE);
    EXPECT(STATUS_NOT_MAPPED_VIEW, NtUnmapViewOfSection, SELF, one);
    EXPECT(STATUS_SUCCESS, NtUnmapViewOfSection, SELF, other);
    EXPECT(STATUS_INVALID_PARAMETER_8, NtMapViewOfSection, section, SELF,
           &base, (ULONG_PTR)0, (SIZE_T)0, NULL, &size, 9, 0,
           PAGE_READWRITE);
    NtClose(section);
}

void by_door_copy_memory(void)
{
    UCHAR *pages = two_pages(), bytes[4] = { 1, 2, 3, 4 };
    SIZE_T count = 0;

    EXPECT(STATUS_SUCCESS, NtWriteVirtualMemory, SELF, pages, bytes,
           sizeof bytes, &count);
    CHECK(count == 4 && pages[3] == 4);
    pages[2] = 9;
    EXPECT(STATUS_SUCCESS, NtReadVirtualMemory, SELF, pages, bytes,
           sizeof bytes, &count);
    CHECK(count == 4 && bytes[2] == 9 && bytes[3] == 4);
    CHECK_STATUS(release(pages), STATUS_SUCCESS);
    EXPECT(STATUS_PARTIAL_COPY, NtReadVirtualMemory, SELF, pages, bytes,
           sizeof bytes, &count);
    CHECK(count == 0);
    EXPECT(STATUS_ACCESS_VIOLATION, NtWriteVirtualMemory, SELF, pages, bytes,
           sizeof bytes, &count);
}

void by_door_lock_memory(void)
{
    void *base = two_pages();
    UCHAR *pages = base;
    SIZE_T size = 1;

    base = pages + 1;
    EXPECT(STATUS_SUCCESS, NtLockVirtualMemory, SELF, &base, &size,
           MAP_PROCESS);
    CHECK(base == pages && size == PAGE_SIZE);
    EXPECT(STATUS_WAS_LOCKED, NtLockVirtualMemory, SELF, &base, &size,
           MAP_PROCESS);
    EXPECT(STATUS_PRIVILEGE_NOT_HELD, NtLockVirtualMemory, SELF, &base, &size,
           MAP_SYSTEM);
    EXPECT(STATUS_SUCCESS, NtUnlockVirtualMemory, SELF, &base, &size,
           MAP_PROCESS);
    EXPECT(STATUS_NOT_LOCKED, NtUnlockVirtualMemory, SELF, &base, &size,
           MAP_PROCESS);
    CHECK_STATUS(release(pages), STATUS_SUCCESS);
}

void by_door_open_section(void)
{
    HANDLE section = NULL, other = NULL;
    LARGE_INTEGER size = { .QuadPart = PAGE_SIZE };
    UNICODE_STRING name;
    OBJECT_ATTRIBUTES attributes = { .Length = sizeof attributes,
                                     .ObjectName = &name };

    RtlInitUnicodeString(&name, L"\\BaseNamedObjects\\doors");
    EXPECT(STATUS_OBJECT_NAME_NOT_FOUND, NtOpenSection, &other,
           SECTION_ALL_ACCESS, &attributes);
    EXPECT(STATUS_SUCCESS, NtCreateSection, &section, SECTION_ALL_ACCESS,
           &attributes, &size, PAGE_READWRITE, SEC_COMMIT, NULL);
    EXPECT(STATUS_SUCCESS, NtOpenSection, &other, SECTION_ALL_ACCESS,
           &attributes);
    CHECK(other && other != section);
    CHECK_STATUS(NtClose(other), STATUS_SUCCESS);
    CHECK_STATUS(NtClose(section), STATUS_SUCCESS);
}

void by_door_query_section(void)
{
    HANDLE section = create_section();
    SECTION_BASIC_INFORMATION basic;
    SECTION_IMAGE_INFORMATION image;
    SIZE_T length = 0;

    EXPECT(STATUS_SUCCESS, NtQuerySection, section, SectionBasicInformation,
           &basic, sizeof basic, &length);
    CHECK(length == sizeof basic && basic.MaximumSize.QuadPart == PAGE_SIZE &&
          basic.AllocationAttributes == SEC_COMMIT);
    EXPECT(STATUS_SECTION_NOT_IMAGE, NtQuerySection, section,
           SectionImageInformation, &image, sizeof image, &length);
    CHECK_STATUS(NtClose(section), STATUS_SUCCESS);
}
