/*
 * gate32.c - gate.c for 32-bit code: XP's two doors, arguments in memory.
 *
 * The contract (tests/user/i386/callregs.c): edx and ecx are the eip and the
 * esp that the kernel came back to; all else, floating point and flags
 * included, is as it was.
 */
#include "fuzz.h"

#include "../../../programs/lib/i386/call.h"

#define FX_MXCSR_MASK 28                        /* of the processor */
#define FX_END 288                              /* behind xmm7 */

ULONG gate_doors;
static struct call call;
static struct door_stack stack;

const char *gate_door_name(ULONG door)
{
    return doors[door].name;
}

void gate_begin(void)
{
    gate_doors = (ULONG)(doors_end() - doors);
    call_prepare(&call, NULL);
}

static void load(const struct fuzz_call *from)
{
    call.in.Eflags = 0x202 | (ULONG)from->flags;
    memcpy(stack.arguments, from->arguments, sizeof from->arguments);
}

static const char *check_kept(const struct registers *in,
                              const struct registers *out)
{
    if ((in->Ebx ^ out->Ebx) | (in->Ebp ^ out->Ebp) | (in->Esi ^ out->Esi) |
        (in->Edi ^ out->Edi))
        return "ebx, ebp, esi or edi are not kept";
    if (in->Eflags != out->Eflags)
        return "eflags are not kept";
    if (memcmp(in->fx, out->fx, FX_MXCSR_MASK) ||
        memcmp(in->fx + FX_MXCSR_MASK + 4, out->fx + FX_MXCSR_MASK + 4,
               FX_END - FX_MXCSR_MASK - 4))
        return "floating point is not kept";
    return NULL;
}

static const char *check_return(const struct door *door)
{
    const KUSER_SHARED_DATA *shared = (void *)USER_SHARED_DATA;
    ULONG eip = (ULONG)door->raw_behind, esp = call.in.Esp - 4;

    if (door->below) {
        eip = shared->SystemCallReturn;
        esp = call.in.Edx;
    }
    return call.out.Edx != eip || call.out.Ecx != esp
               ? "edx and ecx are not eip and esp" : NULL;
}

ULONG_PTR gate_call(const struct fuzz_call *from, const char **wrong)
{
    const struct door *door = &doors[from->door];

    load(from);
    call_by_door(&call, door, (ULONG)from->number, &stack);
    *wrong = check_kept(&call.in, &call.out);
    if (!*wrong)
        *wrong = check_return(door);
    return call.out.Eax;
}
