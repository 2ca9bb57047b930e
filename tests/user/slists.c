/*
 * slists.c - lists without locks (H18): what they hold, and that a pop begins
 * again when the entry it reads has gone meanwhile, when an APC or other
 * threads come between, or when a context is set into it; that a list which is
 * wrong itself is an access violation; and that one can step over a pop.
 *
 * A vectored handler stands at instruction breakpoints on the pop's three
 * labels and does there what another thread could do.
 */
#include "test.h"

#include "facts.h"

#define MOST_FAULTS 8192
#define SELF NtCurrentThread()
#define EFLAGS_RF 0x10000
#define EFLAGS_TF 0x100
#define DR7_THREE 0x15                  /* of instructions */
#define STACK 0x10000
#define MANY 20
#define SAME 100
#define ROUNDS 100
#define STEPS 100

/* Where ring 3 stands in the pop. */
extern __declspec(dllimport) const UCHAR ExpInterlockedPopEntrySListResume[];
extern __declspec(dllimport) const UCHAR ExpInterlockedPopEntrySListFault[];
extern __declspec(dllimport) const UCHAR ExpInterlockedPopEntrySListEnd[];
enum label { RESUME, FAULT, END, LABELS };

static ULONG_PTR labels[LABELS];
static SLIST_HEADER list __attribute__((aligned(16)));
static SLIST_ENTRY *entries[MANY];      /* each on a page of its own */

/* What the handler does besides counting, and what it has met. */
static void (*volatile action)(enum label label, CONTEXT *context);
static volatile BOOLEAN busy, stepping;
static volatile ULONG hits[LABELS], steps, violations;
static ULONG pops, begun_again;
static EXCEPTION_RECORD violation;

static ULONG at_label(ULONG_PTR pc)
{
    ULONG label = 0;

    while (label < LABELS && labels[label] != pc)
        label++;
    return label;
}

static void step(CONTEXT *context)
{
    ULONG_PTR pc = INSTRUCTION_POINTER(context);

    steps++;
    if (pc >= labels[RESUME] && pc <= labels[END] && steps < STEPS)
        context->EFlags |= EFLAGS_TF;
}

static LONG NTAPI handle(EXCEPTION_POINTERS *pointers)
{
    CONTEXT *context = pointers->ContextRecord;
    ULONG label = at_label(INSTRUCTION_POINTER(context));

    if (pointers->ExceptionRecord->ExceptionCode == STATUS_ACCESS_VIOLATION &&
        label == FAULT && violations < MANY) {
        violations++;
        violation = *pointers->ExceptionRecord;
        FIRST_OF(&list) = (ULONG_PTR)entries[0];
        return EXCEPTION_CONTINUE_EXECUTION;
    }
    if (pointers->ExceptionRecord->ExceptionCode != STATUS_SINGLE_STEP)
        return EXCEPTION_CONTINUE_SEARCH;
    context->EFlags |= EFLAGS_RF;
    if (stepping)
        step(context);
    if (busy || label == LABELS)
        return EXCEPTION_CONTINUE_EXECUTION;
    __atomic_fetch_add(&hits[label], 1, __ATOMIC_SEQ_CST);
    if (action)
        action(label, context);
    return EXCEPTION_CONTINUE_EXECUTION;
}

static void set_breakpoints(ULONG dr7)
{
    static CONTEXT context __attribute__((aligned(16)));

    context.ContextFlags = CONTEXT_DEBUG_REGISTERS;
    context.Dr0 = labels[RESUME];
    context.Dr1 = labels[FAULT];
    context.Dr2 = labels[END];
    context.Dr7 = dr7;
    CHECK_STATUS(NtSetContextThread(SELF, &context), STATUS_SUCCESS);
}

/* ---- Entries and their pages ---- */

static void commit(SLIST_ENTRY *entry)
{
    void *base = entry;
    SIZE_T size = PAGE_SIZE;

    CHECK_STATUS(NtAllocateVirtualMemory(NtCurrentProcess(), &base, 0, &size,
                                         MEM_COMMIT, PAGE_READWRITE),
                 STATUS_SUCCESS);
}

static void decommit(SLIST_ENTRY *entry)
{
    void *base = entry;
    SIZE_T size = PAGE_SIZE;

    CHECK_STATUS(NtFreeVirtualMemory(NtCurrentProcess(), &base, &size,
                                     MEM_DECOMMIT), STATUS_SUCCESS);
}

static void forbid(SLIST_ENTRY *entry)
{
    test_protect(entry, 1, PAGE_NOACCESS);
}

/* entries[0] is the first of count. */
static void fill(ULONG count)
{
    RtlInitializeSListHead(&list);
    for (ULONG at = count; at-- != 0;) {
        commit(entries[at]);
        test_protect(entries[at], 1, PAGE_READWRITE);
        RtlInterlockedPushEntrySList(&list, entries[at]);
    }
}

static SLIST_ENTRY *pop_watched(void (*what)(enum label, CONTEXT *))
{
    SLIST_ENTRY *entry;

    memset((void *)hits, 0, sizeof hits);
    violations = 0;
    action = what;
    set_breakpoints(DR7_THREE);
    entry = RtlInterlockedPopEntrySList(&list);
    set_breakpoints(0);
    action = NULL;
    return entry;
}

/*
 * How often each label was reached in that pop.  Where the clock has come, too,
 * the pop has begun once more; that is seldom.
 */
static void check_hits(ULONG resume, ULONG fault, ULONG end)
{
    ULONG again = hits[RESUME] - resume;

    CHECK_SAY(hits[RESUME] >= resume && hits[FAULT] >= fault &&
              hits[FAULT] <= fault + again && hits[END] >= end &&
              hits[END] <= end + again, "%u %u %u, not %u %u %u",
              hits[RESUME], hits[FAULT], hits[END], resume, fault, end);
    CHECK_SAY(violations == 0, "%u access violations", violations);
    pops++;
    begun_again += again != 0;
}

/* ---- What a list is ---- */

static void check_order(void)
{
    ULONG at;

    RtlInitializeSListHead(&list);
    CHECK(RtlInterlockedPopEntrySList(&list) == NULL);
    CHECK(RtlInterlockedFlushSList(&list) == NULL);
    CHECK(RtlFirstEntrySList(&list) == NULL);
    for (at = 0; at < MANY; at++) {
        CHECK(RtlInterlockedPushEntrySList(&list, entries[at]) ==
              (at ? entries[at - 1] : NULL));
        CHECK(RtlFirstEntrySList(&list) == entries[at]);
        CHECK(RtlQueryDepthSList(&list) == at + 1);
    }
    while (at-- > MANY / 2) {
        CHECK(RtlInterlockedPopEntrySList(&list) == entries[at]);
        CHECK(RtlQueryDepthSList(&list) == at);
    }
    CHECK(RtlInterlockedFlushSList(&list) == entries[MANY / 2 - 1]);
    CHECK(RtlQueryDepthSList(&list) == 0);
    CHECK(RtlFirstEntrySList(&list) == NULL);
    for (at = MANY / 2; at-- != 0;)
        CHECK(entries[at]->Next == (at ? entries[at - 1] : NULL));
}

/* The same entry first again, and as deep: the header is another one. */
static void check_sequence(void)
{
    SLIST_HEADER before;

    fill(2);
    before = list;
    RtlInterlockedPushEntrySList(&list, RtlInterlockedPopEntrySList(&list));
    CHECK(RtlFirstEntrySList(&list) == entries[0]);
    CHECK(RtlQueryDepthSList(&list) == 2);
    CHECK(memcmp(&before, &list, sizeof list) != 0);
}

/* ---- The first entry goes ---- */

static void (*go)(SLIST_ENTRY *entry);

static void take_first(void)
{
    busy = TRUE;
    go(RtlInterlockedPopEntrySList(&list));
    busy = FALSE;
}

static void take_one(enum label label, CONTEXT *context)
{
    (void)context;
    if (label == FAULT && hits[FAULT] == 1)
        take_first();
}

static void take_most(enum label label, CONTEXT *context)
{
    (void)context;
    if (label == FAULT && hits[FAULT] < MANY)
        take_first();
}

static void check_gone(void (*how)(SLIST_ENTRY *entry))
{
    go = how;
    fill(3);
    CHECK(pop_watched(NULL) == entries[0]);
    check_hits(1, 1, 1);
    fill(3);
    CHECK(pop_watched(take_one) == entries[1]);
    check_hits(2, 2, 1);
    CHECK(RtlQueryDepthSList(&list) == 1);
    fill(MANY);
    CHECK(pop_watched(take_most) == entries[MANY - 1]);
    check_hits(MANY, MANY, 1);
    CHECK(RtlQueryDepthSList(&list) == 0);
}

/* It is there again when the pop begins, and gone when it is read. */
static void take_same(enum label label, CONTEXT *context)
{
    (void)context;
    if (label == FAULT && hits[FAULT] <= SAME)
        take_first();
    if (label == RESUME && hits[RESUME] > 1 && hits[RESUME] <= SAME) {
        commit(entries[0]);
        RtlInterlockedPushEntrySList(&list, entries[0]);
    }
}

static void check_same(void)
{
    go = decommit;
    fill(2);
    CHECK(pop_watched(take_same) == entries[1]);
    check_hits(SAME + 1, SAME + 1, 1);
    CHECK(RtlQueryDepthSList(&list) == 0);
}

/* Its page comes only now, so other threads may have run. */
static void renew(enum label label, CONTEXT *context)
{
    (void)context;
    if (label == FAULT && hits[FAULT] == 1) {
        decommit(entries[0]);
        commit(entries[0]);
    }
}

static void check_comes(void)
{
    fill(3);
    CHECK(pop_watched(renew) == entries[0]);
    check_hits(2, 2, 1);
    CHECK(RtlFirstEntrySList(&list) == NULL);   /* a new page is zero */
}

/* ---- A list that is wrong ---- */

/* The kernel begins it again some thousand times, and not for ever. */
static void check_wrong(ULONG_PTR address)
{
    ULONG faults = test_performance().PageFaultCount;

    fill(1);
    FIRST_OF(&list) = address;
    violations = 0;
    CHECK(RtlInterlockedPopEntrySList(&list) == entries[0]);
    CHECK_SAY(violations == 1, "%u access violations", violations);
    faults = test_performance().PageFaultCount - faults;
    CHECK_SAY(faults < MOST_FAULTS, "%u faults", faults);
    CHECK((ULONG_PTR)violation.ExceptionAddress == labels[FAULT]);
    CHECK(violation.NumberParameters == 2);
    CHECK(violation.ExceptionInformation[0] == 0);
    CHECK(violation.ExceptionInformation[1] == address);
}

/* ---- An APC, with the same header afterwards but other entries ---- */

static SLIST_HEADER before_apc;

static void NTAPI change(void *argument1, void *argument2, void *argument3)
{
    SLIST_ENTRY *first;

    (void)argument1, (void)argument2, (void)argument3;
    busy = TRUE;
    first = RtlInterlockedPopEntrySList(&list);
    RtlInterlockedPopEntrySList(&list);
    RtlInterlockedPushEntrySList(&list, first);
    list = before_apc;                  /* Sequence has been all round */
    busy = FALSE;
}

static void call_change(enum label label, CONTEXT *context)
{
    if (label != END || hits[END] != 1)
        return;
    CHECK_STATUS(NtQueueApcThread(SELF, change, NULL, NULL, NULL),
                 STATUS_SUCCESS);
    NtContinue(context, TRUE);
}

static void check_apc(void)
{
    fill(3);
    before_apc = list;
    CHECK(pop_watched(call_change) == entries[0]);
    check_hits(2, 2, 2);
    CHECK(RtlFirstEntrySList(&list) == entries[2]);
}

/* ---- A context ---- */

static void NTAPI spin(void *argument)
{
    for (;;)
        ++*(volatile ULONG *)argument;
}

static HANDLE create(void *routine, void *argument)
{
    HANDLE thread = NULL;

    CHECK_STATUS(RtlCreateUserThread(NtCurrentProcess(), NULL, FALSE, 0, STACK,
                                     STACK, (PUSER_THREAD_START_ROUTINE)routine,
                                     argument, &thread, NULL), STATUS_SUCCESS);
    return thread;
}

static void end(HANDLE thread)
{
    CHECK_STATUS(NtTerminateThread(thread, 0), STATUS_SUCCESS);
    CHECK_STATUS(NtWaitForSingleObject(thread, FALSE, NULL), STATUS_SUCCESS);
    CHECK_STATUS(NtClose(thread), STATUS_SUCCESS);
}

static ULONG_PTR pc_of(HANDLE thread, CONTEXT *context)
{
    context->ContextFlags = CONTEXT_CONTROL;
    CHECK_STATUS(NtGetContextThread(thread, context), STATUS_SUCCESS);
    return INSTRUCTION_POINTER(context);
}

static void check_set(void)
{
    static CONTEXT context __attribute__((aligned(16)));
    static volatile ULONG turns;
    HANDLE thread = create(spin, (void *)&turns);
    ULONG_PTR pc, now;

    while (turns == 0)
        NtYieldExecution();
    CHECK_STATUS(NtSuspendThread(thread, NULL), STATUS_SUCCESS);
    pc_of(thread, &context);
    for (pc = labels[RESUME] - 2; pc <= labels[END] + 2; pc++) {
        INSTRUCTION_POINTER(&context) = pc;
        CHECK_STATUS(NtSetContextThread(thread, &context), STATUS_SUCCESS);
        now = pc_of(thread, &context);
        CHECK_SAY(now == (pc < labels[RESUME] || pc > labels[END]
                              ? pc : labels[RESUME]),
                  "Resume + %d: %p", (int)(pc - labels[RESUME]), (void *)now);
    }
    end(thread);
}

/* ---- Step by step: nobody begins again ---- */

static void begin_steps(enum label label, CONTEXT *context)
{
    if (label != RESUME)
        return;
    stepping = TRUE;
    context->EFlags |= EFLAGS_TF;
}

static void check_steps(void)
{
    fill(2);
    steps = 0;
    CHECK(pop_watched(begin_steps) == entries[0]);
    stepping = FALSE;
    CHECK_SAY(steps >= 5 && steps < 20, "%u steps", steps);
    check_hits(1, 1, 1);
}

/* ---- Other threads come between ---- */

static void let_others_run(enum label label, CONTEXT *context)
{
    (void)context;
    if (label == FAULT)
        NtYieldExecution();
}

static volatile ULONG empty;

static void NTAPI pop_many(void *argument)
{
    (void)argument;
    set_breakpoints(DR7_THREE);
    for (ULONG round = 0; round < ROUNDS; round++) {
        SLIST_ENTRY *entry = RtlInterlockedPopEntrySList(&list);

        if (!entry) {
            empty++;
            continue;
        }
        decommit(entry);
        NtYieldExecution();
        commit(entry);
        RtlInterlockedPushEntrySList(&list, entry);
    }
    RtlExitUserThread(STATUS_SUCCESS);
}

static void check_threads(void)
{
    HANDLE threads[3];
    ULONG at, found = 0;

    fill(4);
    memset((void *)hits, 0, sizeof hits);
    violations = 0;
    action = let_others_run;
    for (at = 0; at < ARRAY_SIZE(threads); at++)
        threads[at] = create(pop_many, NULL);
    for (at = 0; at < ARRAY_SIZE(threads); at++) {
        CHECK_STATUS(NtWaitForSingleObject(threads[at], FALSE, NULL),
                     STATUS_SUCCESS);
        CHECK_STATUS(NtClose(threads[at]), STATUS_SUCCESS);
    }
    action = NULL;
    CHECK_SAY(violations == 0, "%u access violations", violations);
    CHECK_SAY(hits[FAULT] > hits[END], "read %u times, exchanged %u",
              hits[FAULT], hits[END]);
    CHECK_SAY(hits[END] >= ARRAY_SIZE(threads) * ROUNDS - empty,
              "%u exchanges, %u times empty", hits[END], empty);
    CHECK(RtlQueryDepthSList(&list) == 4);
    for (SLIST_ENTRY *entry = RtlInterlockedFlushSList(&list); entry;
         entry = entry->Next) {
        for (at = 0; entries[at] != entry;)
            at++;
        found |= 1U << at;
    }
    CHECK(found == 0xF);
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    UCHAR *pages = test_pages(MANY);

    (void)peb;
    test_on_one_processor();            /* counts are no interlocked ones */
    labels[RESUME] = (ULONG_PTR)ExpInterlockedPopEntrySListResume;
    labels[FAULT] = (ULONG_PTR)ExpInterlockedPopEntrySListFault;
    labels[END] = (ULONG_PTR)ExpInterlockedPopEntrySListEnd;
    for (ULONG at = 0; at < MANY; at++)
        entries[at] = (SLIST_ENTRY *)(pages + at * PAGE_SIZE);
    CHECK(RtlAddVectoredExceptionHandler(TRUE, handle) != NULL);
    check_order();
    check_sequence();
    check_gone(decommit);
    check_gone(forbid);
    check_same();
    check_comes();
    check_wrong(FREE_ADDRESS);
    check_wrong(FREE_ADDRESS);
    check_wrong(KERNEL_ADDRESS);
    check_apc();
    check_set();
    check_steps();
    CHECK_SAY(begun_again <= pops / 2, "%u of %u pops begun again",
              begun_again, pops);
    check_threads();
    return test_end();
}
