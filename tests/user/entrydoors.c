/*
 * entrydoors.c - paths of entrypaths.c: each door of 64-bit code.
 *
 * All registers are chosen and compared with what the doors promise
 * (callregs.c has the same for every service).
 */
#include "test.h"

#include "../../programs/lib/door.h"

#define NO_STACK 0x10
#define MXCSR_OTHER 0x7F80                      /* rounds toward zero */
#define FLAG_TF 0x100                           /* may be set at the door */

#define SERVICE(table, number, stack_args, argc, name) { #name, number },

static const struct { const char *name; ULONG number; } services[] = {
#include "services.inc.c"
};

#include "entrydoors.h"

static struct call call;
static const struct door *door;
static NTSTATUS expected;
static ULONG echoed;
static ULONGLONG out[ECHOED];
static const ULONGLONG in[ECHOED] = {
    (ULONGLONG)out, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18
};

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

static void take_stack_away(void)
{
    call.target = door->raw_on_stack;
    call.in.R12 = NO_STACK;
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

DOOR(0, syscall)
DOOR(1, int2e)
DOOR(2, sysenter)

const struct path door_paths[] = {
    PATHS(syscall), PATHS(int2e), PATHS(sysenter),
};
const ULONG door_path_count = ARRAY_SIZE(door_paths);
