/*
 * broken.c - images that are not what they say.
 *
 * tests/boot/test_images.py makes them: 0.pe, 1.pe and so on.  Of each this
 * program tells on a line what becomes of a section over it, of a view of
 * that, of a second view, which has to be elsewhere, and of a process; of each
 * view how many pages can be read, and of the second where it is and what its
 * second page begins with.  When all are gone all memory is back.
 */
#include "test.h"

#include "child.h"

#define SELF NtCurrentProcess()
#define FOLDER L"\\SystemRoot\\System32\\"
#define NAME_AT (sizeof FOLDER / sizeof(WCHAR) - 1)

static WCHAR path[NAME_AT + 8];

static void set_path(ULONG number)
{
    WCHAR *at = path + NAME_AT;

    memcpy(path, FOLDER, sizeof FOLDER);
    if (number >= 10)
        *at++ = (WCHAR)(L'0' + number / 10);
    *at++ = (WCHAR)(L'0' + number % 10);
    memcpy(at, L".pe", sizeof L".pe");
}

static BOOLEAN is_in(ULONG_PTR at, void *base)
{
    MEMORY_BASIC_INFORMATION memory = { 0 };

    NtQueryVirtualMemory(SELF, (void *)at, MemoryBasicInformation, &memory,
                         sizeof memory, NULL);
    return memory.AllocationBase == base;
}

static NTSTATUS read(ULONG_PTR at, ULONGLONG *value)
{
    return NtReadVirtualMemory(SELF, (void *)at, value, sizeof *value, NULL);
}

static ULONG count_pages(void *base)
{
    ULONGLONG value;
    ULONG pages = 0;

    for (ULONG_PTR at = (ULONG_PTR)base; is_in(at, base); at += PAGE_SIZE)
        pages += NT_SUCCESS(read(at, &value));
    return pages;
}

static void *map(HANDLE section)
{
    void *base = NULL;
    SIZE_T size = 0;
    NTSTATUS status = NtMapViewOfSection(section, SELF, &base, 0, 0, NULL,
                                         &size, ViewUnmap, 0, PAGE_READONLY);

    print(" %08x", status);
    if (base)
        print(" %u", count_pages(base));
    return base;
}

static void unmap(void *base)
{
    if (base)
        CHECK_STATUS(NtUnmapViewOfSection(SELF, base), STATUS_SUCCESS);
}

static void use_views(HANDLE section)
{
    void *first = map(section), *second = map(section);
    ULONGLONG value = 0;

    if (second && NT_SUCCESS(read((ULONG_PTR)second + PAGE_SIZE, &value)))
        print(" %p %llx", second, value);
    unmap(first);
    unmap(second);
}

static NTSTATUS use_section(void)
{
    HANDLE file, section;
    NTSTATUS status = test_open(path + NAME_AT, FILE_READ_DATA |
                                FILE_EXECUTE | SYNCHRONIZE, &file);

    if (!NT_SUCCESS(status))
        return status;
    status = NtCreateSection(&section, SECTION_ALL_ACCESS, NULL, NULL,
                             PAGE_EXECUTE, SEC_IMAGE, file);
    print(" %08x", status);
    if (NT_SUCCESS(status)) {
        use_views(section);
        CHECK_STATUS(NtClose(section), STATUS_SUCCESS);
    }
    CHECK_STATUS(NtClose(file), STATUS_SUCCESS);
    return STATUS_SUCCESS;
}

/* It never runs. */
static void use_process(void)
{
    RTL_USER_PROCESS_INFORMATION process;
    NTSTATUS status = start_child(path, &process);

    print(" %08x", status);
    if (!NT_SUCCESS(status))
        return;
    NtTerminateProcess(process.ProcessHandle, 9);
    CHECK_STATUS(end_child(&process), 9);
}

static BOOLEAN use(ULONG number)
{
    set_path(number);
    print("%u:", number);
    if (!NT_SUCCESS(use_section()))
        return FALSE;
    use_process();
    print("\n");
    return TRUE;
}

/* The first file is sound: the tables that it needs are not missed. */
NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    ULONG pages, number = 0;

    (void)peb;
    (void)use(0);
    pages = test_settled_pages();
    while (use(number))
        number++;
    print(" that was all\n");
    CHECK_SAY(test_settled_pages() + 4 + test_page_slack() >= pages,
              "%u pages, then %u", pages,
              test_settled_pages());
    return test_end();
}
