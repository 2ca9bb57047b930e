/*
 * paging.c - memory that goes and comes back; booted with a page file.
 *
 * A working set is emptied: pages come back from memory (transition) with what
 * they held, private, shared or copied.  The lists of pages are flushed and
 * purged: they come back from the page file.  Then as much is used as can be
 * committed, which is more than there is memory: every page is written, read
 * again, written again and given back, and all counters are where they were.
 */
#include "test.h"

#define SELF NtCurrentProcess()
#define PAGE_WORDS (PAGE_SIZE / sizeof(ULONG))

static NTSTATUS set_working_set(SIZE_T least, SIZE_T most)
{
    QUOTA_LIMITS limits = { .MinimumWorkingSetSize = least,
                            .MaximumWorkingSetSize = most };

    return NtSetInformationProcess(SELF, ProcessQuotaLimits, &limits,
                                   sizeof limits);
}

static void empty(void)
{
    CHECK_STATUS(set_working_set(~(SIZE_T)0, ~(SIZE_T)0), STATUS_SUCCESS);
}

static volatile ULONG *allocate(SIZE_T pages)
{
    void *base = NULL;
    SIZE_T size = pages * PAGE_SIZE;

    CHECK_STATUS(NtAllocateVirtualMemory(SELF, &base, 0, &size,
                                         MEM_RESERVE | MEM_COMMIT,
                                         PAGE_READWRITE), STATUS_SUCCESS);
    return base;
}

static void release(volatile void *address)
{
    void *base = (void *)address;
    SIZE_T size = 0;

    CHECK_STATUS(NtFreeVirtualMemory(SELF, &base, &size, MEM_RELEASE),
                 STATUS_SUCCESS);
}

static HANDLE create_section(SIZE_T pages)
{
    LARGE_INTEGER size = { .QuadPart = (LONGLONG)(pages * PAGE_SIZE) };
    HANDLE section = NULL;

    CHECK_STATUS(NtCreateSection(&section, SECTION_ALL_ACCESS, NULL, &size,
                                 PAGE_READWRITE, SEC_COMMIT, NULL),
                 STATUS_SUCCESS);
    return section;
}

static volatile ULONG *map(HANDLE section, ULONG protect)
{
    void *base = NULL;
    SIZE_T size = 0;

    CHECK_STATUS(NtMapViewOfSection(section, SELF, &base, 0, 0, NULL, &size,
                                    ViewUnmap, 0, protect), STATUS_SUCCESS);
    return base;
}

/* Words that tell pages and rounds apart, at both ends of a page. */
static void write_page(volatile ULONG *page, ULONG value)
{
    page[0] = value;
    page[PAGE_WORDS - 1] = ~value;
}

static BOOLEAN has(volatile ULONG *page, ULONG value)
{
    return page[0] == value && page[PAGE_WORDS - 1] == ~value;
}

static void test_soft(void)
{
    volatile ULONG *private = allocate(4);
    HANDLE section = create_section(4);
    volatile ULONG *shared = map(section, PAGE_READWRITE);
    volatile ULONG *copy = map(section, PAGE_WRITECOPY);
    ULONG transitions;
    SIZE_T full;

    write_page(private, 1);
    write_page(shared, 2);
    write_page(shared + PAGE_WORDS, 3);
    write_page(copy, 4);
    CHECK(has(copy + PAGE_WORDS, 3));
    full = test_counters().WorkingSetSize;
    transitions = test_performance().TransitionCount;
    empty();
    CHECK_SAY(test_counters().WorkingSetSize < full, "%Iu, then %Iu", full,
              test_counters().WorkingSetSize);
    CHECK(has(private, 1) && has(shared, 2) && has(shared + PAGE_WORDS, 3));
    CHECK(has(copy, 4) && has(copy + PAGE_WORDS, 3));
    CHECK(test_performance().TransitionCount >= transitions + 4);
    empty();
    write_page(private, 5);
    write_page(copy, 6);
    write_page(copy + PAGE_WORDS, 7);
    empty();
    CHECK(has(private, 5) && has(shared, 2) && has(copy, 6));
    CHECK(has(copy + PAGE_WORDS, 7) && has(shared + PAGE_WORDS, 3));
    CHECK_STATUS(NtUnmapViewOfSection(SELF, (void *)copy), STATUS_SUCCESS);
    CHECK_STATUS(NtUnmapViewOfSection(SELF, (void *)shared), STATUS_SUCCESS);
    CHECK_STATUS(NtClose(section), STATUS_SUCCESS);
    release(private);
    CHECK_STATUS(set_working_set(0x10000, 0x20000),
                 STATUS_PRIVILEGE_NOT_HELD);
}

static NTSTATUS command(ULONG number, ULONG length)
{
    return NtSetSystemInformation(SystemMemoryListInformation, &number,
                                  length);
}

/* What is flushed and purged is in the page file only; what is not, is not. */
static void test_commands(void)
{
    volatile ULONG *private = allocate(4);
    HANDLE section = create_section(1);
    volatile ULONG *shared = map(section, PAGE_READWRITE);
    ULONG before;

    for (ULONG page = 0; page < 4; page++)
        write_page(private + page * PAGE_WORDS, page);
    write_page(shared, 8);
    empty();
    CHECK_STATUS(command(MemoryFlushModifiedList, 4), STATUS_SUCCESS);
    CHECK(has(private + 3 * PAGE_WORDS, 3));
    before = test_performance().PageReadCount;
    CHECK_STATUS(command(MemoryPurgeStandbyList, 4), STATUS_SUCCESS);
    CHECK(has(private + 3 * PAGE_WORDS, 3));
    for (ULONG page = 0; page < 3; page++)
        CHECK(has(private + page * PAGE_WORDS, page));
    CHECK(has(shared, 8));
    CHECK_SAY(test_performance().PageReadCount - before >= 4, "%u pages read",
              test_performance().PageReadCount - before);
    CHECK_STATUS(command(MemoryPurgeStandbyList, 3),
                 STATUS_INFO_LENGTH_MISMATCH);
    CHECK_STATUS(command(MemoryPurgeStandbyList, 8),
                 STATUS_INFO_LENGTH_MISMATCH);
    CHECK_STATUS(command(MemoryEmptyWorkingSets, 4), STATUS_NOT_SUPPORTED);
    CHECK_STATUS(command(MemoryCommandMax, 4), STATUS_INVALID_PARAMETER);
    CHECK_STATUS(NtUnmapViewOfSection(SELF, (void *)shared), STATUS_SUCCESS);
    CHECK_STATUS(NtClose(section), STATUS_SUCCESS);
    release(private);
}

static void write_all(volatile ULONG *base, SIZE_T pages, ULONG round)
{
    for (SIZE_T page = 0; page < pages; page++)
        write_page(base + page * PAGE_WORDS, (ULONG)page * 8 + round);
}

static void check_all(volatile ULONG *base, SIZE_T pages, ULONG round)
{
    SIZE_T wrong = 0;

    for (SIZE_T page = 0; page < pages; page++)
        wrong += !has(base + page * PAGE_WORDS, (ULONG)page * 8 + round);
    CHECK_SAY(wrong == 0, "round %u: %Iu of %Iu pages are wrong", round,
              wrong, pages);
}

/*
 * Half of it private, half a section's, which a second view sees.  Page
 * tables are left out of it.
 */
static void test_hard(void)
{
    SYSTEM_BASIC_INFORMATION basic;
    ULONG reads = test_performance().PageReadCount;
    SIZE_T room = test_performance().AvailablePages, half;
    volatile ULONG *private, *shared;
    HANDLE section;

    CHECK_STATUS(NtQuerySystemInformation(SystemBasicInformation, &basic,
                                          sizeof basic, NULL),
                 STATUS_SUCCESS);
    half = (room - TEST_KERNEL_PAGES - room / 256 - 64) / 2;
    print("%u pages of memory, %u can be committed, %u are used\n",
          (ULONG)basic.NumberOfPhysicalPages, (ULONG)room, (ULONG)half * 2);
    CHECK(half * 2 > basic.NumberOfPhysicalPages);
    private = allocate(half);
    section = create_section(half);
    shared = map(section, PAGE_READWRITE);
    write_all(private, half, 1);
    write_all(shared, half, 2);
    check_all(private, half, 1);
    check_all(shared, half, 2);
    write_all(private, half, 3);
    check_all(private, half, 3);
    CHECK_STATUS(NtUnmapViewOfSection(SELF, (void *)shared), STATUS_SUCCESS);
    shared = map(section, PAGE_READONLY);
    check_all(shared, half, 2);
    CHECK_SAY(test_performance().PageReadCount - reads > half, "%u pages read",
              test_performance().PageReadCount - reads);
    CHECK(test_performance().DirtyPagesWriteCount > 0);
    CHECK_STATUS(NtUnmapViewOfSection(SELF, (void *)shared), STATUS_SUCCESS);
    CHECK_STATUS(NtClose(section), STATUS_SUCCESS);
    release(private);
}

/* Page tables stay. */
NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    ULONG available;

    (void)peb;
    test_soft();
    test_commands();
    available = test_performance().AvailablePages;
    test_hard();
    CHECK_SAY(test_performance().AvailablePages + available / 256 + 16 >=
              available, "%u, then %u", available,
              test_performance().AvailablePages);
    return test_end();
}
