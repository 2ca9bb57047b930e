/*
 * entrydoors.c - paths of entrypaths.c: XP's doors, with no arguments, four,
 * and eighteen, with a number that is none, and with arguments that cannot be
 * read.
 *
 * All registers are chosen and compared with what the doors promise
 * (callregs.c has the same for every service).
 */
#include "../entrypaths.h"

#include "../../../programs/lib/i386/call.h"

#define NO_NUMBER 0xFFF
#define ECHOED 18
#define FX_MXCSR_MASK 28                        /* of the processor */
#define FX_END 288                              /* behind xmm7 */

#define SERVICE32(table, number, letters, routine, name) { #name, number },

static const struct { const char *name; ULONG number; } services[] = {
#include "services32.inc.c"
};

static struct call call;
static struct door_stack good, *stack;
static const struct door *door;
static ULONG number;
static NTSTATUS expected;
static ULONG echoed;
static ULONGLONG out[ECHOED];

static ULONG number_of(const char *name)
{
    for (ULONG at = 0; at < ARRAY_SIZE(services); at++)
        if (!strcmp(services[at].name, name))
            return services[at].number;
    CHECK_SAY(FALSE, "there is no service %s", name);
    return NO_NUMBER;
}

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
static void prepare_fault(ULONG at)
{
    static UCHAR *two;

    if (!two) {
        two = test_pages(2);
        test_protect(two + PAGE_SIZE, 1, PAGE_NOACCESS);
    }
    prepare(at, number_of("NtwEcho14"), 0, STATUS_ACCESS_VIOLATION);
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
        prepare_fault(at); \
    }

DOOR(0, int2e)
DOOR(1, sysenter)

#define PATHS(name) \
    { #name ", no arguments", prepare_##name##_none, walk, check }, \
    { #name ", 4 arguments", prepare_##name##_4, walk, check }, \
    { #name ", 18 arguments", prepare_##name##_18, walk, check }, \
    { #name ", no such number", prepare_##name##_number, walk, check }, \
    { #name ", no stack", prepare_##name##_fault, walk, check }

const struct path door_paths[] = { PATHS(int2e), PATHS(sysenter) };
const ULONG door_path_count = ARRAY_SIZE(door_paths);
