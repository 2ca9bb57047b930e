/*
 * lib/call.h - a call with every register chosen (call.asm does it).
 *
 * Fill target, in and stack, call call_with_registers, look at out. in.Rsp is
 * filled in: rsp at the call instruction, one return address above what the
 * target sees. Layouts are call.inc's.
 */
#pragma once

#include "find.h"

#define CALL_STACK_SLOTS 16

struct registers {
    ULONGLONG Rax, Rcx, Rdx, Rbx, Rsp, Rbp, Rsi, Rdi;
    ULONGLONG R8, R9, R10, R11, R12, R13, R14, R15;
    ULONGLONG Rflags, unused;
    M128A Xmm[16];
};

struct call {
    void *target;
    ULONGLONG stack[CALL_STACK_SLOTS];          /* arguments 5 and on */
    ULONG mxcsr_in, mxcsr_out;
    struct registers in, out;
};

_Static_assert(sizeof(struct registers) == 144 + 256, "call.inc REGS");
_Static_assert(offsetof(struct registers, Xmm) == 144, "call.inc REGS.Xmm");
_Static_assert(offsetof(struct call, in) == 144, "call.inc CALL.in");
_Static_assert(offsetof(struct call, out) == 544, "call.inc CALL.out");

void call_with_registers(struct call *call);

/* As a target: SYSCALL with in.Rax as the number; the other doors likewise. */
void call_raw(void);
void call_raw_int2e(void);
void call_raw_sysenter(void);

/* The same with in.R12 as rsp at the door; in.R13 is lost. */
void call_raw_on_stack(void);
void call_raw_int2e_on_stack(void);
void call_raw_sysenter_on_stack(void);

/* Where each comes back: the address behind its door. No functions. */
extern const UCHAR call_raw_behind[], call_raw_on_stack_behind[];
extern const UCHAR call_raw_int2e_behind[], call_raw_int2e_on_stack_behind[];
extern const UCHAR call_raw_sysenter_behind[];
extern const UCHAR call_raw_sysenter_on_stack_behind[];

/* The number that a stub loads into eax. */
ULONG stub_number(const void *stub);

/* Poison every register, keep rflags harmless, then set the arguments. */
void call_prepare(struct call *call, void *target, ULONG count,
                  const ULONGLONG *arguments);
