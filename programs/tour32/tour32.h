/*
 * tour32.h - the 32-bit tour's private header.
 *
 * What the tour is to Windows 10's 64-bit system call, this one is to Windows
 * XP's. The order of chapters is main.c's.
 */
#pragma once

#include "../lib/check.h"
#include "../lib/find.h"
#include "../lib/i386/call.h"
#include "../lib/print.h"

/* Chapters 1 and 2 (where.c, shared.c). */
void show_where(void);
void show_shared(void);

/*
 * Targets: what a stub does, with the door of one's choice in place of
 * [7FFE0300h] and the number in in.Eax. timed_by_door: out.Edi = ticks of the
 * time-stamp counter; in.Esi is lost. no_door: only a return.
 */
extern void *door;
void by_door(void);
void timed_by_door(void);
void no_door(void);

/* Poison every register, set the arguments, and call (call.c). */
void call_target(struct call *call, const void *target, ULONG number,
                 ULONG count, const ULONG *arguments);

/* What a service leaves of the registers; entered is the routine that has
 * SYSENTER or INT 2Eh in it. */
void check_registers(const struct call *call, const void *entered);

/* The number in a stub, and the routine that it calls through. */
ULONG stub_number(const void *stub);
void *stub_door(void);

/* "KiFastSystemCall" or "KiIntSystemCall". */
const char *door_name(const void *routine);

/* "GenuineIntel" and the like. */
void cpu_vendor(char vendor[13]);

/* Bytes as they lie in memory. */
void show_bytes(const void *from, ULONG count);

/* Chapters 3 to 7 (stops.c, doors.c, gate.c, apc.c, exception.c). */
void show_stops(void);
void show_doors(void);
void show_gate(void);
void show_apc(void);
void show_exception(void);
