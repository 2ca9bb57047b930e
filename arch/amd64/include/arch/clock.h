/*
 * arch/clock.h - the clock that the local APIC makes.
 */
#pragma once

#include <ke.h>

#define TICKS_PER_SECOND 64

/* Start the clock interrupt (vector D1h); interrupts are still off. */
void ki_start_clock(void);

/*
 * ke/time.c: so many ticks have passed; the last of them was due when the TSC
 * read so much.  IRQL: CLOCK_LEVEL.
 */
void KeUpdateSystemTime(ULONG ticks, ULONGLONG tsc);

/* The battery clock, 100-ns units since 1601. */
LONGLONG arch_read_wall_clock(void);
