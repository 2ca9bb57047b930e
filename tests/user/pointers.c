/*
 * pointers.c - every pointer argument of every service, with every bad
 * pointer there is, by every door: the answer is an error status, and the
 * machine lives.  The stack pointer is one of them.
 *
 * A row gives a service with arguments that would work; then one pointer at a
 * time is replaced.
 *
 * Scenarios: A1, H5, H6, H14.
 */
#include "test.h"

#include "../../programs/lib/door.h"

#include <nt/nttrace.h>

#define MOST 11
#define LOWEST 0x10000ULL                       /* memory begins here */
#define SHARED_PAGE USER_SHARED_DATA

enum kind {
    VALUE,                                      /* no pointer */
    IN,                                         /* read: 7FFE0000 is fine */
    OUT,                                        /* written */
    OPTIONAL_IN,                                /* 0 means none */
    OPTIONAL_OUT,
};

static const struct door *door;
static UCHAR buffer[0x200] __attribute__((aligned(64)));
static void *base;
static SIZE_T size;
static HANDLE handle;
static ULONG number;
static IO_STATUS_BLOCK io;
static UNICODE_STRING name;
static OBJECT_ATTRIBUTES attributes;
static LARGE_INTEGER offset;
static EXCEPTION_RECORD record;
static CONTEXT context = { .ContextFlags = CONTEXT_CONTROL };
static SYSDBG_VIRTUAL debug;
static HANDLE file, section;

#define P(variable) ((ULONGLONG)&variable)
#define SELF ((ULONGLONG)-1)
#define THREAD ((ULONGLONG)-2)

struct row {
    const char *name;
    ULONG count;
    ULONGLONG arguments[MOST];
    enum kind kinds[MOST];
};

static struct row rows[] = {
    { "NtReadFile", 9, { 0, 0, 0, 0, P(io), P(buffer), 16, P(offset), 0 },
      { 0, 0, 0, 0, OUT, OUT, 0, OPTIONAL_IN, 0 } },
    { "NtWriteFile", 9, { 0, 0, 0, 0, P(io), P(buffer), 1, 0, 0 },
      { 0, 0, 0, 0, OUT, IN, 0, 0, 0 } },
    { "NtQueryInformationFile", 5, { 0, P(io), P(buffer), 24, 5 },
      { 0, OUT, OUT, 0, 0 } },
    { "NtOpenFile", 6, { P(handle), FILE_GENERIC_READ, P(attributes), P(io),
                         1, FILE_SYNCHRONOUS_IO_NONALERT },
      { OUT, 0, IN, OUT, 0, 0 } },
    { "NtCreateFile", 11, { P(handle), FILE_GENERIC_READ, P(attributes),
                            P(io), 0, 0, 1, FILE_OPEN,
                            FILE_SYNCHRONOUS_IO_NONALERT, 0, 0 },
      { OUT, 0, IN, OUT, OPTIONAL_IN, 0, 0, 0, 0, 0, 0 } },
    { "NtDisplayString", 1, { P(name) }, { IN } },
    { "NtAllocateVirtualMemory", 6, { SELF, P(base), 0, P(size), MEM_RESERVE,
                                      PAGE_READWRITE },
      { 0, OUT, 0, OUT, 0, 0 } },
    { "NtFreeVirtualMemory", 4, { SELF, P(base), P(size), MEM_RELEASE },
      { 0, OUT, OUT, 0 } },
    { "NtProtectVirtualMemory", 5, { SELF, P(base), P(size), PAGE_READONLY,
                                     P(number) },
      { 0, OUT, OUT, 0, OUT } },
    { "NtLockVirtualMemory", 4, { SELF, P(base), P(size), MAP_PROCESS },
      { 0, OUT, OUT, 0 } },
    { "NtUnlockVirtualMemory", 4, { SELF, P(base), P(size), MAP_PROCESS },
      { 0, OUT, OUT, 0 } },
    { "NtQueryVirtualMemory", 6, { SELF, 0, 0, P(buffer), 0x30, P(size) },
      { 0, 0, 0, OUT, 0, OPTIONAL_OUT } },
    { "NtCreateSection", 7, { P(handle), SECTION_ALL_ACCESS, 0, 0,
                              PAGE_EXECUTE, SEC_IMAGE, 0 },
      { OUT, 0, OPTIONAL_IN, OPTIONAL_IN, 0, 0, 0 } },
    { "NtReadVirtualMemory", 5, { SELF, P(base), P(buffer), 8, P(size) },
      { 0, 0, OUT, 0, OPTIONAL_OUT } },
    { "NtWriteVirtualMemory", 5, { SELF, P(base), P(buffer), 8, P(size) },
      { 0, OUT, 0, 0, OPTIONAL_OUT } },
    { "NtMapViewOfSection", 10, { 0, SELF, P(base), 0, 0, 0, P(size),
                                  ViewShare, 0, PAGE_READWRITE },
      { 0, 0, OUT, 0, 0, OPTIONAL_OUT, OUT, 0, 0, 0 } },
    { "NtQueryInformationProcess", 5, { SELF, 0, P(buffer), 0x30, P(number) },
      { 0, 0, OUT, 0, OPTIONAL_OUT } },
    { "NtQueryInformationThread", 5, { THREAD, 0, P(buffer), 0x30,
                                       P(number) },
      { 0, 0, OUT, 0, OPTIONAL_OUT } },
    { "NtQuerySystemInformation", 4, { SystemBasicInformation, P(buffer),
                                       0x40, P(number) },
      { 0, OUT, 0, OPTIONAL_OUT } },
    { "NtQuerySystemInformation", 4, { SystemPerformanceInformation,
                                       P(buffer), 0x158, P(number) },
      { 0, OUT, 0, OPTIONAL_OUT } },
    { "NtQuerySystemInformation", 4, { SystemTimeOfDayInformation, P(buffer),
                                       0x30, P(number) },
      { 0, OUT, 0, OPTIONAL_OUT } },
    { "NtQuerySystemTime", 1, { P(offset) }, { OUT } },
    { "NtQueryPerformanceCounter", 2, { P(offset), P(base) },
      { OUT, OPTIONAL_OUT } },
    { "NtContinue", 2, { 0, 0 }, { IN, 0 } },
    { "NtRaiseException", 3, { P(record), P(context), FALSE },
      { IN, IN, 0 } },
};

/*
 * NtRaiseHardError, NtSystemDebugControl and NtTraceControl may refuse before
 * they look (no dialog; no debugger; no trace), with an error all the same.
 */
static struct row refusing_rows[] = {
    { "NtRaiseHardError", 6, { 0xC0000005, 0, 0, 0, OptionOk, P(number) },
      { 0, 0, 0, 0, 0, OUT } },
    { "NtSystemDebugControl", 6, { SysDbgReadVirtual, P(debug), 0x18, 0, 0,
                                   P(number) },
      { 0, IN, 0, 0, 0, OPTIONAL_OUT } },
    { "NtTraceControl", 6, { EtwQueryLoggerCode, 0, 0, P(buffer),
                             sizeof(struct trace_state), P(number) },
      { 0, 0, 0, OUT, 0, OUT } },
};

static void fill_in(struct row *row)
{
    base = NULL;
    size = 0x1000;
    offset.QuadPart = 0;
    number = 0;
    handle = NULL;
    buffer[0] = '\n';                           /* what NtWriteFile writes */
    RtlInitUnicodeString(&name, L"\\SystemRoot\\System32\\pointers.exe");
    memset(&attributes, 0, sizeof attributes);
    attributes.Length = sizeof attributes;
    attributes.ObjectName = &name;
    debug.Address = (void *)0xFFFFF78000000000ULL;
    debug.Buffer = buffer;
    debug.Request = 4;
    if (!strcmp(row->name, "NtReadFile") ||
        !strcmp(row->name, "NtQueryInformationFile"))
        row->arguments[0] = (ULONGLONG)file;
    if (!strcmp(row->name, "NtWriteFile"))
        row->arguments[0] = (ULONGLONG)
            NtCurrentPeb()->ProcessParameters->StandardOutput;
    if (!strcmp(row->name, "NtCreateSection"))
        row->arguments[6] = (ULONGLONG)file;
    if (!strcmp(row->name, "NtMapViewOfSection")) {
        row->arguments[0] = (ULONGLONG)section;
        size = 0;
    }
    if (!strcmp(row->name, "NtFreeVirtualMemory") ||
        !strcmp(row->name, "NtProtectVirtualMemory") ||
        !strcmp(row->name, "NtLockVirtualMemory") ||
        !strcmp(row->name, "NtUnlockVirtualMemory")) {
        base = test_pages(1);
        size = 0x1000;
    }
    if (!strcmp(row->name, "NtUnlockVirtualMemory"))
        NtLockVirtualMemory(NtCurrentProcess(), &base, &size, MAP_PROCESS);
}

static void clean_up(const struct row *row, NTSTATUS status)
{
    SIZE_T whole = 0;

    if (NT_SUCCESS(status) && handle)
        NtClose(handle);
    if (NT_SUCCESS(status) && !strcmp(row->name, "NtMapViewOfSection"))
        NtUnmapViewOfSection(NtCurrentProcess(), base);
    else if (base && strcmp(row->name, "NtQueryPerformanceCounter"))
        NtFreeVirtualMemory(NtCurrentProcess(), &base, &whole, MEM_RELEASE);
}

static NTSTATUS make(struct row *row, ULONG at, ULONGLONG bad)
{
    static struct call call;
    ULONGLONG arguments[MOST];
    NTSTATUS status;

    fill_in(row);
    memcpy(arguments, row->arguments, sizeof arguments);
    if (at < MOST)
        arguments[at] = bad;
    call_prepare(&call, door->raw, row->count, arguments);
    call.in.Rax = stub_number(find_stub(row->name));
    call_with_registers(&call);
    status = (NTSTATUS)call.out.Rax;
    clean_up(row, status);
    return status;
}

static const ULONGLONG bad[] = {
    0, 1, 8, 0xFFF, 0x1000, 0xFFFF, SHARED_PAGE, SHARED_PAGE + 0xFFF,
    SHARED_PAGE + 0x1000, 0x00007FFFFFFEFFF9ULL, 0x00007FFFFFFF0000ULL,
    0x00007FFFFFFF0001ULL, 0x00007FFFFFFFFFFFULL, 0x0000800000000000ULL,
    0x8000000000000000ULL, 0xFFFF7FFFFFFFFFFFULL, 0xFFFF800000000000ULL,
    0xFFFFF6FB7DBED000ULL, 0xFFFFF78000000000ULL, 0xFFFFFFFF80100000ULL,
    0xFFFFFFFFFFFFF000ULL, 0xFFFFFFFFFFFFFFF8ULL, 0xFFFFFFFFFFFFFFFFULL,
};

static BOOLEAN is_optional(enum kind kind)
{
    return kind == OPTIONAL_IN || kind == OPTIONAL_OUT;
}

/* Not bad for a service that only reads; what it would read makes no sense. */
static BOOLEAN is_readable(enum kind kind, ULONGLONG pointer)
{
    return (kind == IN || kind == OPTIONAL_IN) &&
           pointer >= SHARED_PAGE && pointer < SHARED_PAGE + 0x1000;
}

static void check_row(struct row *row)
{
    ULONG at, which;

    for (at = 0; at < row->count; at++) {
        if (row->kinds[at] == VALUE)
            continue;
        for (which = 0; which < ARRAY_SIZE(bad); which++) {
            NTSTATUS status;

            if (is_readable(row->kinds[at], bad[which]))
                continue;
            status = make(row, at, bad[which]);
            if (!bad[which] && is_optional(row->kinds[at]))
                continue;
            CHECK_SAY((ULONG)status >= 0x80000000,
                      "%s, argument %u = %llx: %08x", row->name, at + 1,
                      bad[which], status);
        }
    }
}

/* The row works when nothing is wrong with it. */
static void check_good(struct row *row)
{
    NTSTATUS status;

    if (!strcmp(row->name, "NtContinue") ||
        !strcmp(row->name, "NtRaiseException"))
        return;
    status = make(row, MOST, 0);
    CHECK_SAY(NT_SUCCESS(status), "%s as it should be: %08x", row->name,
              status);
}

/* Structures in structures: a good outer one that leads to a bad pointer. */
static void check_inner(void)
{
    ULONG which;

    for (which = 0; which < ARRAY_SIZE(bad); which++) {
        void *pointer = (void *)bad[which];
        UNICODE_STRING string = { 8, 8, pointer };
        NTSTATUS status;

        if (!is_readable(IN, bad[which])) {
            status = NtDisplayString(&string);
            CHECK_SAY(!NT_SUCCESS(status), "string at %p: %08x", pointer,
                      status);
        }
        fill_in(&rows[3]);
        attributes.ObjectName = pointer;
        status = NtOpenFile(&handle, FILE_GENERIC_READ, &attributes, &io, 1,
                            0);
        CHECK_SAY(!NT_SUCCESS(status), "name at %p: %08x", pointer, status);
        attributes.ObjectName = &string;
        status = NtOpenFile(&handle, FILE_GENERIC_READ, &attributes, &io, 1,
                            0);
        CHECK_SAY(!NT_SUCCESS(status), "its text at %p: %08x", pointer,
                  status);
    }
}

/* rsp of a service with stack arguments; nothing but their copy fails. */
static void check_stack(ULONGLONG rsp)
{
    static struct call call;
    const ULONGLONG arguments[] = { SELF, 0, P(buffer), 0x30, 0 };

    buffer[0] = 0xEE;
    call_prepare(&call, door->raw_on_stack, 5, arguments);
    call.in.Rax = stub_number(find_stub("NtQueryInformationProcess"));
    call.in.R12 = rsp;
    call_with_registers(&call);
    CHECK_SAY((NTSTATUS)call.out.Rax == STATUS_ACCESS_VIOLATION,
              "rsp %llx: %08x", rsp, (NTSTATUS)call.out.Rax);
    CHECK(buffer[0] == 0xEE);
    CHECK(call.out.R8 == rsp && call.out.Rbx == call.in.Rbx);
}

static void check_stacks(void)
{
    UCHAR *pages = test_pages(2), *end = pages + PAGE_SIZE;
    ULONG which;

    test_protect(end, 1, PAGE_NOACCESS);
    check_stack((ULONGLONG)end);
    check_stack((ULONGLONG)end - 0x28);
    check_stack((ULONGLONG)end - 0x28 - 7);
    for (which = 0; which < ARRAY_SIZE(bad); which++)
        if (bad[which] != SHARED_PAGE && bad[which] != LOWEST - 1)
            check_stack(bad[which]);
}

/* Misaligned but mapped: NT's probes want 4 or 8 bytes for these. */
static void check_alignment(void)
{
    CHECK_STATUS(NtQueryInformationProcess(NtCurrentProcess(), 0, buffer + 1,
                                           0x30, NULL),
                 STATUS_DATATYPE_MISALIGNMENT);
    CHECK_STATUS(NtQuerySystemInformation(0, buffer + 2, 0x40, NULL),
                 STATUS_DATATYPE_MISALIGNMENT);
}

static void check_rows(void)
{
    ULONG at;

    for (at = 0; at < ARRAY_SIZE(rows); at++) {
        check_good(&rows[at]);
        check_row(&rows[at]);
    }
    for (at = 0; at < ARRAY_SIZE(refusing_rows); at++)
        check_row(&refusing_rows[at]);
}

NTSTATUS NtProcessStartup(PEB *peb)
{
    (void)peb;
    CHECK_STATUS(test_open(L"pointers.exe", FILE_GENERIC_READ | FILE_EXECUTE,
                           &file), STATUS_SUCCESS);
    CHECK_STATUS(NtCreateSection(&section, SECTION_ALL_ACCESS, NULL, NULL,
                                 PAGE_EXECUTE, SEC_IMAGE, file),
                 STATUS_SUCCESS);
    for (door = doors; door < doors_end(); door++) {
        test_where(door->name);
        check_rows();
        check_stacks();
    }
    check_inner();
    check_alignment();
    return test_end();
}
