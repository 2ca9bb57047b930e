/*
 * arch/clock.h - the clock that the local APIC makes.
 */
#pragma once

#include <ke.h>

/* Start the clock interrupt (vector D1h); interrupts are still off. */
void ki_start_clock(void);

/* ke/time.c: one tick has passed.  IRQL: CLOCK_LEVEL. */
void KeUpdateSystemTime(void);

/* The battery clock, 100-ns units since 1601. */
LONGLONG arch_read_wall_clock(void);
