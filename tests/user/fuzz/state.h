/*
 * state.h - a state of the processor to begin with, and what came of it
 * (state.asm, whose layout state.inc has).
 */
#pragma once

#include "fuzz.h"

struct state_registers {
    ULONGLONG Rax, Rcx, Rdx, Rbx, Rsp, Rbp, Rsi, Rdi;
    ULONGLONG R8, R9, R10, R11, R12, R13, R14, R15;
    ULONGLONG Rflags, Rip;
    ULONG mxcsr;
    USHORT ds, es, fs, cs, ss, unused;
    ULONG landed, pad;
};

struct state {
    struct state_registers in, out;
};

_Static_assert(sizeof(struct state_registers) == 168, "state.inc");

void state_enter(struct state *state);
void state_landing(void);
void state_back(void);

/* As far as the door, and what is behind it. */
void state_syscall(void);
void state_int2e(void);
void state_sysenter(void);
void state_syscall_flags(void);
void state_int2e_flags(void);
void state_sysenter_flags(void);
extern const UCHAR state_syscall_behind[], state_int2e_behind[],
    state_sysenter_behind[];

/* ---- catch.c ---- */

struct caught {
    volatile BOOLEAN armed;
    NTSTATUS code;                              /* 0: no exception */
    ULONGLONG address, rip, target;
    ULONGLONG allowed;                          /* a parameter may be this */
    const char *wrong;
};

extern struct caught caught;
void catch_begin(void);
void catch_arm(void);
void catch_disarm(void);

/* ---- states.c, instructions.c, contexts.c ---- */

void states_run(ULONG count);
void contexts_run(ULONG count);

/* Addresses of 64 blocks of random instructions, made anew. */
#define BLOCKS 64
#define BLOCK_SIZE 64
UCHAR *instructions_make(void);
