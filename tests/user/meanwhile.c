/*
 * meanwhile.c - what a service reads changes while it runs, and the pages it
 * uses go (H7, H8).
 *
 * A kernel APC makes the change N instructions after the order was given
 * (tests/kernel/sweep.c; needs --icount), for N = 1, 1 + STEP... until it
 * comes after the service's end.  Early ones are seen, late ones are not; a
 * service that reads what it needs once has one place in between.  So the
 * outcomes must be "new" up to some N and "old" from there on, and never
 * anything else.  A page that goes makes STATUS_ACCESS_VIOLATION of "new".
 * "meanwhile STEP" has another step.
 *
 * Scenarios: B12, N5.
 */
#include "test.h"

#include "../../programs/lib/find.h"
#include "meanwhileways.h"

#define DISTURB 0x25                            /* tests/kernel/selftest.c */
#define STEP 11
#define LONGEST 200000                          /* instructions of a service */
#define WAIT_ANY 1
#define PLACE_OLD 0x30000000U
#define PLACE_NEW 0x31000000U
#define VALUE_OLD ((ULONG_PTR)0x1111111122222222ULL)
#define VALUE_NEW ((ULONG_PTR)0x1111111122222233ULL)

enum outcome { OLD = 1, NEW, OTHER };

static struct {
    ULONGLONG to, from;
    ULONG size;
    ULONG protect;
    ULONG count;
    volatile ULONG done;
} order;

/* What services read and write; a page of its own. */
static struct area {
    OBJECT_ATTRIBUTES attributes;
    UNICODE_STRING name;
    LARGE_INTEGER offset;
    IO_STATUS_BLOCK io;
    HANDLE handle, handles[2];
    void *base;
    SIZE_T size;
    CONTEXT context __attribute__((aligned(16)));
    UCHAR buffer[256];
    ULONG_PTR stack[STACK_WORDS];
} *area;

static NTSTATUS (NTAPI *ask_kernel)(ULONG test, void *argument);
static NTSTATUS status;
static ULONG lengths[2];
static HANDLE event_old, event_new, file;
static UNICODE_STRING name_new;
static WCHAR text_old[] = L"\\BaseNamedObjects\\1meanwhile1";
static WCHAR text_new[] = L"\\BaseNamedObjects\\2meanwhile2";

/* ---- Services, and what they made of the two ---- */

static void name_old(void)
{
    RtlInitUnicodeString(&area->name, text_old);
    area->attributes = (OBJECT_ATTRIBUTES){
        .Length = sizeof area->attributes, .ObjectName = &area->name,
    };
}

/* The one is signaled, the other is not. */
static enum outcome open_event(void)
{
    EVENT_BASIC_INFORMATION event = { .EventState = OTHER };
    HANDLE handle = NULL;

    status = NtOpenEvent(&handle, EVENT_ALL_ACCESS, &area->attributes);
    if (status == STATUS_INVALID_PARAMETER)
        return NEW;
    if (!NT_SUCCESS(status))
        return OTHER;
    NtQueryEvent(handle, EventBasicInformation, &event, sizeof event, NULL);
    NtClose(handle);
    return event.EventState ? NEW : OLD;
}

static enum outcome wait_for_two(void)
{
    LARGE_INTEGER zero = { .QuadPart = 0 };

    status = NtWaitForMultipleObjects(2, area->handles, WAIT_ANY, FALSE, &zero);
    return status == STATUS_WAIT_0 ? NEW : status == STATUS_WAIT_0 + 1 ? OLD
                                                                     : OTHER;
}

static BOOLEAN is_reserved(ULONG_PTR at, SIZE_T size)
{
    MEMORY_BASIC_INFORMATION memory = { 0 };

    NtQueryVirtualMemory(NtCurrentProcess(), (void *)at,
                         MemoryBasicInformation, &memory, sizeof memory, NULL);
    return memory.State == MEM_RESERVE && memory.RegionSize == size;
}

static BOOLEAN release(ULONG_PTR at)
{
    void *base = (void *)at;
    SIZE_T size = 0;

    return NT_SUCCESS(NtFreeVirtualMemory(NtCurrentProcess(), &base, &size,
                                          MEM_RELEASE));
}

static enum outcome reserve(void)
{
    enum outcome outcome;

    status = NtAllocateVirtualMemory(NtCurrentProcess(), &area->base, 0,
                                     &area->size, MEM_RESERVE,
                                     PAGE_READWRITE);
    outcome = is_reserved(PLACE_OLD, PAGE_SIZE) ? OLD :
              is_reserved(PLACE_OLD, 2 * PAGE_SIZE) ||
              is_reserved(PLACE_NEW, PAGE_SIZE) ? NEW : OTHER;
    if (release(PLACE_OLD) + release(PLACE_NEW) != 1)
        return OTHER;
    return outcome;
}

/* A file of ours begins with "MZ". */
static enum outcome read(void)
{
    area->buffer[0] = 0;
    status = NtReadFile(file, NULL, NULL, NULL, &area->io, area->buffer, 1,
                        &area->offset, NULL);
    return area->buffer[0] == 'M' ? OLD : area->buffer[0] == 'Z' ? NEW : OTHER;
}

static enum outcome go_on(void)
{
    ULONG_PTR value;

    status = go_on_from(&area->context, &value);
    if (status != LANDED)
        return OTHER;
    status = STATUS_SUCCESS;
    return value == VALUE_OLD ? OLD : value == VALUE_NEW ? NEW : OTHER;
}

/* The fifth argument: where the length goes. */
static enum outcome from_stack(void)
{
    lengths[0] = lengths[1] = 0;
    status = query_on(area->stack, area->buffer);
    if (!lengths[0] == !lengths[1])
        return OTHER;
    return lengths[0] ? OLD : NEW;
}

/* For pages that go; what was written cannot be looked at. */
static enum outcome by_status(void)
{
    return status == STATUS_SUCCESS ? OLD :
           status == STATUS_ACCESS_VIOLATION ? NEW : OTHER;
}

static enum outcome use_open(void)
{
    HANDLE handle;

    status = NtOpenEvent(&handle, EVENT_ALL_ACCESS, &area->attributes);
    if (NT_SUCCESS(status))
        NtClose(handle);
    return by_status();
}

static enum outcome use_read(void)
{
    IO_STATUS_BLOCK io;

    status = NtReadFile(file, NULL, NULL, NULL, &io, area->buffer,
                        sizeof area->buffer, &area->offset, NULL);
    return by_status();
}

static enum outcome use_query_process(void)
{
    status = NtQueryInformationProcess(NtCurrentProcess(),
                                       ProcessBasicInformation, area->buffer,
                                       sizeof(PROCESS_BASIC_INFORMATION),
                                       lengths);
    return by_status();
}

static enum outcome use_query_system(void)
{
    status = NtQuerySystemInformation(SystemBasicInformation, area->buffer,
                                      sizeof(SYSTEM_BASIC_INFORMATION),
                                      lengths);
    return by_status();
}

static enum outcome use_time(void)
{
    status = NtQuerySystemTime(&area->offset);
    return by_status();
}

static enum outcome use_set(void)
{
    status = NtSetEvent(event_old, (LONG *)area->buffer);
    NtResetEvent(event_old, NULL);
    return by_status();
}

static enum outcome use_wait(void)
{
    status = NtWaitForMultipleObjects(2, area->handles, WAIT_ANY, FALSE,
                                      &area->offset);
    status = status == STATUS_WAIT_0 + 1 ? STATUS_SUCCESS : status;
    return by_status();
}

static enum outcome use_context(void)
{
    ULONG_PTR value;

    status = go_on_from(&area->context, &value);
    status = status == LANDED ? STATUS_SUCCESS : status;
    return by_status();
}

static enum outcome use_stack(void)
{
    enum outcome outcome = from_stack();

    return outcome == OTHER ? by_status() : OLD;
}

/* ---- What there is to change ---- */

static const ULONG_PTR value_new = VALUE_NEW, place_new = PLACE_NEW;
static const SIZE_T two_pages = 2 * PAGE_SIZE;
static const ULONGLONG one = 1;
static const USHORT shorter = sizeof text_old - 4;
static const ULONG length_bad = 1;
static const void *names[] = { &name_new }, *texts[] = { text_new };
static ULONG *other_length[1];

#define MEMBER(member) offsetof(struct area, member)
#define WORD sizeof(void *)

static const struct change {
    const char *name;
    enum outcome (*service)(void);
    ULONG at, size;                             /* in the area */
    const void *to;
} changes[] = {
    { "a name's buffer", open_event, MEMBER(name.Buffer), WORD, texts },
    { "a name's length", open_event, MEMBER(name.Length), 2, &shorter },
    { "the name", open_event, MEMBER(attributes.ObjectName), WORD, names },
    { "the attributes' length", open_event, MEMBER(attributes.Length), 4,
      &length_bad },
    { "a handle", wait_for_two, MEMBER(handles[0]), WORD, &event_new },
    { "a base", reserve, MEMBER(base), WORD, &place_new },
    { "a size", reserve, MEMBER(size), WORD, &two_pages },
    { "an offset", read, MEMBER(offset), 8, &one },
    { "a register", go_on, MEMBER(CONTEXT_BASE), WORD, &value_new },
    { "an argument on the stack", from_stack, MEMBER(stack[STACK_LENGTH]),
      WORD, other_length },
};

static const struct page {
    const char *name;
    enum outcome (*service)(void);
    ULONG protect;
} pages[] = {
    { "NtOpenEvent's page", use_open, PAGE_NOACCESS },
    { "NtReadFile's page", use_read, PAGE_READONLY },
    { "NtQueryInformationProcess's page", use_query_process, PAGE_NOACCESS },
    { "NtQuerySystemInformation's page", use_query_system, PAGE_READONLY },
    { "NtQuerySystemTime's page", use_time, PAGE_NOACCESS },
    { "NtSetEvent's page", use_set, PAGE_READONLY },
    { "NtWaitForMultipleObjects' page", use_wait, PAGE_NOACCESS },
    { "NtContinue's page", use_context, PAGE_NOACCESS },
    { "the stack arguments' page", use_stack, PAGE_NOACCESS },
};

static void fill_in(void)
{
    name_old();
    area->offset.QuadPart = 0;
    area->handles[0] = event_old;
    area->handles[1] = event_new;
    area->base = (void *)PLACE_OLD;
    area->size = PAGE_SIZE;
    fill_stack(area->stack, area->buffer, &lengths[0]);
    other_length[0] = &lengths[1];
    fill_context(&area->context, VALUE_OLD);
}

/* FALSE: the service was over before the change came. */
static BOOLEAN try(enum outcome (*service)(void), ULONG count,
                   enum outcome *outcome)
{
    BOOLEAN in_time;

    order.count = count;
    order.done = 0;
    fill_in();
    ask_kernel(DISTURB, &order);
    *outcome = service();
    in_time = order.done != 0;
    while (!order.done)
        continue;
    if (order.protect)
        test_protect(area, 1, PAGE_READWRITE);
    return in_time;
}

static void sweep(const char *name, enum outcome (*service)(void), ULONG step)
{
    enum outcome outcome, last = NEW;
    ULONG count = 1, changed = 0;

    test_where(name);
    while (try(service, count, &outcome) && count < LONGEST) {
        CHECK_SAY(outcome == OLD || outcome == NEW,
                  "%u instructions: neither (%08x)", count, status);
        if (outcome != last) {
            changed++;
            CHECK_SAY(outcome == OLD, "%u instructions: seen again", count);
        }
        last = outcome;
        count += step;
    }
    CHECK_SAY(changed == 1 && count < LONGEST, "%u instructions, %u changes",
              count, changed);
    print("%u instructions: %s\n", count, name);
}

static HANDLE create_event(WCHAR *text, BOOLEAN signaled)
{
    UNICODE_STRING name;
    OBJECT_ATTRIBUTES attributes = { .Length = sizeof attributes,
                                     .ObjectName = &name };
    HANDLE event = NULL;

    RtlInitUnicodeString(&name, text);
    CHECK_STATUS(NtCreateEvent(&event, EVENT_ALL_ACCESS, &attributes,
                               NotificationEvent, signaled), STATUS_SUCCESS);
    return event;
}

static void create_objects(void)
{
    static WCHAR text_short[] = L"\\BaseNamedObjects\\1meanwhile";

    event_old = create_event(text_old, FALSE);
    event_new = create_event(text_new, TRUE);
    create_event(text_short, TRUE);
    RtlInitUnicodeString(&name_new, text_new);
    CHECK_STATUS(test_open(L"meanwhile.exe", FILE_GENERIC_READ, &file),
                 STATUS_SUCCESS);
    area = test_pages(1);
    memset(area, 0, PAGE_SIZE);
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    ULONG step = *test_words() ? (ULONG)atoi(test_words()) : STEP, at;

    (void)peb;
    ask_kernel = (void *)find_stub("NtwSelfTest");
    if (!ask_kernel)
        return STATUS_PROCEDURE_NOT_FOUND;
    create_objects();
    for (at = 0; at < ARRAY_SIZE(changes); at++) {
        order.to = (ULONG_PTR)area + changes[at].at;
        order.from = (ULONG_PTR)changes[at].to;
        order.size = changes[at].size;
        sweep(changes[at].name, changes[at].service, step);
    }
    order.size = 0;
    order.to = (ULONG_PTR)area;
    for (at = 0; at < ARRAY_SIZE(pages); at++) {
        order.protect = pages[at].protect;
        sweep(pages[at].name, pages[at].service, step);
    }
    return test_end();
}
