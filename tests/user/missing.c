/*
 * missing.c - programs that begin without a part of their memory.
 *
 * A process is made, and before its first instruction one of its regions is
 * freed, made read-only or a guard, or replaced: its program, ntdll, stack,
 * TEB, PEB, parameters.  What becomes of it does not matter as long as it
 * ends, of itself or because it is ended, and leaves nothing behind.
 * "missing NAME" does it to another program.
 */
#include "test.h"

#include "child.h"

#define NAME L"\\BaseNamedObjects\\missing"
#define FOLDER L"\\SystemRoot\\System32\\"

static WCHAR path[128];

/* ---- what is done to a region ---- */

static void drop(HANDLE process, const MEMORY_BASIC_INFORMATION *memory)
{
    void *base = memory->AllocationBase;
    SIZE_T size = 0;

    if (memory->Type == MEM_PRIVATE)
        NtFreeVirtualMemory(process, &base, &size, MEM_RELEASE);
    else
        NtUnmapViewOfSection(process, base);
}

static void protect(HANDLE process, const MEMORY_BASIC_INFORMATION *memory,
                    ULONG protection)
{
    void *base = memory->BaseAddress;
    SIZE_T size = memory->RegionSize;
    ULONG old;

    NtProtectVirtualMemory(process, &base, &size, protection, &old);
}

static void guard(HANDLE process, const MEMORY_BASIC_INFORMATION *memory)
{
    protect(process, memory, PAGE_READWRITE | PAGE_GUARD);
}

static void freeze(HANDLE process, const MEMORY_BASIC_INFORMATION *memory)
{
    protect(process, memory, PAGE_READONLY);
}

/* Another section of memory, as large as the region was. */
static void replace(HANDLE process, const MEMORY_BASIC_INFORMATION *memory)
{
    LARGE_INTEGER most = { .QuadPart = 0x100000 };
    void *base = memory->AllocationBase;
    SIZE_T size = 0x10000;
    HANDLE section;

    drop(process, memory);
    CHECK_STATUS(NtCreateSection(&section, SECTION_ALL_ACCESS, NULL, &most,
                                 PAGE_READWRITE, SEC_COMMIT, NULL),
                 STATUS_SUCCESS);
    NtMapViewOfSection(section, process, &base, 0, 0, NULL, &size, ViewUnmap,
                       0, PAGE_READWRITE);
    CHECK_STATUS(NtClose(section), STATUS_SUCCESS);
}

typedef void deed(HANDLE process, const MEMORY_BASIC_INFORMATION *memory);

static deed *const deeds[] = {
    drop, guard, freeze, replace,
};

/* ---- */

/* The nth run of pages that is not free; FALSE: there are not so many. */
static BOOLEAN find_run(HANDLE process, ULONG n,
                        MEMORY_BASIC_INFORMATION *memory)
{
    ULONG_PTR at = 0;

    for (;;) {
        if (!NT_SUCCESS(NtQueryVirtualMemory(process, (void *)at,
                                             MemoryBasicInformation, memory,
                                             sizeof *memory, NULL)))
            return FALSE;
        if (memory->State != MEM_FREE && n-- == 0)
            return TRUE;
        at = (ULONG_PTR)memory->BaseAddress + memory->RegionSize;
    }
}

/* One that waits for ever is ended. */
static void end(RTL_USER_PROCESS_INFORMATION *process)
{
    LARGE_INTEGER long_enough = { .QuadPart = -3000000 };

    if (NtWaitForSingleObject(process->ProcessHandle, FALSE, &long_enough) ==
        STATUS_TIMEOUT)
        NtTerminateProcess(process->ProcessHandle, 9);
    end_child(process);
}

static BOOLEAN do_to(ULONG run, deed *what)
{
    RTL_USER_PROCESS_INFORMATION process;
    MEMORY_BASIC_INFORMATION memory;
    BOOLEAN found;

    if (!CHECK_STATUS(start_child(path, &process), STATUS_SUCCESS))
        return FALSE;
    found = find_run(process.ProcessHandle, run, &memory);
    if (found)
        what(process.ProcessHandle, &memory);
    NtResumeThread(process.ThreadHandle, NULL);
    end(&process);
    return found;
}

static void do_all(deed *what)
{
    ULONG run = 0;

    while (do_to(run, what))
        run++;
    CHECK(run > 5);
}

/* A child may have no command line to tell it what it is. */
static BOOLEAN is_first(void)
{
    UNICODE_STRING name;
    OBJECT_ATTRIBUTES attributes = { .Length = sizeof attributes,
                                     .ObjectName = &name };
    HANDLE event;

    RtlInitUnicodeString(&name, NAME);
    return NtCreateEvent(&event, EVENT_ALL_ACCESS, &attributes,
                         NotificationEvent, FALSE) == STATUS_SUCCESS;
}

static void set_path(const char *name)
{
    ULONG at = sizeof FOLDER / sizeof(WCHAR) - 1;

    memcpy(path, FOLDER, sizeof FOLDER);
    while (*name)
        path[at++] = (WCHAR)*name++;
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    ULONG pages;

    (void)peb;
    if (!is_first())
        return 3;
    set_path(*test_words() ? test_words() : "missing.exe");
    do_to(0, replace);
    pages = test_settled_pages();
    for (ULONG i = 0; i < ARRAY_SIZE(deeds); i++)
        do_all(deeds[i]);
    CHECK_SAY(test_settled_pages() + 4 + test_page_slack() >= pages,
              "%u pages, then %u", pages,
              test_settled_pages());
    return test_end();
}
