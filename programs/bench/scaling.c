/*
 * scaling.c - what several processors do at once.
 *
 *     scaling         with 1, 2, 4, ... processors: the calls of all of them
 *                     in a time, as a multiple of one processor's
 *     scaling NAME    one of the calls by all processors, once, for who looks
 *                     from outside (scripts/plugin/share.c)
 *
 * Each processor has a thread that stays there. They begin by one event and
 * make CALLS each: null takes no lock, own and one that of an event (and a
 * few on the way to it): a thread's own event, or one for all of them.
 */
#include "bench.h"

#define CALLS 50000
#define ROUNDS 8                        /* the best of them counts */
#define MOST 64                         /* processors of a group */
#define LINE 64
#define APART 4                         /* so many handles fill a line */

struct worker {
    HANDLE thread, event;               /* its own */
    ULONGLONG began, ended;
    ULONG number, calls;
} __attribute__((aligned(LINE)));

typedef BOOLEAN call(const struct worker *own);

static struct worker workers[MOST];
static HANDLE ready, go, event;

static BOOLEAN null(const struct worker *own)
{
    return NtGetCurrentProcessorNumber() == own->number;
}

static BOOLEAN reset_own(const struct worker *own)
{
    return NT_SUCCESS(NtResetEvent(own->event, NULL));
}

static BOOLEAN reset_one(const struct worker *own)
{
    (void)own;
    return NT_SUCCESS(NtResetEvent(event, NULL));
}

static const struct kind {
    const WCHAR *word;
    call *make;
} kinds[] = {
    { L"null", null },
    { L"own", reset_own },
    { L"one", reset_one },
};
static call *make;                      /* of the round in progress */

/* ---- The threads ---- */

static void stay_on(ULONG processor)
{
    ULONG_PTR mask = (ULONG_PTR)1 << processor;

    must(NtSetInformationThread(NtCurrentThread(), ThreadAffinityMask, &mask,
                                sizeof mask), "affinity");
}

static void NTAPI work(void *argument)
{
    struct worker *own = argument;
    ULONG calls = 0;

    stay_on(own->number);
    must(NtReleaseSemaphore(ready, 1, NULL), "ready");
    must(NtWaitForSingleObject(go, FALSE, NULL), "go");
    own->began = ticks();
    while (calls < CALLS && make(own))
        calls++;
    own->ended = ticks();
    own->calls = calls;
    NtTerminateThread(NtCurrentThread(), STATUS_SUCCESS);
}

static void run(ULONG count)
{
    ULONG i;

    must(NtResetEvent(go, NULL), "not yet");
    for (i = 0; i < count; i++)
        workers[i].thread = start_thread(work, &workers[i], HIGH);
    for (i = 0; i < count; i++)
        must(NtWaitForSingleObject(ready, FALSE, NULL), "all ready");
    must(NtSetEvent(go, NULL), "go");
    for (i = 0; i < count; i++)
        join(workers[i].thread);
}

/* From the first one's begin to the last one's end. */
static ULONGLONG time_of(ULONG count)
{
    ULONGLONG began = ~0ULL, ended = 0;

    run(count);
    for (ULONG i = 0; i < count; i++) {
        must(workers[i].calls == CALLS ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL,
             "every call is made");
        began = workers[i].began < began ? workers[i].began : began;
        ended = workers[i].ended > ended ? workers[i].ended : ended;
    }
    return ended - began;
}

static ULONGLONG fewest_of(const struct kind *kind, ULONG count)
{
    ULONGLONG best = ~0ULL;

    make = kind->make;
    for (ULONG i = 0; i < ROUNDS; i++) {
        ULONGLONG time = time_of(count);

        best = time < best ? time : best;
    }
    return best;
}

/* ---- The table ---- */

static void show_row(ULONG count)
{
    static ULONGLONG alone[ARRAY_SIZE(kinds)];

    print("%13u", count);
    for (ULONG i = 0; i < ARRAY_SIZE(kinds); i++) {
        ULONGLONG time = fewest_of(&kinds[i], count), percent;

        if (count == 1)
            alone[i] = time;
        percent = 100 * count * alone[i] / time;
        print("%9llu.%02llu", percent / 100, percent % 100);
    }
    print("\n");
}

static void show_table(ULONG processors)
{
    print("scaling: %u calls by each of so many processors at once\n\n"
          "   As many of them in a time as one processor makes, times\n\n"
          "   processors        null  own event   one event\n", CALLS);
    for (ULONG count = 1; count <= processors; count *= 2)
        show_row(count);
}

/* ---- Begin ---- */

static HANDLE new_event(void)
{
    HANDLE made;

    must(NtCreateEvent(&made, EVENT_ALL_ACCESS, NULL, NotificationEvent,
                       FALSE), "NtCreateEvent");
    return made;
}

/* What is one's own has no line with another's. */
static void prepare(ULONG processors)
{
    must(NtCreateSemaphore(&ready, SEMAPHORE_ALL_ACCESS, NULL, 0, MOST),
         "NtCreateSemaphore");
    go = new_event();
    event = new_event();
    for (ULONG i = 0; i < processors; i++) {
        workers[i].number = i;
        for (ULONG n = 0; n < APART; n++)
            workers[i].event = new_event();
    }
}

NTSTATUS NtProcessStartup(PEB *peb)
{
    ULONG processors = peb->NumberOfProcessors;
    BOOLEAN all = TRUE;

    processors = processors < MOST ? processors : MOST;
    set_priority(NtCurrentThread(), HIGH);
    prepare(processors);
    for (ULONG i = 0; i < ARRAY_SIZE(kinds); i++) {
        if (!has_word(kinds[i].word))
            continue;
        all = FALSE;
        make = kinds[i].make;
        time_of(processors);
    }
    if (all)
        show_table(processors);
    return STATUS_SUCCESS;
}
