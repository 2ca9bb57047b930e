/*
 * probes.c - every pointer of the services that pointers.c leaves out: objects,
 * threads, contexts, directories, times (H5, H6).  Each pointer in turn is one
 * that is not ring 3's, or has no memory, or is not ring 3's to write; the
 * answer is STATUS_ACCESS_VIOLATION, or STATUS_DATATYPE_MISALIGNMENT for one
 * that is not aligned either.  Then buffers with a length: one that leads out
 * of user space, one that wraps, and none, which no pointer is bad for.
 *
 * A row is a call that works, with a letter for each argument:
 *
 *   v  no pointer       i  is read       o  is written
 *                       I  may be 0      O  may be 0
 *                       n  0 is an error, too
 */
#include "test.h"

#include "../../programs/lib/door.h"

#define MOST 11
#define SHARED_PAGE USER_SHARED_DATA
#define SELF ((ULONGLONG)-1)
#define THREAD ((ULONGLONG)-2)
#define EVENT 0x100ULL                          /* stand-ins for handles */
#define MUTANT 0x101ULL
#define SEMAPHORE 0x102ULL
#define TIMER 0x103ULL
#define DIRECTORY 0x104ULL
#define OTHER_THREAD 0x105ULL
#define FILE 0x106ULL
#define HANDLES 7
#define P(variable) ((ULONGLONG)&variable)
#define THREAD_CREATE_SUSPENDED 1

static const struct door *door;
static HANDLE handles[HANDLES], made;
static LARGE_INTEGER zero;
static ULONG number, context_number;
static HANDLE one_event;
static OBJECT_ATTRIBUTES attributes, named;
static UNICODE_STRING name;
static CLIENT_ID id;
static CONTEXT context __attribute__((aligned(16)));
static UCHAR buffer[0x200] __attribute__((aligned(16)));
static USHORT handle_flags;
static IO_STATUS_BLOCK io;

struct row {
    const char *name;
    const char *letters;
    ULONGLONG arguments[MOST];
};

static const struct row rows[] = {
    { "NtWaitForSingleObject", "vvI", { EVENT, 0, P(zero) } },
    { "NtSignalAndWaitForSingleObject", "vvvI", { EVENT, EVENT, 0, P(zero) } },
    { "NtWaitForMultipleObjects", "vivvI", { 1, P(one_event), 1, 0, P(zero) } },
    { "NtDelayExecution", "vi", { 0, P(zero) } },
    { "NtCreateEvent", "ovIvv", { P(made), EVENT_ALL_ACCESS, P(attributes) } },
    { "NtOpenEvent", "ovn", { P(made), EVENT_ALL_ACCESS, P(named) } },
    { "NtSetEvent", "vO", { EVENT, P(number) } },
    { "NtPulseEvent", "vO", { EVENT, P(number) } },
    { "NtResetEvent", "vO", { EVENT, P(number) } },
    { "NtQueryEvent", "vvovO", { EVENT, 0, P(buffer), 8, P(number) } },
    { "NtCreateMutant", "ovIv", { P(made), MUTANT_ALL_ACCESS,
                                  P(attributes) } },
    { "NtReleaseMutant", "vO", { MUTANT, P(number) } },
    { "NtQueryMutant", "vvovO", { MUTANT, 0, P(buffer), 8, P(number) } },
    { "NtCreateSemaphore", "ovIvv", { P(made), SEMAPHORE_ALL_ACCESS,
                                      P(attributes), 1, 2 } },
    { "NtReleaseSemaphore", "vvO", { SEMAPHORE, 1, P(number) } },
    { "NtQuerySemaphore", "vvovO", { SEMAPHORE, 0, P(buffer), 8, P(number) } },
    { "NtCreateTimer", "ovIv", { P(made), TIMER_ALL_ACCESS, P(attributes) } },
    { "NtSetTimer", "vivvvvO", { TIMER, P(zero), 0, 0, 0, 0, P(number) } },
    { "NtCancelTimer", "vO", { TIMER, P(number) } },
    { "NtQueryTimer", "vvovO", { TIMER, 0, P(buffer), 16, P(number) } },
    { "NtQueryTimerResolution", "ooo", { P(number), P(buffer), P(zero) } },
    { "NtDuplicateObject", "vvvOvvv", { SELF, EVENT, SELF, P(made), 0, 0,
                                        DUPLICATE_SAME_ACCESS } },
    { "NtQueryObject", "vvovO", { EVENT, 0, P(buffer), 0x38, P(number) } },
    { "NtSetInformationObject", "vviv", { EVENT, ObjectHandleFlagInformation,
                                          P(handle_flags), 2 } },
    { "NtOpenDirectoryObject", "ovn", { P(made), DIRECTORY_QUERY,
                                        P(named) } },
    { "NtQueryDirectoryObject", "vovvvoO", { DIRECTORY, P(buffer),
                                             sizeof buffer, 0, 1,
                                             P(context_number), P(number) } },
    { "NtCreateThreadEx", "ovIvvvvvvvI", { P(made), THREAD_ALL_ACCESS,
                                           P(attributes), SELF, 0x10000, 0,
                                           THREAD_CREATE_SUSPENDED } },
    { "NtSuspendThread", "vO", { OTHER_THREAD, P(number) } },
    { "NtResumeThread", "vO", { THREAD, P(number) } },
    { "NtAlertResumeThread", "vO", { THREAD, P(number) } },
    { "NtGetContextThread", "vo", { OTHER_THREAD, P(context) } },
    { "NtSetContextThread", "vi", { OTHER_THREAD, P(context) } },
    { "NtOpenProcess", "ovin", { P(made), PROCESS_ALL_ACCESS, P(attributes),
                                 P(id) } },
    { "NtQueryInformationThread", "vvovO", { OTHER_THREAD, 0, P(buffer), 0x30,
                                             P(number) } },
    { "NtContinueEx", "iv", { P(context), 0 } },
};

static const ULONGLONG bad[] = {
    0, 1, 8, 0xFFF, 0x1000, 0xFFF8, 0xFFFF, SHARED_PAGE, SHARED_PAGE + 0xFFF,
    SHARED_PAGE + 0x1000, 0x00007FFFFFFEFFF9ULL, 0x00007FFFFFFEFFFFULL,
    0x00007FFFFFFF0000ULL, 0x00007FFFFFFF0001ULL, 0x00007FFFFFFFFFF8ULL,
    0x00007FFFFFFFFFFFULL, 0x0000800000000000ULL, 0x0001000000000000ULL,
    0x8000000000000000ULL, 0xFFFF000000000000ULL, 0xFFFF7FFFFFFFFFF8ULL,
    0xFFFF7FFFFFFFFFFFULL, 0xFFFF800000000000ULL, 0xFFFFF6FB7DBED000ULL,
    0xFFFFF78000000000ULL, 0xFFFFFFFF80100000ULL, 0xFFFFFFFFFFFFF000ULL,
    0xFFFFFFFFFFFFFFF0ULL, 0xFFFFFFFFFFFFFFF8ULL, 0xFFFFFFFFFFFFFFFFULL,
};

static void fill_in(void)
{
    const WCHAR *text = L"\\BaseNamedObjects\\probes";

    made = NULL;
    zero.QuadPart = 0;
    context_number = 0;
    one_event = handles[0];
    handle_flags = 0;
    id = (CLIENT_ID){ NtCurrentTeb()->ClientId.UniqueProcess, NULL };
    attributes = (OBJECT_ATTRIBUTES){ .Length = sizeof attributes };
    RtlInitUnicodeString(&name, text);
    named = (OBJECT_ATTRIBUTES){ .Length = sizeof named,
                                 .ObjectName = &name };
    context.ContextFlags = CONTEXT_CONTROL;
    context.Rip = 0x10000;
    NtSetEvent(handles[0], NULL);
    NtWaitForSingleObject(handles[1], FALSE, &zero);
}

static void clean_up(const char *service, NTSTATUS status)
{
    if (made) {
        if (!strcmp(service, "NtCreateThreadEx"))
            NtTerminateThread(made, 0);
        NtClose(made);
    }
    NtReleaseMutant(handles[1], NULL);
    NtWaitForSingleObject(handles[2], FALSE, &zero);
    if (NT_SUCCESS(status) && !strcmp(service, "NtSuspendThread"))
        NtResumeThread(handles[5], NULL);
}

static ULONGLONG argument_of(const struct row *row, ULONG at)
{
    ULONGLONG value = row->arguments[at];

    return row->letters[at] == 'v' && value >= EVENT &&
                   value < EVENT + HANDLES
               ? (ULONGLONG)handles[value - EVENT] : value;
}

static NTSTATUS make(const struct row *row, ULONG replaced, ULONGLONG by)
{
    static struct call call;
    ULONG count = (ULONG)strlen(row->letters), at;
    ULONGLONG arguments[MOST];
    NTSTATUS status;

    fill_in();
    for (at = 0; at < count; at++)
        arguments[at] = at == replaced ? by : argument_of(row, at);
    call_prepare(&call, door->raw, count, arguments);
    call.in.Rax = stub_number(find_stub(row->name));
    call_with_registers(&call);
    status = (NTSTATUS)call.out.Rax;
    CHECK_SAY(call.out.Rbx == call.in.Rbx && call.out.R15 == call.in.R15,
              "%s: registers", row->name);
    clean_up(row->name, status);
    return status;
}

/* What is in the shared page can be read, and may make sense. */
static BOOLEAN may_be_good(char letter, ULONGLONG pointer)
{
    if (pointer == 0)
        return letter == 'I' || letter == 'O';
    return letter != 'o' && letter != 'O' && pointer >= SHARED_PAGE &&
           pointer < SHARED_PAGE + PAGE_SIZE;
}

static void check_pointer(const struct row *row, ULONG at, ULONGLONG pointer)
{
    char letter = row->letters[at];
    NTSTATUS status;

    if (may_be_good(letter, pointer))
        return;
    status = make(row, at, pointer);
    CHECK_SAY(status == STATUS_ACCESS_VIOLATION ||
              (letter == 'n' && pointer == 0 && !NT_SUCCESS(status)) ||
              (status == STATUS_DATATYPE_MISALIGNMENT && pointer % 16),
              "%s, argument %u = %llx: %08x", row->name, at + 1, pointer,
              status);
}

static void check_row(const struct row *row)
{
    ULONG at, which;

    if (strcmp(row->name, "NtContinueEx") &&
        strcmp(row->name, "NtOpenDirectoryObject"))
        CHECK_STATUS(make(row, MOST, 0) & 0x80000000, 0);
    for (at = 0; row->letters[at]; at++) {
        if (row->letters[at] == 'v')
            continue;
        for (which = 0; which < ARRAY_SIZE(bad); which++)
            check_pointer(row, at, bad[which]);
    }
}

/* ---- Lengths ---- */

static NTSTATUS read(void *to, ULONG length)
{
    LARGE_INTEGER start = { .QuadPart = 0 };

    return NtReadFile(handles[6], NULL, NULL, NULL, &io, to, length, &start,
                      NULL);
}

static void check_length(ULONGLONG at, ULONG length, NTSTATUS expected)
{
    NTSTATUS status = read((void *)at, length);

    CHECK_SAY(status == expected, "%x bytes at %llx: %08x", length, at,
              status);
}

static void check_lengths(void)
{
    UCHAR *pages = test_pages(2);
    ULONG which, length;

    test_protect(pages + PAGE_SIZE, 1, PAGE_NOACCESS);
    for (length = 1; length < 64; length++)
        check_length((ULONGLONG)pages + PAGE_SIZE - length, length,
                     STATUS_SUCCESS);
    for (length = 2; length < 64; length++)
        check_length((ULONGLONG)pages + PAGE_SIZE - length + 1, length,
                     STATUS_ACCESS_VIOLATION);
    check_length((ULONGLONG)pages, 0xFFFFFFFF, STATUS_ACCESS_VIOLATION);
    check_length((ULONGLONG)pages, 0x80000000, STATUS_ACCESS_VIOLATION);
    check_length(0x00007FFFFFFEFFFF, 2, STATUS_ACCESS_VIOLATION);
    check_length(0xFFFFFFFFFFFFFFFF, 2, STATUS_ACCESS_VIOLATION);
    check_length(0xFFFFFFFFFFFFFF00, 0x200, STATUS_ACCESS_VIOLATION);
    check_length(0xFFFFFFFF00000001, 0xFFFFFFFF, STATUS_ACCESS_VIOLATION);
    for (which = 0; which < ARRAY_SIZE(bad); which++)
        check_length(bad[which], 0, STATUS_SUCCESS);
}

/* Whatever comes behind the last addresses there are, nobody asks for it. */
static void check_last_addresses(void)
{
    void *to = (void *)0xFFFFFFFFFFFFFFF0ULL;
    ULONG class;

    for (class = 0; class < 0x80; class++) {
        const NTSTATUS status[] = {
            NtQuerySystemInformation(class, to, 0, &number),
            NtQueryInformationProcess(NtCurrentProcess(), class, to, 0,
                                      &number),
            NtQueryInformationThread(NtCurrentThread(), class, to, 0, &number),
            NtQueryObject(handles[0], class, to, 0, &number),
        };

        for (ULONG i = 0; i < ARRAY_SIZE(status); i++)
            CHECK_SAY(status[i] != STATUS_ACCESS_VIOLATION,
                      "service %u, class %x", i, class);
    }
}

/*
 * NT's order: an address that is not aligned is told before one that is not
 * ring 3's.  Without a length neither is.
 */
static void check_order(void)
{
    static const ULONGLONG edges[] = {
        0, 0x00007FFFFFFF0000ULL, 0x0000800000000000ULL,
        0xFFFF800000000000ULL, 0xFFFFFFFF80100000ULL,
    };
    ULONG which, off;

    for (which = 0; which < ARRAY_SIZE(edges); which++) {
        for (off = 0; off < 4; off++) {
            void *to = (void *)(edges[which] + off);
            NTSTATUS status = NtQuerySystemInformation(
                SystemBasicInformation, to, 0x40, NULL);

            CHECK_SAY(status == (off ? STATUS_DATATYPE_MISALIGNMENT
                                     : STATUS_ACCESS_VIOLATION),
                      "information to %p: %08x", to, status);
            CHECK_STATUS(NtQuerySystemInformation(SystemBasicInformation, to,
                                                  0, NULL),
                         STATUS_INFO_LENGTH_MISMATCH);
        }
    }
}

static void create_objects(void)
{
    fill_in();
    NtCreateEvent(&handles[0], EVENT_ALL_ACCESS, &named, NotificationEvent,
                  TRUE);
    NtCreateMutant(&handles[1], MUTANT_ALL_ACCESS, NULL, FALSE);
    NtCreateSemaphore(&handles[2], SEMAPHORE_ALL_ACCESS, NULL, 1, 9);
    NtCreateTimer(&handles[3], TIMER_ALL_ACCESS, NULL, NotificationTimer);
    RtlInitUnicodeString(&name, L"\\BaseNamedObjects");
    NtOpenDirectoryObject(&handles[4], DIRECTORY_QUERY, &named);
    CHECK_STATUS(NtCreateThreadEx(&handles[5], THREAD_ALL_ACCESS, NULL,
                                  NtCurrentProcess(), (void *)0x10000, NULL,
                                  THREAD_CREATE_SUSPENDED, 0, 0x10000, 0x10000,
                                  NULL), STATUS_SUCCESS);
    CHECK_STATUS(test_open(L"probes.exe", FILE_GENERIC_READ, &handles[6]),
                 STATUS_SUCCESS);
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    ULONG at;

    (void)peb;
    create_objects();
    for (door = doors; door < doors_end(); door++) {
        test_where(door->name);
        for (at = 0; at < ARRAY_SIZE(rows); at++)
            check_row(&rows[at]);
    }
    test_where("");
    check_lengths();
    check_last_addresses();
    check_order();
    NtTerminateThread(handles[5], 0);
    return test_end();
}
