/*
 * locked.c - NtLockVirtualMemory and NtUnlockVirtualMemory: what can be
 * locked, what unlocks it, and that a locked page stays in the working set
 * when everything else leaves it.
 *
 * "locked many", with a page file and little memory: one process after the
 * other has as much locked as it can, until that or another process is refused;
 * there are still pages to use, many more than can be there at once.
 */
#include "test.h"

#include "child.h"

#define SELF NtCurrentProcess()
#define IMAGE L"\\SystemRoot\\System32\\locked.exe"
#define MOST 42

static NTSTATUS lock(HANDLE process, void *base, SIZE_T size)
{
    return NtLockVirtualMemory(process, &base, &size, MAP_PROCESS);
}

static NTSTATUS unlock(void *base, SIZE_T size)
{
    return NtUnlockVirtualMemory(SELF, &base, &size, MAP_PROCESS);
}

static UCHAR *allocate(ULONG pages, ULONG type)
{
    void *base = NULL;
    SIZE_T size = pages * PAGE_SIZE;

    CHECK_STATUS(NtAllocateVirtualMemory(SELF, &base, 0, &size,
                                         MEM_RESERVE | type, PAGE_READWRITE),
                 STATUS_SUCCESS);
    return base;
}

static void release(void *base)
{
    SIZE_T size = 0;

    CHECK_STATUS(NtFreeVirtualMemory(SELF, &base, &size, MEM_RELEASE),
                 STATUS_SUCCESS);
}

static NTSTATUS protect(void *base, ULONG new)
{
    SIZE_T size = 1;
    ULONG old;

    return NtProtectVirtualMemory(SELF, &base, &size, new, &old);
}

/* Of all processes: nobody else is running. */
static ULONG page_faults(void)
{
    SYSTEM_PERFORMANCE_INFORMATION now;

    CHECK_STATUS(NtQuerySystemInformation(SystemPerformanceInformation, &now,
                                          sizeof now, NULL), STATUS_SUCCESS);
    return now.PageFaultCount;
}

/*
 * How many of the pages had to be fetched to be written.  What else the test
 * needs is there since it has asked before.
 */
static void check_faults(volatile UCHAR *base, ULONG pages, ULONG expected)
{
    ULONG before, faults;

    (void)page_faults();
    before = page_faults();
    for (ULONG i = 0; i < pages; i++)
        base[i * PAGE_SIZE + 1] = (UCHAR)(i + 1);
    faults = page_faults() - before;
    CHECK_SAY(faults == expected, "%u pages: %u faults, not %u", pages, faults,
              expected);
}

/* 32-bit code has no way to do it. */
static void empty(void)
{
#if HAS_CHILDREN
    QUOTA_LIMITS limits = { .MinimumWorkingSetSize = ~(SIZE_T)0,
                            .MaximumWorkingSetSize = ~(SIZE_T)0 };

    CHECK_STATUS(NtSetInformationProcess(SELF, ProcessQuotaLimits, &limits,
                                         sizeof limits), STATUS_SUCCESS);
#endif
}

static void check_numbers(void)
{
    UCHAR *pages = allocate(4, MEM_COMMIT);
    void *base = pages + PAGE_SIZE + 1;
    SIZE_T size = PAGE_SIZE;

    CHECK_STATUS(NtLockVirtualMemory(SELF, &base, &size, MAP_PROCESS),
                 STATUS_SUCCESS);
    CHECK(base == pages + PAGE_SIZE && size == 2 * PAGE_SIZE);
    CHECK_STATUS(NtLockVirtualMemory(SELF, &base, &size, 0),
                 STATUS_INVALID_PARAMETER);
    CHECK_STATUS(NtLockVirtualMemory(SELF, &base, &size, 4),
                 STATUS_INVALID_PARAMETER);
    CHECK_STATUS(NtLockVirtualMemory(SELF, &base, &size, MAP_SYSTEM),
                 STATUS_PRIVILEGE_NOT_HELD);
    CHECK_STATUS(lock(SELF, pages, 0), STATUS_INVALID_PARAMETER_3);
    CHECK_STATUS(lock(SELF, pages, ~(SIZE_T)0), STATUS_INVALID_PARAMETER_3);
    CHECK_STATUS(lock(SELF, (void *)~(ULONG_PTR)0xFFF, 1),
                 STATUS_INVALID_PARAMETER_2);
    CHECK_STATUS(lock(NtCurrentThread(), pages, 1),
                 STATUS_OBJECT_TYPE_MISMATCH);
    CHECK_STATUS(lock(SELF, pages, 4 * PAGE_SIZE), STATUS_WAS_LOCKED);
    CHECK_STATUS(unlock(pages, 4 * PAGE_SIZE), STATUS_SUCCESS);
    CHECK_STATUS(unlock(pages, 1), STATUS_NOT_LOCKED);
    release(pages);
    CHECK_STATUS(unlock(pages, 1), STATUS_NOT_LOCKED);
    CHECK_STATUS(lock(SELF, pages, 1), STATUS_ACCESS_VIOLATION);
}

/* What cannot be touched cannot be locked. */
static void check_pages(void)
{
    UCHAR *pages = allocate(4, 0);
    void *base = pages + PAGE_SIZE;
    SIZE_T size = PAGE_SIZE;

    CHECK_STATUS(lock(SELF, pages, 1), STATUS_ACCESS_VIOLATION);
    CHECK_STATUS(NtAllocateVirtualMemory(SELF, &base, 0, &size, MEM_COMMIT,
                                         PAGE_READWRITE), STATUS_SUCCESS);
    CHECK_STATUS(lock(SELF, pages + PAGE_SIZE, 2 * PAGE_SIZE),
                 STATUS_ACCESS_VIOLATION);
    CHECK_STATUS(unlock(pages + PAGE_SIZE, 1), STATUS_NOT_LOCKED);
    CHECK_STATUS(protect(base, PAGE_READWRITE | PAGE_GUARD), STATUS_SUCCESS);
    CHECK_STATUS(lock(SELF, base, 1), STATUS_GUARD_PAGE_VIOLATION);
    CHECK_STATUS(lock(SELF, base, 1), STATUS_SUCCESS);
    CHECK_STATUS(protect(base, PAGE_READONLY), STATUS_SUCCESS);
    CHECK_STATUS(lock(SELF, base, 1), STATUS_WAS_LOCKED);
    CHECK_STATUS(protect(base, PAGE_NOACCESS), STATUS_WAS_UNLOCKED);
    CHECK_STATUS(lock(SELF, base, 1), STATUS_ACCESS_VIOLATION);
    CHECK_STATUS(protect(base, PAGE_READWRITE), STATUS_SUCCESS);
    CHECK_STATUS(unlock(base, 1), STATUS_NOT_LOCKED);
    release(pages);
}

/* Released pages are locked no more, so as many can be locked again. */
static void check_limit(void)
{
    UCHAR *pages = allocate(MOST + 1, MEM_COMMIT);

    for (ULONG round = 0; round < 3; round++) {
        CHECK_STATUS(lock(SELF, pages, (MOST + 1) * PAGE_SIZE),
                     STATUS_WORKING_SET_QUOTA);
        CHECK_STATUS(lock(SELF, pages, MOST * PAGE_SIZE), STATUS_SUCCESS);
        CHECK_STATUS(lock(SELF, pages + MOST * PAGE_SIZE, 1),
                     STATUS_WORKING_SET_QUOTA);
        CHECK_STATUS(lock(SELF, pages, MOST * PAGE_SIZE), STATUS_WAS_LOCKED);
        release(pages);
        pages = allocate(MOST + 1, MEM_COMMIT);
    }
    release(pages);
}

/* To unlock pages that are not locked is to send them away. */
static void check_stays(void)
{
    UCHAR *pages = allocate(16, MEM_COMMIT);

    CHECK_STATUS(lock(SELF, pages, 8 * PAGE_SIZE), STATUS_SUCCESS);
    check_faults(pages, 8, 8);
    check_faults(pages, 16, 8);
    CHECK_STATUS(unlock(pages, 16 * PAGE_SIZE), STATUS_NOT_LOCKED);
    check_faults(pages, 8, 0);
    check_faults(pages, 16, 8);
    empty();
    check_faults(pages, 8, 0);
    CHECK_STATUS(unlock(pages, 8 * PAGE_SIZE), STATUS_SUCCESS);
    check_faults(pages, 8, 0);
    CHECK_STATUS(unlock(pages, 8 * PAGE_SIZE), STATUS_NOT_LOCKED);
    check_faults(pages, 8, 8);
    CHECK(pages[1] == 1 && pages[15 * PAGE_SIZE + 1] == 16);
    release(pages);
}

/* A page that is copied when it is written: the copy is locked. */
static void check_copy(void)
{
    LARGE_INTEGER most = { .QuadPart = PAGE_SIZE };
    HANDLE section;
    void *view = NULL;
    SIZE_T size = 0;

    CHECK_STATUS(NtCreateSection(&section, SECTION_ALL_ACCESS, NULL, &most,
                                 PAGE_READWRITE, SEC_COMMIT, NULL),
                 STATUS_SUCCESS);
    CHECK_STATUS(NtMapViewOfSection(section, SELF, &view, 0, 0, NULL, &size,
                                    ViewUnmap, 0, PAGE_WRITECOPY),
                 STATUS_SUCCESS);
    CHECK_STATUS(lock(SELF, view, 1), STATUS_SUCCESS);
    check_faults(view, 1, 1);
    empty();
    check_faults(view, 1, 0);
    CHECK(((UCHAR *)view)[1] == 1);
    CHECK_STATUS(unlock(view, 1), STATUS_SUCCESS);
    CHECK_STATUS(lock(SELF, view, 1), STATUS_SUCCESS);
    CHECK_STATUS(NtUnmapViewOfSection(SELF, view), STATUS_SUCCESS);
    CHECK_STATUS(NtClose(section), STATUS_SUCCESS);
}

/* Another process's, which ends with them. */
static void check_other(void)
{
#if HAS_CHILDREN
    RTL_USER_PROCESS_INFORMATION other;
    UCHAR *inside = (UCHAR *)(ULONG_PTR)check_other;

    CHECK_STATUS(start_child(IMAGE, &other), STATUS_SUCCESS);
    CHECK_STATUS(lock(other.ProcessHandle, inside, 1), STATUS_SUCCESS);
    CHECK_STATUS(lock(other.ProcessHandle, inside, 1), STATUS_WAS_LOCKED);
    CHECK_STATUS(unlock(inside, 1), STATUS_NOT_LOCKED);
    NtTerminateProcess(other.ProcessHandle, 5);
    CHECK_STATUS(NtWaitForSingleObject(other.ProcessHandle, FALSE, NULL),
                 STATUS_WAIT_0);
    CHECK_STATUS(lock(other.ProcessHandle, inside, 1),
                 STATUS_PROCESS_IS_TERMINATING);
    CHECK_STATUS(end_child(&other), 5);
#endif
}

#if HAS_CHILDREN
static RTL_USER_PROCESS_INFORMATION others[400];

static NTSTATUS lock_in_child(RTL_USER_PROCESS_INFORMATION *child)
{
    void *base = NULL;
    SIZE_T size = MOST * PAGE_SIZE;
    NTSTATUS status = NtAllocateVirtualMemory(child->ProcessHandle, &base, 0,
                                              &size, MEM_RESERVE | MEM_COMMIT,
                                              PAGE_READWRITE);

    return NT_SUCCESS(status) ? lock(child->ProcessHandle, base, size)
                              : status;
}

static void check_many(void)
{
    SYSTEM_PERFORMANCE_INFORMATION now;
    ULONG count = 0, pages = 1000;
    UCHAR *mine = allocate(pages, MEM_COMMIT);
    NTSTATUS status;

    do {
        status = start_child(IMAGE, &others[count]);
        if (NT_SUCCESS(status))
            status = lock_in_child(&others[count++]);
    } while (NT_SUCCESS(status) && count < ARRAY_SIZE(others));
    CHECK_SAY(status == STATUS_INSUFFICIENT_RESOURCES ||
              status == STATUS_NO_MEMORY || status == STATUS_COMMITMENT_LIMIT,
              "%u processes: %08x", count, status);
    for (ULONG i = 0; i < pages; i++)
        mine[i * PAGE_SIZE] = (UCHAR)i;
    for (ULONG i = 0; i < pages; i++)
        if (!CHECK(mine[i * PAGE_SIZE] == (UCHAR)i))
            break;
    while (count--) {
        NtTerminateProcess(others[count].ProcessHandle, 5);
        CHECK_STATUS(end_child(&others[count]), 5);
    }
    NtQuerySystemInformation(SystemPerformanceInformation, &now, sizeof now,
                             NULL);
    CHECK(now.ResidentAvailablePages > 2000);
    release(mine);
}
#endif

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    (void)peb;
#if HAS_CHILDREN
    if (!strcmp(test_words(), "many")) {
        check_many();
        return test_end();
    }
#endif
    check_numbers();
    check_pages();
    check_limit();
    check_stays();
    check_copy();
    check_other();
    return test_end();
}
