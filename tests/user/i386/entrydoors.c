/*
 * entrydoors.c - paths of entrypaths.c: XP's doors.
 *
 * All registers are chosen and compared with what the doors promise
 * (callregs.c has the same for every service).
 */
#include "../test.h"

#include "../../../programs/lib/i386/call.h"

#define FX_MXCSR_MASK 28                        /* of the processor */
#define FX_END 288                              /* behind xmm7 */

#define SERVICE32(table, number, letters, routine, name) { #name, number },

static const struct { const char *name; ULONG number; } services[] = {
#include "services32.inc.c"
};

#include "../entrydoors.h"

static struct call call;
static struct door_stack good, *stack;
static const struct door *door;
static ULONG number;
static NTSTATUS expected;
static ULONG echoed;
static ULONGLONG out[ECHOED];

static void prepare(ULONG at, ULONG what, ULONG count, NTSTATUS status)
{
    door = &doors[at];
    number = what;
    echoed = count;
    expected = status;
    stack = &good;
    memset(out, 0, sizeof out);
    for (ULONG i = 1; i < ECHOED; i++)
        good.arguments[i] = i + 1;
    good.arguments[0] = (ULONG)out;
    call_prepare(&call, NULL);
}

/* The arguments begin where a page does that is not there. */
static void take_stack_away(void)
{
    static UCHAR *two;

    if (!two) {
        two = test_pages(2);
        test_protect(two + PAGE_SIZE, 1, PAGE_NOACCESS);
    }
    stack = (struct door_stack *)
        (two + PAGE_SIZE - offsetof(struct door_stack, arguments));
}

static void walk(void)
{
    call_by_door(&call, door, number, stack);
}

static void check(void)
{
    const struct registers *in = &call.in, *after = &call.out;

    CHECK_STATUS(after->Eax, expected);
    CHECK(in->Ebx == after->Ebx && in->Ebp == after->Ebp &&
          in->Esi == after->Esi && in->Edi == after->Edi &&
          in->Eflags == after->Eflags);
    CHECK(!memcmp(in->fx, after->fx, FX_MXCSR_MASK) &&
          !memcmp(in->fx + FX_MXCSR_MASK + 4, after->fx + FX_MXCSR_MASK + 4,
                  FX_END - FX_MXCSR_MASK - 4));
    for (ULONG at = 0; at < echoed; at++)
        CHECK(out[at] == good.arguments[at]);
}

DOOR(0, int2e)
DOOR(1, sysenter)

const struct path door_paths[] = { PATHS(int2e), PATHS(sysenter) };
const ULONG door_path_count = ARRAY_SIZE(door_paths);
