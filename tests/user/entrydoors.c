/*
 * entrydoors.c - paths of entrypaths.c: each door of 64-bit code, with no
 * arguments, four, and eighteen, with a number that is none, and with a stack
 * that cannot be read.
 *
 * All registers are chosen and compared with what the doors promise
 * (callregs.c has the same for every service).
 */
#include "entrypaths.h"

#include "../../programs/lib/door.h"

#define NO_STACK 0x10
#define NO_NUMBER 0xFFF
#define MXCSR_OTHER 0x7F80                      /* rounds toward zero */
#define ECHOED 18
#define FLAG_TF 0x100                           /* may be set at the door */

#define SERVICE(table, number, stack_args, argc, name) { #name, number },

static const struct { const char *name; ULONG number; } services[] = {
#include "services.inc.c"
};

static struct call call;
static const struct door *door;
static NTSTATUS expected;
static ULONG echoed;
static ULONGLONG out[ECHOED];
static const ULONGLONG in[ECHOED] = {
    (ULONGLONG)out, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18
};

static ULONG number_of(const char *name)
{
    for (ULONG at = 0; at < ARRAY_SIZE(services); at++)
        if (!strcmp(services[at].name, name))
            return services[at].number;
    CHECK_SAY(FALSE, "there is no service %s", name);
    return NO_NUMBER;
}

static void prepare(ULONG at, ULONG number, ULONG count, NTSTATUS status)
{
    door = &doors[at];
    expected = status;
    echoed = count;
    memset(out, 0, sizeof out);
    call_prepare(&call, door->raw, count, in);
    call.in.Rax = number | 0xDEADBEEF00000000ULL;
    call.mxcsr_in = MXCSR_OTHER;
}

static void walk(void)
{
    call_with_registers(&call);
}

static void check_kept(void)
{
    static const UCHAR kept[] = { 3, 4, 5, 6, 7, 12, 14, 15 };
    const ULONGLONG *before = &call.in.Rax, *after = &call.out.Rax;

    for (ULONG at = 0; at < ARRAY_SIZE(kept); at++)
        CHECK_SAY(before[kept[at]] == after[kept[at]], "register %u: %llx",
                  kept[at], after[kept[at]]);
    CHECK(call.mxcsr_in == call.mxcsr_out);
    CHECK(!memcmp(&call.in.Xmm[6], &call.out.Xmm[6], 10 * sizeof(M128A)));
}

static void check(void)
{
    const struct registers *after = &call.out;
    static const M128A nothing[6];

    CHECK_STATUS(after->Rax, expected);
    check_kept();
    CHECK(after->Rcx == (ULONGLONG)(call.target == (void *)door->raw
                                        ? door->raw_behind
                                        : (const UCHAR *)after->Rcx));
    CHECK((after->R11 | FLAG_TF) == (after->Rflags | FLAG_TF));
    CHECK(after->Rdx == 0 && after->R10 == 0 && after->R9 == call.in.Rbp);
    CHECK(after->R8 == (expected == STATUS_ACCESS_VIOLATION
                            ? NO_STACK : call.in.Rsp - 8));
    CHECK(!memcmp(after->Xmm, nothing, sizeof nothing));
    CHECK(!memcmp(out, in, echoed * sizeof *in));
}

/* One of each for each door; the doors are in doors' order. */
#define DOOR(at, name) \
    static void prepare_##name##_none(void) \
    { \
        prepare(at, number_of("NtTestAlert"), 0, STATUS_SUCCESS); \
    } \
    static void prepare_##name##_4(void) \
    { \
        prepare(at, number_of("NtwEcho0"), 4, STATUS_SUCCESS); \
    } \
    static void prepare_##name##_18(void) \
    { \
        prepare(at, number_of("NtwEcho14"), ECHOED, STATUS_SUCCESS); \
    } \
    static void prepare_##name##_number(void) \
    { \
        prepare(at, NO_NUMBER, 0, STATUS_INVALID_SYSTEM_SERVICE); \
    } \
    static void prepare_##name##_fault(void) \
    { \
        prepare(at, number_of("NtwEcho14"), 0, STATUS_ACCESS_VIOLATION); \
        call.target = door->raw_on_stack; \
        call.in.R12 = NO_STACK; \
    }

DOOR(0, syscall)
DOOR(1, int2e)
DOOR(2, sysenter)

#define PATHS(name) \
    { #name ", no arguments", prepare_##name##_none, walk, check }, \
    { #name ", 4 arguments", prepare_##name##_4, walk, check }, \
    { #name ", 18 arguments", prepare_##name##_18, walk, check }, \
    { #name ", no such number", prepare_##name##_number, walk, check }, \
    { #name ", no stack", prepare_##name##_fault, walk, check }

const struct path door_paths[] = {
    PATHS(syscall), PATHS(int2e), PATHS(sysenter),
};
const ULONG door_path_count = ARRAY_SIZE(door_paths);
