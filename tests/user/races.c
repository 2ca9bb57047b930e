/*
 * races.c - threads that get in each other's way in one address space and one
 * handle table: memory that another thread frees or protects meanwhile,
 * buffers that vanish under a copy, handles that are closed while in use,
 * names that go while they are opened.
 *
 * Who wins is open; that each call has one of the statuses that it may have,
 * that what can be won once is won once, and that nothing is left, is not.
 * "races N" makes N times as many rounds.
 *
 * Scenarios: H7.
 */
#include "test.h"

#define RACERS 4
#define ROUNDS 600
#define REGIONS 4
#define REGION 0x20000
#define PLACE ((UCHAR *)0x20000000)
#define WAIT_ANY 1
#define NAME L"\\BaseNamedObjects\\contested"

static ULONG factor = 1;
static volatile LONG started, won, bought;
static volatile BOOLEAN over;
static volatile HANDLE shared;
static HANDLE file;
static ULONG seeds[RACERS];

static BOOLEAN is_one_of(NTSTATUS status, const NTSTATUS *list)
{
    for (; *list != STATUS_SUCCESS; list++) {
        if (status == *list)
            return TRUE;
    }
    return status == STATUS_SUCCESS;
}

#define MAY_BE(status, ...) \
    CHECK_SAY(is_one_of(status, (const NTSTATUS[]){ __VA_ARGS__, 0 }), \
              "%s: %08x", __func__, status)

static void run(void (NTAPI *routine)(void *), ULONG count)
{
    HANDLE threads[RACERS] = { NULL };
    ULONG_PTR at;

    started = 0;
    for (at = 0; at < count; at++) {
        seeds[at] = (ULONG)at + 17;
        CHECK_STATUS(RtlCreateUserThread(NtCurrentProcess(), NULL, FALSE, 0, 0,
                                         0, routine, (void *)at, &threads[at],
                                         NULL), STATUS_SUCCESS);
    }
    for (at = 0; at < count; at++) {
        CHECK_STATUS(NtWaitForSingleObject(threads[at], FALSE, NULL),
                     STATUS_SUCCESS);
        CHECK_STATUS(NtClose(threads[at]), STATUS_SUCCESS);
    }
}

/* Some leave the turn to others. */
static void perhaps_yield(ULONG *seed)
{
    if (RtlUniform(seed) % 3 == 0)
        NtYieldExecution();
}

static void end(void)
{
    RtlExitUserThread(0);
}

/* ---- The same regions ---- */

static NTSTATUS free_at(void *base, ULONG_PTR size, ULONG type)
{
    return NtFreeVirtualMemory(NtCurrentProcess(), &base, &size, type);
}

static NTSTATUS allocate_at(void *base, ULONG_PTR size, ULONG type,
                            ULONG protect)
{
    return NtAllocateVirtualMemory(NtCurrentProcess(), &base, 0, &size, type,
                                   protect);
}

static void change_region(ULONG *seed)
{
    static const ULONG protections[] = {
        PAGE_READWRITE, PAGE_READONLY, PAGE_NOACCESS, PAGE_EXECUTE_READ,
        PAGE_READWRITE | PAGE_GUARD,
    };
    UCHAR *region = PLACE + RtlUniform(seed) % REGIONS * REGION;
    UCHAR *page = region + RtlUniform(seed) % (REGION / PAGE_SIZE) * PAGE_SIZE;
    ULONG protect = protections[RtlUniform(seed) % ARRAY_SIZE(protections)];
    MEMORY_BASIC_INFORMATION memory;
    ULONG_PTR size = PAGE_SIZE;
    void *base = page;
    ULONG before;

    switch (RtlUniform(seed) % 7) {
    case 0:
        MAY_BE(allocate_at(region, REGION, MEM_RESERVE, protect),
               STATUS_CONFLICTING_ADDRESSES);
        break;
    case 1:
        MAY_BE(allocate_at(region, REGION, MEM_RESERVE | MEM_COMMIT, protect),
               STATUS_CONFLICTING_ADDRESSES);
        break;
    case 2:
        MAY_BE(allocate_at(page, PAGE_SIZE, MEM_COMMIT, protect),
               STATUS_CONFLICTING_ADDRESSES);
        break;
    case 3:
        MAY_BE(free_at(page, PAGE_SIZE, MEM_DECOMMIT),
               STATUS_MEMORY_NOT_ALLOCATED, STATUS_UNABLE_TO_FREE_VM);
        break;
    case 4:
        MAY_BE(free_at(region, 0, MEM_RELEASE), STATUS_MEMORY_NOT_ALLOCATED);
        break;
    case 5:
        MAY_BE(NtProtectVirtualMemory(NtCurrentProcess(), &base, &size,
                                      protect, &before),
               STATUS_NOT_COMMITTED, STATUS_CONFLICTING_ADDRESSES);
        break;
    case 6:
        MAY_BE(NtQueryVirtualMemory(NtCurrentProcess(), page,
                                    MemoryBasicInformation, &memory,
                                    sizeof memory, NULL),
               STATUS_ACCESS_VIOLATION);
        break;
    }
}

static void NTAPI change_regions(void *argument)
{
    ULONG *seed = &seeds[(ULONG_PTR)argument], round;

    for (round = 0; round < ROUNDS * 4 * factor; round++) {
        change_region(seed);
        perhaps_yield(seed);
    }
    end();
}

static void check_regions(void)
{
    ULONG at;

    run(change_regions, RACERS);
    for (at = 0; at < REGIONS; at++)
        MAY_BE(free_at(PLACE + at * REGION, 0, MEM_RELEASE),
               STATUS_MEMORY_NOT_ALLOCATED);
}

/* ---- What can be had once ---- */

static void NTAPI allocate_and_free(void *argument)
{
    ULONG *seed = &seeds[(ULONG_PTR)argument], round;

    for (round = 0; round < ROUNDS * factor; round++) {
        if (allocate_at(PLACE, REGION, MEM_RESERVE | MEM_COMMIT,
                        PAGE_READWRITE) == STATUS_SUCCESS)
            __sync_fetch_and_add(&bought, 1);
        perhaps_yield(seed);
        if (free_at(PLACE, 0, MEM_RELEASE) == STATUS_SUCCESS)
            __sync_fetch_and_add(&won, 1);
    }
    end();
}

static void check_one_wins(void)
{
    won = bought = 0;
    run(allocate_and_free, RACERS);
    if (free_at(PLACE, 0, MEM_RELEASE) == STATUS_SUCCESS)
        won++;
    CHECK_SAY(won == bought, "%u had, %u freed", bought, won);
    CHECK(bought > ROUNDS);
}

/* A guard page speaks once: to the call that comes first. */
static void NTAPI touch_guard(void *argument)
{
    ULONG *seed = &seeds[(ULONG_PTR)argument], round;
    LARGE_INTEGER *into = (LARGE_INTEGER *)PLACE;

    for (round = 0; round < ROUNDS * factor; round++) {
        NTSTATUS status = NtQuerySystemTime(into);

        if (status == STATUS_GUARD_PAGE_VIOLATION)
            __sync_fetch_and_add(&won, 1);
        else
            MAY_BE(status, STATUS_SUCCESS);
        if (round % 8 == 0) {
            SIZE_T size = PAGE_SIZE;
            void *base = PLACE;
            ULONG before = 0;

            NtProtectVirtualMemory(NtCurrentProcess(), &base, &size,
                                   PAGE_READWRITE | PAGE_GUARD, &before);
            if (!(before & PAGE_GUARD))
                __sync_fetch_and_add(&bought, 1);
        }
        perhaps_yield(seed);
    }
    end();
}

static void check_guard(void)
{
    LARGE_INTEGER *into = (LARGE_INTEGER *)PLACE;

    won = bought = 0;
    CHECK_STATUS(allocate_at(PLACE, REGION, MEM_RESERVE | MEM_COMMIT,
                             PAGE_READWRITE), STATUS_SUCCESS);
    run(touch_guard, RACERS);
    won += NtQuerySystemTime(into) == STATUS_GUARD_PAGE_VIOLATION;
    CHECK_SAY(won == bought, "%u guards set, %u heard", bought, won);
    CHECK_STATUS(free_at(PLACE, 0, MEM_RELEASE), STATUS_SUCCESS);
}

/* ---- Buffers that vanish ---- */

static void NTAPI vanish(void *argument)
{
    ULONG *seed = &seeds[(ULONG_PTR)argument];

    while (!over) {
        SIZE_T size = REGION;
        void *base = PLACE;
        ULONG before;

        switch (RtlUniform(seed) % 4) {
        case 0:
            free_at(PLACE, 0, MEM_RELEASE);
            break;
        case 1:
            free_at(PLACE + PAGE_SIZE * (RtlUniform(seed) % 32), PAGE_SIZE,
                    MEM_DECOMMIT);
            break;
        case 2:
            NtProtectVirtualMemory(NtCurrentProcess(), &base, &size,
                                   RtlUniform(seed) % 2 ? PAGE_READONLY
                                                        : PAGE_NOACCESS,
                                   &before);
            break;
        }
        perhaps_yield(seed);
        allocate_at(PLACE, REGION, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
        allocate_at(PLACE, REGION, MEM_COMMIT, PAGE_READWRITE);
        perhaps_yield(seed);
    }
    end();
}

static void use_buffer(ULONG *seed)
{
    LARGE_INTEGER start = { .QuadPart = 0 };
    LARGE_INTEGER *zero = (LARGE_INTEGER *)(PLACE + 8 * PAGE_SIZE - 8);
    UNICODE_STRING *name = (UNICODE_STRING *)(PLACE + 5 * PAGE_SIZE - 8);
    OBJECT_ATTRIBUTES attributes = { .Length = sizeof attributes,
                                     .ObjectName = name };
    HANDLE *handles = (HANDLE *)(PLACE + 3 * PAGE_SIZE - 16);
    IO_STATUS_BLOCK io;
    HANDLE handle;

    switch (RtlUniform(seed) % 6) {
    case 0:
        MAY_BE(NtReadFile(file, NULL, NULL, NULL, &io, PLACE, REGION, &start,
                          NULL), STATUS_ACCESS_VIOLATION);
        break;
    case 1:
        MAY_BE(NtQuerySystemInformation(SystemProcessInformation,
                                        PLACE + PAGE_SIZE - 64, REGION / 2,
                                        NULL),
               STATUS_ACCESS_VIOLATION);
        break;
    case 2:
        MAY_BE(NtOpenEvent(&handle, EVENT_ALL_ACCESS, &attributes),
               STATUS_ACCESS_VIOLATION, STATUS_OBJECT_PATH_SYNTAX_BAD,
               STATUS_OBJECT_NAME_INVALID, STATUS_OBJECT_NAME_NOT_FOUND,
               STATUS_DATATYPE_MISALIGNMENT);
        break;
    case 3:
        MAY_BE(NtWaitForMultipleObjects(4, handles, WAIT_ANY, FALSE, zero),
               STATUS_ACCESS_VIOLATION, STATUS_INVALID_HANDLE,
               STATUS_TIMEOUT);
        break;
    case 4:
        if (NtCurrentPeb()->NumberOfProcessors > 1)
            break;                      /* nobody could close it: see below */
        MAY_BE(NtCreateEvent((HANDLE *)zero, EVENT_ALL_ACCESS, NULL,
                             NotificationEvent, FALSE),
               STATUS_ACCESS_VIOLATION);
        break;
    case 5:
        MAY_BE(NtQueryObject(NtCurrentProcess(), ObjectTypeInformation,
                             PLACE + 2 * PAGE_SIZE - 32, 1024, NULL),
               STATUS_ACCESS_VIOLATION);
        break;
    }
}

static void NTAPI use_buffers(void *argument)
{
    ULONG *seed = &seeds[(ULONG_PTR)argument], round;

    if (argument == (void *)0)
        vanish(argument);
    for (round = 0; round < ROUNDS * factor; round++) {
        use_buffer(seed);
        perhaps_yield(seed);
    }
    over = TRUE;
    end();
}

/*
 * What NtCreateEvent has made although its answer did not fit.  With several
 * processors a lock of ntdll's may have got its event meanwhile.
 */
static void close_above(ULONG first)
{
    ULONG_PTR at;

    if (NtCurrentPeb()->NumberOfProcessors > 1)
        return;
    for (at = 4; at < 0x4000; at += 4) {
        if (at > first)
            NtClose((HANDLE)at);
    }
}

static void check_buffers(void)
{
    HANDLE highest;

    over = FALSE;
    CHECK_STATUS(test_open(L"ntdll.dll", GENERIC_READ | SYNCHRONIZE, &file),
                 STATUS_SUCCESS);
    CHECK_STATUS(NtCreateEvent(&highest, EVENT_ALL_ACCESS, NULL,
                               NotificationEvent, FALSE), STATUS_SUCCESS);
    run(use_buffers, 3);
    MAY_BE(free_at(PLACE, 0, MEM_RELEASE), STATUS_MEMORY_NOT_ALLOCATED);
    close_above((ULONG)(ULONG_PTR)highest);
    NtClose(highest);
    NtClose(file);
}

/* ---- Handles and names ---- */

static void use_handle(HANDLE handle, ULONG *seed)
{
    LARGE_INTEGER zero = { .QuadPart = 0 };
    HANDLE both[2] = { handle, handle }, copy;
    NTSTATUS status = STATUS_SUCCESS;

    switch (RtlUniform(seed) % 6) {
    case 0:
        status = NtSetEvent(handle, NULL);
        break;
    case 1:
        status = NtWaitForSingleObject(handle, FALSE, &zero);
        break;
    case 2:
        status = NtWaitForMultipleObjects(1, both, WAIT_ANY, FALSE, &zero);
        break;
    case 3:
        status = NtDuplicateObject(NtCurrentProcess(), handle,
                                   NtCurrentProcess(), &copy, 0, 0,
                                   DUPLICATE_SAME_ACCESS);
        if (status == STATUS_SUCCESS) {
            NtYieldExecution();
            NtClose(copy);
        }
        break;
    case 4:
        status = NtClose(handle);
        break;
    case 5:
        status = NtPulseEvent(handle, NULL);
        break;
    }
    MAY_BE(status, STATUS_INVALID_HANDLE, STATUS_TIMEOUT,
           STATUS_OBJECT_TYPE_MISMATCH, STATUS_ACCESS_DENIED);
}

static void NTAPI use_handles(void *argument)
{
    ULONG *seed = &seeds[(ULONG_PTR)argument], round;

    for (round = 0; round < ROUNDS * 2 * factor; round++) {
        if ((round + (ULONG_PTR)argument) % 4 == 0) {
            HANDLE made = NULL;

            CHECK_STATUS(NtCreateEvent(&made, EVENT_ALL_ACCESS, NULL,
                                       SynchronizationEvent, TRUE),
                         STATUS_SUCCESS);
            shared = made;
            perhaps_yield(seed);
            NtClose(made);
        } else {
            use_handle(shared, seed);
        }
        perhaps_yield(seed);
    }
    end();
}

static void NTAPI use_names(void *argument)
{
    static const WCHAR text[] = NAME;
    UNICODE_STRING name;
    OBJECT_ATTRIBUTES attributes = { .Length = sizeof attributes,
                                     .ObjectName = &name };
    ULONG *seed = &seeds[(ULONG_PTR)argument], round;

    RtlInitUnicodeString(&name, text);
    for (round = 0; round < ROUNDS * 2 * factor; round++) {
        HANDLE handle = NULL;
        NTSTATUS status;

        attributes.Attributes = RtlUniform(seed) % 2 ? OBJ_OPENIF : 0;
        if (RtlUniform(seed) % 2)
            status = NtCreateEvent(&handle, EVENT_ALL_ACCESS, &attributes,
                                   SynchronizationEvent, FALSE);
        else
            status = NtOpenEvent(&handle, EVENT_ALL_ACCESS, &attributes);
        MAY_BE(status, STATUS_OBJECT_NAME_EXISTS,
               STATUS_OBJECT_NAME_COLLISION, STATUS_OBJECT_NAME_NOT_FOUND,
               STATUS_INVALID_PARAMETER);
        perhaps_yield(seed);
        if (handle)
            CHECK_STATUS(NtClose(handle), STATUS_SUCCESS);
    }
    end();
}

static void check_names(void)
{
    UNICODE_STRING name;
    OBJECT_ATTRIBUTES attributes = { .Length = sizeof attributes,
                                     .ObjectName = &name };
    HANDLE handle;

    RtlInitUnicodeString(&name, NAME);
    run(use_names, RACERS);
    CHECK_STATUS(NtOpenEvent(&handle, EVENT_ALL_ACCESS, &attributes),
                 STATUS_OBJECT_NAME_NOT_FOUND);
}

static void check_handles(void)
{
    run(use_handles, RACERS);
}

/* ---- Nothing is left ---- */

static void check_nothing_left(const char *name, void (*check)(void))
{
    ULONG pages, handles;

    test_where(name);
    check();
    pages = test_settled_pages();
    handles = test_handles();
    check();
    CHECK_SAY(test_settled_pages() + 4 + test_page_slack() >= pages,
              "%u pages, then %u", pages,
              test_settled_pages());
    CHECK_SAY(test_handles() - handles <= test_handle_slack(),
              "%u handles, then %u", handles,
              test_handles());
    test_where("");
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    (void)peb;
    if (*test_words())
        factor = (ULONG)atoi(test_words());
    print("storming\n");
    check_nothing_left("regions", check_regions);
    check_nothing_left("one wins", check_one_wins);
    check_nothing_left("guard", check_guard);
    check_nothing_left("buffers", check_buffers);
    check_nothing_left("handles", check_handles);
    check_nothing_left("names", check_names);
    return test_end();
}
