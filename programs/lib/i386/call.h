/*
 * lib/i386/call.h - a 32-bit call with every register chosen (call.asm does
 * it), and XP's doors as targets of one.
 *
 * Fill target, in and stack, call call_with_registers, look at out.  in.Esp is
 * filled in: esp at the call instruction, one return address above what the
 * target sees.  Layouts are call.inc's.
 */
#pragma once

#include <ntdll.h>

#define CALL_STACK_SLOTS 20

struct registers {
    ULONG Eax, Ecx, Edx, Ebx, Esp, Ebp, Esi, Edi;
    ULONG Eflags, unused[3];
    UCHAR fx[512];                              /* an FXSAVE image */
} __attribute__((aligned(16)));

struct call {
    const void *target;
    ULONG door_esp;                             /* esp behind a bare door */
    ULONG stack[CALL_STACK_SLOTS];
    ULONG unused[2];
    struct registers in, out;
};

_Static_assert(sizeof(struct registers) == 48 + 512, "call.inc REGS");
_Static_assert(offsetof(struct call, in) == 96, "call.inc CALL.in");
_Static_assert(offsetof(struct call, out) == 656, "call.inc CALL.out");

void call_with_registers(struct call *call);

/*
 * As a target: the bare instruction, with in.Eax as the number and in.Edx
 * where the door looks for the stack.  SYSENTER comes back to whoever [edx]
 * names; that must be call_raw_sysenter_behind.
 */
void call_raw_int2e(void);
void call_raw_sysenter(void);
extern const UCHAR call_raw_int2e_behind[], call_raw_sysenter_behind[];

/* Poison every register, fill the floating point, keep eflags harmless. */
void call_prepare(struct call *call, const void *target);

/* The slots of four bytes that arguments with these letters take. */
ULONG call_slots(const char *letters);

/* What XP's stubs leave on the stack, arguments and what is below them. */
struct door_stack {
    const void *back, *caller;
    ULONG arguments[CALL_STACK_SLOTS];
};

/* XP's doors, a table to walk: for (door = doors; door < doors_end(); ...) */
struct door {
    const char *name;
    void (*raw)(void);
    const void *raw_behind;
    ULONG below;                /* edx points that far below the arguments */
    ULONG_PTR (*call)(ULONG number, ...);       /* ntdll's */
};

extern const struct door doors[];

/* SYSENTER is the last one: only Intel's processors have it in this mode. */
const struct door *doors_end(void);

/* The one of that name, whether this processor has it or not; NULL: none. */
const struct door *door_named(const char *name);

/*
 * After call_prepare: call by the bare door, the arguments at stack, which may
 * be anywhere.  Only for SYSENTER a return address is written there.  Returns
 * eax.
 */
ULONG call_by_door(struct call *call, const struct door *door, ULONG number,
                   struct door_stack *stack);
