/*
 * landing.h - 32-bit code at single instructions: a door that NtContinue leads
 * to, a door that is single-stepped (landing.asm).
 */
#pragma once

#include <ntdll.h>

struct landed {
    ULONG eax, ecx, edx, ebx, esp, ebp, esi, edi, eflags;
};

/* Returns when something has jumped to landing, with the registers there. */
void continue_and_land(CONTEXT *context, struct landed *landed);
void landing(void);

/* The door, and landing behind it; for SYSENTER [edx] must be landing. */
void land_by_int2e(void);
void land_by_sysenter(void);

/* A call of number FFFh with TF set by the instruction before the door. */
void step_int2e(void);
void step_sysenter(void);
extern const UCHAR step_int2e_behind[], step_sysenter_behind[];

/* The same after ss was loaded from here: a breakpoint on it is due then. */
void land_past_ss_by_int2e(void);
void land_past_ss_by_sysenter(void);
extern const USHORT landing_ss;

/* *place = 1, by one instruction. */
void store(ULONG *place);
extern const UCHAR store_behind[];

/* SYSENTER with this edx. */
void sysenter_with_stack(ULONG number, ULONG edx);
