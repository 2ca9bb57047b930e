/*
 * demand.c - memory that is there when it is touched.
 *
 * Zero fill, the first write to a clean page, copy on write within a process
 * and between two, sections shared by processes, image pages that both have,
 * sections committed later, the limit of what can be committed, and every
 * counter of it back where it was.  Rows H9 and G9 of the scenarios have
 * tests of their name.
 *
 * "demand ADDRESS" is the child: what it finds in the section that its creator
 * has mapped there, and what it does to it.
 *
 * Scenarios: M2.
 */
#include "test.h"

#define SELF NtCurrentProcess()
#define IMAGE L"\\SystemRoot\\System32\\demand.exe"
#define PAGES 16
#define SIZE (PAGES * PAGE_SIZE)
#define ROUNDS 70000

static ULONG data_of_image[2 * PAGE_SIZE / sizeof(ULONG)] = { 7 };

static volatile UCHAR *allocate(SIZE_T size, ULONG type)
{
    void *base = NULL;

    CHECK_STATUS(NtAllocateVirtualMemory(SELF, &base, 0, &size, type,
                                         PAGE_READWRITE), STATUS_SUCCESS);
    return base;
}

static void release(volatile void *address)
{
    void *base = (void *)address;
    SIZE_T size = 0;

    CHECK_STATUS(NtFreeVirtualMemory(SELF, &base, &size, MEM_RELEASE),
                 STATUS_SUCCESS);
}

static ULONG protection(volatile void *address)
{
    MEMORY_BASIC_INFORMATION memory = { 0 };

    CHECK_STATUS(NtQueryVirtualMemory(SELF, (void *)address,
                                      MemoryBasicInformation, &memory,
                                      sizeof memory, NULL), STATUS_SUCCESS);
    return memory.State == MEM_COMMIT ? memory.Protect : 0;
}

/* So that what is counted below is not the test's own pages. */
static void touch_image(void *inside)
{
    MEMORY_BASIC_INFORMATION memory = { 0 };
    volatile UCHAR *at;

    CHECK_STATUS(NtQueryVirtualMemory(SELF, inside, MemoryBasicInformation,
                                      &memory, sizeof memory, NULL),
                 STATUS_SUCCESS);
    for (at = memory.AllocationBase; protection(at); at += PAGE_SIZE)
        (void)*at;
}

/* A commit has no pages; each page has one fault, and is zero. */
static void test_zero_fill(void)
{
    ULONG zeroes, faults, sum = 0;
    SIZE_T set, committed;
    volatile UCHAR *bytes;

    (void)test_performance();
    set = test_counters().WorkingSetSize;
    committed = test_counters().PagefileUsage;
    zeroes = test_performance().DemandZeroCount;
    bytes = allocate(SIZE, MEM_RESERVE | MEM_COMMIT);
    CHECK(test_counters().PagefileUsage == committed + SIZE);
    CHECK(test_counters().WorkingSetSize == set);
    CHECK(test_performance().DemandZeroCount == zeroes);
    faults = test_counters().PageFaultCount;
    for (ULONG at = 0; at < SIZE; at++)
        sum += bytes[at];
    CHECK(sum == 0);
    CHECK_SAY(test_performance().DemandZeroCount == zeroes + PAGES, "%u",
              test_performance().DemandZeroCount - zeroes);
    CHECK(test_counters().PageFaultCount == faults + PAGES);
    CHECK(test_counters().WorkingSetSize == set + SIZE);
    for (ULONG at = 0; at < SIZE; at++)
        bytes[at] = 1;
    CHECK_SAY(test_counters().PageFaultCount == faults + 2 * PAGES,
              "%u faults: clean pages fault once more when they are written",
              test_counters().PageFaultCount - faults);
    CHECK(test_performance().DemandZeroCount == zeroes + PAGES);
    release(bytes);
    CHECK(test_counters().WorkingSetSize == set);
    CHECK(test_counters().PagefileUsage == committed);
    CHECK(test_counters().PeakPagefileUsage >= committed + SIZE);
}

/* G9: what others have left in a page is not seen. */
static void test_g9_recycled(void)
{
    for (ULONG round = 0; round < 4; round++) {
        volatile UCHAR *bytes = allocate(SIZE, MEM_RESERVE | MEM_COMMIT);
        ULONG at;

        for (at = 0; at < SIZE && !bytes[at]; at++)
            continue;
        CHECK(at == SIZE);
        for (at = 0; at < SIZE; at++)
            bytes[at] = 0xA5;
        release(bytes);
    }
}

static HANDLE create_section(ULONGLONG size, ULONG attributes)
{
    LARGE_INTEGER wanted = { .QuadPart = (LONGLONG)size };
    HANDLE section = NULL;

    CHECK_STATUS(NtCreateSection(&section, SECTION_ALL_ACCESS, NULL, &wanted,
                                 PAGE_READWRITE, attributes, NULL),
                 STATUS_SUCCESS);
    return section;
}

static volatile ULONG *map(HANDLE section, HANDLE process, ULONG protect)
{
    void *base = NULL;
    SIZE_T size = 0;

    CHECK_STATUS(NtMapViewOfSection(section, process, &base, 0, 0, NULL,
                                    &size, ViewUnmap, 0, protect),
                 STATUS_SUCCESS);
    return base;
}

static void unmap(volatile void *view)
{
    CHECK_STATUS(NtUnmapViewOfSection(SELF, (void *)view), STATUS_SUCCESS);
}

#define PAGE_WORDS (PAGE_SIZE / sizeof(ULONG))

/* One view writes to the section's pages, the other to copies. */
static void test_copy_on_write(void)
{
    ULONG available = test_performance().AvailablePages, copies;
    SIZE_T committed = test_counters().PagefileUsage;
    HANDLE section = create_section(SIZE, SEC_COMMIT);
    volatile ULONG *shared = map(section, SELF, PAGE_READWRITE);
    volatile ULONG *copy = map(section, SELF, PAGE_WRITECOPY);

    CHECK(test_counters().PagefileUsage == committed + SIZE);
    shared[0] = 1;
    shared[PAGE_WORDS] = 2;
    CHECK(copy[0] == 1 && protection(copy) == PAGE_WRITECOPY);
    copies = test_performance().CopyOnWriteCount;
    copy[0] = 3;
    copy[2 * PAGE_WORDS] = 4;
    CHECK(test_performance().CopyOnWriteCount == copies + 2);
    CHECK(shared[0] == 1 && copy[0] == 3 && shared[2 * PAGE_WORDS] == 0);
    CHECK(protection(copy) == PAGE_READWRITE);
    shared[0] = 5;
    shared[PAGE_WORDS] = 6;
    CHECK(copy[0] == 3 && copy[PAGE_WORDS] == 6);
    CHECK(test_counters().PagefileUsage == committed + SIZE);
    unmap(copy);
    CHECK(test_counters().PagefileUsage == committed);
    unmap(shared);
    shared = map(section, SELF, PAGE_READWRITE);
    CHECK(shared[0] == 5 && shared[PAGE_WORDS] == 6);
    unmap(shared);
    CHECK_STATUS(NtClose(section), STATUS_SUCCESS);
    CHECK_SAY(test_performance().AvailablePages + 8 >= available, "%u then %u",
              available, test_performance().AvailablePages);
}

/* H9: results of services on pages that are not simply writable. */
static void test_h9_results(void)
{
    HANDLE section = create_section(SIZE, SEC_COMMIT);
    volatile ULONG *shared = map(section, SELF, PAGE_READWRITE);
    volatile ULONG *copy = map(section, SELF, PAGE_WRITECOPY);
    volatile UCHAR *page = allocate(2 * PAGE_SIZE, MEM_RESERVE | MEM_COMMIT);
    ULONGLONG time = 0;

    CHECK_STATUS(NtQuerySystemTime((void *)copy), STATUS_SUCCESS);
    memcpy(&time, (void *)copy, sizeof time);
    CHECK(time && shared[0] == 0 && shared[1] == 0);
    CHECK_STATUS(NtQuerySystemTime((void *)page), STATUS_SUCCESS);
    test_protect((void *)page, 1, PAGE_READONLY);
    CHECK_STATUS(NtQuerySystemTime((void *)page), STATUS_ACCESS_VIOLATION);
    test_protect((void *)page, 1, PAGE_READWRITE | PAGE_GUARD);
    CHECK_STATUS(NtQuerySystemTime((void *)page),
                 STATUS_GUARD_PAGE_VIOLATION);
    CHECK_STATUS(NtQuerySystemTime((void *)page), STATUS_SUCCESS);
    test_protect((void *)(page + PAGE_SIZE), 1, PAGE_NOACCESS);
    CHECK_STATUS(NtQuerySystemTime((void *)(page + PAGE_SIZE)),
                 STATUS_ACCESS_VIOLATION);
    test_protect((void *)(page + PAGE_SIZE), 1, PAGE_READWRITE);
    CHECK_STATUS(NtQuerySystemTime((void *)(page + PAGE_SIZE)),
                 STATUS_SUCCESS);
    release(page);
    unmap(copy);
    unmap(shared);
    CHECK_STATUS(NtClose(section), STATUS_SUCCESS);
}

/* A page that may not be touched for a while keeps what it holds. */
static void test_no_access(void)
{
    volatile UCHAR *page = allocate(PAGE_SIZE, MEM_RESERVE | MEM_COMMIT);
    ULONG back = test_performance().TransitionCount;
    SIZE_T set;

    page[5] = 9;
    set = test_counters().WorkingSetSize;
    test_protect((void *)page, 1, PAGE_NOACCESS);
    CHECK(test_counters().WorkingSetSize == set - PAGE_SIZE);
    test_protect((void *)page, 1, PAGE_READONLY);
    CHECK(page[5] == 9 && test_performance().TransitionCount == back + 1);
    CHECK(test_counters().WorkingSetSize == set);
    release(page);
}

/* SEC_RESERVE: what one view commits, another has. */
static void test_reserved_section(void)
{
    HANDLE section = create_section(SIZE, SEC_RESERVE);
    volatile ULONG *one = map(section, SELF, PAGE_READWRITE);
    volatile ULONG *two = map(section, SELF, PAGE_READWRITE);
    void *base = (void *)(one + PAGE_WORDS);
    SIZE_T size = PAGE_SIZE;

    CHECK(protection(one) == 0 && protection(two + PAGE_WORDS) == 0);
    CHECK_STATUS(NtQuerySystemTime(base), STATUS_ACCESS_VIOLATION);
    CHECK_STATUS(NtAllocateVirtualMemory(SELF, &base, 0, &size, MEM_COMMIT,
                                         PAGE_READWRITE), STATUS_SUCCESS);
    CHECK(protection(one) == 0 &&
          protection(two + PAGE_WORDS) == PAGE_READWRITE);
    one[PAGE_WORDS] = 11;
    CHECK(two[PAGE_WORDS] == 11);
    CHECK_STATUS(NtQuerySystemTime((void *)one), STATUS_ACCESS_VIOLATION);
    unmap(one);
    unmap(two);
    CHECK_STATUS(NtClose(section), STATUS_SUCCESS);
}

/* Adds one; alone in its page. */
ULONG patched(ULONG value);
__asm__(".text\n.balign 4096\n.globl patched\npatched:\n"
        "leal 1(%rcx), %eax\nret\n.balign 4096");

/* Data of an image is the file's until it is written; code can be patched. */
static void test_image(void)
{
    volatile ULONG *data = data_of_image + PAGE_WORDS;
    volatile UCHAR *code = (volatile UCHAR *)(ULONG_PTR)patched;
    UCHAR first = code[0];

    data = (volatile ULONG *)ALIGN_DOWN((ULONG_PTR)data, PAGE_SIZE);
    CHECK_SAY(protection(data) == PAGE_WRITECOPY ||
              protection(data) == PAGE_READWRITE, "%x", protection(data));
    data[1] = 8;
    CHECK(protection(data) == PAGE_READWRITE && data[1] == 8);
    CHECK(protection(code) == PAGE_EXECUTE_READ);
    test_protect((void *)code, 1, PAGE_READWRITE);
    CHECK(protection(code) == PAGE_WRITECOPY);
    code[0] = first;
    CHECK(protection(code) == PAGE_READWRITE);
    test_protect((void *)code, 1, PAGE_EXECUTE_READ);
    CHECK(protection(code) == PAGE_EXECUTE_READ);
    CHECK(patched(41) == 42);
}

static NTSTATUS commit(volatile UCHAR *at, SIZE_T pages, ULONG type)
{
    void *base = (void *)at;
    SIZE_T size = pages * PAGE_SIZE;

    return type == MEM_DECOMMIT
               ? NtFreeVirtualMemory(SELF, &base, &size, type)
               : NtAllocateVirtualMemory(SELF, &base, 0, &size, type,
                                         PAGE_READWRITE);
}

/*
 * All that there is can be committed, one page more cannot, and what is
 * committed is there.  The first round makes the page tables.
 */
static void test_limit(void)
{
    SIZE_T room = test_performance().AvailablePages, all;
    volatile UCHAR *base = allocate(room * PAGE_SIZE, MEM_RESERVE);
    SIZE_T before = test_counters().PagefileUsage;

    all = room - TEST_KERNEL_PAGES;
    CHECK_STATUS(commit(base, all, MEM_COMMIT), STATUS_SUCCESS);
    CHECK_STATUS(commit(base, all, MEM_DECOMMIT), STATUS_SUCCESS);
    all = test_performance().AvailablePages - TEST_KERNEL_PAGES;
    CHECK_STATUS(commit(base, all + 1, MEM_COMMIT), STATUS_COMMITMENT_LIMIT);
    CHECK(test_counters().PagefileUsage == before);
    CHECK_STATUS(commit(base, all, MEM_COMMIT), STATUS_SUCCESS);
    CHECK_STATUS(commit(base + all * PAGE_SIZE, 1, MEM_COMMIT),
                 STATUS_COMMITMENT_LIMIT);
    CHECK(test_performance().AvailablePages == TEST_KERNEL_PAGES);
    for (SIZE_T page = 0; page < all; page++)
        base[page * PAGE_SIZE] = (UCHAR)page;
    for (SIZE_T page = 0; page < all; page += 97)
        if (!CHECK(base[page * PAGE_SIZE] == (UCHAR)page))
            break;
    CHECK(test_performance().AvailablePages == TEST_KERNEL_PAGES);
    release(base);
    CHECK(test_counters().PagefileUsage == before);
    CHECK_SAY(test_performance().AvailablePages == all + TEST_KERNEL_PAGES,
              "%u of %u", test_performance().AvailablePages,
              (ULONG)all + TEST_KERNEL_PAGES);
}

/* ---- two processes ---- */

static NTSTATUS create_child(WCHAR *line, HANDLE *process, HANDLE *thread)
{
    static RTL_USER_PROCESS_PARAMETERS parameters = {
        .MaximumLength = sizeof parameters,
        .Length = sizeof parameters,
        .Flags = RTL_USER_PROC_PARAMS_NORMALIZED,
    };
    struct {
        SIZE_T length;
        PS_ATTRIBUTE attributes[1];
    } list = { sizeof list, {
        { PS_ATTRIBUTE_IMAGE_NAME, sizeof IMAGE - sizeof(WCHAR),
          { .ValuePtr = (void *)IMAGE }, NULL },
    } };
    PS_CREATE_INFO info = { .Size = sizeof info };

    RtlInitUnicodeString(&parameters.ImagePathName, IMAGE);
    RtlInitUnicodeString(&parameters.CommandLine, line);
    return NtCreateUserProcess(process, thread, PROCESS_ALL_ACCESS,
                               THREAD_ALL_ACCESS, NULL, NULL, 0,
                               THREAD_CREATE_FLAGS_CREATE_SUSPENDED,
                               &parameters, &info, (void *)&list);
}

static void write_hex(WCHAR *text, ULONG_PTR value)
{
    for (ULONG digit = 0; digit < 16; digit++)
        text[digit] = L"0123456789ABCDEF"
            [(ULONGLONG)value >> (60 - 4 * digit) & 15];
    text[16] = 0;
}

/* The child's view of section has protect.  Returns the pages it read. */
static ULONG run_child(HANDLE section, ULONG protect)
{
    static WCHAR line[] = L"demand.exe 0000000000000000";
    SIZE_T size = 0;
    void *view = (void *)0x30000000;
    HANDLE process, thread;
    PROCESS_BASIC_INFORMATION basic = { .ExitStatus = -1 };
    ULONG read = test_performance().PageReadCount;

    write_hex(line + 11, (ULONG_PTR)view);
    if (!CHECK_STATUS(create_child(line, &process, &thread), STATUS_SUCCESS))
        return 0;
    CHECK_STATUS(NtMapViewOfSection(section, process, &view, 0, 0, NULL,
                                    &size, ViewUnmap, 0, protect),
                 STATUS_SUCCESS);
    CHECK_STATUS(NtResumeThread(thread, NULL), STATUS_SUCCESS);
    CHECK_STATUS(NtWaitForSingleObject(process, FALSE, NULL), STATUS_WAIT_0);
    NtQueryInformationProcess(process, ProcessBasicInformation, &basic,
                              sizeof basic, NULL);
    CHECK_SAY(basic.ExitStatus == STATUS_SUCCESS, "the child: %08x",
              basic.ExitStatus);
    CHECK_STATUS(NtClose(thread), STATUS_SUCCESS);
    CHECK_STATUS(NtClose(process), STATUS_SUCCESS);
    return test_performance().PageReadCount - read;
}

/*
 * A child sees what is in the section and its writes are seen, unless they go
 * to copies; and a second child of the same program reads nothing from files.
 */
static void test_processes(void)
{
    HANDLE section = create_section(SIZE, SEC_COMMIT);
    volatile ULONG *view = map(section, SELF, PAGE_READWRITE);
    ULONG read;

    view[0] = 1;
    (void)run_child(section, PAGE_READWRITE);
    CHECK(view[0] == 2 && view[PAGE_WORDS] == 2);
    view[0] = 1;
    read = run_child(section, PAGE_WRITECOPY);
    CHECK_SAY(read == 0, "%u pages were read again", read);
    CHECK(view[0] == 1 && view[PAGE_WORDS] == 2);
    unmap(view);
    CHECK_STATUS(NtClose(section), STATUS_SUCCESS);
}

static NTSTATUS child(const char *word)
{
    ULONG_PTR address = 0;
    volatile ULONG *view;

    for (; *word; word++)
        address = address * 16 + (*word <= '9' ? *word - '0'
                                               : *word - 'A' + 10);
    view = (volatile ULONG *)address;
    if (view[0] != 1)
        return STATUS_UNSUCCESSFUL;
    view[0] = 2;
    view[PAGE_WORDS] = 2;
    return view[0] == 2 ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}

/*
 * One page, touched by one instruction with the same registers and given back
 * each time, more often than the kernel believes of a fault that it has dealt
 * with (thread/pagefault.c).
 */
static void test_again_and_again(void)
{
    volatile UCHAR *page = test_pages(1);
    UCHAR sum = 0;
    ULONG round;

    for (round = 0; round < ROUNDS; round++) {
        void *base = (void *)page;
        SIZE_T size = PAGE_SIZE;
        UCHAR value = 1;

        __asm__ volatile("lock xaddb %0, %1" : "+q"(value), "+m"(*page)
                         : "c"(0), "S"(0), "D"(0) : "cc");
        sum += value;
        NtFreeVirtualMemory(SELF, &base, &size, MEM_DECOMMIT);
        NtAllocateVirtualMemory(SELF, &base, 0, &size, MEM_COMMIT,
                                PAGE_READWRITE);
    }
    CHECK(sum == 0);
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    if (*test_words())
        return child(test_words());
    touch_image(peb->ImageBaseAddress);
    touch_image((void *)(ULONG_PTR)NtQueryVirtualMemory);
    test_copy_on_write();
    test_g9_recycled();
    test_zero_fill();
    test_h9_results();
    test_no_access();
    test_reserved_section();
    test_image();
    test_limit();
    test_processes();
    test_again_and_again();
    return test_end();
}
