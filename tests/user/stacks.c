/*
 * stacks.c - stacks grow: the first thread's and those of threads with little
 * room, in ring 3 and under the kernel's hands, to their end.
 *
 * A guard page is touched by a service as well as by the program, so the end
 * of a stack can be seen as a status.
 *
 * Scenarios: H12.
 */
#include "test.h"

#include "facts.h"

#define PAGE ((SIZE_T)PAGE_SIZE)
#define SMALL 0x20000           /* bytes, two steps of the allocation */

/* What the service says that writes 8 bytes there. */
static NTSTATUS touch(ULONG_PTR address)
{
    return NtQuerySystemTime((LARGE_INTEGER *)address);
}

static ULONG_PTR base(void)
{
    return (ULONG_PTR)NtCurrentTeb()->NtTib.StackBase;
}

static ULONG_PTR limit(void)
{
    return (ULONG_PTR)*(void *volatile *)&NtCurrentTeb()->NtTib.StackLimit;
}

static ULONG_PTR lowest(void)
{
    return (ULONG_PTR)NtCurrentTeb()->DeallocationStack;
}

static MEMORY_BASIC_INFORMATION query(ULONG_PTR address)
{
    MEMORY_BASIC_INFORMATION memory = { .State = 0 };

    CHECK_STATUS(NtQueryVirtualMemory(NtCurrentProcess(), (void *)address,
                                      MemoryBasicInformation, &memory,
                                      sizeof memory, NULL), STATUS_SUCCESS);
    return memory;
}

/* Reserved, guard pages of this size, committed: nothing else. */
static void check_parts(SIZE_T guard)
{
    MEMORY_BASIC_INFORMATION reserved = query(lowest());
    MEMORY_BASIC_INFORMATION guards = query(limit() - PAGE);
    MEMORY_BASIC_INFORMATION used = query(limit());

    CHECK((ULONG_PTR)reserved.AllocationBase == lowest());
    CHECK(reserved.State == MEM_RESERVE);
    CHECK_SAY(lowest() + reserved.RegionSize == limit() - guard,
              "reserved %Ix of %Ix", reserved.RegionSize, limit() - lowest());
    CHECK(guards.State == MEM_COMMIT &&
          guards.Protect == (PAGE_READWRITE | PAGE_GUARD));
    CHECK(used.State == MEM_COMMIT && used.Protect == PAGE_READWRITE);
    CHECK(limit() + used.RegionSize == base());
}

/* By hand a page at a time: by a read, by the kernel, and two at once. */
static void check_steps(void)
{
    ULONG_PTR before = limit();

    (void)*(volatile UCHAR *)(before - 1);
    CHECK(limit() == before - PAGE);
    check_parts(STACK_GUARD);
    CHECK_STATUS(touch(limit() - 8), STATUS_SUCCESS);
    CHECK(limit() == before - 2 * PAGE);
    check_parts(STACK_GUARD);
    (void)*(volatile UCHAR *)(limit() - PAGE - 1);
    CHECK(limit() == before - 4 * PAGE);
    check_parts(STACK_GUARD);
}

static volatile ULONG depth;

/* Frames of more than the guard pages: the compiler probes them. */
__attribute__((noinline)) static ULONG recurse(ULONG count)
{
    volatile UCHAR frame[0x5000];

    frame[0] = frame[sizeof frame - 1] = (UCHAR)count;
    depth++;
    if (count != 0)
        recurse(count - 1);
    return frame[0] + frame[sizeof frame - 1];
}

static void check_recursion(void)
{
    ULONG_PTR before = limit();

    depth = 0;
    recurse(9);
    CHECK(depth == 10);
    CHECK_SAY(before - limit() >= 9 * 0x5000, "by %Ix", before - limit());
    check_parts(STACK_GUARD);
}

/* ---- the end ---- */

static SIZE_T left;             /* bytes between overflow and the end */

static NTSTATUS to_the_end(void)
{
    NTSTATUS status;

    do {
        status = touch(limit() - 8);
    } while (status == STATUS_SUCCESS);
    return status;
}

/* What is left is writable; then there is nothing. */
static void check_end(ULONG_PTR guard)
{
    ULONG_PTR hit;

    do {
        hit = limit() - PAGE;
    } while (touch(limit() - 8) == STATUS_SUCCESS);
    CHECK(limit() == lowest() + PAGE);
    left = hit - limit();
    CHECK_SAY(left == guard - PAGE, "%Ix are left", left);
    CHECK(query(limit()).Protect == PAGE_READWRITE);
    CHECK(limit() + query(limit()).RegionSize == base());
    *(volatile UCHAR *)limit() = 1;
    CHECK_STATUS(touch(limit() - 8), STATUS_ACCESS_VIOLATION);
    CHECK(query(lowest()).State == MEM_RESERVE);
}

static void NTAPI small_thread(void *parameter)
{
    (void)parameter;
    CHECK(base() - lowest() == SMALL);
    CHECK(limit() == base() - 2 * PAGE);
    check_parts(FIRST_STACK_GUARD);
    (void)*(volatile UCHAR *)(limit() - 1);
    check_parts(STACK_GUARD);
    check_end(STACK_GUARD);
}

/* ---- the end as an exception, handled on what is left ---- */

static CONTEXT before;
static volatile ULONG overflows;

static LONG NTAPI handle(EXCEPTION_POINTERS *pointers)
{
    if (pointers->ExceptionRecord->ExceptionCode != STATUS_STACK_OVERFLOW)
        return EXCEPTION_CONTINUE_SEARCH;
    overflows++;
    *pointers->ContextRecord = before;
    return EXCEPTION_CONTINUE_EXECUTION;
}

/*
 * The context is taken once, and continued with a second time.  Not in 32-bit
 * code, where RtlCaptureContext is about the caller's caller.
 */
static void NTAPI handled_thread(void *parameter)
{
    void *handler = RtlAddVectoredExceptionHandler(TRUE, handle);

    (void)parameter;
    overflows = 0;
    RtlCaptureContext(&before);
    if (overflows == 0)
        recurse(100);
    CHECK(overflows == 1);
    CHECK(limit() == lowest() + PAGE);
    RtlRemoveVectoredExceptionHandler(handler);
}

/* A guard page put back where the stack has been: its end is told again. */
static void NTAPI reset_thread(void *parameter)
{
    void *page;
    SIZE_T size = PAGE;
    ULONG old;

    (void)parameter;
    CHECK_STATUS(to_the_end(), STATUS_STACK_OVERFLOW);
    page = (void *)limit();
    CHECK_STATUS(NtProtectVirtualMemory(NtCurrentProcess(), &page, &size,
                                        PAGE_READWRITE | PAGE_GUARD, &old),
                 STATUS_SUCCESS);
    CHECK_STATUS(touch(limit() + 8), STATUS_STACK_OVERFLOW);
    CHECK(limit() == lowest() + PAGE);
    CHECK_STATUS(touch(limit() + 8), STATUS_SUCCESS);
}

static void NTAPI guaranteed_thread(void *parameter)
{
    (void)parameter;
    guarantee(4 * PAGE + 1);
    (void)*(volatile UCHAR *)(limit() - 1);
    check_parts(6 * PAGE);
    check_end(6 * PAGE);
}

/* TEBs that lie: the thread's stack is where they say, or nowhere. */
static void NTAPI lying_thread(void *parameter)
{
    NT_TIB *tib = &NtCurrentTeb()->NtTib;
    void *right = tib->StackBase;
    ULONG_PTR next;

    (void)parameter;
    CHECK_STATUS(touch(limit() - PAGE), STATUS_SUCCESS);
    tib->StackBase = (void *)(ULONG_PTR)0x1000;
    CHECK_STATUS(touch(limit() - 8), STATUS_GUARD_PAGE_VIOLATION);
    CHECK_STATUS(touch(limit() - 8), STATUS_SUCCESS);
    tib->StackBase = right;
    next = limit() - 2 * PAGE;
    tib->StackLimit = (void *)~(ULONG_PTR)0;
    CHECK_STATUS(touch(next), STATUS_SUCCESS);
    CHECK(limit() == next);
    tib->StackLimit = NULL;
    CHECK_STATUS(touch(next - 8), STATUS_SUCCESS);
    tib->StackLimit = (void *)(next - PAGE);
}

/* ---- others' stacks ---- */

static HANDLE go_on, ready;
static ULONG_PTR foreign_limit;

static void NTAPI waiting_thread(void *parameter)
{
    (void)parameter;
    foreign_limit = limit();
    NtSetEvent(ready, NULL);
    NtWaitForSingleObject(go_on, FALSE, NULL);
    CHECK(limit() == foreign_limit);
}

static HANDLE run(PUSER_THREAD_START_ROUTINE routine, SIZE_T reserve,
                  SIZE_T commit)
{
    HANDLE thread = NULL;

    CHECK_STATUS(RtlCreateUserThread(NtCurrentProcess(), NULL, FALSE, 0,
                                     reserve, commit, routine, NULL, &thread,
                                     NULL), STATUS_SUCCESS);
    return thread;
}

static void finish(HANDLE thread)
{
    CHECK_STATUS(NtWaitForSingleObject(thread, FALSE, NULL), STATUS_WAIT_0);
    CHECK_STATUS(NtClose(thread), STATUS_SUCCESS);
}

static void check_foreign(void)
{
    HANDLE thread;

    NtCreateEvent(&go_on, EVENT_ALL_ACCESS, NULL, SynchronizationEvent, FALSE);
    NtCreateEvent(&ready, EVENT_ALL_ACCESS, NULL, SynchronizationEvent, FALSE);
    thread = run(waiting_thread, SMALL, 0);
    NtWaitForSingleObject(ready, FALSE, NULL);
    CHECK_STATUS(touch(foreign_limit - 8), STATUS_GUARD_PAGE_VIOLATION);
    CHECK_STATUS(touch(foreign_limit - 8), STATUS_SUCCESS);
    NtSetEvent(go_on, NULL);
    finish(thread);
    NtClose(go_on);
    NtClose(ready);
}

/* Guard pages that are no stack's. */
static void check_elsewhere(void)
{
    UCHAR *page = test_pages(1);

    test_protect(page, 1, PAGE_READWRITE | PAGE_GUARD);
    CHECK_STATUS(touch((ULONG_PTR)page), STATUS_GUARD_PAGE_VIOLATION);
    CHECK_STATUS(touch((ULONG_PTR)page), STATUS_SUCCESS);
}

/* ---- sizes ---- */

static SIZE_T expected_reserve, expected_commit;

static void NTAPI sized_thread(void *parameter)
{
    (void)parameter;
    CHECK_SAY(base() - lowest() == expected_reserve &&
              base() - limit() == expected_commit,
              "reserve %Ix, commit %Ix", base() - lowest(),
              base() - limit());
}

static void check_size(SIZE_T reserve, SIZE_T commit, SIZE_T got_reserve,
                       SIZE_T got_commit)
{
    expected_reserve = got_reserve;
    expected_commit = got_commit;
    finish(run(sized_thread, reserve, commit));
}

static void check_sizes(void)
{
    check_size(0x10001, 1, 0x20000, 0x1000);
    check_size(0x40000, 0x3001, 0x40000, 0x4000);
    check_size(0x10000, 0x10000, 0x100000, 0x10000);
    check_size(0x10000, 0x180000, 0x200000, 0x180000);
    check_size(0x10000, 0xF001, 0x10000, 0x10000);
}

static void check_threads(void)
{
    finish(run(small_thread, SMALL, 2 * PAGE));
    finish(run(reset_thread, SMALL, 0));
    if (sizeof(void *) == sizeof(ULONGLONG))
        finish(run(handled_thread, SMALL, 0));
    if (HAS_GUARANTEE)
        finish(run(guaranteed_thread, SMALL, PAGE));
    finish(run(lying_thread, SMALL, PAGE));
    check_foreign();
    check_sizes();
}

/* Of this process: all that is not reserved or free. */
static SIZE_T committed(void)
{
    SIZE_T sum = 0;

    for (ULONG_PTR at = 0; at < TOP;) {
        MEMORY_BASIC_INFORMATION memory = query(at);

        if (memory.State == MEM_COMMIT)
            sum += memory.RegionSize;
        if (memory.RegionSize == 0)
            break;
        at = (ULONG_PTR)memory.BaseAddress + memory.RegionSize;
    }
    return sum;
}

/* The second time nothing is made that stays. */
static void check_given_back(void)
{
    SIZE_T before, after;

    check_threads();
    before = committed();
    check_threads();
    after = committed();
    CHECK_SAY(before == after, "%Ix -> %Ix", before, after);
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    (void)peb;
    check_parts(STACK_GUARD);
    check_steps();
    check_recursion();
    check_elsewhere();
    check_given_back();
    return test_end();
}
