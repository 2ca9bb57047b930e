/*
 * lib/prepare.c - fill a call's registers with values that show.
 *
 * Each register holds its own number in every byte (rax A0.., rcx A1.., ...),
 * so whatever comes back can be told from what went in.
 */
#include "call.h"

#define NUMBER_OFFSET 4                         /* behind "mov eax," */

#define RFLAGS_IF       0x200
#define RFLAGS_ARITHMETIC 0x8D5                 /* of sf zf af pf cf */
#define MXCSR_DEFAULT   0x1F80

static ULONGLONG pattern(ULONG byte)
{
    return byte * 0x0101010101010101ULL;
}

ULONG stub_number(const void *stub)
{
    ULONG number;

    memcpy(&number, (const UCHAR *)stub + NUMBER_OFFSET, sizeof number);
    return number;
}

void call_prepare(struct call *call, void *target, ULONG count,
                  const ULONGLONG *arguments)
{
    ULONGLONG *general = &call->in.Rax;
    ULONGLONG *registers[4] = { &call->in.Rcx, &call->in.Rdx, &call->in.R8,
                                &call->in.R9 };
    ULONG at;

    memset(call, 0, sizeof *call);
    call->target = target;
    call->mxcsr_in = MXCSR_DEFAULT;
    for (at = 0; at < 16; at++) {
        general[at] = pattern(0xA0 + at);
        call->in.Xmm[at].Low = pattern(0x50 + at);
        call->in.Xmm[at].High = pattern(0xD0 + at);
    }
    call->in.Rflags = RFLAGS_IF | RFLAGS_ARITHMETIC | 2;
    for (at = 0; at < CALL_STACK_SLOTS; at++)
        call->stack[at] = pattern(0xC0 + at);
    for (at = 0; at < count; at++) {
        if (at < 4)
            *registers[at] = arguments[at];
        else
            call->stack[at - 4] = arguments[at];
    }
}
