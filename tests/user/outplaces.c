/*
 * outplaces.c - where services may be told to write.
 *
 * Pages that cannot take it (H9): read-only, code, no access; a guard page,
 * which says so once; a page of an image, whose other view keeps its own.
 * Places that are something else already (H10): the input itself, the other
 * output, the arguments on the stack, the TEB and the PEB.  What is written is
 * what was asked for before anything was written.
 */
#include "test.h"

#include "../../programs/lib/call.h"
#include "services.h"

#define ROOM 64
#define PLACE 0x30000000ULL
#define BASIC_SIZE sizeof(PROCESS_BASIC_INFORMATION)

static HANDLE file, event, semaphore;
static LARGE_INTEGER start;
static SIZE_T page_size;
static void *page_base;

/* ---- Pages (H9) ---- */

static NTSTATUS write_time(void *to)
{
    return NtQuerySystemTime(to);
}

static NTSTATUS write_counter(void *to)
{
    return NtQueryPerformanceCounter(to, NULL);
}

static NTSTATUS write_basic(void *to)
{
    return NtQueryInformationProcess(NtCurrentProcess(),
                                     ProcessBasicInformation, to, BASIC_SIZE,
                                     NULL);
}

static NTSTATUS write_length(void *to)
{
    UCHAR buffer[BASIC_SIZE];

    return NtQueryInformationProcess(NtCurrentProcess(),
                                     ProcessBasicInformation, buffer,
                                     sizeof buffer, to);
}

static NTSTATUS write_handle(void *to)
{
    HANDLE handle = NULL;
    NTSTATUS status = NtCreateEvent(to, EVENT_ALL_ACCESS, NULL,
                                    NotificationEvent, FALSE);

    if (NT_SUCCESS(status)) {
        memcpy(&handle, to, sizeof handle);
        NtClose(handle);
    }
    return status;
}

static NTSTATUS write_state(void *to)
{
    return NtSetEvent(event, to);
}

static NTSTATUS write_file(void *to)
{
    IO_STATUS_BLOCK io;

    start.QuadPart = 0;
    return NtReadFile(file, NULL, NULL, NULL, &io, to, ROOM, &start, NULL);
}

static NTSTATUS write_status_block(void *to)
{
    UCHAR buffer[ROOM];

    start.QuadPart = 0;
    return NtReadFile(file, NULL, NULL, NULL, to, buffer, ROOM, &start, NULL);
}

static NTSTATUS write_old_protection(void *to)
{
    return NtProtectVirtualMemory(NtCurrentProcess(), &page_base, &page_size,
                                  PAGE_READWRITE, to);
}

static const struct {
    const char *name;
    NTSTATUS (*write)(void *to);
} writers[] = {
    { "time", write_time }, { "counter", write_counter },
    { "basic", write_basic }, { "length", write_length },
    { "handle", write_handle }, { "state", write_state },
    { "file", write_file }, { "status block", write_status_block },
    { "old protection", write_old_protection },
};

static void check_protected(UCHAR *page, ULONG protect)
{
    static UCHAR before[ROOM];
    ULONG at;

    for (at = 0; at < ARRAY_SIZE(writers); at++) {
        NTSTATUS status;

        memset(page, 0x77, PAGE_SIZE);
        memset(before, 0x77, ROOM);
        test_protect(page, 1, protect);
        status = writers[at].write(page);
        CHECK_SAY(status == STATUS_ACCESS_VIOLATION, "%s, protection %x: %08x",
                  writers[at].name, protect, status);
        test_protect(page, 1, PAGE_READWRITE);
        CHECK_SAY(!memcmp(page, before, ROOM), "%s, protection %x: written",
                  writers[at].name, protect);
    }
}

static void check_guarded(UCHAR *page)
{
    ULONG at;

    for (at = 0; at < ARRAY_SIZE(writers); at++) {
        NTSTATUS status;

        test_protect(page, 1, PAGE_READWRITE | PAGE_GUARD);
        status = writers[at].write(page);
        CHECK_SAY(status == STATUS_GUARD_PAGE_VIOLATION, "%s, guarded: %08x",
                  writers[at].name, status);
        status = writers[at].write(page);
        CHECK_SAY(NT_SUCCESS(status), "%s, then: %08x", writers[at].name,
                  status);
    }
}

static UCHAR shared_bytes[PAGE_SIZE] __attribute__((aligned(PAGE_SIZE),
                                                    section(".data"))) = "me";

static UCHAR *map_image(HANDLE section)
{
    void *base = NULL;
    SIZE_T size = 0;
    NTSTATUS status = NtMapViewOfSection(section, NtCurrentProcess(), &base, 0,
                                         0, NULL, &size, ViewShare, 0,
                                         PAGE_READWRITE);

    CHECK_SAY(NT_SUCCESS(status), "a view of the image: %08x", status);
    return base;
}

static void check_image(void)
{
    ULONG_PTR offset = (ULONG_PTR)shared_bytes -
                       (ULONG_PTR)NtCurrentPeb()->ImageBaseAddress;
    UCHAR *first, *second;
    HANDLE section = NULL;
    ULONG at;

    CHECK_STATUS(NtCreateSection(&section, SECTION_ALL_ACCESS, NULL, NULL,
                                 PAGE_EXECUTE, SEC_IMAGE, file),
                 STATUS_SUCCESS);
    first = map_image(section);
    second = map_image(section);
    if (!first || !second)
        return;
    first += offset;
    second += offset;
    for (at = 0; at < ARRAY_SIZE(writers); at++) {
        CHECK_SAY(NT_SUCCESS(writers[at].write(first)), "%s, of an image",
                  writers[at].name);
        CHECK_SAY(!memcmp(second, "me", 3) && !memcmp(shared_bytes, "me", 3),
                  "%s, of an image: another view changed", writers[at].name);
    }
    CHECK(memcmp(first, "me", 3) != 0);
    NtUnmapViewOfSection(NtCurrentProcess(), first - offset);
    NtUnmapViewOfSection(NtCurrentProcess(), second - offset);
    NtClose(section);
}

static void check_pages(void)
{
    UCHAR *page = test_pages(1);

    page_base = test_pages(1);
    page_size = PAGE_SIZE;
    check_protected(page, PAGE_READONLY);
    check_protected(page, PAGE_EXECUTE_READ);
    check_protected(page, PAGE_NOACCESS);
    check_guarded(page);
    check_image();
}

/* ---- Places (H10) ---- */

/* The length goes over what it is the length of, written last. */
static void check_length_in_answer(void)
{
    PROCESS_BASIC_INFORMATION plain, over;

    CHECK_STATUS(write_basic(&plain), STATUS_SUCCESS);
    CHECK_STATUS(NtQueryInformationProcess(NtCurrentProcess(),
                                           ProcessBasicInformation, &over,
                                           sizeof over,
                                           (ULONG *)&over.UniqueProcessId),
                 STATUS_SUCCESS);
    CHECK((ULONG)(ULONG_PTR)over.UniqueProcessId == sizeof over);
    CHECK(over.PebBaseAddress == plain.PebBaseAddress);
}

/* One number that is base and size: both were read first. */
static void check_base_is_size(void)
{
    ULONGLONG both = PLACE;
    NTSTATUS status = NtAllocateVirtualMemory(NtCurrentProcess(),
                                              (void **)&both, 0,
                                              (SIZE_T *)&both, MEM_RESERVE,
                                              PAGE_READWRITE);
    void *base = (void *)PLACE;
    SIZE_T size = 0;

    CHECK_STATUS(status, STATUS_SUCCESS);
    CHECK_SAY(both == PLACE, "both %llx", both);
    CHECK_STATUS(NtFreeVirtualMemory(NtCurrentProcess(), &base, &size,
                                     MEM_RELEASE), STATUS_SUCCESS);
    CHECK_SAY(size == PLACE, "freed %llx", (ULONGLONG)size);
}

/* The handle goes over the attributes and the name that it is opened by. */
static void check_handle_in_name(void)
{
    static WCHAR text[32];
    static const WCHAR whole[] = L"\\BaseNamedObjects\\outplaces";
    UNICODE_STRING name;
    OBJECT_ATTRIBUTES attributes;
    void *places[] = { text, &name, &name.Buffer, &attributes,
                       &attributes.ObjectName };
    HANDLE handle;
    ULONG at;

    for (at = 0; at < ARRAY_SIZE(places); at++) {
        memcpy(text, whole, sizeof whole);
        RtlInitUnicodeString(&name, text);
        attributes = (OBJECT_ATTRIBUTES){ .Length = sizeof attributes,
                                          .ObjectName = &name };
        CHECK_STATUS(NtOpenEvent(places[at], EVENT_ALL_ACCESS, &attributes),
                     STATUS_SUCCESS);
        memcpy(&handle, places[at], sizeof handle);
        CHECK_STATUS(NtClose(handle), STATUS_SUCCESS);
    }
}

/* The file's bytes go over the status block, or over the offset. */
static void check_file(void)
{
    struct {
        IO_STATUS_BLOCK io;
        LARGE_INTEGER offset;
        UCHAR rest[ROOM];
    } place = { .offset.QuadPart = 1 };
    UCHAR plain[sizeof place] = { 0 };

    CHECK_STATUS(write_file(plain), STATUS_SUCCESS);
    CHECK_STATUS(NtReadFile(file, NULL, NULL, NULL, &place.io, &place.io, ROOM,
                            &place.offset, NULL), STATUS_SUCCESS);
    CHECK(place.io.Status == STATUS_SUCCESS && place.io.Information == ROOM);
    CHECK(!memcmp(&place.offset, plain + 1 + sizeof place.io,
                  ROOM - sizeof place.io - 1));
    place.offset.QuadPart = 0;
    CHECK_STATUS(NtReadFile(file, NULL, NULL, NULL, (void *)&place.offset,
                            place.rest, ROOM, &place.offset, NULL),
                 STATUS_SUCCESS);
    CHECK(!memcmp(place.rest + 8, plain + 8, ROOM - 8));
}

/* Handles that are waited for, and how long, in what is written meanwhile. */
static void check_counts(void)
{
    union {
        LONG count;
        HANDLE handles[2];
    } place = { .handles = { event, semaphore } };
    LARGE_INTEGER zero = { .QuadPart = 0 };

    CHECK_STATUS(NtWaitForMultipleObjects(2, place.handles, 1, FALSE,
                                          (LARGE_INTEGER *)&zero),
                 STATUS_WAIT_0);
    CHECK_STATUS(NtReleaseSemaphore(place.handles[1], 1,
                                    (LONG *)&place.handles[1]),
                 STATUS_SUCCESS);
    CHECK((ULONG)(ULONG_PTR)place.handles[1] == 1);
}

/* Output over each argument that lies on the stack, and below it. */
static void check_stack_arguments(void)
{
    static struct call call;
    static ULONGLONG stack[24];
    static UCHAR bytes[ROOM];
    IO_STATUS_BLOCK io;
    UCHAR plain[ROOM];
    ULONG at;

    CHECK_STATUS(write_file(plain), STATUS_SUCCESS);
    for (at = 0; at < ARRAY_SIZE(stack) - 8; at++) {
        const ULONGLONG arguments[] = { (ULONGLONG)file, 0, 0, 0 };

        start.QuadPart = 0;
        stack[5] = (ULONGLONG)&io;
        stack[6] = (ULONGLONG)&stack[at];
        stack[7] = ROOM;
        stack[8] = (ULONGLONG)&start;
        stack[9] = 0;
        call_prepare(&call, call_raw_on_stack, 4, arguments);
        call.in.Rax = SERVICE_NtReadFile;
        call.in.R12 = (ULONGLONG)stack;
        call_with_registers(&call);
        CHECK_STATUS(call.out.Rax, STATUS_SUCCESS);
        CHECK_SAY(!memcmp(&stack[at], plain, ROOM) && io.Information == ROOM,
                  "over stack argument %u", at);
        stack[5] = (ULONGLONG)&stack[at];
        stack[6] = (ULONGLONG)bytes;
        stack[7] = ROOM;
        stack[8] = (ULONGLONG)&start;
        stack[9] = 0;
        start.QuadPart = 0;
        call_with_registers(&call);
        CHECK_STATUS(call.out.Rax, STATUS_SUCCESS);
        CHECK_SAY(!memcmp(bytes, plain, ROOM) && stack[at + 1] == ROOM,
                  "status block over stack argument %u", at);
    }
}

/* The kernel has no use for what it keeps there for ring 3. */
static void check_teb(void)
{
    static TEB copy;
    TEB *teb = NtCurrentTeb();
    PEB *peb = NtCurrentPeb(), peb_copy = *peb;
    ULONG at;

    copy = *teb;
    for (at = 0; at + ROOM <= sizeof(NT_TIB); at += 8) {
        CHECK_STATUS(write_file((UCHAR *)teb + at), STATUS_SUCCESS);
        memcpy(teb, &copy, sizeof(NT_TIB) + ROOM);
    }
    for (at = offsetof(TEB, ClientId); at < 0x100; at += 8) {
        CHECK_STATUS(write_counter((UCHAR *)teb + at), STATUS_SUCCESS);
        memcpy((UCHAR *)teb + at, (UCHAR *)&copy + at, 8);
    }
    CHECK(NtCurrentTeb() == teb);
    for (at = 0; at + 8 <= sizeof peb_copy; at += 8) {
        CHECK_STATUS(write_counter((UCHAR *)peb + at), STATUS_SUCCESS);
        memcpy((UCHAR *)peb + at, (UCHAR *)&peb_copy + at, 8);
    }
    CHECK(!memcmp(peb, &peb_copy, sizeof peb_copy));
}

static void create_objects(void)
{
    UNICODE_STRING name;
    OBJECT_ATTRIBUTES attributes = { .Length = sizeof attributes,
                                     .ObjectName = &name };

    RtlInitUnicodeString(&name, L"\\BaseNamedObjects\\outplaces");
    CHECK_STATUS(NtCreateEvent(&event, EVENT_ALL_ACCESS, &attributes,
                               NotificationEvent, TRUE), STATUS_SUCCESS);
    CHECK_STATUS(NtCreateSemaphore(&semaphore, SEMAPHORE_ALL_ACCESS, NULL, 1,
                                   9), STATUS_SUCCESS);
    CHECK_STATUS(test_open(L"outplaces.exe", FILE_GENERIC_READ | FILE_EXECUTE,
                           &file), STATUS_SUCCESS);
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    (void)peb;
    create_objects();
    check_pages();
    check_length_in_answer();
    check_base_is_size();
    check_handle_in_name();
    check_file();
    check_counts();
    check_stack_arguments();
    check_teb();
    return test_end();
}
