/*
 * lib/i386/prepare.c - fill a call's registers with values that show.
 *
 * Each register holds its own number in every byte (eax A0.., ecx A1.., ...),
 * so whatever comes back can be told from what went in.
 */
#include "call.h"

#define EFLAGS_IF       0x200
#define EFLAGS_ARITHMETIC 0x8D5                 /* of sf zf af pf cf */

/* FXSAVE's image (SDM: 1, 10.5.1). */
#define FX_CONTROL      0
#define FX_TAGS         4                       /* a bit for each register */
#define FX_MXCSR        24
#define FX_ST           32                      /* 8 of 16 bytes, 10 used */
#define FX_XMM          160                     /* 8 */

#define CONTROL_OTHER   0x0F7F                  /* rounds toward zero */
#define MXCSR_OTHER     0x7F80                  /* so does this one */

static void fill_floating_point(UCHAR *fx)
{
    static const USHORT control = CONTROL_OTHER;
    static const ULONG mxcsr = MXCSR_OTHER;
    ULONG at;

    memcpy(fx + FX_CONTROL, &control, sizeof control);
    fx[FX_TAGS] = 0xFF;
    memcpy(fx + FX_MXCSR, &mxcsr, sizeof mxcsr);
    for (at = 0; at < 8; at++) {
        memset(fx + FX_ST + at * 16, 0x30 + at, 10);
        memset(fx + FX_XMM + at * 16, 0x50 + at, 16);
    }
}

void call_prepare(struct call *call, const void *target)
{
    ULONG *general = &call->in.Eax;
    ULONG at;

    memset(call, 0, sizeof *call);
    call->target = target;
    for (at = 0; at < 8; at++)
        general[at] = (0xA0 + at) * 0x01010101U;
    call->in.Eflags = EFLAGS_IF | EFLAGS_ARITHMETIC | 2;
    for (at = 0; at < CALL_STACK_SLOTS; at++)
        call->stack[at] = (0xC0 + at) * 0x01010101U;
    fill_floating_point(call->in.fx);
}

ULONG call_slots(const char *letters)
{
    ULONG slots = 0;

    for (; *letters; letters++)
        slots += *letters == 'q' ? 2 : 1;
    return slots;
}

ULONG call_by_door(struct call *call, const struct door *door, ULONG number,
                   struct door_stack *stack)
{
    call->target = door->raw;
    call->in.Eax = number;
    call->in.Edx = (ULONG)stack->arguments - door->below;
    if (door->below)
        stack->back = door->raw_behind;
    call_with_registers(call);
    return call->out.Eax;
}
