/*
 * test.c - counting and printing checks; what several tests need.
 */
#include "test.h"

#define LINES 40                                /* of failures: no flood */

static ULONG checks, failures;
static const char *where = "";

void test_where(const char *word)
{
    where = word;
}

static BOOLEAN record(BOOLEAN held)
{
    checks++;
    if (held)
        return FALSE;
    return ++failures <= LINES;
}

BOOLEAN test_check(BOOLEAN held, const char *text, const char *file, int line)
{
    if (record(held))
        print("%s %s:%d: %s\n", where, file, line, text);
    return held;
}

BOOLEAN test_check_say(BOOLEAN held, const char *file, int line,
                       const char *format, ...)
{
    char text[300];
    va_list list;

    va_start(list, format);
    _vsnprintf(text, sizeof text - 1, format, list);
    va_end(list);
    text[sizeof text - 1] = 0;
    if (record(held))
        print("%s %s:%d: %s\n", where, file, line, text);
    return held;
}

BOOLEAN test_status(NTSTATUS status, NTSTATUS expected, const char *text,
                    const char *file, int line)
{
    if (record(status == expected))
        print("%s %s:%d: %s is %08X, not %08X\n", where, file, line, text,
              status, expected);
    return status == expected;
}

BOOLEAN test_on_tcg(void)
{
    ULONG leaf = 0x40000000, vendor[3];

    __asm__ volatile("cpuid" : "+a"(leaf), "=b"(vendor[0]), "=c"(vendor[1]),
                     "=d"(vendor[2]) : "c"(0));
    return memcmp(vendor, "TCGTCGTCGTCG", sizeof vendor) == 0;
}

NTSTATUS test_end(void)
{
    print("%u checks, %u failed\n", checks, failures);
    return failures != 0;
}

const char *test_words(void)
{
    const UNICODE_STRING *line =
        &NtCurrentPeb()->ProcessParameters->CommandLine;
    static char words[80];
    USHORT at = 0, count = line->Length / sizeof(WCHAR), length = 0;

    while (at < count && line->Buffer[at] != ' ')
        at++;
    for (at++; at < count && length < sizeof words - 1; at++)
        words[length++] = (char)line->Buffer[at];
    words[length] = 0;
    return words;
}

void *test_pages(ULONG count)
{
    void *base = NULL;
    SIZE_T size = count * PAGE_SIZE;
    NTSTATUS status = NtAllocateVirtualMemory(NtCurrentProcess(), &base, 0,
                                              &size, MEM_RESERVE | MEM_COMMIT,
                                              PAGE_READWRITE);

    CHECK_STATUS(status, STATUS_SUCCESS);
    return base;
}

void test_protect(void *page, ULONG count, ULONG protect)
{
    SIZE_T size = count * PAGE_SIZE;
    ULONG before;

    CHECK_STATUS(NtProtectVirtualMemory(NtCurrentProcess(), &page, &size,
                                        protect, &before), STATUS_SUCCESS);
}

NTSTATUS test_open(const WCHAR *name, ACCESS_MASK access, HANDLE *file)
{
    WCHAR path[80] = L"\\SystemRoot\\System32\\";
    UNICODE_STRING string;
    OBJECT_ATTRIBUTES attributes = { .Length = sizeof attributes,
                                     .ObjectName = &string,
                                     .Attributes = OBJ_CASE_INSENSITIVE };
    IO_STATUS_BLOCK io;

    RtlInitUnicodeString(&string, wcscat(path, name));
    return NtOpenFile(file, access, &attributes, &io, FILE_SHARE_READ,
                      FILE_SYNCHRONOUS_IO_NONALERT);
}

SYSTEM_PERFORMANCE_INFORMATION test_performance(void)
{
    SYSTEM_PERFORMANCE_INFORMATION now = { 0 };

    CHECK_STATUS(NtQuerySystemInformation(SystemPerformanceInformation, &now,
                                          sizeof now, NULL), STATUS_SUCCESS);
    return now;
}

VM_COUNTERS test_counters(void)
{
    VM_COUNTERS now = { 0 };

    CHECK_STATUS(NtQueryInformationProcess(NtCurrentProcess(),
                                           ProcessVmCounters, &now,
                                           sizeof now, NULL), STATUS_SUCCESS);
    return now;
}

ULONG test_handles(void)
{
    ULONG count = 0;

    CHECK_STATUS(NtQueryInformationProcess(NtCurrentProcess(),
                                           ProcessHandleCount, &count,
                                           sizeof count, NULL),
                 STATUS_SUCCESS);
    return count;
}

#ifdef __x86_64__
#define WAITING 5
#define LIST_SIZE 0x8000                /* of all processes */

static ULONG state_of(HANDLE id)
{
    static ULONGLONG list[LIST_SIZE / sizeof(ULONGLONG)];
    const SYSTEM_PROCESS_INFORMATION *process = (const void *)list;

    CHECK_STATUS(NtQuerySystemInformation(SystemProcessInformation, list,
                                          sizeof list, NULL), STATUS_SUCCESS);
    for (;; process = (const void *)((const UCHAR *)process +
                                     process->NextEntryOffset)) {
        const SYSTEM_THREAD_INFORMATION *thread = (const void *)(process + 1);

        for (ULONG i = 0; i < process->NumberOfThreads; i++, thread++)
            if (thread->ClientId.UniqueThread == id)
                return thread->ThreadState;
        if (!process->NextEntryOffset)
            return WAITING;             /* it has ended */
    }
}

void test_until_it_waits(HANDLE thread)
{
    THREAD_BASIC_INFORMATION basic;

    CHECK_STATUS(NtQueryInformationThread(thread, ThreadBasicInformation,
                                          &basic, sizeof basic, NULL),
                 STATUS_SUCCESS);
    while (state_of(basic.ClientId.UniqueThread) != WAITING)
        NtYieldExecution();
}
#endif

void test_on_one_processor(void)
{
    ULONG_PTR first = 1;

    CHECK_STATUS(NtSetInformationProcess(NtCurrentProcess(),
                                         ProcessAffinityMask, &first,
                                         sizeof first), STATUS_SUCCESS);
}

ULONG test_settled_pages(void)
{
    LARGE_INTEGER tick = { .QuadPart = -1 };
    ULONG before, now = 0;

    do {
        before = now;
        NtDelayExecution(FALSE, &tick);
        NtDelayExecution(FALSE, &tick);
        now = test_performance().AvailablePages;
    } while (now != before);
    return now;
}

static ULONG processors(void)
{
    return NtCurrentPeb()->NumberOfProcessors;
}

ULONG test_page_slack(void)
{
    return processors() == 1 ? 0 : 16 * processors();
}

ULONG test_handle_slack(void)
{
    return processors() == 1 ? 0 : 2;
}
