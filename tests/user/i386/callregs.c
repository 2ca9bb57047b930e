/*
 * callregs.c - what a system call does to the registers of 32-bit code, for
 * every service that XP's numbers lead to and by every door.
 *
 * The contract (arch/amd64/entry/exit32.asm): eax is the result, edx the eip
 * and ecx the esp that the kernel came back to, as SYSEXIT leaves them; all
 * else, flags and floating point included, is as it was.
 *
 * Arguments are chosen so that each service returns: handles and pointers
 * that are none.  Whatever it answers, it must be the same by each door.
 */
#include "../test.h"

#include "../../../programs/lib/find.h"
#include "../../../programs/lib/i386/call.h"

#define SERVICE32(table, number, letters, routine, name) \
    { #name, number, letters },

static const struct row {
    const char *name;
    ULONG number;
    const char *letters;
} rows[] = {
#include "services32.inc.c"
};

#define SYSTEM_CALL_RETURN \
    (((KUSER_SHARED_DATA *)USER_SHARED_DATA)->SystemCallReturn)
#define FX_MXCSR_MASK 28                        /* of the processor */
#define FX_END 288                              /* behind xmm7 */
#define NO_HANDLE 0x1234

static struct call call;
static struct door_stack stack;
static ULONG answers[ARRAY_SIZE(rows)];

/* ebx, ebp, esi, edi: what C code keeps, too. */
static void check_kept(const char *name)
{
    const struct registers *in = &call.in, *out = &call.out;

    CHECK_SAY(in->Ebx == out->Ebx, "%s: ebx %x", name, out->Ebx);
    CHECK_SAY(in->Ebp == out->Ebp, "%s: ebp %x", name, out->Ebp);
    CHECK_SAY(in->Esi == out->Esi, "%s: esi %x", name, out->Esi);
    CHECK_SAY(in->Edi == out->Edi, "%s: edi %x", name, out->Edi);
    CHECK_SAY(in->Eflags == out->Eflags, "%s: eflags %x are %x", name,
              in->Eflags, out->Eflags);
    CHECK_SAY(!memcmp(in->fx, out->fx, FX_MXCSR_MASK) &&
              !memcmp(in->fx + FX_MXCSR_MASK + 4,
                      out->fx + FX_MXCSR_MASK + 4,
                      FX_END - FX_MXCSR_MASK - 4),
              "%s: floating point is not kept", name);
}

/* Where the kernel came back to: eip, and esp there. */
static void check_return(const char *name, ULONG eip, ULONG esp)
{
    CHECK_SAY(call.out.Edx == eip, "%s: edx %x, not %x", name, call.out.Edx,
              eip);
    CHECK_SAY(call.out.Ecx == esp, "%s: ecx %x, not %x", name, call.out.Ecx,
              esp);
}

static void check_bare(const char *name, const struct door *door)
{
    check_kept(name);
    if (door->below) {
        check_return(name, SYSTEM_CALL_RETURN, call.in.Edx);
        CHECK(call.door_esp == call.in.Edx + sizeof stack.back);
    } else {
        check_return(name, (ULONG)door->raw_behind, call.in.Esp - 4);
        CHECK(call.door_esp == call.in.Esp - 4);
    }
}

static void check_door(const struct row *row, const struct door *door,
                       ULONG *answer)
{
    call_prepare(&call, NULL);
    memset(&stack, 0, sizeof stack);
    stack.arguments[0] = NO_HANDLE;
    call_by_door(&call, door, row->number, &stack);
    check_bare(row->name, door);
    if (door == doors)
        *answer = call.out.Eax;
    CHECK_SAY(call.out.Eax == *answer, "%s: %x, not %x", row->name,
              call.out.Eax, *answer);
}

/* ntdll's stub: stdcall, the arguments are off the stack afterwards. */
static void check_stub(const struct row *row, ULONG answer)
{
    const UCHAR *stub = find_stub(row->name);
    ULONG bytes = call_slots(row->letters) * sizeof(ULONG);
    const UCHAR *fast = (UCHAR *)
        ((KUSER_SHARED_DATA *)USER_SHARED_DATA)->SystemCall;
    BOOLEAN by_sysenter = fast[0] == 0x8B;      /* mov edx, esp */

    if (!CHECK_SAY(stub != NULL, "ntdll has no %s", row->name))
        return;
    call_prepare(&call, stub);
    memset(call.stack, 0, bytes);
    call.stack[0] = NO_HANDLE;
    call_with_registers(&call);
    check_kept(row->name);
    /* Two return addresses; KiIntSystemCall is 7 bytes with its RET. */
    check_return(row->name,
                 by_sysenter ? SYSTEM_CALL_RETURN : (ULONG)fast + 6,
                 call.in.Esp - 8);
    CHECK_SAY(call.out.Esp == call.in.Esp + bytes, "%s: esp moved by %d",
              row->name, call.out.Esp - call.in.Esp);
    CHECK_SAY(call.out.Eax == answer, "%s by its stub: %x, not %x", row->name,
              call.out.Eax, answer);
}

/* ntdll's routine for the door: cdecl, the number comes first. */
static void check_routine(const struct row *row, const struct door *door,
                          ULONG answer)
{
    call_prepare(&call, door->call);
    memset(call.stack, 0, sizeof call.stack);
    call.stack[0] = row->number;
    call.stack[1] = NO_HANDLE;
    call_with_registers(&call);
    check_kept(row->name);
    CHECK_SAY(call.out.Esp == call.in.Esp, "%s: esp", row->name);
    CHECK_SAY(call.out.Eax == answer, "%s by ntdll's routine: %x, not %x",
              row->name, call.out.Eax, answer);
}

/* A number that leads nowhere takes the same way out. */
static void check_wrong_number(const struct door *door)
{
    call_prepare(&call, NULL);
    CHECK_STATUS(call_by_door(&call, door, 0xFFF, &stack),
                 STATUS_INVALID_SYSTEM_SERVICE);
    check_bare("number FFF", door);
}

/* The thread is a GUI thread first: win32k answers alike from then on. */
NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    const struct door *door;
    ULONG at;

    (void)peb;
    NtUserGetThreadState(0);
    for (door = doors; door < doors_end(); door++) {
        test_where(door->name);
        for (at = 0; at < ARRAY_SIZE(rows); at++) {
            check_door(&rows[at], door, &answers[at]);
            check_routine(&rows[at], door, answers[at]);
        }
        check_wrong_number(door);
    }
    test_where("stub");
    for (at = 0; at < ARRAY_SIZE(rows); at++)
        check_stub(&rows[at], answers[at]);
    return test_end();
}
