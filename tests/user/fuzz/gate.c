/*
 * gate.c - a call by one of the doors, and its registers afterwards.
 *
 * The contract (tests/user/callregs.c): rcx the address behind the door, r11
 * the flags, rdx and r10 zero, r8 and r9 the caller's rsp and rbp, xmm0-5
 * zero; all else as it was.
 */
#include "fuzz.h"

#include "../../../programs/lib/door.h"

ULONG gate_doors;
static struct call call;

const char *gate_door_name(ULONG door)
{
    return doors[door].name;
}

void gate_begin(void)
{
    static const ULONGLONG none[1];

    gate_doors = (ULONG)(doors_end() - doors);
    call_prepare(&call, doors[0].raw, 0, none);
}

static void load(const struct fuzz_call *from)
{
    const ULONG_PTR *arguments = from->arguments;

    call.target = doors[from->door].raw;
    call.in.Rax = from->number;
    call.in.Rcx = arguments[0];
    call.in.Rdx = arguments[1];
    call.in.R8 = arguments[2];
    call.in.R9 = arguments[3];
    for (ULONG at = 4; at < ARGUMENTS; at++)
        call.stack[at - 4] = arguments[at];
    call.in.Rflags = 0x202 | from->flags;
}

static BOOLEAN same(const M128A *in, const M128A *out)
{
    return !((in->Low ^ out->Low) | ((ULONGLONG)in->High ^ out->High));
}

static const char *check_vectors(const struct registers *in,
                                 const struct registers *out)
{
    ULONGLONG bits = 0;

    for (ULONG at = 0; at < 6; at++)
        bits |= out->Xmm[at].Low | (ULONGLONG)out->Xmm[at].High;
    if (bits)
        return "xmm0-5 are not zero";
    for (ULONG at = 6; at < 16; at++)
        if (!same(&in->Xmm[at], &out->Xmm[at]))
            return "xmm6-15 are not kept";
    return call.mxcsr_in != call.mxcsr_out ? "mxcsr is not kept" : NULL;
}

static const char *check_general(const struct registers *in,
                                 const struct registers *out,
                                 const struct door *door)
{
    if ((in->Rbx ^ out->Rbx) | (in->Rsp ^ out->Rsp) | (in->Rbp ^ out->Rbp) |
        (in->Rsi ^ out->Rsi) | (in->Rdi ^ out->Rdi) | (in->R12 ^ out->R12) |
        (in->R13 ^ out->R13) | (in->R14 ^ out->R14) | (in->R15 ^ out->R15))
        return "rbx, rsp, rbp, rsi, rdi or r12-15 are not kept";
    if (out->Rdx | out->R10)
        return "rdx and r10 are not zero";
    if (out->Rcx != (ULONGLONG)door->raw_behind)
        return "rcx is not the place behind the door";
    if (out->R8 != in->Rsp - 8 || out->R9 != in->Rbp)
        return "r8 and r9 are not rsp and rbp";
    if (out->R11 != out->Rflags)
        return "r11 is not rflags";
    return out->Rflags != in->Rflags ? "rflags are not kept" : NULL;
}

ULONG_PTR gate_call(const struct fuzz_call *from, const char **wrong)
{
    load(from);
    call_with_registers(&call);
    *wrong = check_general(&call.in, &call.out, &doors[from->door]);
    if (!*wrong)
        *wrong = check_vectors(&call.in, &call.out);
    return call.out.Rax;
}
