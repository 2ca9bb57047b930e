/*
 * scarce.c - out of memory at any allocation is a status, and nothing stays
 * behind.
 *
 * For each call the kernel is told to refuse the first thing that it asks for
 * (tests/kernel/scarce.c), then the second, until the call needs no more than
 * that.  Whenever one was refused the call says so; and whether it has failed
 * or was undone, the kernel has as many blocks of memory in use as before,
 * ring 3 as many pages left, and the process its handles and counters.
 *
 * Scenarios: N4.
 */
#include "test.h"

#include "child.h"

#include <nt/nttrace.h>

#include "../../programs/lib/find.h"

#define REFUSE_MEMORY 0x38
#define BLOCKS 0x39

#define SELF NtCurrentProcess()
#define IMAGE L"\\SystemRoot\\System32\\scarce.exe"
#define NAME L"\\BaseNamedObjects\\scarce"
#define PLACE 0x5000000000ULL
#define SIZE 0x40000
#define MOST 300                        /* allocations of a call */

typedef NTSTATUS self_test(ULONG test, ULONGLONG argument);
static self_test *ask_kernel;

static RTL_USER_PROCESS_INFORMATION other;
static HANDLE file, memory_section, image_section;

/* What the call that is tried has made. */
static HANDLE handle, thread;
static void *base;
static SIZE_T size;
static ULONG old;

/* ---- memory ---- */

static NTSTATUS allocate(HANDLE process, ULONGLONG at, ULONG type)
{
    base = (void *)(ULONG_PTR)at;
    size = SIZE;
    return NtAllocateVirtualMemory(process, &base, 0, &size, type,
                                   PAGE_READWRITE);
}

static void release(HANDLE process)
{
    size = 0;
    CHECK_STATUS(NtFreeVirtualMemory(process, &base, &size, MEM_RELEASE),
                 STATUS_SUCCESS);
}

static NTSTATUS reserve_own(void)
{
    return allocate(SELF, PLACE, MEM_RESERVE);
}

static NTSTATUS commit_own(void)
{
    return allocate(SELF, PLACE, MEM_RESERVE | MEM_COMMIT);
}

/* Far from anything: page tables have to be made, and stay. */
static NTSTATUS commit_far(void)
{
    static ULONGLONG at = PLACE;

    at += 0x8000000000ULL;
    return allocate(SELF, at, MEM_RESERVE | MEM_COMMIT);
}

static NTSTATUS commit_theirs(void)
{
    return allocate(other.ProcessHandle, PLACE, MEM_RESERVE | MEM_COMMIT);
}

static void release_own(void)
{
    release(SELF);
}

static void release_theirs(void)
{
    release(other.ProcessHandle);
}

static void have_memory(void)
{
    CHECK_STATUS(commit_own(), STATUS_SUCCESS);
    memset(base, 1, SIZE);
}

static NTSTATUS free_middle(void)
{
    void *middle = (void *)(ULONG_PTR)(PLACE + 0x10000);

    size = 0x10000;
    return NtFreeVirtualMemory(SELF, &middle, &size, MEM_RELEASE);
}

/* The second page is committed. */
static void have_holes(void)
{
    void *page = (void *)(ULONG_PTR)(PLACE + 0x1000);
    SIZE_T length = 1;

    CHECK_STATUS(reserve_own(), STATUS_SUCCESS);
    CHECK_STATUS(NtAllocateVirtualMemory(SELF, &page, 0, &length, MEM_COMMIT,
                                         PAGE_READWRITE), STATUS_SUCCESS);
}

static NTSTATUS commit_holes(void)
{
    return allocate(SELF, PLACE, MEM_COMMIT);
}

/* What is above the middle is a region of its own now. */
static void release_upper(void)
{
    void *lower = base;

    base = (void *)(ULONG_PTR)(PLACE + 0x20000);
    release_own();
    base = lower;
}

static NTSTATUS read_theirs(void)
{
    static UCHAR buffer[0x100];

    return NtReadVirtualMemory(other.ProcessHandle, &base,
                               buffer, sizeof buffer, NULL);
}

static NTSTATUS write_theirs(void)
{
    ULONG_PTR zero = 0;

    return NtWriteVirtualMemory(other.ProcessHandle, &base, &zero,
                                sizeof zero, NULL);
}

static NTSTATUS protect_image(void)
{
    base = (void *)(ULONG_PTR)protect_image;
    size = 1;
    return NtProtectVirtualMemory(other.ProcessHandle, &base, &size,
                                  PAGE_READWRITE, &old);
}

static void protect_back(void)
{
    CHECK_STATUS(NtProtectVirtualMemory(other.ProcessHandle, &base, &size,
                                        old, &old), STATUS_SUCCESS);
}

/* ---- sections ---- */

static NTSTATUS create(ULONGLONG bytes, ULONG attributes, HANDLE of,
                       HANDLE *section)
{
    LARGE_INTEGER maximum = { .QuadPart = (LONGLONG)bytes };

    return NtCreateSection(section, SECTION_ALL_ACCESS, NULL, &maximum,
                           of ? PAGE_READONLY : PAGE_READWRITE, attributes,
                           of);
}

static NTSTATUS create_memory(void)
{
    return create(SIZE, SEC_COMMIT, NULL, &handle);
}

static NTSTATUS create_data(void)
{
    return create(0x1234, SEC_COMMIT, file, &handle);
}

static NTSTATUS create_image(void)
{
    return create(0, SEC_IMAGE, file, &handle);
}

static void close(void)
{
    CHECK_STATUS(NtClose(handle), STATUS_SUCCESS);
}

static NTSTATUS create_named(void)
{
    LARGE_INTEGER maximum = { .QuadPart = SIZE };
    UNICODE_STRING name;
    OBJECT_ATTRIBUTES attributes = { .Length = sizeof attributes,
                                     .ObjectName = &name };

    RtlInitUnicodeString(&name, NAME);
    return NtCreateSection(&handle, SECTION_ALL_ACCESS, &attributes, &maximum,
                           PAGE_READWRITE, SEC_RESERVE, NULL);
}

static void have_named(void)
{
    CHECK_STATUS(create_named(), STATUS_SUCCESS);
}

static NTSTATUS open_named(void)
{
    UNICODE_STRING name;
    OBJECT_ATTRIBUTES attributes = { .Length = sizeof attributes,
                                     .ObjectName = &name };

    RtlInitUnicodeString(&name, NAME);
    return NtOpenSection(&thread, SECTION_ALL_ACCESS, &attributes);
}

static void close_opened(void)
{
    CHECK_STATUS(NtClose(thread), STATUS_SUCCESS);
}

/* ---- views ---- */

static NTSTATUS map(HANDLE section, HANDLE process, ULONG protect)
{
    base = NULL;
    size = 0;
    return NtMapViewOfSection(section, process, &base, 0, 0, NULL, &size,
                              ViewUnmap, 0, protect);
}

static NTSTATUS map_shared(void)
{
    return map(memory_section, SELF, PAGE_READWRITE);
}

static NTSTATUS map_copied(void)
{
    return map(memory_section, other.ProcessHandle, PAGE_WRITECOPY);
}

static NTSTATUS map_image(void)
{
    return map(image_section, SELF, PAGE_READONLY);
}

static void unmap(void)
{
    CHECK_STATUS(NtUnmapViewOfSection(SELF, base), STATUS_SUCCESS);
}

static void unmap_theirs(void)
{
    CHECK_STATUS(NtUnmapViewOfSection(other.ProcessHandle, base),
                 STATUS_SUCCESS);
}

static void have_reserved_view(void)
{
    CHECK_STATUS(create(SIZE, SEC_RESERVE, NULL, &handle), STATUS_SUCCESS);
    CHECK_STATUS(map(handle, SELF, PAGE_READWRITE), STATUS_SUCCESS);
}

static NTSTATUS commit_view(void)
{
    void *at = (UCHAR *)base + PAGE_SIZE;
    SIZE_T length = 2 * PAGE_SIZE;

    return NtAllocateVirtualMemory(SELF, &at, 0, &length, MEM_COMMIT,
                                   PAGE_READWRITE);
}

static void unmap_and_close(void)
{
    unmap();
    close();
}

/* ---- threads and processes ---- */

static void NTAPI end(void *parameter)
{
    (void)parameter;
}

static NTSTATUS create_thread(void)
{
    return RtlCreateUserThread(SELF, NULL, FALSE, 0, 0, 0, end, NULL, &thread,
                               NULL);
}

static void end_thread(void)
{
    NtWaitForSingleObject(thread, FALSE, NULL);
    CHECK_STATUS(NtClose(thread), STATUS_SUCCESS);
}

static RTL_USER_PROCESS_INFORMATION created;

static NTSTATUS create_process(void)
{
    return start_child(IMAGE, &created);
}

static void end_process(void)
{
    NtTerminateProcess(created.ProcessHandle, 7);
    CHECK_STATUS(end_child(&created), 7);
}

/* ---- */

/*
 * prepare comes before the call and needs no luck, undo after one that has
 * succeeded, clean behind all.  Any of them may be missing.
 */
/* ---- a trace ---- */

static HANDLE bell;

static void have_bell(void)
{
    CHECK_STATUS(NtCreateEvent(&bell, EVENT_ALL_ACCESS, NULL,
                               NotificationEvent, FALSE), STATUS_SUCCESS);
}

static void close_bell(void)
{
    NtClose(bell);
}

/* About a process that makes no calls. */
static NTSTATUS start_trace(void)
{
    struct trace_order order = {
        .ring = TRACE_SMALLEST_RING,
        .process = (ULONGLONG)other.ClientId.UniqueProcess,
        .event = (ULONGLONG)bell,
    };

    return NtTraceControl(EtwStartLoggerCode, &order, sizeof order, NULL, 0,
                          &old);
}

static void stop_trace(void)
{
    CHECK_STATUS(NtTraceControl(EtwStopLoggerCode, NULL, 0, NULL, 0, &old),
                 STATUS_SUCCESS);
}

static void have_trace(void)
{
    have_bell();
    CHECK_STATUS(start_trace(), STATUS_SUCCESS);
}

static void stop_and_close(void)
{
    stop_trace();
    close_bell();
}

static NTSTATUS take_records(void)
{
    return NtTraceControl(EtwFlushLoggerCode, NULL, 0, NULL, 0, &old);
}

static const struct call {
    const char *name;
    NTSTATUS (*call)(void);
    void (*undo)(void);
    void (*prepare)(void), (*clean)(void);
} calls[] = {
    { "reserve", reserve_own, release_own, NULL, NULL },
    { "commit", commit_own, release_own, NULL, NULL },
    { "commit what is missing", commit_holes, NULL, have_holes, release_own },
    { "commit far away", commit_far, release_own, NULL, NULL },
    { "commit elsewhere", commit_theirs, release_theirs, NULL, NULL },
    { "free the middle", free_middle, release_upper, have_memory,
      release_own },
    { "read", read_theirs, NULL, NULL, NULL },
    { "write", write_theirs, NULL, NULL, NULL },
    { "protect", protect_image, protect_back, NULL, NULL },
    { "a section", create_memory, close, NULL, NULL },
    { "a section of a file", create_data, close, NULL, NULL },
    { "an image", create_image, close, NULL, NULL },
    { "a section with a name", create_named, close, NULL, NULL },
    { "open a section", open_named, close_opened, have_named, close },
    { "a view", map_shared, unmap, NULL, NULL },
    { "a view elsewhere, copied", map_copied, unmap_theirs, NULL, NULL },
    { "a view of an image", map_image, unmap, NULL, NULL },
    { "commit in a view", commit_view, NULL, have_reserved_view,
      unmap_and_close },
    { "a thread", create_thread, end_thread, NULL, NULL },
    { "a process", create_process, end_process, NULL, NULL },
    { "a trace", start_trace, stop_trace, have_bell, close_bell },
    { "a trace's records", take_records, NULL, have_trace,
      stop_and_close },
};

struct counts {
    ULONG blocks, pages, handles;
    SIZE_T address_space, charge;
};

static struct counts count(const struct call *call)
{
    SYSTEM_PERFORMANCE_INFORMATION system;
    VM_COUNTERS memory;
    struct counts now = { 0 };

    NtQuerySystemInformation(SystemPerformanceInformation, &system,
                             sizeof system, NULL);
    NtQueryInformationProcess(SELF, ProcessVmCounters, &memory, sizeof memory,
                              NULL);
    NtQueryInformationProcess(SELF, ProcessHandleCount, &now.handles,
                              sizeof now.handles, NULL);
    ask_kernel(BLOCKS, (ULONG_PTR)&now.blocks);
    now.pages = call->call == commit_far ? 0 : system.AvailablePages;
    now.address_space = memory.VirtualSize;
    now.charge = memory.PagefileUsage;
    return now;
}

/* What ends with a thread of the system's help needs a moment. */
static BOOLEAN is_back(const struct call *call, const struct counts *before)
{
    LARGE_INTEGER tick = { .QuadPart = -10000 };
    struct counts now;

    for (ULONG i = 0; i < 20; i++) {
        now = count(call);
        if (memcmp(&now, before, sizeof now) == 0)
            return TRUE;
        NtDelayExecution(FALSE, &tick);
    }
    return FALSE;
}

static void check_counts(const struct call *call, ULONG n,
                         const struct counts *before)
{
    struct counts now;

    if (is_back(call, before))
        return;
    now = count(call);
    CHECK_SAY(FALSE, "%s, %u: blocks %d, pages %d, handles %d, address space "
              "%Id, charge %Id more", call->name, n,
              now.blocks - before->blocks, now.pages - before->pages,
              now.handles - before->handles,
              now.address_space - before->address_space,
              now.charge - before->charge);
}

static BOOLEAN is_no_memory(NTSTATUS status)
{
    return status == STATUS_NO_MEMORY || status == STATUS_COMMITMENT_LIMIT ||
           status == STATUS_INSUFFICIENT_RESOURCES;
}

/* Returns whether something was refused. */
static BOOLEAN try_once(const struct call *call, ULONG n)
{
    BOOLEAN refused;
    NTSTATUS status;

    if (call->prepare)
        call->prepare();
    ask_kernel(REFUSE_MEMORY, n);
    status = call->call();
    refused = ask_kernel(REFUSE_MEMORY, 0) == STATUS_SUCCESS;
    CHECK_SAY(refused ? is_no_memory(status) : NT_SUCCESS(status),
              "%s, %u: %08x", call->name, n, status);
    if (NT_SUCCESS(status) && call->undo)
        call->undo();
    if (call->clean)
        call->clean();
    return refused;
}

static void try_all(const struct call *call)
{
    struct counts before;
    ULONG n = 1;

    (void)try_once(call, 0);
    before = count(call);
    (void)try_once(call, 0);
    (void)is_back(call, &before);
    before = count(call);
    while (n < MOST && try_once(call, n))
        check_counts(call, n++, &before);
    check_counts(call, n, &before);
    CHECK_SAY(n > 1, "%s: nothing was refused", call->name);
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    (void)peb;
    ask_kernel = (void *)find_stub("NtwSelfTest");
    CHECK_STATUS(start_child(IMAGE, &other), STATUS_SUCCESS);
    CHECK_STATUS(test_open(L"bench.exe", FILE_READ_DATA | FILE_EXECUTE |
                           SYNCHRONIZE, &file), STATUS_SUCCESS);
    CHECK_STATUS(create(SIZE, SEC_COMMIT, NULL, &memory_section),
                 STATUS_SUCCESS);
    CHECK_STATUS(test_open(L"ntdll.dll", FILE_READ_DATA | FILE_EXECUTE |
                           SYNCHRONIZE, &handle), STATUS_SUCCESS);
    CHECK_STATUS(create(0, SEC_IMAGE, handle, &image_section),
                 STATUS_SUCCESS);
    close();
    for (ULONG i = 0; i < ARRAY_SIZE(calls); i++)
        try_all(&calls[i]);
    NtTerminateProcess(other.ProcessHandle, 5);
    CHECK_STATUS(end_child(&other), 5);
    return test_end();
}
