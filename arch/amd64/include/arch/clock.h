/*
 * arch/clock.h - the local APIC and the clock it makes.
 */
#pragma once

#include <ke.h>

/* Start the clock interrupt (vector D1h); interrupts are still off. */
void ki_start_clock(void);

/* Tell the local APIC that an interrupt nobody expected is done, if it was
 * the APIC's. */
void ki_end_unexpected_interrupt(ULONG vector);

/* ke/time.c: one tick has passed.  IRQL: CLOCK_LEVEL. */
void KeUpdateSystemTime(void);

/* The battery clock, 100-ns units since 1601. */
LONGLONG arch_read_wall_clock(void);
