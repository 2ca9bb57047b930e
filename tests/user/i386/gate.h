/*
 * gate.h - from 32-bit code to 64-bit code and back (gate.asm does it; the
 * layout is known there).
 */
#pragma once

#include <ntdll.h>

#define GATE_STACK_SLOTS 4

enum gate_door { GATE_SYSCALL, GATE_INT2E };

/* A call by 64-bit code: r10, rdx, r8, r9 and the stack's arguments. */
struct gate_call {
    ULONGLONG number;                           /* 00 */
    ULONGLONG arguments[4 + GATE_STACK_SLOTS];  /* 08 */
    ULONGLONG by_int2e;                         /* 48 */
    ULONGLONG rax, rcx, r11;                    /* 50: afterwards */
    ULONGLONG teb;                              /* 68: gs:[30h] */
    ULONGLONG cs;                               /* 70 */
    ULONGLONG kept_rsp;                         /* 78 */
};

/*
 * A call by 32-bit code, between two looks of 64-bit code at all registers, in
 * the order of their numbers: rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8...  Of
 * in's rsp and rbp only the upper halves count.
 */
struct gate_scrub {
    ULONGLONG in[16], out[16];                  /* 00 */
    ULONG by_sysenter, kept_esp;                /* 100 */
};

/* SYSENTER of 64-bit code. */
struct gate_sysenter {
    ULONGLONG rax, rdx, rsp;                    /* 00 */
    ULONG eax, cs, kept_esp, unused;            /* 18: afterwards */
};

_Static_assert(sizeof(struct gate_call) == 0x80, "gate.asm");
_Static_assert(sizeof(struct gate_scrub) == 0x108, "gate.asm");
_Static_assert(sizeof(struct gate_sysenter) == 0x28, "gate.asm");

void gate_call(struct gate_call *call);
extern const UCHAR gate_call_syscall_behind[];

/* The call must come back to gate_scrub_behind, ebp = the record. */
void gate_scrub(struct gate_scrub *scrub);
extern const UCHAR gate_scrub_behind[];

/* It must come back to gate_sysenter_behind. */
void gate_sysenter(struct gate_sysenter *call);
extern const UCHAR gate_sysenter_behind[];
