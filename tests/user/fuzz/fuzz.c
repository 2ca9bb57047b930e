/*
 * fuzz.c - random calls, processor states and contexts against a model:
 *
 *     fuzz [calls=N] [states=N] [contexts=N] [seed=S] [at=CALL]
 *          [findings=N]
 *
 * The same seed makes the same calls.  Without a finding the last line is
 * SEED, its counts and a hash of all answers; at=CALL begins at that call's
 * epoch, prints the calls up to it, and looks at the address space after each
 * of them.
 *
 * Scenarios: G7, H6, N1.
 */
#include "fuzz.h"

#ifdef __x86_64__
#include "state.h"
#endif

#define SHOWN 16                                /* calls, with at= */
#define PROGRESS 0x100000u                      /* calls between two lines */

static struct {
    ULONG seed, calls, states, contexts, at;
} options = { .seed = 20041, .calls = 200000, .at = ~0u };

static void close_made(const struct fuzz_call *call)
{
    HANDLE handle;

    memcpy(&handle, (void *)call->arguments[call->row->makes - 1],
           sizeof handle);
    NtClose(handle);
}

static void check_call(ULONG index)
{
    BOOLEAN shown = index + SHOWN > options.at && index <= options.at;
    SIZE_T space = shown ? world_space() : 0;
    struct fuzz_call call;
    struct verdict verdict;
    const char *wrong;
    ULONG_PTR result;

    generate(&call);
    model(&call, &verdict);
    if (shown)
        print("%u: %s %llx %llx %llx %llx\n", index,
              call.row ? call.row->name : "-", (ULONGLONG)call.arguments[0],
              (ULONGLONG)call.arguments[1], (ULONGLONG)call.arguments[2],
              (ULONGLONG)call.arguments[3]);
    result = gate_call(&call, &wrong);
    if (wrong)
        report_finding(index, &call, (NTSTATUS)result, &verdict, wrong);
    if (!(call.row && call.row->flags & ROW_VALUE) &&
        !verdict_allows(&call, &verdict, (NTSTATUS)result))
        report_finding(index, &call, (NTSTATUS)result, &verdict, "status");
    if (call.row && call.row->makes && NT_SUCCESS((NTSTATUS)result))
        close_made(&call);
    if (call.row && call.row->undo)
        call.row->undo(&call, (NTSTATUS)result);
    wrong = scan_memory(&call);
    if (wrong)
        report_finding(index, &call, (NTSTATUS)result, &verdict, wrong);
    if (call.row && call.row->flags & ROW_VICTIM)
        world_close_victim();
    if (call.guarded || (NTSTATUS)result == STATUS_GUARD_PAGE_VIOLATION)
        world_guard_again();
    if (shown && world_space() != space)
        report_finding(index, &call, (NTSTATUS)result, &verdict, "space");
    report_status((NTSTATUS)result);
    tally.calls++;
}

static void run_epoch(ULONG epoch, ULONG first, ULONG count)
{
    static const struct fuzz_call none;
    const char *left;

    random_begin(options.seed, epoch);
    world_begin_epoch();
    for (ULONG index = first; index < first + count; index++)
        check_call(index);
    left = world_end_epoch();
    if (left)
        report_finding(first + count, &none, 0, NULL, left);
}

static void run_calls(void)
{
    ULONG first = 0;

    if (options.at != ~0u)
        first = options.at / EPOCH * EPOCH;
    for (; first < options.calls; first += EPOCH) {
        ULONG left = options.calls - first;

        run_epoch(first / EPOCH, first, left < EPOCH ? left : EPOCH);
        if (first % PROGRESS + EPOCH >= PROGRESS)
            print("fuzz: seed %u, %u calls, hash %08x\n", options.seed,
                  first + EPOCH, tally.hash);
    }
}

#ifdef __x86_64__
/* An epoch each, with a number that no calls have. */
static void run_with_world(ULONG epoch, void (*run)(ULONG count), ULONG count)
{
    static const struct fuzz_call none;
    const char *left;

    if (count == 0)
        return;
    random_begin(options.seed, epoch);
    world_begin_epoch();
    run(count);
    left = world_end_epoch();
    if (left)
        report_finding(0, &none, 0, NULL, left);
    print("fuzz: seed %u, %u states, %u contexts, hash %08x\n",
          options.seed, tally.states, tally.contexts, tally.hash);
}

static void run_others(void)
{
    catch_begin();
    run_with_world(~0u, states_run, options.states);
    run_with_world(~1u, contexts_run, options.contexts);
}
#else
/* Calls are all that 32-bit code makes here. */
static void run_others(void)
{
}
#endif

static ULONG option(const char *words, const char *name, ULONG otherwise)
{
    const char *found = strstr(words, name);

    return found ? strtoul(found + strlen(name), NULL, 0) : otherwise;
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    const char *words = test_words();

    (void)peb;
    options.seed = option(words, "seed=", options.seed);
    options.calls = option(words, "calls=", options.calls);
    options.states = option(words, "states=", options.states);
    options.contexts = option(words, "contexts=", options.contexts);
    options.at = option(words, "at=", options.at);
    tally.most_findings = option(words, "findings=", 1);
    print("fuzz: seed %u\n", options.seed);
    generate_begin();
    gate_begin();
    world_create();
    tally.hash = 0x811C9DC5u;
    run_calls();
    run_others();
    print("SEED %u: %u calls, %u states, %u contexts, %u statuses, hash "
          "%08X, %u findings\n", options.seed, tally.calls, tally.states,
          tally.contexts, report_statuses(), tally.hash, tally.findings);
    return test_end();
}
