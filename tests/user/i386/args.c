/*
 * args.c - arguments of 32-bit code: 4 to 18 of them, whole and in order, by
 * every door; how each kind becomes 64 bits; every place where a stack can
 * end (H1 to H4).
 *
 * Needs the test build's services: NtwEchoN takes N + 4 arguments and writes
 * all of them, as the routine in ring 0 found them, to where the first points;
 * NtwWiden does the same with one of each letter.
 */
#include "../test.h"

#include "../../../programs/lib/find.h"
#include "../../../programs/lib/i386/call.h"

#define ECHO_FIRST 0x300
#define WIDEN 0x311
#define MOST 14
#define UNTOUCHED 0xEEEEEEEEEEEEEEEEULL

static const struct door *door;
static struct call call;
static ULONGLONG echoed[4 + MOST];
static ULONG values[4 + MOST];

/* The upper halves must be 0 whatever bit 31 is. */
static void choose_values(void)
{
    ULONG at;

    memset(echoed, 0xEE, sizeof echoed);
    values[0] = (ULONG)echoed;
    for (at = 1; at < ARRAY_SIZE(values); at++)
        values[at] = 0x11111111U * (at % 15) + at;
}

static BOOLEAN is_untouched(void)
{
    ULONG at;

    for (at = 0; at < ARRAY_SIZE(echoed); at++)
        if (echoed[at] != UNTOUCHED)
            return FALSE;
    return TRUE;
}

static void check_echoed(ULONG count, const char *how)
{
    ULONG at;

    for (at = 0; at < ARRAY_SIZE(echoed); at++) {
        ULONGLONG expected = at < 4 + count ? values[at] : UNTOUCHED;

        CHECK_SAY(echoed[at] == expected,
                  "%s, echo %u: argument %u is %llx, not %llx", how, count,
                  at + 1, echoed[at], expected);
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
    call_prepare(&call, stub);
    memcpy(call.stack, values, (4 + count) * sizeof values[0]);
    call_with_registers(&call);
    CHECK_STATUS(call.out.Eax, STATUS_SUCCESS);
    check_echoed(count, "by the stub");
}

/* ntdll's routine for the door, which takes the number first. */
static void check_routine(ULONG count)
{
    choose_values();
    call_prepare(&call, door->call);
    call.stack[0] = ECHO_FIRST + count;
    memcpy(call.stack + 1, values, (4 + count) * sizeof values[0]);
    call_with_registers(&call);
    CHECK_STATUS(call.out.Eax, STATUS_SUCCESS);
    check_echoed(count, "by the routine");
}

static void check_widening(void)
{
    static const ULONG slots[] = { 0, 0x89ABCDEF, 0x80000001, 0xFFFFFFFE,
                                   0x9ABCDEF0, 0x87654321, 0xC0000005 };
    static const ULONGLONG wide[] = {
        0x89ABCDEF, 0xFFFFFFFF80000001ULL, 0xFFFFFFFFFFFFFFFEULL,
        0x876543219ABCDEF0ULL, 0xFFFFFFFFC0000005ULL };
    static struct door_stack stack;
    ULONG at;

    choose_values();
    memcpy(stack.arguments, slots, sizeof slots);
    stack.arguments[0] = (ULONG)echoed;
    call_prepare(&call, NULL);
    CHECK_STATUS(call_by_door(&call, door, WIDEN, &stack), STATUS_SUCCESS);
    CHECK(echoed[0] == (ULONG)echoed);
    for (at = 0; at < ARRAY_SIZE(wide); at++)
        CHECK_SAY(echoed[1 + at] == wide[at], "argument %u is %llx, not %llx",
                  at + 2, echoed[1 + at], wide[at]);
    CHECK(echoed[1 + ARRAY_SIZE(wide)] == UNTOUCHED);
}

static NTSTATUS call_at(ULONG count, ULONG arguments)
{
    call_prepare(&call, NULL);
    return (NTSTATUS)call_by_door(
        &call, door, ECHO_FIRST + count,
        (struct door_stack *)(arguments -
                              offsetof(struct door_stack, arguments)));
}

/* The last argument ends where the page does; then 4, then 1 byte further. */
static void check_page_end(UCHAR *end, ULONG count, const char *how)
{
    ULONG at = (ULONG)end - (4 + count) * sizeof(ULONG), over;

    choose_values();
    memcpy((void *)at, values, (4 + count) * sizeof(ULONG));
    CHECK_STATUS(call_at(count, at), STATUS_SUCCESS);
    check_echoed(count, how);
    choose_values();
    for (over = 1; over <= (4 + count) * sizeof(ULONG); over++) {
        NTSTATUS status = call_at(count, at + over);

        CHECK_SAY(status == STATUS_ACCESS_VIOLATION && is_untouched(),
                  "%s, echo %u and %u bytes over: %08x", how, count, over,
                  status);
    }
}

static void check_page_ends(void)
{
    UCHAR *pages = test_pages(2), *end = pages + PAGE_SIZE;
    void *second = end;
    SIZE_T size = PAGE_SIZE;
    ULONG count;

    test_protect(end, 1, PAGE_NOACCESS);
    for (count = 0; count <= MOST; count++)
        check_page_end(end, count, "before a page without access");
    CHECK_STATUS(NtFreeVirtualMemory(NtCurrentProcess(), &second, &size,
                                     MEM_DECOMMIT), STATUS_SUCCESS);
    for (count = 0; count <= MOST; count++)
        check_page_end(end, count, "before a page that is not there");
}

/* A guard page says so once; then it is a page of zeroes, made meanwhile. */
static void check_guard(void)
{
    UCHAR *pages = test_pages(2);
    ULONG at = (ULONG)pages + PAGE_SIZE - 4 * sizeof(ULONG), count;

    for (count = 1; count <= MOST; count++) {
        choose_values();
        memcpy((void *)at, values, 4 * sizeof(ULONG));
        test_protect(pages + PAGE_SIZE, 1, PAGE_READWRITE | PAGE_GUARD);
        CHECK_STATUS(call_at(count, at), STATUS_GUARD_PAGE_VIOLATION);
        CHECK(is_untouched());
        memset(values + 4, 0, count * sizeof(ULONG));
        CHECK_STATUS(call_at(count, at), STATUS_SUCCESS);
        check_echoed(count, "behind a guard");
    }
}

/* Both pages present: arguments that lie across them arrive whole. */
static void check_crossing(void)
{
    UCHAR *pages = test_pages(2);
    ULONG shift;

    for (shift = 0; shift <= sizeof values; shift++) {
        ULONG at = (ULONG)pages + PAGE_SIZE - shift;

        choose_values();
        memcpy((void *)at, values, sizeof values);
        CHECK_STATUS(call_at(MOST, at), STATUS_SUCCESS);
        check_echoed(MOST, "across pages");
    }
}

/*
 * edx that points nowhere.  By SYSENTER the way back needs a stack that is
 * one: there such a program ends (once.c).
 */
static void check_no_stack(void)
{
    static const ULONG places[] = {
        0, 1, 4, 0xFFF, 0xFFFF, 0x7FFE0FFD, 0x7FFE1000, 0x7FFEFFF0,
        0x7FFEFFFF, 0x7FFF0000, 0x7FFFFFFC, 0x7FFFFFFF, 0x80000000,
        0x80000004, 0xC0000000, 0xFFFF0000, 0xFFFFF000, 0xFFFFFFEF,
        0xFFFFFFF0, 0xFFFFFFF1, 0xFFFFFFF4, 0xFFFFFFF8, 0xFFFFFFFB,
        0xFFFFFFFC, 0xFFFFFFFD, 0xFFFFFFFE, 0xFFFFFFFF };
    ULONG at, count;

    choose_values();
    for (at = 0; at < ARRAY_SIZE(places); at++)
        for (count = 0; count <= MOST; count++) {
            NTSTATUS status = call_at(count, places[at]);

            CHECK_SAY(status == STATUS_ACCESS_VIOLATION && is_untouched(),
                      "edx %x, echo %u: %08x", places[at], count, status);
        }
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    ULONG count;

    (void)peb;
    for (count = 0; count <= MOST; count++)
        check_stub(count);
    for (door = doors; door < doors_end(); door++) {
        test_where(door->name);
        for (count = 0; count <= MOST; count++)
            check_routine(count);
        check_widening();
        check_page_ends();
        check_guard();
        check_crossing();
        if (!door->below)
            check_no_stack();
    }
    return test_end();
}
