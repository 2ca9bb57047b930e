/*
 * soak.c - everything at once, for as long as it is told: other test programs,
 * four at a time, started again when they end; NMIs; memory that comes and
 * goes, more than there is.  Each must end as it does alone; at the end pages,
 * handles and kernel memory are as many as when each had run once.
 *
 *     soak [SECONDS]
 *
 * The programs are those that do not look at the machine's counters, which
 * are everybody's here (make soak adds them to the image).
 */
#include "nmistorm.h"

#include "../../programs/lib/start.h"

#define SECONDS 60
#define AT_ONCE 4
#define WAIT_ANY 1
#define WORDS 40
#define NAME 16
#define STACK 0x10000

#define MOST_PAGES 8000                 /* of the thread that wants memory */

struct job {
    const char *name;
    ULONG bits;                         /* of its code */
    const char *words;                  /* a % becomes a number */
    ULONG runs;
};

/* scripts/soak reads here which programs to take along. */
static struct job jobs[] = {
    { "storm64", 64, "500 1 beside", 0 },
    { "fuzz", 64, "calls=30000 seed=%", 0 }, { "apcstorm", 64, "", 0 },
    { "tornregs", 64, "", 0 }, { "isolation", 64, "", 0 },
    { "continuefuzz", 64, "%", 0 }, { "exceptions", 64, "", 0 },
    { "callregs", 64, "", 0 }, { "numbers", 64, "", 0 },
    { "flags", 64, "", 0 }, { "context", 64, "", 0 },
    { "floating", 64, "", 0 }, { "debugregs", 64, "", 0 },
    { "events", 64, "", 0 }, { "mutants", 64, "", 0 },
    { "semaphores", 64, "", 0 }, { "storm", 32, "", 0 },
    { "chain", 32, "", 0 }, { "faults", 32, "", 0 }, { "handlers", 32, "", 0 },
};

static HANDLE running[AT_ONCE];
static struct job *running_job[AT_ONCE];
static volatile BOOLEAN over;
static volatile ULONG regions;

/* By the processor's counter: under so many NMIs the clock loses ticks. */
static LONGLONG now(void)
{
    LARGE_INTEGER counter, frequency;

    NtQueryPerformanceCounter(&counter, &frequency);
    return counter.QuadPart / frequency.QuadPart * SECOND +
           counter.QuadPart % frequency.QuadPart * SECOND /
               frequency.QuadPart;
}

/* ---- Programs ---- */

static WCHAR *put(WCHAR *to, const char *text)
{
    for (; *text; text++) {
        ULONG number = RtlUniform(&seed) % 100000 + 10000;

        if (*text != '%') {
            *to++ = (WCHAR)*text;
            continue;
        }
        for (ULONG place = 100000; place; place /= 10)
            *to++ = (WCHAR)('0' + number / place % 10);
    }
    *to = 0;
    return to;
}

static HANDLE start(const struct job *job)
{
    static WCHAR path[PROGRAM_PATH];
    WCHAR line[NAME + WORDS], name[NAME];
    HANDLE process = NULL, thread;
    CLIENT_ID client;
    WCHAR *end = put(name, job->name);

    program_path(name, (ULONG)(end - name), path);
    end = put(line, job->name);
    *end++ = ' ';
    put(end, job->words);
    if (CHECK_STATUS(start_program(path, line, 0, &process, &thread,
                                   &client), STATUS_SUCCESS))
        NtClose(thread);
    return process;
}

static void finish(HANDLE process, struct job *job)
{
    PROCESS_BASIC_INFORMATION basic = { .ExitStatus = 0 };

    CHECK_STATUS(NtQueryInformationProcess(process, ProcessBasicInformation,
                                           &basic, sizeof basic, NULL),
                 STATUS_SUCCESS);
    CHECK_SAY(basic.ExitStatus == 0, "%s ended with %08x", job->name,
              (ULONG)basic.ExitStatus);
    CHECK_STATUS(NtClose(process), STATUS_SUCCESS);
    job->runs++;
}

static void run_each_once(void)
{
    for (ULONG i = 0; i < ARRAY_SIZE(jobs); i++) {
        HANDLE process = start(&jobs[i]);

        CHECK_STATUS(NtWaitForSingleObject(process, FALSE, NULL),
                     STATUS_SUCCESS);
        finish(process, &jobs[i]);
        jobs[i].runs = 0;
    }
}

static void start_any(ULONG slot)
{
    running_job[slot] = &jobs[RtlUniform(&seed) % ARRAY_SIZE(jobs)];
    running[slot] = start(running_job[slot]);
    change_pace();
}

static void run_all_at_once(LONGLONG end)
{
    for (ULONG slot = 0; slot < AT_ONCE; slot++)
        start_any(slot);
    while (now() < end) {
        NTSTATUS slot = NtWaitForMultipleObjects(AT_ONCE, running, WAIT_ANY,
                                                 FALSE, NULL);

        if (!CHECK_SAY((ULONG)slot < AT_ONCE, "the wait: %08x", slot))
            break;
        finish(running[slot], running_job[slot]);
        start_any((ULONG)slot);
    }
    over = TRUE;
    for (ULONG slot = 0; slot < AT_ONCE; slot++)
        print("%s%s", running_job[slot]->name,
              slot + 1 < AT_ONCE ? ", " : " are to come to their end\n");
    for (ULONG slot = 0; slot < AT_ONCE; slot++) {
        NtWaitForSingleObject(running[slot], FALSE, NULL);
        finish(running[slot], running_job[slot]);
    }
    send_nmis(0);
}

/* ---- Memory ---- */

/*
 * A region whose every page has its number, until others had a turn: those of
 * lower priority, too, who would not come to an end otherwise.
 */
static void use_region(ULONG pages, ULONG mark)
{
    void *base = NULL;
    SIZE_T size = (SIZE_T)pages * PAGE_SIZE;
    NTSTATUS status = NtAllocateVirtualMemory(NtCurrentProcess(), &base, 0,
                                              &size, MEM_RESERVE | MEM_COMMIT,
                                              PAGE_READWRITE);
    volatile ULONG *place = base;
    LARGE_INTEGER tick = { .QuadPart = -1 };

    if (!NT_SUCCESS(status))
        return;                         /* there is no more just now */
    for (ULONG i = 0; i < pages; i++)
        place[i * (PAGE_SIZE / sizeof *place)] = i ^ mark;
    NtDelayExecution(FALSE, &tick);
    for (ULONG i = 0; i < pages; i++)
        CHECK(place[i * (PAGE_SIZE / sizeof *place)] == (i ^ mark));
    size = 0;
    CHECK_STATUS(NtFreeVirtualMemory(NtCurrentProcess(), &base, &size,
                                     MEM_RELEASE), STATUS_SUCCESS);
    regions++;
}

static void NTAPI want_memory(void *argument)
{
    ULONG own = 4711;

    (void)argument;
    while (!over) {
        ULONG pages = RtlUniform(&own) % MOST_PAGES;

        use_region(pages, own);
    }
    NtTerminateThread(NtCurrentThread(), 0);
}

static void soak(ULONG seconds)
{
    LONGLONG end = now() + seconds * SECOND;
    HANDLE thread = NULL;

    CHECK_STATUS(NtCreateThreadEx(&thread, THREAD_ALL_ACCESS, NULL,
                                  NtCurrentProcess(), want_memory, NULL, 0, 0,
                                  STACK, STACK, NULL), STATUS_SUCCESS);
    run_all_at_once(end);
    CHECK_STATUS(NtWaitForSingleObject(thread, FALSE, NULL), STATUS_SUCCESS);
    CHECK_STATUS(NtClose(thread), STATUS_SUCCESS);
}

/* ---- Before and after ---- */

static void check_same(const struct counters *before)
{
    struct counters after = count_all();

    CHECK_SAY(after.handles == before->handles, "%u handles, then %u",
              before->handles, after.handles);
    CHECK_SAY(after.blocks == before->blocks, "%u blocks, then %u",
              before->blocks, after.blocks);
    CHECK_SAY(after.pages >= before->pages, "%u pages, then %u",
              before->pages, after.pages);
}

static void tell(const char *what, ULONGLONG count, LONGLONG time)
{
    print("%llu %s, %llu in an hour\n", count, what,
          count * HOUR * SECOND / (ULONGLONG)time);
}

static void tell_all(const SYSTEM_PERFORMANCE_INFORMATION *before, ULONG nmis,
                     LONGLONG time)
{
    SYSTEM_PERFORMANCE_INFORMATION after = test_performance();
    ULONG programs = 0;

    for (ULONG i = 0; i < ARRAY_SIZE(jobs); i++) {
        print("%s %u%s", jobs[i].name, jobs[i].runs,
              i % 6 == 5 || i + 1 == ARRAY_SIZE(jobs) ? "\n" : ", ");
        programs += jobs[i].runs;
    }
    tell("programs", programs, time);
    tell("regions of memory", regions, time);
    tell("system calls", after.SystemCalls - before->SystemCalls, time);
    tell("switches", after.ContextSwitches - before->ContextSwitches, time);
    tell("page faults", after.PageFaultCount - before->PageFaultCount, time);
    tell("pages read back", after.PageReadCount - before->PageReadCount, time);
    tell("NMIs", ask_kernel(COUNT_NMIS) - nmis, time);
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    ULONG seconds = (ULONG)atoi(test_words());
    SYSTEM_PERFORMANCE_INFORMATION performance;
    struct counters before;
    LONGLONG begun;
    ULONG nmis;

    (void)peb;
    find_kernel_test();
    run_each_once();
    use_region(MOST_PAGES, 0);          /* its page tables stay */
    before = count_all();
    performance = test_performance();
    nmis = ask_kernel(COUNT_NMIS);
    begun = now();
    soak(seconds ? seconds : SECONDS);
    tell_all(&performance, nmis, now() - begun);
    check_same(&before);
    return test_end();
}
