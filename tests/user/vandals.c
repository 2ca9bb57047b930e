/*
 * vandals.c - two processes, and threads of both, at the same addresses of one
 * of them.
 *
 * The child's threads and the parent's allocate, free, protect, lock, map and
 * unmap in the child's arena, read and write it by themselves, by services and
 * from one process into the other; any call may find any state.  In the middle
 * of it the child is ended, and there is another one.  In the end all memory
 * is back.  "vandals N" has N times as many children.
 */
#include "test.h"

#include "child.h"

#define SELF NtCurrentProcess()
#define IMAGE L"\\SystemRoot\\System32\\vandals.exe"
#define NAME L"\\BaseNamedObjects\\vandals"
#define ARENA 0x6000000000ULL
#define PAGES 96
#define THREADS 3
#define ROUNDS 3
#define STEPS 400                       /* of each of the parent's threads */

static HANDLE target, section, reserved, image;
static ULONG seeds;
static volatile BOOLEAN stop;

/* ---- accesses: an exception is no matter ---- */

void peek(const void *from);
void poke(void *to);
extern const UCHAR peek_at[], poke_at[];

__asm__(
    "peek:\n"
    "peek_at:\n\t"
    "mov (%rcx), %rdx\n\t"
    "ret\n"
    "poke:\n"
    "poke_at:\n\t"
    "mov %rcx, (%rcx)\n\t"
    "ret");

#define ACCESS_BYTES 3

static LONG NTAPI skip(EXCEPTION_POINTERS *pointers)
{
    CONTEXT *context = pointers->ContextRecord;

    if (context->Rip != (ULONG_PTR)peek_at &&
        context->Rip != (ULONG_PTR)poke_at)
        return EXCEPTION_CONTINUE_SEARCH;
    context->Rip += ACCESS_BYTES;
    return EXCEPTION_CONTINUE_EXECUTION;
}

/* ---- calls ---- */

static ULONG below(ULONG *seed, ULONG limit)
{
    return RtlUniform(seed) % limit;
}

static void *place(ULONG *seed)
{
    return (void *)(ULONG_PTR)(ARENA + (ULONGLONG)below(seed, PAGES) *
                                           PAGE_SIZE + below(seed, 2) * 0xFF8);
}

static SIZE_T length(ULONG *seed)
{
    return below(seed, 24 * PAGE_SIZE);
}

static ULONG protection(ULONG *seed)
{
    static const ULONG some[] = {
        PAGE_READWRITE, PAGE_READWRITE, PAGE_READONLY, PAGE_NOACCESS,
        PAGE_READWRITE | PAGE_GUARD, PAGE_WRITECOPY, PAGE_EXECUTE_READ,
        PAGE_READWRITE | PAGE_NOCACHE,
    };

    return some[below(seed, ARRAY_SIZE(some))];
}

static void map(ULONG *seed)
{
    HANDLE what[] = { section, section, reserved, image };
    void *base = (void *)((ULONG_PTR)place(seed) & ~0xFFFFULL);
    LARGE_INTEGER offset = { .QuadPart = below(seed, 2) * 0x10000 };
    SIZE_T size = below(seed, 3) ? length(seed) : 0;

    NtMapViewOfSection(what[below(seed, ARRAY_SIZE(what))], target, &base, 0,
                       0, &offset, &size, ViewUnmap, 0, protection(seed));
}

static void use_memory(ULONG *seed)
{
    QUOTA_LIMITS empty = { .MinimumWorkingSetSize = ~(SIZE_T)0,
                           .MaximumWorkingSetSize = ~(SIZE_T)0 };
    MEMORY_BASIC_INFORMATION memory;
    void *base = place(seed);
    SIZE_T size = length(seed);
    ULONG old;

    switch (below(seed, 12)) {
    case 0:
        NtAllocateVirtualMemory(target, &base, 0, &size, MEM_RESERVE,
                                PAGE_READWRITE);
        break;
    case 1:
        NtAllocateVirtualMemory(target, &base, 0, &size,
                                MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
        break;
    case 2:
        NtAllocateVirtualMemory(target, &base, 0, &size, MEM_COMMIT,
                                protection(seed));
        break;
    case 3:
        size = below(seed, 2) ? size : 0;
        NtFreeVirtualMemory(target, &base, &size, MEM_RELEASE);
        break;
    case 4:
        NtFreeVirtualMemory(target, &base, &size, MEM_DECOMMIT);
        break;
    case 5:
        NtProtectVirtualMemory(target, &base, &size, protection(seed), &old);
        break;
    case 6:
        map(seed);
        break;
    case 7:
        NtUnmapViewOfSection(target, base);
        break;
    case 8:
        NtQueryVirtualMemory(target, base, MemoryBasicInformation, &memory,
                             sizeof memory, NULL);
        break;
    case 9:
        NtSetInformationProcess(target, ProcessQuotaLimits, &empty,
                                sizeof empty);
        break;
    case 10:
        NtLockVirtualMemory(target, &base, &size, MAP_PROCESS);
        break;
    case 11:
        NtUnlockVirtualMemory(target, &base, &size, MAP_PROCESS);
        break;
    }
}

static UCHAR buffer[16 * PAGE_SIZE];

static void copy(ULONG *seed)
{
    void *at = place(seed);
    SIZE_T size = length(seed) % sizeof buffer, count;

    if (below(seed, 2))
        NtReadVirtualMemory(target, at, buffer, size, &count);
    else
        NtWriteVirtualMemory(target, at, buffer, size, &count);
}

static void touch(ULONG *seed)
{
    LARGE_INTEGER *time = place(seed);

    switch (below(seed, 4)) {
    case 0: peek(time); break;
    case 1: poke(time); break;
    case 2: NtQuerySystemTime(time); break;
    case 3: NtReadVirtualMemory(SELF, time, place(seed), length(seed), NULL);
    }
}

static void NTAPI rage(void *argument)
{
    ULONG seed = (ULONG)(ULONG_PTR)argument * 7919 + 1;
    ULONG steps = target == SELF ? ~0U : STEPS;

    for (ULONG i = 0; i < steps && !stop; i++) {
        if (below(&seed, 3))
            use_memory(&seed);
        else if (target == SELF && below(&seed, 4))
            touch(&seed);
        else
            copy(&seed);
        if (below(&seed, 8) == 0)
            NtYieldExecution();
    }
}

static void start(HANDLE *threads)
{
    for (ULONG i = 0; i < THREADS; i++)
        CHECK_STATUS(RtlCreateUserThread(SELF, NULL, FALSE, 0, 0, 0, rage,
                                         (void *)(ULONG_PTR)seeds++,
                                         &threads[i], NULL), STATUS_SUCCESS);
}

static HANDLE make_section(ULONG attributes)
{
    LARGE_INTEGER size = { .QuadPart = 0x30000 };
    UNICODE_STRING name;
    OBJECT_ATTRIBUTES object = { .Length = sizeof object,
                                 .ObjectName = &name,
                                 .Attributes = OBJ_OPENIF };
    HANDLE handle;
    NTSTATUS status;

    RtlInitUnicodeString(&name, attributes == SEC_COMMIT ? NAME : NAME L"2");
    status = NtCreateSection(&handle, SECTION_ALL_ACCESS, &object, &size,
                             PAGE_READWRITE, attributes, NULL);
    CHECK(NT_SUCCESS(status));
    return handle;
}

static HANDLE make_image(void)
{
    HANDLE file, handle;

    CHECK_STATUS(test_open(L"ldra.dll", FILE_READ_DATA | FILE_EXECUTE |
                           SYNCHRONIZE, &file), STATUS_SUCCESS);
    CHECK_STATUS(NtCreateSection(&handle, SECTION_ALL_ACCESS, NULL, NULL,
                                 PAGE_READONLY, SEC_IMAGE, file),
                 STATUS_SUCCESS);
    CHECK_STATUS(NtClose(file), STATUS_SUCCESS);
    return handle;
}

static void prepare(void)
{
    section = make_section(SEC_COMMIT);
    reserved = make_section(SEC_RESERVE);
    image = make_image();
}

static void finish(void)
{
    NtClose(section);
    NtClose(reserved);
    NtClose(image);
}

static void child(void)
{
    HANDLE threads[THREADS];

    RtlAddVectoredExceptionHandler(TRUE, skip);
    target = SELF;
    seeds = (ULONG)__builtin_ia32_rdtsc();
    prepare();
    start(threads);
    NtWaitForSingleObject(threads[0], FALSE, NULL);
}

/* One child: it is ended when the first of the parent's threads is through. */
static void round(void)
{
    RTL_USER_PROCESS_INFORMATION information;
    HANDLE threads[THREADS];

    if (!CHECK_STATUS(start_child(IMAGE, &information), STATUS_SUCCESS))
        return;
    prepare();
    target = information.ProcessHandle;
    NtResumeThread(information.ThreadHandle, NULL);
    start(threads);
    NtWaitForSingleObject(threads[0], FALSE, NULL);
    NtTerminateProcess(target, 9);
    for (ULONG i = 0; i < THREADS; i++) {
        NtWaitForSingleObject(threads[i], FALSE, NULL);
        NtClose(threads[i]);
    }
    CHECK_STATUS(end_child(&information), 9);
    finish();
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    ULONG rounds = ROUNDS, pages;

    (void)peb;
    if (!strcmp(test_words(), "child")) {
        child();
        return 3;
    }
    if (*test_words())
        rounds *= (ULONG)atoi(test_words());
    round();
    pages = test_settled_pages();
    while (rounds--)
        round();
    CHECK_SAY(test_settled_pages() + 4 + test_page_slack() >= pages,
              "%u pages, then %u", pages,
              test_settled_pages());
    return test_end();
}
