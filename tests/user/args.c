/*
 * args.c - arguments on the stack: 0 to 14 of them, whole and in order, by
 * every door, and every place where a stack can end (H1 to H4).
 *
 * Needs the test build's echo services: NtwEchoN takes N stack arguments and
 * writes all N + 4 to where the first points. Stack argument k (from 1) is
 * read at [rsp + 20h + 8k]; a stack pointer at or above MmUserProbeAddress -
 * 20h must never make the kernel read its own memory.
 *
 * Scenarios: A1, A6.
 */
#include "test.h"

#include "../../programs/lib/door.h"

#define ECHO_FIRST 0x300
#define MOST 14
#define PROBE 0x00007FFFFFFF0000ULL

static const struct door *door;
static struct call call;
static ULONGLONG echoed[4 + MOST];
static ULONGLONG values[4 + MOST];

static void choose_values(void)
{
    ULONG at;

    memset(echoed, 0xEE, sizeof echoed);
    values[0] = (ULONGLONG)echoed;
    for (at = 1; at < ARRAY_SIZE(values); at++)
        values[at] = 0x1111111111111111ULL * (at % 15) + at;
}

static void check_echoed(ULONG count, const char *how)
{
    ULONG at;

    for (at = 0; at < ARRAY_SIZE(echoed); at++) {
        ULONGLONG expected = at < 4 + count ? values[at]
                                            : 0xEEEEEEEEEEEEEEEEULL;

        CHECK_SAY(echoed[at] == expected,
                  "%s, %u on the stack: argument %u is %llx, not %llx", how,
                  count, at + 1, echoed[at], expected);
    }
}

static void check_stub(ULONG count)
{
    char name[16];
    void *stub;

    sprintf(name, "NtwEcho%u", count);
    stub = find_stub(name);
    if (!CHECK_SAY(stub != NULL, "no %s: this needs the test build", name))
        return;
    choose_values();
    call_prepare(&call, stub, 4 + count, values);
    call_with_registers(&call);
    CHECK_STATUS(call.out.Rax, STATUS_SUCCESS);
    check_echoed(count, "by the stub");
}

/* By ntdll's routine for the door, which takes the number first. */
static void check_routine(ULONG count)
{
    ULONGLONG with_number[1 + 4 + MOST];

    choose_values();
    with_number[0] = ECHO_FIRST + count;
    memcpy(with_number + 1, values, sizeof values);
    call_prepare(&call, door->call, 1 + 4 + count, with_number);
    call_with_registers(&call);
    CHECK_STATUS(call.out.Rax, STATUS_SUCCESS);
    check_echoed(count, "by the routine");
}

static NTSTATUS call_at(ULONG count, ULONGLONG rsp)
{
    call_prepare(&call, door->raw_on_stack, 4, values);
    call.in.Rax = ECHO_FIRST + count;
    call.in.R12 = rsp;
    call_with_registers(&call);
    CHECK_SAY(call.out.R8 == rsp, "r8 %llx, rsp %llx", call.out.R8, rsp);
    CHECK_SAY(call.out.R9 == call.in.Rbp, "r9 %llx", call.out.R9);
    return (NTSTATUS)call.out.Rax;
}

/* The last argument ends where the page does; then 8, then 1 byte further. */
static void check_page_end(UCHAR *end, ULONG count, const char *how)
{
    ULONGLONG rsp = (ULONGLONG)end - 0x28 - count * 8;
    NTSTATUS status;

    choose_values();
    memcpy((void *)(rsp + 0x28), values + 4, count * 8);
    status = call_at(count, rsp);
    CHECK_SAY(status == STATUS_SUCCESS, "%s, %u up to the end: %08x", how,
              count, status);
    check_echoed(count, how);
    status = call_at(count, rsp + 8);
    CHECK_SAY(status == STATUS_ACCESS_VIOLATION, "%s, %u and 8 over: %08x",
              how, count, status);
    status = call_at(count, rsp + 1);
    CHECK_SAY(status == STATUS_ACCESS_VIOLATION, "%s, %u and 1 over: %08x",
              how, count, status);
}

static void check_page_ends(void)
{
    UCHAR *pages = test_pages(2), *end = pages + PAGE_SIZE;
    void *second = end;
    SIZE_T size = PAGE_SIZE;
    ULONG count;

    test_protect(end, 1, PAGE_NOACCESS);
    for (count = 1; count <= MOST; count++)
        check_page_end(end, count, "before a page without access");
    CHECK_STATUS(NtFreeVirtualMemory(NtCurrentProcess(), &second, &size,
                                     MEM_DECOMMIT), STATUS_SUCCESS);
    for (count = 1; count <= MOST; count++)
        check_page_end(end, count, "before a page that is not there");
}

/* A guard page says so once; then it is a page of zeroes. */
static void check_guard(void)
{
    UCHAR *pages = test_pages(2);
    ULONGLONG rsp = (ULONGLONG)pages + PAGE_SIZE - 0x28;
    ULONG count;

    for (count = 1; count <= MOST; count++) {
        choose_values();
        test_protect(pages + PAGE_SIZE, 1, PAGE_READWRITE | PAGE_GUARD);
        CHECK_STATUS(call_at(count, rsp), STATUS_GUARD_PAGE_VIOLATION);
        CHECK(echoed[0] == 0xEEEEEEEEEEEEEEEEULL);
        memset(values + 4, 0, count * 8);
        CHECK_STATUS(call_at(count, rsp), STATUS_SUCCESS);
        check_echoed(count, "behind a guard");
    }
}

/* The page is made when the kernel copies from it. */
static void check_untouched(void)
{
    UCHAR *pages = test_pages(2);

    choose_values();
    memset(values + 4, 0, MOST * 8);
    CHECK_STATUS(call_at(MOST, (ULONGLONG)pages + PAGE_SIZE - 0x28 - 0x40),
                 STATUS_SUCCESS);
    check_echoed(MOST, "on pages that were not there yet");
}

/*
 * Out of the working set, and into the page file if the machine has one: the
 * copy waits for them.
 */
static void check_trimmed(void)
{
    static const SYSTEM_MEMORY_LIST_COMMAND commands[] = {
        MemoryFlushModifiedList, MemoryPurgeStandbyList,
    };
    QUOTA_LIMITS limits = { .MinimumWorkingSetSize = ~(SIZE_T)0,
                            .MaximumWorkingSetSize = ~(SIZE_T)0 };
    UCHAR *pages = test_pages(2);
    ULONGLONG rsp = (ULONGLONG)pages + PAGE_SIZE - 0x28 - 0x40;
    ULONG at;

    choose_values();
    memcpy((void *)(rsp + 0x28), values + 4, MOST * 8);
    CHECK_STATUS(NtSetInformationProcess(NtCurrentProcess(),
                                         ProcessQuotaLimits, &limits,
                                         sizeof limits), STATUS_SUCCESS);
    for (at = 0; at < ARRAY_SIZE(commands); at++)
        CHECK_STATUS(NtSetSystemInformation(SystemMemoryListInformation,
                                            (void *)&commands[at],
                                            sizeof commands[at]),
                     STATUS_SUCCESS);
    CHECK_STATUS(call_at(MOST, rsp), STATUS_SUCCESS);
    check_echoed(MOST, "on pages that had left");
}

/* Both pages present: arguments that lie across them arrive whole. */
static void check_crossing(void)
{
    UCHAR *pages = test_pages(2);
    ULONG shift;

    for (shift = 0; shift <= MOST * 8; shift++) {
        ULONGLONG rsp = (ULONGLONG)pages + PAGE_SIZE - 0x28 - shift;

        choose_values();
        memcpy((void *)(rsp + 0x28), values + 4, MOST * 8);
        CHECK_STATUS(call_at(MOST, rsp), STATUS_SUCCESS);
        check_echoed(MOST, "across pages");
    }
}

/* Nearer and nearer to where user space ends, and beyond. */
static void check_near_probe(void)
{
    ULONG count, words;

    choose_values();
    for (words = 0; words < 2 * MOST + 10; words++) {
        for (count = 1; count <= MOST; count++) {
            NTSTATUS status = call_at(count, PROBE + 0x28 - words * 8);

            CHECK_SAY(status == STATUS_ACCESS_VIOLATION &&
                      echoed[0] == 0xEEEEEEEEEEEEEEEEULL,
                      "rsp %llx, %u arguments: %08x",
                      PROBE + 0x28 - words * 8, count, status);
        }
    }
}

static void check_no_stack(void)
{
    static const ULONGLONG places[] = {
        0, 8, PROBE - 0x28, PROBE - 0x20, PROBE - 8, PROBE, PROBE + 0x1000,
        0x00007FFFFFFFFFD8ULL, 0x00007FFFFFFFFFF8ULL, 0x0000800000000000ULL,
        0x8000000000000000ULL, 0xFFFF7FFFFFFFFFF8ULL, 0xFFFF800000000000ULL,
        0xFFFFF78000000000ULL, 0xFFFFF6FB7DBED000ULL, 0xFFFFFFFF80100000ULL,
        0xFFFFFFFFFFFFFFD0ULL, 0xFFFFFFFFFFFFFFD8ULL, 0xFFFFFFFFFFFFFFF8ULL,
    };
    ULONG at, count;

    for (at = 0; at < ARRAY_SIZE(places); at++) {
        for (count = 1; count <= MOST; count++) {
            NTSTATUS status;

            choose_values();
            status = call_at(count, places[at]);
            CHECK_SAY(status == STATUS_ACCESS_VIOLATION,
                      "rsp %llx, %u arguments: %08x", places[at], count,
                      status);
            CHECK(echoed[0] == 0xEEEEEEEEEEEEEEEEULL);
        }
        choose_values();
        CHECK_STATUS(call_at(0, places[at]), STATUS_SUCCESS);
        check_echoed(0, "without a stack");
    }
}

NTSTATUS NtProcessStartup(PEB *peb)
{
    ULONG count;

    (void)peb;
    for (count = 0; count <= MOST; count++)
        check_stub(count);
    for (door = doors; door < doors_end(); door++) {
        test_where(door->name);
        for (count = 0; count <= MOST; count++)
            check_routine(count);
        check_page_ends();
        check_guard();
        check_untouched();
        check_trimmed();
        check_crossing();
        check_near_probe();
        check_no_stack();
    }
    return test_end();
}
