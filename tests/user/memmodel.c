/*
 * memmodel.c - random calls about memory, and accesses, against a model of
 * what must come of each.
 *
 * Each of some threads has an arena of addresses of its own, and sections of
 * its own, so that the others may do what they like at the same time.  For
 * every page of it the model knows whose it is, what may be done with it and
 * what it holds.  An access is the thread's own or a service's; both have to
 * say the same about the page, one by an exception, one by its status.
 *
 * Now and then a new thread makes the next access, and all pages leave the
 * working set; neither changes anything that the model knows.
 *
 * In the end the process has what it had before.  "memmodel N" takes N times
 * as many steps; "memmodel short", booted with a page file, has another thread
 * that uses all other memory again and again.
 *
 * Scenarios: M2, M3, N3.
 */
#include "test.h"

#define THREADS 4
#define STEPS 25000                             /* of each */
#define PAGES 256                               /* of an arena */
#define ARENAS 0x10000000000ULL
#define ARENA_STRIDE 0x40000000ULL
#define GRANULE 16                              /* pages */
#define SECTIONS 2
#define SECTION_PAGES 32
#define EMPTYINGS 512                           /* steps between two */
#define FORKS 256                               /* likewise */
#define SHORT_STEPS 5000
#define LEFT_PAGES 3072                         /* to arenas and the kernel */

enum state { FREE, RESERVED, COMMITTED, VIEW };

struct page {
    enum state state;
    ULONG region;                       /* its first page */
    ULONG allocation_protect, protect;
    ULONG section, section_page;        /* of a view */
    BOOLEAN own;                        /* of a view: copied on write */
    ULONGLONG value;
};

static struct arena {
    ULONG seed;
    void *base;
    HANDLE sections[SECTIONS];
    ULONGLONG values[SECTIONS][SECTION_PAGES];
    struct page pages[PAGES];
} arenas[THREADS];

static HANDLE event;                            /* always signalled */
static ULONG steps = STEPS;

/* ---- accesses ---- */

/* Both return 0, or the code of the exception that the access was. */
NTSTATUS load(const void *from);
NTSTATUS store(void *to);
extern const UCHAR load_at[], store_at[];

__asm__(
    "load:\n\t"
    "xor %eax, %eax\n"
    "load_at:\n\t"
    "mov (%rcx), %rdx\n\t"
    "ret\n"
    "store:\n\t"
    "xor %eax, %eax\n"
    "store_at:\n\t"
    "mov %rax, (%rcx)\n\t"
    "ret");

#define ACCESS_BYTES 3

static LONG NTAPI note_access(EXCEPTION_POINTERS *pointers)
{
    const EXCEPTION_RECORD *record = pointers->ExceptionRecord;
    CONTEXT *context = pointers->ContextRecord;
    BOOLEAN store = context->Rip == (ULONG_PTR)store_at;

    if (!store && context->Rip != (ULONG_PTR)load_at)
        return EXCEPTION_CONTINUE_SEARCH;
    CHECK_SAY(record->NumberParameters == 2 &&
              record->ExceptionInformation[0] == store &&
              record->ExceptionInformation[1] == context->Rcx,
              "%llx: %u parameters, %Ix %Ix", context->Rcx,
              record->NumberParameters, record->ExceptionInformation[0],
              record->ExceptionInformation[1]);
    context->Rax = (ULONG)record->ExceptionCode;
    context->Rip += ACCESS_BYTES;
    return EXCEPTION_CONTINUE_EXECUTION;
}

/* ---- the model ---- */

static ULONG below(struct arena *arena, ULONG limit)
{
    return RtlUniform(&arena->seed) % limit;
}

static ULONG region_end(const struct arena *arena, ULONG page)
{
    ULONG region = arena->pages[page].region;

    while (page < PAGES && arena->pages[page].state != FREE &&
           arena->pages[page].region == region)
        page++;
    return page;
}

static BOOLEAN all_free(const struct arena *arena, ULONG first, ULONG end)
{
    for (; first < end; first++) {
        if (arena->pages[first].state != FREE)
            return FALSE;
    }
    return TRUE;
}

static ULONGLONG *value_of(struct arena *arena, ULONG at)
{
    struct page *page = &arena->pages[at];

    if (page->state == VIEW && !page->own)
        return &arena->values[page->section][page->section_page];
    return &page->value;
}

static void *page_address(const struct arena *arena, ULONG at)
{
    return (UCHAR *)arena->base + (SIZE_T)at * PAGE_SIZE;
}

/* Where the page has its value: views of one page of a section agree. */
static void *place(const struct arena *arena, ULONG at)
{
    const struct page *page = &arena->pages[at];
    ULONG number = page->state == VIEW ? page->section_page : at;

    return (UCHAR *)page_address(arena, at) + (number * 40 & 0xFF0);
}

/* What an access says, and what it changes. */
static NTSTATUS access(struct arena *arena, ULONG at, BOOLEAN write)
{
    struct page *page = &arena->pages[at];

    if (page->state == FREE || page->state == RESERVED ||
        page->protect == PAGE_NOACCESS)
        return STATUS_ACCESS_VIOLATION;
    if (page->protect & PAGE_GUARD) {
        page->protect &= ~PAGE_GUARD;
        return STATUS_GUARD_PAGE_VIOLATION;
    }
    if (!write || page->protect == PAGE_READWRITE)
        return STATUS_SUCCESS;
    if (page->protect == PAGE_WRITECOPY) {
        page->value = *value_of(arena, at);
        page->own = TRUE;
        page->protect = PAGE_READWRITE;
        return STATUS_SUCCESS;
    }
    return STATUS_ACCESS_VIOLATION;
}

static void set_free(struct arena *arena, ULONG first, ULONG end)
{
    ULONG tail = end < PAGES ? region_end(arena, end) : end;
    ULONG region = arena->pages[first].region;

    for (; first < end; first++)
        arena->pages[first] = (struct page){ .state = FREE };
    for (; first < tail && arena->pages[first].region == region; first++)
        arena->pages[first].region = end;
}

/* ---- one step of each kind ---- */

struct range {
    ULONG first, end;
};

static struct range choose_range(struct arena *arena, ULONG longest)
{
    ULONG first = below(arena, PAGES);
    ULONG end = first + 1 + below(arena, longest);

    return (struct range){ first, end < PAGES ? end : PAGES };
}

static ULONG choose_protect(struct arena *arena)
{
    static const ULONG protects[] = {
        PAGE_READWRITE, PAGE_READWRITE, PAGE_READWRITE, PAGE_READONLY,
        PAGE_NOACCESS, PAGE_EXECUTE, PAGE_EXECUTE_READ,
        PAGE_READWRITE | PAGE_GUARD,
    };

    return protects[below(arena, ARRAY_SIZE(protects))];
}

/* The place that a service must have said, in whole pages. */
static void check_place(const struct arena *arena, const char *what,
                        void *address, SIZE_T size, ULONG first, ULONG end)
{
    CHECK_SAY(address == page_address(arena, first) &&
              size == (end - first) * PAGE_SIZE,
              "%s: %p %Ix, not pages %u to %u of %p", what, address, size,
              first, end, arena->base);
}

static void reserve(struct arena *arena)
{
    struct range range = choose_range(arena, 40);
    ULONG protect = choose_protect(arena), start = range.first & ~(GRANULE - 1);
    BOOLEAN commit = below(arena, 2) != 0;
    BOOLEAN free = all_free(arena, start, range.end);
    void *address = page_address(arena, range.first);
    SIZE_T size = (range.end - range.first) * PAGE_SIZE;
    NTSTATUS status = NtAllocateVirtualMemory(NtCurrentProcess(), &address, 0,
                                              &size, MEM_RESERVE |
                                              (commit ? MEM_COMMIT : 0),
                                              protect);

    CHECK_STATUS(status, free ? STATUS_SUCCESS : STATUS_CONFLICTING_ADDRESSES);
    if (!free)
        return;
    check_place(arena, "reserve", address, size, start, range.end);
    for (ULONG at = start; at < range.end; at++)
        arena->pages[at] = (struct page){
            .state = commit ? COMMITTED : RESERVED, .region = start,
            .allocation_protect = protect, .protect = protect };
}

static void commit(struct arena *arena)
{
    struct range range = choose_range(arena, 20);
    ULONG protect = choose_protect(arena);
    struct page *page = &arena->pages[range.first];
    void *address = page_address(arena, range.first);
    SIZE_T size = (range.end - range.first) * PAGE_SIZE;
    NTSTATUS status = NtAllocateVirtualMemory(NtCurrentProcess(), &address, 0,
                                              &size, MEM_COMMIT, protect);

    if (page->state == FREE || region_end(arena, range.first) < range.end) {
        CHECK_STATUS(status, STATUS_CONFLICTING_ADDRESSES);
    } else if (page->state == VIEW) {
        CHECK_STATUS(status, STATUS_ALREADY_COMMITTED);
    } else if (CHECK_STATUS(status, STATUS_SUCCESS)) {
        check_place(arena, "commit", address, size, range.first, range.end);
        for (ULONG at = range.first; at < range.end; at++) {
            arena->pages[at].state = COMMITTED;
            arena->pages[at].protect = protect;
        }
    }
}

static NTSTATUS protect_status(const struct arena *arena, struct range range,
                               ULONG protect)
{
    const struct page *page = &arena->pages[range.first];

    if (page->state == FREE || region_end(arena, range.first) < range.end)
        return STATUS_CONFLICTING_ADDRESSES;
    if (page->state == VIEW && protect != PAGE_NOACCESS &&
        (protect & ~(PAGE_READONLY | page->allocation_protect)))
        return STATUS_SECTION_PROTECTION;
    for (ULONG at = range.first; at < range.end; at++) {
        if (arena->pages[at].state == RESERVED)
            return STATUS_NOT_COMMITTED;
    }
    return STATUS_SUCCESS;
}

static void protect(struct arena *arena)
{
    struct range range = choose_range(arena, 20);
    ULONG protect = choose_protect(arena), old = 0, before;
    void *address = page_address(arena, range.first);
    SIZE_T size = (range.end - range.first) * PAGE_SIZE;
    NTSTATUS expected = protect_status(arena, range, protect);

    if (arena->pages[range.first].state == VIEW && (protect & PAGE_GUARD))
        return;
    before = arena->pages[range.first].protect;
    if (!CHECK_STATUS(NtProtectVirtualMemory(NtCurrentProcess(), &address,
                                             &size, protect, &old),
                      expected) || expected != STATUS_SUCCESS)
        return;
    check_place(arena, "protect", address, size, range.first, range.end);
    CHECK_SAY(old == before, "protect: page %u was %x, not %x", range.first,
              old, before);
    for (ULONG at = range.first; at < range.end; at++)
        arena->pages[at].protect = protect;
}

static NTSTATUS free_status(const struct arena *arena, struct range range,
                            ULONG type)
{
    const struct page *page = &arena->pages[range.first];

    if (page->state == FREE)
        return STATUS_MEMORY_NOT_ALLOCATED;
    if (region_end(arena, range.first) < range.end)
        return STATUS_UNABLE_TO_FREE_VM;
    if (page->state == VIEW)
        return type == MEM_RELEASE ? STATUS_UNABLE_TO_DELETE_SECTION
                                   : STATUS_UNABLE_TO_DECOMMIT_VM;
    return STATUS_SUCCESS;
}

static void decommit(struct arena *arena)
{
    struct range range = choose_range(arena, 20);
    void *address = page_address(arena, range.first);
    SIZE_T size = (range.end - range.first) * PAGE_SIZE;
    NTSTATUS expected = free_status(arena, range, MEM_DECOMMIT);

    if (CHECK_STATUS(NtFreeVirtualMemory(NtCurrentProcess(), &address, &size,
                                         MEM_DECOMMIT), expected) &&
        expected == STATUS_SUCCESS) {
        for (ULONG at = range.first; at < range.end; at++) {
            arena->pages[at].state = RESERVED;
            arena->pages[at].value = 0;
        }
    }
}

/* A part of a region, or with size 0 all of one. */
static void release(struct arena *arena)
{
    struct range range = choose_range(arena, 30);
    BOOLEAN whole = below(arena, 2) != 0;
    void *address = page_address(arena, range.first);
    SIZE_T size = whole ? 0 : (range.end - range.first) * PAGE_SIZE;
    NTSTATUS expected;

    if (whole)
        range.end = range.first + 1;
    expected = free_status(arena, range, MEM_RELEASE);
    if (whole && expected == STATUS_SUCCESS) {
        if (arena->pages[range.first].region != range.first)
            expected = STATUS_FREE_VM_NOT_AT_BASE;
        range.end = region_end(arena, range.first);
    }
    if (CHECK_STATUS(NtFreeVirtualMemory(NtCurrentProcess(), &address, &size,
                                         MEM_RELEASE), expected) &&
        expected == STATUS_SUCCESS) {
        check_place(arena, "release", address, size, range.first, range.end);
        set_free(arena, range.first, range.end);
    }
}

static void map(struct arena *arena)
{
    ULONG first = below(arena, PAGES / GRANULE) * GRANULE;
    ULONG section = below(arena, SECTIONS), from = below(arena, 2) * GRANULE;
    ULONG end = first + 1 + below(arena, SECTION_PAGES - from);
    static const ULONG protects[] = { PAGE_READWRITE, PAGE_READWRITE,
                                      PAGE_READONLY, PAGE_WRITECOPY };
    ULONG protect = protects[below(arena, ARRAY_SIZE(protects))];
    LARGE_INTEGER offset = { .QuadPart = from * PAGE_SIZE };
    void *address = page_address(arena, first);
    SIZE_T size;
    BOOLEAN free;

    end = end < PAGES ? end : PAGES;
    size = (end - first) * PAGE_SIZE;
    free = all_free(arena, first, end);
    CHECK_STATUS(NtMapViewOfSection(arena->sections[section],
                                    NtCurrentProcess(), &address, 0, 0,
                                    &offset, &size, ViewShare, 0, protect),
                 free ? STATUS_SUCCESS : STATUS_CONFLICTING_ADDRESSES);
    if (!free)
        return;
    check_place(arena, "map", address, size, first, end);
    for (ULONG at = first; at < end; at++)
        arena->pages[at] = (struct page){
            .state = VIEW, .region = first, .allocation_protect = protect,
            .protect = protect, .section = section,
            .section_page = from + at - first };
}

static void unmap(struct arena *arena)
{
    ULONG at = below(arena, PAGES);
    BOOLEAN view = arena->pages[at].state == VIEW;
    void *address = page_address(arena, at);

    CHECK_STATUS(NtUnmapViewOfSection(NtCurrentProcess(), address),
                 view ? STATUS_SUCCESS : STATUS_NOT_MAPPED_VIEW);
    if (view)
        set_free(arena, arena->pages[at].region, region_end(arena, at));
}

static void read(struct arena *arena)
{
    ULONG at = below(arena, PAGES);
    NTSTATUS expected = access(arena, at, FALSE);
    ULONGLONG found, wanted = *value_of(arena, at);
    NTSTATUS status = below(arena, 2)
                          ? load(place(arena, at))
                          : NtWaitForSingleObject(event, FALSE,
                                                  place(arena, at));

    if (!CHECK_STATUS(status, expected) || expected != STATUS_SUCCESS)
        return;
    found = *(volatile ULONGLONG *)place(arena, at);
    CHECK_SAY(found == wanted, "page %u of %p has %llx, not %llx", at,
              arena->base, found, wanted);
}

static void write(struct arena *arena)
{
    ULONG at = below(arena, PAGES);
    NTSTATUS expected = access(arena, at, TRUE);
    NTSTATUS status = below(arena, 2) ? store(place(arena, at))
                                      : NtQuerySystemTime(place(arena, at));

    if (!CHECK_STATUS(status, expected) || expected != STATUS_SUCCESS)
        return;
    *value_of(arena, at) = arena->seed;
    *(volatile ULONGLONG *)place(arena, at) = arena->seed;
}

static void check_query(const struct arena *arena, ULONG at,
                        const MEMORY_BASIC_INFORMATION *memory)
{
    const struct page *page = &arena->pages[at];
    ULONG end = at + 1;
    BOOLEAN reserved = page->state == RESERVED;

    while (end < PAGES && arena->pages[end].state == page->state &&
           arena->pages[end].region == page->region &&
           (reserved || arena->pages[end].protect == page->protect))
        end++;
    CHECK_SAY(memory->State == (reserved ? MEM_RESERVE : MEM_COMMIT) &&
              memory->Type == (page->state == VIEW ? MEM_MAPPED
                                                   : MEM_PRIVATE) &&
              memory->Protect == (reserved ? 0 : page->protect) &&
              memory->AllocationProtect == page->allocation_protect &&
              memory->AllocationBase == page_address(arena, page->region) &&
              memory->RegionSize == (end - at) * PAGE_SIZE,
              "page %u of %p: state %x type %x protect %x (%x), %Ix bytes", at,
              arena->base, memory->State, memory->Type,
              memory->Protect, memory->AllocationProtect, memory->RegionSize);
}

static void query(struct arena *arena)
{
    ULONG at = below(arena, PAGES);
    MEMORY_BASIC_INFORMATION memory;

    if (!CHECK_STATUS(NtQueryVirtualMemory(NtCurrentProcess(),
                                           place(arena, at),
                                           MemoryBasicInformation, &memory,
                                           sizeof memory, NULL),
                      STATUS_SUCCESS))
        return;
    if (arena->pages[at].state == FREE)
        CHECK(memory.State == MEM_FREE);
    else
        check_query(arena, at, &memory);
}

static void command(ULONG number)
{
    CHECK_STATUS(NtSetSystemInformation(SystemMemoryListInformation, &number,
                                        sizeof number), STATUS_SUCCESS);
}

/* Every page is in transition then, or in the page file if there is one. */
static void empty(struct arena *arena)
{
    QUOTA_LIMITS limits = { .MinimumWorkingSetSize = ~(SIZE_T)0,
                            .MaximumWorkingSetSize = ~(SIZE_T)0 };

    if (below(arena, EMPTYINGS / 16) != 0)
        return;
    CHECK_STATUS(NtSetInformationProcess(NtCurrentProcess(),
                                         ProcessQuotaLimits, &limits,
                                         sizeof limits), STATUS_SUCCESS);
    if (below(arena, 2)) {
        command(MemoryFlushModifiedList);
        command(MemoryPurgeStandbyList);
    }
}

static void NTAPI run_forked(void *argument)
{
    static void (*const step[])(struct arena *arena) = { read, write, query };
    struct arena *arena = argument;

    step[below(arena, ARRAY_SIZE(step))](arena);
    RtlExitUserThread(STATUS_SUCCESS);
}

/* The arena is the new thread's until it has ended. */
static void fork(struct arena *arena)
{
    HANDLE thread;

    if (below(arena, FORKS / 16) != 0 ||
        !CHECK_STATUS(RtlCreateUserThread(NtCurrentProcess(), NULL, FALSE, 0,
                                          0, 0, run_forked, arena, &thread,
                                          NULL), STATUS_SUCCESS))
        return;
    NtWaitForSingleObject(thread, FALSE, NULL);
    NtClose(thread);
}

/* ---- all of it ---- */

static void NTAPI run(void *argument)
{
    static void (*const step[])(struct arena *arena) = {
        reserve, commit, protect, decommit, release, map, unmap, query,
        read, read, read, write, write, write, reserve, map, empty, fork,
    };
    struct arena *arena = argument;

    for (ULONG i = 0; i < steps; i++)
        step[below(arena, ARRAY_SIZE(step))](arena);
    for (ULONG at = 0; at < PAGES; at++) {
        void *address = page_address(arena, at);
        SIZE_T size = 0;

        if (arena->pages[at].state == FREE ||
            arena->pages[at].region != at)
            continue;
        CHECK_STATUS(arena->pages[at].state == VIEW
                         ? NtUnmapViewOfSection(NtCurrentProcess(), address)
                         : NtFreeVirtualMemory(NtCurrentProcess(), &address,
                                               &size, MEM_RELEASE),
                     STATUS_SUCCESS);
    }
    RtlExitUserThread(STATUS_SUCCESS);
}

/* Addresses where nothing is, and no stack or view comes unasked. */
static void prepare(struct arena *arena, ULONG number)
{
    LARGE_INTEGER size = { .QuadPart = SECTION_PAGES * PAGE_SIZE };
    SIZE_T length = PAGES * PAGE_SIZE;
    void *address = (void *)(ARENAS + number * ARENA_STRIDE);

    arena->seed = 2020 + number;
    CHECK_STATUS(NtAllocateVirtualMemory(NtCurrentProcess(), &address, 0,
                                         &length, MEM_RESERVE,
                                         PAGE_NOACCESS), STATUS_SUCCESS);
    arena->base = address;
    for (ULONG i = 0; i < SECTIONS; i++)
        CHECK_STATUS(NtCreateSection(&arena->sections[i], SECTION_ALL_ACCESS,
                                     NULL, &size, PAGE_READWRITE, SEC_COMMIT,
                                     NULL), STATUS_SUCCESS);
}

static void give_back(struct arena *arena)
{
    void *address = arena->base;
    SIZE_T size = 0;

    CHECK_STATUS(NtFreeVirtualMemory(NtCurrentProcess(), &address, &size,
                                     MEM_RELEASE), STATUS_SUCCESS);
}

/* ---- little memory ---- */

static volatile ULONG *hog;
static SIZE_T hog_pages;
static volatile BOOLEAN is_done;

static void NTAPI use_memory(void *argument)
{
    SIZE_T words = PAGE_SIZE / sizeof *hog, wrong = 0;

    (void)argument;
    for (ULONG round = 0; !is_done; round++) {
        for (SIZE_T page = 0; page < hog_pages && !is_done; page++) {
            volatile ULONG *word = &hog[page * words];

            wrong += round > 0 && *word != round - 1 + page;
            *word = round + (ULONG)page;
        }
    }
    CHECK_SAY(wrong == 0, "%u pages are wrong", (ULONG)wrong);
    RtlExitUserThread(STATUS_SUCCESS);
}

static void start_hog(HANDLE *thread)
{
    SYSTEM_PERFORMANCE_INFORMATION now;
    void *base = NULL;
    SIZE_T size;

    CHECK_STATUS(NtQuerySystemInformation(SystemPerformanceInformation, &now,
                                          sizeof now, NULL), STATUS_SUCCESS);
    hog_pages = now.AvailablePages - LEFT_PAGES;
    size = hog_pages * PAGE_SIZE;
    CHECK(hog_pages > (ULONG)now.ResidentAvailablePages);
    CHECK_STATUS(NtAllocateVirtualMemory(NtCurrentProcess(), &base, 0, &size,
                                         MEM_RESERVE | MEM_COMMIT,
                                         PAGE_READWRITE), STATUS_SUCCESS);
    hog = base;
    CHECK_STATUS(RtlCreateUserThread(NtCurrentProcess(), NULL, FALSE, 0, 0, 0,
                                     use_memory, NULL, thread, NULL),
                 STATUS_SUCCESS);
}

static void end_hog(HANDLE thread)
{
    void *base = (void *)hog;
    SIZE_T size = 0;

    is_done = TRUE;
    NtWaitForSingleObject(thread, FALSE, NULL);
    NtClose(thread);
    CHECK_STATUS(NtFreeVirtualMemory(NtCurrentProcess(), &base, &size,
                                     MEM_RELEASE), STATUS_SUCCESS);
}

static void run_all(void)
{
    HANDLE threads[THREADS];

    for (ULONG i = 0; i < THREADS; i++)
        CHECK_STATUS(RtlCreateUserThread(NtCurrentProcess(), NULL, TRUE, 0, 0,
                                         0, run, &arenas[i], &threads[i],
                                         NULL), STATUS_SUCCESS);
    for (ULONG i = 0; i < THREADS; i++)
        give_back(&arenas[i]);
    for (ULONG i = 0; i < THREADS; i++)
        NtResumeThread(threads[i], NULL);
    for (ULONG i = 0; i < THREADS; i++) {
        NtWaitForSingleObject(threads[i], FALSE, NULL);
        NtClose(threads[i]);
        for (ULONG s = 0; s < SECTIONS; s++)
            CHECK_STATUS(NtClose(arenas[i].sections[s]), STATUS_SUCCESS);
    }
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    VM_COUNTERS before, after;
    BOOLEAN is_short = strcmp(test_words(), "short") == 0;
    HANDLE thread;

    (void)peb;
    if (is_short)
        steps = SHORT_STEPS;
    else if (*test_words())
        steps *= (ULONG)atoi(test_words());
    CHECK_STATUS(NtCreateEvent(&event, EVENT_ALL_ACCESS, NULL,
                               NotificationEvent, TRUE), STATUS_SUCCESS);
    CHECK(RtlAddVectoredExceptionHandler(TRUE, note_access) != NULL);
    before = test_counters();
    if (is_short)
        start_hog(&thread);
    for (ULONG i = 0; i < THREADS; i++)
        prepare(&arenas[i], i);
    run_all();
    if (is_short)
        end_hog(thread);
    after = test_counters();
    CHECK_SAY(after.PagefileUsage == before.PagefileUsage &&
              after.VirtualSize == before.VirtualSize,
              "committed %Ix, then %Ix; addresses %Ix, then %Ix",
              before.PagefileUsage, after.PagefileUsage, before.VirtualSize,
              after.VirtualSize);
    return test_end();
}
