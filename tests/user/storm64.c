/*
 * storm64.c - threads without end, each with APCs, under NMIs without end: all
 * that was queued runs once, every thread ends as it was told to, and pages,
 * handles and kernel memory are as many as before.
 *
 *     storm64 [THREADS [NMIS [beside]]]
 *
 * THREADS are made, and more until NMIS have come; the kernel of the test
 * build makes those (tests/kernel/nmistorm.c), any other none.  With "beside"
 * other programs run, and the machine's counters are not this one's to check.
 *
 * Scenarios: D13, I4, I12.
 */
#include "nmistorm.h"

#define THREADS 10000
#define NMIS 50000
#define WARM_UP 256
#define AT_ONCE 16
#define APCS 2                          /* for each, before it begins */
#define STACK 0x10000
#define SELF NtCurrentThread()
#define LOCKS 2                         /* the loader's, the handlers' */

#define PACE 64                         /* threads with one rate of NMIs */

enum life {
    END_AT_ONCE, TEST_ALERT, WAIT_FOR_APC, FAULT, BREAK, YIELD, SPIN,
    BE_ENDED, LIVES,
};

static HANDLE never;
static HANDLE threads[AT_ONCE];
static ULONG numbers[AT_ONCE];
static ULONG made, queued;
static BOOLEAN beside;
static volatile LONG ran, ran_of_ended;
static volatile ULONG got[AT_ONCE];             /* APCs, of each thread */

/* ---- A thread's life ---- */

static void NTAPI count_apc(void *number, void *complement, void *life)
{
    CHECK((ULONG_PTR)number == ~(ULONG_PTR)complement);
    got[(ULONG_PTR)number % AT_ONCE]++;
    __sync_fetch_and_add((ULONG_PTR)life == BE_ENDED ? &ran_of_ended : &ran,
                         1);
}

static LONG NTAPI handle(EXCEPTION_POINTERS *pointers)
{
    CONTEXT *context = pointers->ContextRecord;

    context->Rip += pointers->ExceptionRecord->ExceptionCode ==
                            STATUS_BREAKPOINT ? 1 : 2;
    return EXCEPTION_CONTINUE_EXECUTION;
}

static void spin(void)
{
    for (volatile ULONG turns = 0; turns < 500; turns++)
        continue;
}

/* Registers that others use, too, over a switch. */
static void yield(ULONG_PTR number)
{
    ULONG_PTR found;

    __asm__ volatile("movq %0, %%xmm7" :: "r"(number) : "xmm7");
    NtYieldExecution();
    __asm__ volatile("movq %%xmm7, %0" : "=r"(found));
    CHECK(found == number);
}

/*
 * The maker alerts until the thread has ended, and whoever finds an alert
 * leaves the APCs for the next time.
 */
static void wait_for_apcs(ULONG_PTR number)
{
    while (got[number % AT_ONCE] < APCS + 1) {
        NTSTATUS status = NtWaitForSingleObject(never, TRUE, NULL);

        CHECK_SAY(status == STATUS_USER_APC || status == STATUS_ALERTED,
                  "a wait for an APC: %08x", status);
    }
}

static void NTAPI live(void *argument)
{
    ULONG_PTR number = (ULONG_PTR)argument;

    switch (number % LIVES) {
    case TEST_ALERT:
        NtTestAlert();
        break;
    case WAIT_FOR_APC:
        wait_for_apcs(number);
        break;
    case FAULT:                         /* mov [rax], eax */
        __asm__ volatile(".byte 0x89, 0x00" :: "a"(8) : "memory");
        break;
    case BREAK:
        __asm__ volatile("int3");
        break;
    case YIELD:
        yield(number);
        break;
    case SPIN:
        spin();
        break;
    case BE_ENDED:
        NtWaitForSingleObject(never, FALSE, NULL);
        break;
    }
    NtTerminateThread(SELF, (NTSTATUS)number);
}

/* ---- Its maker ---- */

/* There may be no memory just now: a tick later, then. */
static BOOLEAN is_refused(NTSTATUS status)
{
    LARGE_INTEGER tick = { .QuadPart = -1 };

    if (!beside || status != STATUS_INSUFFICIENT_RESOURCES)
        return FALSE;
    NtDelayExecution(FALSE, &tick);
    return TRUE;
}

static void queue(HANDLE thread, ULONG_PTR number)
{
    NTSTATUS status;

    do {
        status = NtQueueApcThread(thread, (void *)count_apc, (void *)number,
                                  (void *)~number, (void *)(number % LIVES));
    } while (is_refused(status));
    CHECK_STATUS(status, STATUS_SUCCESS);
    if (number % LIVES != BE_ENDED)
        queued++;
}

/*
 * Who is ended by others may be anywhere: in the loader, too, and would leave
 * its lock behind, for which all others would wait for ever.
 */
static NTSTATUS create(HANDLE *thread, ULONG_PTR number)
{
    ULONG flags = THREAD_CREATE_FLAGS_CREATE_SUSPENDED;

    if (number % LIVES == BE_ENDED)
        flags |= THREAD_CREATE_FLAGS_SKIP_LOADER_INIT;
    return NtCreateThreadEx(thread, THREAD_ALL_ACCESS, NULL,
                            NtCurrentProcess(), live, (void *)number, flags,
                            0, STACK, STACK, NULL);
}

static void make(ULONG slot)
{
    ULONG_PTR number = made++;
    HANDLE thread = NULL;
    NTSTATUS status;

    got[slot] = 0;
    do {
        status = create(&thread, number);
    } while (is_refused(status));
    if (!CHECK_STATUS(status, STATUS_SUCCESS))
        return;
    for (ULONG i = 0; i < APCS; i++)
        queue(thread, number);
    CHECK_STATUS(NtResumeThread(thread, NULL), STATUS_SUCCESS);
    if (number % LIVES == WAIT_FOR_APC)
        queue(thread, number);
    threads[slot] = thread;
    numbers[slot] = (ULONG)number;
}

/* Who waits may have had its APCs before: it is alerted until it ends. */
static void finish(ULONG slot)
{
    THREAD_BASIC_INFORMATION basic = { .ExitStatus = 0 };
    LARGE_INTEGER soon = { .QuadPart = 0 };
    HANDLE thread = threads[slot];
    ULONG number = numbers[slot];

    if (!thread)
        return;
    if (number % LIVES == BE_ENDED)
        CHECK_STATUS(NtTerminateThread(thread, (NTSTATUS)number),
                     STATUS_SUCCESS);
    while (number % LIVES == WAIT_FOR_APC &&
           NtWaitForSingleObject(thread, FALSE, &soon) == STATUS_TIMEOUT) {
        if (NtAlertThread(thread) == STATUS_SUCCESS)
            NtYieldExecution();
    }
    CHECK_STATUS(NtWaitForSingleObject(thread, FALSE, NULL), STATUS_SUCCESS);
    CHECK_STATUS(NtQueryInformationThread(thread, ThreadBasicInformation,
                                          &basic, sizeof basic, NULL),
                 STATUS_SUCCESS);
    CHECK_SAY((ULONG)basic.ExitStatus == number, "thread %u ended with %x",
              number, basic.ExitStatus);
    CHECK_STATUS(NtClose(thread), STATUS_SUCCESS);
    threads[slot] = NULL;
}

static void storm(ULONG count, ULONG nmis)
{
    ULONG last = made + count, before = ask_kernel(COUNT_NMIS);

    while (made < last ||
           (kernel_test && ask_kernel(COUNT_NMIS) - before < nmis)) {
        if (nmis && made % PACE == 0)
            change_pace();
        finish(made % AT_ONCE);
        make(made % AT_ONCE);
    }
    for (ULONG slot = 0; slot < AT_ONCE; slot++)
        finish(slot);
    send_nmis(0);
}

/* ---- What there was before, and is again ---- */

/* ntdll's locks have an event each from when somebody first waits for one. */
static void check_same(const struct counters *before)
{
    struct counters after = count_all();

    CHECK_SAY(after.handles <= before->handles + LOCKS,
              "%u handles, then %u", before->handles, after.handles);
    CHECK_SAY(after.blocks - before->blocks == after.handles - before->handles,
              "%u blocks, then %u", before->blocks, after.blocks);
    CHECK_SAY(after.pages + LOCKS + test_page_slack() >= before->pages,
              "%u pages, then %u",
              before->pages, after.pages);
}

static void tell(ULONG nmis, LONGLONG time)
{
    ULONGLONG tenths = time > SECOND / 10 ? time / (SECOND / 10) : 1;

    print("%u threads, %u APCs, %u NMIs in %llu.%llu s; in an hour %llu "
          "threads, %llu NMIs\n", made, queued, nmis, tenths / 10,
          tenths % 10, made * HOUR * 10 / tenths,
          (ULONGLONG)nmis * HOUR * 10 / tenths);
}

static ULONG next_number(const char **words, ULONG otherwise)
{
    ULONG number = (ULONG)atoi(*words);

    while (**words && **words != ' ')
        ++*words;
    while (**words == ' ')
        ++*words;
    return number ? number : otherwise;
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    const char *words = test_words();
    ULONG count = next_number(&words, THREADS);
    ULONG nmis = next_number(&words, NMIS);
    LARGE_INTEGER begun, ended;
    struct counters before;
    ULONG first;

    (void)peb;
    beside = *words == 'b';
    find_kernel_test();
    CHECK(RtlAddVectoredExceptionHandler(TRUE, handle) != NULL);
    CHECK_STATUS(NtCreateEvent(&never, EVENT_ALL_ACCESS, NULL,
                               NotificationEvent, FALSE), STATUS_SUCCESS);
    print("storming\n");
    storm(WARM_UP, 0);
    before = count_all();
    first = ask_kernel(COUNT_NMIS);
    NtQuerySystemTime(&begun);
    storm(count, nmis);
    NtQuerySystemTime(&ended);
    CHECK_SAY((ULONG)ran == queued, "%u APCs queued, %u run", queued,
              (ULONG)ran);
    if (!beside)
        check_same(&before);
    tell(ask_kernel(COUNT_NMIS) - first, ended.QuadPart - begun.QuadPart);
    return test_end();
}
