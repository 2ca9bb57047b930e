/*
 * smp.c - several processors at once: where threads run, and races that need
 * two.  "smp N" makes N rounds of each race.
 *
 *   switches   of each processor, and its memory types: as the others'
 *   affinity   a thread runs where it may, also when that changes under it
 *   shootdown  a page that is gone is gone on all processors, once the call
 *              that took it has returned
 *   signals    two threads that wait for each other, on two processors
 *   APCs       queued by one processor to a thread that another one is just
 *              bringing back to ring 3: each runs once
 *   UserRsp    more threads than processors in the doors: each gets its own
 *              stack pointer and registers back
 *
 * Scenarios: M1.
 */
#include "test.h"

#include "services.h"
#include "../../programs/lib/find.h"

#define ROUNDS 2000
#define STACK 0x10000
#define SELF NtCurrentThread()
#define MANY 3                          /* threads for each processor */

static ULONG processors, rounds = ROUNDS;
static volatile BOOLEAN over;

static void stay_on(HANDLE thread, ULONG processor)
{
    ULONG_PTR mask = (ULONG_PTR)1 << processor;

    CHECK_STATUS(NtSetInformationThread(thread, ThreadAffinityMask, &mask,
                                        sizeof mask), STATUS_SUCCESS);
}

static HANDLE create(void *routine, ULONG_PTR argument)
{
    HANDLE thread = NULL;

    CHECK_STATUS(NtCreateThreadEx(&thread, THREAD_ALL_ACCESS, NULL,
                                  NtCurrentProcess(), routine,
                                  (void *)argument, 0, 0, STACK, STACK, NULL),
                 STATUS_SUCCESS);
    return thread;
}

static void join(HANDLE thread)
{
    CHECK_STATUS(NtWaitForSingleObject(thread, FALSE, NULL), STATUS_SUCCESS);
    CHECK_STATUS(NtClose(thread), STATUS_SUCCESS);
}

static void end(void)
{
    NtTerminateThread(SELF, 0);
}

/* ---- Switches ---- */

#define SWITCHES 0x60                   /* NtwSelfTest's numbers */
#define MEMORY_TYPES 0x61

static void check_switches(void)
{
    NTSTATUS (NTAPI *ask_kernel)(ULONG test, void *argument) =
        (void *)find_stub("NtwSelfTest");

    for (ULONG i = 0; ask_kernel && i < processors; i++) {
        stay_on(SELF, i);
        CHECK_STATUS(ask_kernel(SWITCHES, NULL), STATUS_SUCCESS);
        CHECK_STATUS(ask_kernel(MEMORY_TYPES, NULL), STATUS_SUCCESS);
    }
}

/* ---- Affinity ---- */

static volatile ULONG allowed, seen_elsewhere, looks;

static void NTAPI look_where(void *argument)
{
    (void)argument;
    while (!over) {
        ULONG before = allowed, here = NtGetCurrentProcessorNumber();

        if (before != ~0U && before == allowed && before != here)
            seen_elsewhere++;
        looks++;
    }
    end();
}

/* By itself: it is there when the call comes back. */
static void check_own_affinity(void)
{
    for (ULONG i = 0; i < rounds; i++) {
        ULONG_PTR kept = 0x1234567800000000 + i, found;

        __asm__ volatile("movq %0, %%xmm9" :: "r"(kept) : "xmm9");
        stay_on(SELF, i % processors);
        __asm__ volatile("movq %%xmm9, %0" : "=r"(found));
        CHECK(found == kept);
        CHECK(NtGetCurrentProcessorNumber() == i % processors);
        CHECK(NtCurrentTeb()->NtTib.Self == NtCurrentTeb());
    }
    stay_on(SELF, 0);
}

/* By another one: it has left when it has been asked for its context. */
static void check_others_affinity(void)
{
    static CONTEXT context __attribute__((aligned(16)));
    HANDLE thread;

    over = FALSE;
    thread = create(look_where, 0);
    for (ULONG i = 0; i < rounds / 10; i++) {
        ULONG before;

        allowed = ~0U;
        stay_on(thread, i % processors);
        context.ContextFlags = CONTEXT_INTEGER;
        CHECK_STATUS(NtGetContextThread(thread, &context), STATUS_SUCCESS);
        before = looks;
        while (looks - before < 2)
            NtYieldExecution();
        seen_elsewhere = 0;
        allowed = i % processors;
        while (looks - before < 5)
            NtYieldExecution();
        CHECK_SAY(seen_elsewhere == 0, "%u times elsewhere", seen_elsewhere);
    }
    over = TRUE;
    join(thread);
}

/* ---- A page that goes ---- */

static volatile ULONG *page;
static volatile ULONG epoch, faults, late;

static LONG NTAPI skip_read(EXCEPTION_POINTERS *pointers)
{
    CONTEXT *context = pointers->ContextRecord;

    if (pointers->ExceptionRecord->ExceptionCode != STATUS_ACCESS_VIOLATION)
        return EXCEPTION_CONTINUE_SEARCH;
    context->Rip += 2;                  /* mov eax, [rcx] */
    context->Rax = 0;
    faults++;
    return EXCEPTION_CONTINUE_EXECUTION;
}

static ULONG read_page(void)
{
    ULONG value;

    __asm__ volatile(".byte 0x8B, 0x01" : "=a"(value) : "c"(page) : "memory");
    return value;
}

/* Odd epochs: the page is away.  What is read then was there no more. */
static void NTAPI read_always(void *argument)
{
    (void)argument;
    while (!over) {
        ULONG before = epoch, value = read_page();

        if (value != 0 && before % 2 == 1 && epoch == before)
            late++;
    }
    end();
}

static void change_page(ULONG i)
{
    void *base = (void *)page;
    SIZE_T size = PAGE_SIZE;
    ULONG old;

    if (i % 2) {
        CHECK_STATUS(NtProtectVirtualMemory(NtCurrentProcess(), &base, &size,
                                            PAGE_NOACCESS, &old),
                     STATUS_SUCCESS);
    } else {
        CHECK_STATUS(NtFreeVirtualMemory(NtCurrentProcess(), &base, &size,
                                         MEM_DECOMMIT), STATUS_SUCCESS);
    }
}

static void bring_back(void)
{
    void *base = (void *)page;
    SIZE_T size = PAGE_SIZE;

    CHECK_STATUS(NtAllocateVirtualMemory(NtCurrentProcess(), &base, 0, &size,
                                         MEM_COMMIT, PAGE_READWRITE),
                 STATUS_SUCCESS);
    *page = 0x600D;
}

static void check_shootdown(void)
{
    HANDLE thread;

    over = FALSE;
    page = test_pages(1);
    *page = 0x600D;
    CHECK(RtlAddVectoredExceptionHandler(TRUE, skip_read) != NULL);
    thread = create(read_always, 0);
    stay_on(thread, processors - 1);
    for (ULONG i = 0; i < rounds; i++) {
        change_page(i);
        epoch++;
        if (i % 16 == 0) {
            ULONG before = faults;

            while (faults == before)
                NtYieldExecution();
        }
        epoch++;
        bring_back();
    }
    over = TRUE;
    join(thread);
    CHECK_SAY(late == 0, "%u reads of a page that was gone", late);
    CHECK(faults > 0);
}

/* ---- Signals ---- */

static HANDLE ping, pong;
static volatile ULONG pings;

static void NTAPI answer(void *argument)
{
    (void)argument;
    for (ULONG i = 0; i < rounds; i++) {
        CHECK_STATUS(NtWaitForSingleObject(ping, FALSE, NULL),
                     STATUS_SUCCESS);
        pings++;
        CHECK_STATUS(NtSetEvent(pong, NULL), STATUS_SUCCESS);
    }
    end();
}

static HANDLE create_event(void)
{
    HANDLE event = NULL;

    CHECK_STATUS(NtCreateEvent(&event, EVENT_ALL_ACCESS, NULL,
                               SynchronizationEvent, FALSE), STATUS_SUCCESS);
    return event;
}

static void check_signals(void)
{
    HANDLE thread;

    ping = create_event();
    pong = create_event();
    thread = create(answer, 0);
    stay_on(thread, processors - 1);
    for (ULONG i = 0; i < rounds; i++) {
        if (i % 2)
            CHECK_STATUS(NtSignalAndWaitForSingleObject(ping, pong, FALSE,
                                                        NULL),
                         STATUS_SUCCESS);
        else if (CHECK_STATUS(NtSetEvent(ping, NULL), STATUS_SUCCESS))
            CHECK_STATUS(NtWaitForSingleObject(pong, FALSE, NULL),
                         STATUS_SUCCESS);
        CHECK(pings == i + 1);
    }
    join(thread);
    NtClose(ping);
    NtClose(pong);
}

/* ---- APCs ---- */

static HANDLE target;
static volatile ULONG apcs;
static UCHAR *ran;                      /* by number: they nest */

static void NTAPI count_apc(void *number, void *argument2, void *argument3)
{
    (void)argument2, (void)argument3;
    ran[(ULONG_PTR)number]++;
    __sync_fetch_and_add(&apcs, 1);
}

static void NTAPI queue_apcs(void *argument)
{
    (void)argument;
    for (ULONG i = 0; i < rounds; i++) {
        while (i - apcs > 8)            /* they nest */
            NtYieldExecution();
        CHECK_STATUS(NtQueueApcThreadEx(target,
                                        QUEUE_USER_APC_SPECIAL_USER_APC,
                                        (PPS_APC_ROUTINE)count_apc,
                                        (void *)(ULONG_PTR)i, NULL, NULL),
                     STATUS_SUCCESS);
    }
    end();
}

static void check_apcs(void)
{
    ULONG wrong = 0;
    HANDLE thread;

    ran = test_pages(rounds / PAGE_SIZE + 1);
    CHECK_STATUS(NtDuplicateObject(NtCurrentProcess(), SELF,
                                   NtCurrentProcess(), &target, 0, 0,
                                   DUPLICATE_SAME_ACCESS), STATUS_SUCCESS);
    thread = create(queue_apcs, 0);
    stay_on(thread, processors - 1);
    while (apcs < rounds)
        NtGetCurrentProcessorNumber();
    join(thread);
    for (ULONG i = 0; i < rounds; i++)
        wrong += ran[i] != 1;
    CHECK_SAY(wrong == 0, "%u APCs did not run once", wrong);
    NtClose(target);
}

/* ---- Stack pointers and registers ---- */

/* What a call keeps; gs and rsp are the kernel's to give back. */
static BOOLEAN call_keeps(ULONGLONG key)
{
    register ULONGLONG rbx __asm__("rbx") = key;
    register ULONGLONG r12 __asm__("r12") = ~key;
    register ULONGLONG r15 __asm__("r15") = key << 8;
    register ULONGLONG before __asm__("r13"), after __asm__("r14");
    ULONGLONG rax = SERVICE_NtYieldExecution;

    __asm__ volatile("mov %%rsp, %3\n\t"
                     "syscall\n\t"
                     "mov %%rsp, %4"
                     : "+r"(rbx), "+r"(r12), "+r"(r15), "=&r"(before),
                       "=&r"(after), "+a"(rax)
                     : : "rcx", "rdx", "r8", "r9", "r10", "r11", "xmm0",
                         "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "memory",
                         "cc");
    return rbx == key && r12 == ~key && r15 == key << 8 && before == after &&
           NtCurrentTeb()->NtTib.Self == NtCurrentTeb();
}

static void NTAPI call_and_look(void *argument)
{
    ULONGLONG number = (ULONG_PTR)argument;

    for (ULONG i = 0; i < rounds; i++)
        CHECK(call_keeps(number << 32 | i));
    end();
}

static void check_stacks(void)
{
    HANDLE threads[64];
    ULONG count = processors * MANY, i;

    if (count > ARRAY_SIZE(threads))
        count = ARRAY_SIZE(threads);
    for (i = 0; i < count; i++)
        threads[i] = create(call_and_look, i);
    for (i = 0; i < count; i++)
        join(threads[i]);
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    processors = peb->NumberOfProcessors;
    if (*test_words())
        rounds = (ULONG)atoi(test_words());
    if (processors > 64)
        processors = 64;                /* of a group */
    check_switches();
    check_own_affinity();
    if (processors > 1) {
        check_others_affinity();
        check_shootdown();
        check_signals();
        check_apcs();
    }
    check_stacks();
    print("%u processors, %u rounds: %u reads of a page that was away, "
          "%u signals, %u APCs\n", processors, rounds, faults, pings, apcs);
    return test_end();
}
