/*
 * thrash.c - more memory in use than there is; booted with a page file.
 *
 * A child fills three times the pages that there are, from several threads:
 * private ones, a section's, copies of another section's.  They are read in
 * different orders and partly written again, by the threads and by services
 * for them, and every byte is looked at; the services copy pages of the
 * creator's, too, which have gone as well; an image is mapped that cannot be
 * at its base, so that pages are written to do it.  The child ends with all of
 * it in use, and what it shared with its creator is there, what it copied is
 * not.
 *
 * Then all that can be committed is, and used; the kernel is asked for more
 * and has to refuse; nothing is lost.
 */
#include "test.h"

#include "child.h"

#define SELF NtCurrentProcess()
#define PATH L"\\SystemRoot\\System32\\thrash.exe"
#define NAME L"\\BaseNamedObjects\\thrash"

#define PAGE_WORDS (PAGE_SIZE / sizeof(ULONG))
#define THREADS 3
#define ROUNDS 3
#define BOTH_PAGES 48                   /* of the section of both processes */
#define CREATORS_PAGES 64
#define SLACK 48                        /* pages: dead threads' stacks, slabs */

enum kind { PRIVATE, OWN, COPY, COMMON, BOTH, FULL, CREATORS };

/* Pages of one kind in a thread's hands. */
struct part {
    ULONG *base;
    ULONG pages;
    enum kind kind;
};

static struct worker {
    ULONG number;
    struct part private, own, copy;
    ULONG buffer[PAGE_WORDS];
} workers[THREADS];

/* At the same place in both processes. */
static ULONG creators[CREATORS_PAGES * PAGE_WORDS];
static HANDLE creator;

static HANDLE image;                    /* ntdll's */
static ULONGLONG *image_view;
static SIZE_T image_words;

static ULONG wrong;

static NTSTATUS allocate(SIZE_T pages, ULONG **result)
{
    void *base = NULL;
    SIZE_T size = pages * PAGE_SIZE;
    NTSTATUS status = NtAllocateVirtualMemory(SELF, &base, 0, &size,
                                              MEM_RESERVE | MEM_COMMIT,
                                              PAGE_READWRITE);

    *result = base;
    return status;
}

static HANDLE create_section(SIZE_T pages, const WCHAR *path)
{
    LARGE_INTEGER size = { .QuadPart = (LONGLONG)(pages * PAGE_SIZE) };
    UNICODE_STRING name;
    OBJECT_ATTRIBUTES attributes = { .Length = sizeof attributes,
                                     .ObjectName = path ? &name : NULL };
    HANDLE section = NULL;

    if (path)
        RtlInitUnicodeString(&name, path);
    CHECK_STATUS(NtCreateSection(&section, SECTION_ALL_ACCESS, &attributes,
                                 &size, PAGE_READWRITE, SEC_COMMIT, NULL),
                 STATUS_SUCCESS);
    return section;
}

static ULONG *map(HANDLE section, ULONG protect)
{
    void *base = NULL;
    SIZE_T size = 0;

    CHECK_STATUS(NtMapViewOfSection(section, SELF, &base, 0, 0, NULL, &size,
                                    ViewUnmap, 0, protect), STATUS_SUCCESS);
    return base;
}

/* ---- what a page holds ---- */

static ULONG seed(enum kind kind, ULONG number, ULONG page, ULONG round)
{
    return (kind * 4 + number) << 27 | page << 4 | round;
}

static void fill(ULONG *page, ULONG seed)
{
    for (ULONG i = 0; i < PAGE_WORDS; i++)
        page[i] = seed + i * 0x9E3779B1;
}

static void look(const ULONG *page, ULONG seed)
{
    for (ULONG i = 0; i < PAGE_WORDS; i++) {
        if (page[i] == seed + i * 0x9E3779B1)
            continue;
        if (__sync_fetch_and_add(&wrong, 1) < 8)
            print("word %u of %p is %08x, not %08x\n", i, page, page[i],
                  seed + i * 0x9E3779B1);
        return;
    }
}

/* ---- a thread ---- */

/* Round 0 writes all, every later one a third; when was this one? */
static ULONG last_round(ULONG page, ULONG round)
{
    while (round > 0 && round % 3 != page % 3)
        round--;
    return round;
}

static BOOLEAN is_by_service(ULONG page)
{
    return page % 16 == 5;
}

static ULONG *page_at(const struct part *part, ULONG page)
{
    return part->base + page * PAGE_WORDS;
}

/* Of a view that copies, the even pages stay the section's. */
static BOOLEAN is_mine(const struct part *part, ULONG page)
{
    return part->kind != COPY || page % 2 != 0;
}

static void write_page(struct worker *worker, const struct part *part,
                       ULONG page, ULONG round)
{
    ULONG value = seed(part->kind, worker->number, page, round);

    if (!is_by_service(page)) {
        fill(page_at(part, page), value);
        return;
    }
    fill(worker->buffer, value);
    if (!NT_SUCCESS(NtWriteVirtualMemory(SELF, page_at(part, page),
                                         worker->buffer, PAGE_SIZE, NULL)))
        __sync_fetch_and_add(&wrong, 1);
}

/* The pages of another process, each to itself again. */
static void copy_creators(struct worker *worker, ULONG page)
{
    ULONG *there = creators + page * PAGE_WORDS;

    if (!NT_SUCCESS(NtReadVirtualMemory(creator, there, worker->buffer,
                                        PAGE_SIZE, NULL)))
        __sync_fetch_and_add(&wrong, 1);
    look(worker->buffer, seed(CREATORS, 0, page, 0));
    if (!NT_SUCCESS(NtWriteVirtualMemory(creator, there, worker->buffer,
                                         PAGE_SIZE, NULL)))
        __sync_fetch_and_add(&wrong, 1);
}

static void read_page(struct worker *worker, const struct part *part,
                      ULONG page, ULONG round)
{
    ULONG value = is_mine(part, page)
                      ? seed(part->kind, worker->number, page,
                             last_round(page, round))
                      : seed(COMMON, 0, page, 0);

    if (!is_by_service(page)) {
        look(page_at(part, page), value);
        return;
    }
    if (!NT_SUCCESS(NtReadVirtualMemory(SELF, page_at(part, page),
                                        worker->buffer, PAGE_SIZE, NULL)))
        __sync_fetch_and_add(&wrong, 1);
    look(worker->buffer, value);
    copy_creators(worker, page / 16 % CREATORS_PAGES);
}

/* Upwards, downwards, and here and there. */
static ULONG in_order(ULONG i, ULONG count, ULONG round)
{
    switch (round % 3) {
    case 0: return i;
    case 1: return count - 1 - i;
    default: return i * 7919ULL % count;
    }
}

static void visit(struct worker *worker, const struct part *part, ULONG round)
{
    for (ULONG i = 0; i < part->pages; i++) {
        ULONG page = in_order(i, part->pages, round);

        if (round > 0)
            read_page(worker, part, page, round - 1);
        if (is_mine(part, page) && last_round(page, round) == round)
            write_page(worker, part, page, round);
    }
}

static ULONGLONG *map_image(SIZE_T *words)
{
    void *base = NULL;
    SIZE_T size = 0;

    CHECK_STATUS(NtMapViewOfSection(image, SELF, &base, 0, 0, NULL, &size,
                                    ViewUnmap, 0, PAGE_READONLY),
                 STATUS_IMAGE_NOT_AT_BASE);
    *words = size / sizeof(ULONGLONG);
    return base;
}

/* At two bases it differs by nothing but the distance. */
static void map_again(void)
{
    SIZE_T words, bad = 0;
    ULONGLONG *view = map_image(&words);
    ULONGLONG distance = (ULONG_PTR)view - (ULONG_PTR)image_view;

    for (SIZE_T i = 0; i < words && words == image_words; i++)
        bad += view[i] != image_view[i] && view[i] - image_view[i] != distance;
    if (bad || words != image_words)
        __sync_fetch_and_add(&wrong, 1);
    CHECK_STATUS(NtUnmapViewOfSection(SELF, view), STATUS_SUCCESS);
}

static void NTAPI work(void *argument)
{
    struct worker *worker = argument;

    for (ULONG round = 0; round <= ROUNDS; round++) {
        visit(worker, &worker->private, round);
        map_again();
        visit(worker, &worker->own, round);
        map_again();
        visit(worker, &worker->copy, round);
    }
    RtlExitUserThread(STATUS_SUCCESS);
}

/* ---- the child ---- */

static void prepare(struct worker *worker, ULONG number, ULONG unit,
                    HANDLE common)
{
    HANDLE section = create_section(unit, NULL);

    worker->number = number;
    worker->private = (struct part){ NULL, 2 * unit, PRIVATE };
    CHECK_STATUS(allocate(2 * unit, &worker->private.base), STATUS_SUCCESS);
    worker->own = (struct part){ map(section, PAGE_READWRITE), unit, OWN };
    worker->copy = (struct part){ map(common, PAGE_WRITECOPY), unit, COPY };
    NtClose(section);
}

static void prepare_image(void)
{
    HANDLE file = NULL;

    CHECK_STATUS(test_open(L"ntdll.dll", FILE_GENERIC_READ | FILE_EXECUTE,
                           &file), STATUS_SUCCESS);
    CHECK_STATUS(NtCreateSection(&image, SECTION_ALL_ACCESS, NULL, NULL,
                                 PAGE_EXECUTE, SEC_IMAGE, file),
                 STATUS_SUCCESS);
    NtClose(file);
    image_view = map_image(&image_words);
}

static void run_workers(void)
{
    HANDLE threads[THREADS];

    for (ULONG i = 0; i < THREADS; i++)
        CHECK_STATUS(RtlCreateUserThread(SELF, NULL, FALSE, 0, 0, 0, work,
                                         &workers[i], &threads[i], NULL),
                     STATUS_SUCCESS);
    for (ULONG i = 0; i < THREADS; i++)
        NtWaitForSingleObject(threads[i], FALSE, NULL);
}

static void use_much(void)
{
    SYSTEM_PERFORMANCE_INFORMATION before = test_performance(), after;
    ULONG room = before.AvailablePages - TEST_KERNEL_PAGES;
    ULONG unit = (room - room / 128 - 128) / (4 * THREADS + 1);
    ULONG touched = unit * 3 * THREADS + unit / 2 * THREADS + unit;
    HANDLE common = create_section(unit, NULL);
    ULONG *view = map(common, PAGE_READWRITE);

    for (ULONG page = 0; page < unit; page++)
        fill(view + page * PAGE_WORDS, seed(COMMON, 0, page, 0));
    for (ULONG i = 0; i < THREADS; i++)
        prepare(&workers[i], i, unit, common);
    run_workers();
    after = test_performance();
    print("%u pages for %u; %u read, %u written, %u soft faults\n", touched,
          (ULONG)before.ResidentAvailablePages,
          after.PageReadCount - before.PageReadCount,
          after.DirtyPagesWriteCount - before.DirtyPagesWriteCount,
          after.TransitionCount - before.TransitionCount);
    CHECK(touched >= 3 * (ULONG)before.ResidentAvailablePages);
    CHECK(after.PageReadCount - before.PageReadCount > touched);
}

static void check_both(const ULONG *view, ULONG round)
{
    for (ULONG page = 0; page < BOTH_PAGES; page++)
        look(view + page * PAGE_WORDS, seed(BOTH, 0, page, round));
}

static void write_both(ULONG *view, ULONG round)
{
    for (ULONG page = 0; page < BOTH_PAGES; page++)
        fill(view + page * PAGE_WORDS, seed(BOTH, 0, page, round));
}

static HANDLE open_both(void)
{
    UNICODE_STRING name;
    OBJECT_ATTRIBUTES attributes = { .Length = sizeof attributes,
                                     .ObjectName = &name };
    HANDLE section = NULL;

    RtlInitUnicodeString(&name, NAME);
    CHECK_STATUS(NtOpenSection(&section, SECTION_ALL_ACCESS, &attributes),
                 STATUS_SUCCESS);
    return section;
}

static void open_creator(void)
{
    PROCESS_BASIC_INFORMATION basic = { 0 };
    OBJECT_ATTRIBUTES attributes = { .Length = sizeof attributes };
    CLIENT_ID id = { 0 };

    CHECK_STATUS(NtQueryInformationProcess(SELF, ProcessBasicInformation,
                                           &basic, sizeof basic, NULL),
                 STATUS_SUCCESS);
    id.UniqueProcess = (HANDLE)basic.InheritedFromUniqueProcessId;
    CHECK_STATUS(NtOpenProcess(&creator, PROCESS_ALL_ACCESS, &attributes,
                               &id), STATUS_SUCCESS);
}

/* The creator wrote 1 into the section, 2 into a copy of its own. */
static NTSTATUS child(void)
{
    HANDLE section = open_both();
    ULONG *view = map(section, PAGE_READWRITE);
    ULONG *copy = map(section, PAGE_WRITECOPY);

    check_both(view, 1);
    write_both(copy, 3);
    open_creator();
    prepare_image();
    use_much();
    check_both(view, 1);
    check_both(copy, 3);
    write_both(view, 4);
    check_both(copy, 3);
    CHECK(wrong == 0);
    return test_end();
}

/* ---- the creator ---- */

static void test_child(void)
{
    HANDLE section = create_section(BOTH_PAGES, NAME);
    ULONG *view = map(section, PAGE_READWRITE);
    ULONG *copy = map(section, PAGE_WRITECOPY);
    ULONG before = test_performance().AvailablePages, after;

    for (ULONG page = 0; page < CREATORS_PAGES; page++)
        fill(creators + page * PAGE_WORDS, seed(CREATORS, 0, page, 0));
    write_both(view, 1);
    write_both(copy, 2);
    CHECK_STATUS(run_child(PATH), STATUS_SUCCESS);
    for (ULONG page = 0; page < CREATORS_PAGES; page++)
        look(creators + page * PAGE_WORDS, seed(CREATORS, 0, page, 0));
    check_both(view, 4);
    check_both(copy, 2);
    after = test_performance().AvailablePages;
    CHECK_SAY(after + SLACK >= before, "%u, then %u", before, after);
    NtUnmapViewOfSection(SELF, view);
    NtUnmapViewOfSection(SELF, copy);
    NtClose(section);
}

static struct part regions[64];
static ULONG region_count;

/* All there is, in pieces that get smaller. */
static void commit_all(void)
{
    for (ULONG pages = 4096; pages > 0 && region_count < ARRAY_SIZE(regions);
         pages /= 2) {
        struct part part = { .pages = pages, .kind = FULL };
        NTSTATUS status;

        while (region_count < ARRAY_SIZE(regions) &&
               NT_SUCCESS(status = allocate(pages, &part.base)))
            regions[region_count++] = part;
        CHECK(status == STATUS_COMMITMENT_LIMIT);
    }
}

static void write_regions(void)
{
    for (ULONG i = 0; i < region_count; i++) {
        for (ULONG page = 0; page < regions[i].pages; page++)
            fill(page_at(&regions[i], page), seed(FULL, 0, page, i & 15));
    }
}

static void check_regions(void)
{
    for (ULONG i = 0; i < region_count; i++) {
        for (ULONG page = 0; page < regions[i].pages; page++)
            look(page_at(&regions[i], page), seed(FULL, 0, page, i & 15));
    }
}

static HANDLE events[0x10000];

/* Returns how many there were. */
static ULONG exhaust_kernel(void)
{
    ULONG count = 0;
    NTSTATUS status = STATUS_SUCCESS;

    while (count < ARRAY_SIZE(events) &&
           NT_SUCCESS(status = NtCreateEvent(&events[count], EVENT_ALL_ACCESS,
                                             NULL, NotificationEvent,
                                             FALSE)))
        count++;
    CHECK_STATUS(status, STATUS_INSUFFICIENT_RESOURCES);
    return count;
}

static void check_refusals(void)
{
    LARGE_INTEGER size = { .QuadPart = 0x10000 };
    HANDLE handle;
    ULONG *base;

    CHECK_STATUS(allocate(1, &base), STATUS_COMMITMENT_LIMIT);
    CHECK_STATUS(NtCreateSection(&handle, SECTION_ALL_ACCESS, NULL, &size,
                                 PAGE_READWRITE, SEC_COMMIT, NULL),
                 STATUS_COMMITMENT_LIMIT);
    CHECK(!NT_SUCCESS(RtlCreateUserThread(SELF, NULL, TRUE, 0, 0, 0, work,
                                          NULL, &handle, NULL)));
    CHECK(!NT_SUCCESS(run_child(PATH)));
}

static void test_full(void)
{
    ULONG before = test_performance().AvailablePages, after, count;

    commit_all();
    write_regions();
    check_refusals();
    count = exhaust_kernel();
    check_refusals();
    check_regions();
    write_regions();
    for (ULONG i = 0; i < count; i++)
        NtClose(events[i]);
    check_regions();
    for (ULONG i = 0; i < region_count; i++) {
        void *base = regions[i].base;
        SIZE_T size = 0;

        CHECK_STATUS(NtFreeVirtualMemory(SELF, &base, &size, MEM_RELEASE),
                     STATUS_SUCCESS);
    }
    after = test_performance().AvailablePages;
    print("all of %u pages, %u events\n", before, count);
    CHECK_SAY(after + before / 128 + SLACK >= before, "%u, then %u", before,
              after);
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    (void)peb;
    if (*test_words())
        return child();
    test_child();
    test_full();
    CHECK(wrong == 0);
    return test_end();
}
