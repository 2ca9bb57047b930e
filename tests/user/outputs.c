/*
 * outputs.c - what services that answer with a structure write: that and
 * nothing else (G5 to G9).  Every class of every query, with every length from
 * 0 up.
 *
 *   - a length that the class does not have is refused, and nothing is written
 *   - nothing is written behind the length, nor, where the service says how
 *     much it wrote, behind that
 *   - the length that was missing is told, and suffices then
 *   - no address of the kernel, and nothing that was on its stack, which is
 *     painted before each call (tests/kernel/stack.c)
 *   - a page that another process has given back has nothing of it left
 *
 * The same of contexts, each part of them alone (G10).
 */
#include "paint.h"

#include "child.h"

#define UNTOUCHED 0xCC
#define ROOM 0x400
#define BEYOND 0x40
#define LAST_CLASS 0x100
#define RECYCLED_PAGES 64
#define PATTERN 0x2B
#define IMAGE L"\\SystemRoot\\System32\\outputs.exe"

typedef NTSTATUS query(ULONG class, void *buffer, ULONG length,
                       ULONG *returned);

static UCHAR buffer[ROOM + BEYOND] __attribute__((aligned(16)));
static HANDLE event, mutant, semaphore, timer, file, section, image;
static ULONG answers;

/* A class that reads a question from the buffer is firmware.c's. */
static NTSTATUS query_system(ULONG class, void *to, ULONG length,
                             ULONG *returned)
{
    if (class == SystemFirmwareTableInformation)
        return STATUS_INVALID_INFO_CLASS;
    return NtQuerySystemInformation(class, to, length, returned);
}

static NTSTATUS query_process(ULONG class, void *to, ULONG length,
                              ULONG *returned)
{
    return NtQueryInformationProcess(NtCurrentProcess(), class, to, length,
                                     returned);
}

static NTSTATUS query_thread(ULONG class, void *to, ULONG length,
                             ULONG *returned)
{
    return NtQueryInformationThread(NtCurrentThread(), class, to, length,
                                    returned);
}

static NTSTATUS query_object(ULONG class, void *to, ULONG length,
                             ULONG *returned)
{
    return NtQueryObject(event, class, to, length, returned);
}

static NTSTATUS query_memory(ULONG class, void *to, ULONG length,
                             ULONG *returned)
{
    SIZE_T size = *returned;
    NTSTATUS status = NtQueryVirtualMemory(NtCurrentProcess(), buffer, class,
                                           to, length, &size);

    *returned = (ULONG)size;
    return status;
}

static NTSTATUS query_event(ULONG class, void *to, ULONG length,
                            ULONG *returned)
{
    return NtQueryEvent(event, class, to, length, returned);
}

static NTSTATUS query_mutant(ULONG class, void *to, ULONG length,
                             ULONG *returned)
{
    return NtQueryMutant(mutant, class, to, length, returned);
}

static NTSTATUS query_semaphore(ULONG class, void *to, ULONG length,
                                ULONG *returned)
{
    return NtQuerySemaphore(semaphore, class, to, length, returned);
}

static NTSTATUS query_timer(ULONG class, void *to, ULONG length,
                            ULONG *returned)
{
    return NtQueryTimer(timer, class, to, length, returned);
}

/* Of this program; basic information is every section's. */
static NTSTATUS query_section(ULONG class, void *to, ULONG length,
                              ULONG *returned)
{
    SIZE_T size = *returned;
    NTSTATUS status = NtQuerySection(image, class, to, length, &size);

    *returned = (ULONG)size;
    return status;
}

static NTSTATUS query_file(ULONG class, void *to, ULONG length,
                           ULONG *returned)
{
    IO_STATUS_BLOCK io = { .Information = *returned };
    NTSTATUS status = NtQueryInformationFile(file, &io, to, length, class);

    *returned = (ULONG)io.Information;
    return status;
}

static const struct {
    const char *name;
    query *ask;
} queries[] = {
    { "NtQuerySystemInformation", query_system },
    { "NtQueryInformationProcess", query_process },
    { "NtQueryInformationThread", query_thread },
    { "NtQueryObject", query_object },
    { "NtQueryVirtualMemory", query_memory },
    { "NtQuerySection", query_section },
    { "NtQueryEvent", query_event },
    { "NtQueryMutant", query_mutant },
    { "NtQuerySemaphore", query_semaphore },
    { "NtQueryTimer", query_timer },
    { "NtQueryInformationFile", query_file },
};

/* ---- what came back ---- */

static ULONG touched(void)
{
    ULONG end = sizeof buffer;

    while (end && buffer[end - 1] == UNTOUCHED)
        end--;
    return end;
}

static BOOLEAN is_too_short(NTSTATUS status)
{
    return status == STATUS_INFO_LENGTH_MISMATCH ||
           status == STATUS_BUFFER_TOO_SMALL ||
           status == STATUS_BUFFER_OVERFLOW;
}

/* One call; *needed is what it says. */
static NTSTATUS ask(ULONG at, ULONG class, ULONG length, ULONG *needed)
{
    const char *name = queries[at].name;
    char where[48];
    NTSTATUS status;
    ULONG end;

    memset(buffer, UNTOUCHED, sizeof buffer);
    paint_kernel_stack();
    *needed = 0;
    status = queries[at].ask(class, buffer, length, needed);
    end = touched();
    CHECK_SAY(end <= length, "%s %x, length %x: %x bytes written (%08x)",
              name, class, length, end, status);
    if (NT_SUCCESS(status)) {
        CHECK_SAY(*needed <= length && end <= *needed,
                  "%s %x, length %x: %x bytes, %x told", name, class, length,
                  end, *needed);
        answers++;
    } else if (status != STATUS_BUFFER_OVERFLOW) {
        CHECK_SAY(end == 0, "%s %x, length %x: %08x, and %x bytes", name,
                  class, length, status, end);
    }
    sprintf(where, "%s %x", name, class);
    check_nothing_of_kernel(where, buffer, buffer + end, 0);
    return status;
}

static void check_class(ULONG at, ULONG class)
{
    ULONG needed, again;
    NTSTATUS status = ask(at, class, 0, &needed);

    if (!NT_SUCCESS(status) && !is_too_short(status)) {
        ask(at, class, ROOM, &again);
        return;
    }
    for (ULONG length = 0; length <= ROOM; length++) {
        status = ask(at, class, length, &needed);
        if (is_too_short(status) && needed > length && needed <= ROOM)
            CHECK_SAY(NT_SUCCESS(ask(at, class, needed, &again)),
                      "%s %x: not %x bytes either", queries[at].name, class,
                      needed);
        if (NT_SUCCESS(status) && length > needed + 8)
            break;
    }
}

/* ---- the context of a thread ---- */

static void NTAPI nothing(void *argument)
{
    (void)argument;
}

/* Each part alone: the others are not written. */
static void check_contexts(void)
{
    static const ULONG parts[] = { CONTEXT_CONTROL, CONTEXT_INTEGER,
                                   CONTEXT_SEGMENTS, CONTEXT_FLOATING_POINT,
                                   CONTEXT_DEBUG_REGISTERS, CONTEXT_FULL };
    static CONTEXT context __attribute__((aligned(16)));
    HANDLE thread = NULL;
    ULONG at;

    CHECK_STATUS(RtlCreateUserThread(NtCurrentProcess(), NULL, TRUE, 0, 0, 0,
                                     nothing, NULL, &thread, NULL),
                 STATUS_SUCCESS);
    for (at = 0; at < 2 * ARRAY_SIZE(parts); at++) {
        memset(&context, UNTOUCHED, sizeof context);
        context.ContextFlags = parts[at / 2];
        paint_kernel_stack();
        CHECK_STATUS(NtGetContextThread(at & 1 ? thread : NtCurrentThread(),
                                        &context), STATUS_SUCCESS);
        check_nothing_of_kernel("a context", &context, &context + 1, 0);
    }
    CHECK_STATUS(NtTerminateThread(thread, 0), STATUS_SUCCESS);
    NtWaitForSingleObject(thread, FALSE, NULL);
    NtClose(thread);
}

/* ---- pages that had another owner ---- */

static void *pages(ULONG protect)
{
    SIZE_T size = RECYCLED_PAGES * PAGE_SIZE;
    void *address = NULL;

    CHECK_STATUS(NtAllocateVirtualMemory(NtCurrentProcess(), &address, 0,
                                         &size, MEM_COMMIT | MEM_RESERVE,
                                         protect), STATUS_SUCCESS);
    return address;
}

static NTSTATUS as_child(void)
{
    memset(pages(PAGE_READWRITE), PATTERN, RECYCLED_PAGES * PAGE_SIZE);
    return STATUS_SUCCESS;
}

static void check_recycled(void)
{
    const UCHAR *fresh;
    ULONG used = 0;

    if (!HAS_CHILDREN)
        return;
    CHECK_STATUS(run_child(IMAGE), STATUS_SUCCESS);
    fresh = pages(PAGE_READONLY);
    for (ULONG at = 0; at < RECYCLED_PAGES * PAGE_SIZE; at++)
        used += fresh[at] != 0;
    CHECK_SAY(used == 0, "%u bytes of fresh pages are not 0", used);
}

static void make_objects(void)
{
    LARGE_INTEGER size = { .QuadPart = PAGE_SIZE };

    CHECK_STATUS(NtCreateEvent(&event, EVENT_ALL_ACCESS, NULL,
                               NotificationEvent, TRUE), STATUS_SUCCESS);
    CHECK_STATUS(NtCreateMutant(&mutant, MUTANT_ALL_ACCESS, NULL, TRUE),
                 STATUS_SUCCESS);
    CHECK_STATUS(NtCreateSemaphore(&semaphore, SEMAPHORE_ALL_ACCESS, NULL, 1,
                                   2), STATUS_SUCCESS);
    CHECK_STATUS(NtCreateTimer(&timer, TIMER_ALL_ACCESS, NULL,
                               NotificationTimer), STATUS_SUCCESS);
    CHECK_STATUS(NtCreateSection(&section, SECTION_ALL_ACCESS, NULL, &size,
                                 PAGE_READWRITE, SEC_COMMIT, NULL),
                 STATUS_SUCCESS);
    CHECK_STATUS(test_open(L"outputs.exe", FILE_GENERIC_READ | FILE_EXECUTE,
                           &file), STATUS_SUCCESS);
    CHECK_STATUS(NtCreateSection(&image, SECTION_ALL_ACCESS, NULL, NULL,
                                 PAGE_EXECUTE, SEC_IMAGE, file),
                 STATUS_SUCCESS);
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    (void)peb;
    if (!strcmp(test_words(), "child"))
        return as_child();
    if (!paint_kernel_stack())
        return STATUS_PROCEDURE_NOT_FOUND;
    make_objects();
    for (ULONG at = 0; at < ARRAY_SIZE(queries); at++) {
        for (ULONG class = 0; class <= LAST_CLASS; class++)
            check_class(at, class);
    }
    CHECK(answers > 0);
    print("%u answers\n", answers);
    check_contexts();
    check_recycled();
    return test_end();
}
