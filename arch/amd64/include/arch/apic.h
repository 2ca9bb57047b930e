/*
 * arch/apic.h - the local APIC: one in each processor, it decides which
 * interrupt comes next, and sends some itself.
 *
 * A vector's class (vector >> 4) is the IRQL at which its handler runs.
 */
#pragma once

#include <nt/ntdef.h>

#define APC_VECTOR 0x1F
#define DPC_VECTOR 0x2F
#define CLOCK_VECTOR 0xD1
#define IPI_VECTOR 0xE1
#define SPURIOUS_VECTOR 0xFF
#define APIC_NMI 0x4400                 /* for arch_send_interrupt: no vector */

/*
 * Boot: xAPIC or x2APIC, for all, whose ids go so far; rather x2APIC if it is
 * wanted.  Old controllers off.
 */
void ki_map_apic(ULONG highest_id, BOOLEAN x2apic);

/* This processor's: switched on, all its local sources masked but NMI. */
void ki_enable_apic(void);

/* Registers by their xAPIC offset (x86/apic.h). */
void ki_write_apic(ULONG reg, ULONG value);
ULONG ki_read_apic(ULONG reg);
BOOLEAN ki_is_x2apic(void);

/* The handler of an interrupt that the APIC brought is through. */
void ki_end_interrupt(void);

/* The same for a vector nobody expected, if it was the APIC's. */
void ki_end_unexpected_interrupt(ULONG vector);

/* This processor interrupts itself: at once, or when CR8 lets it. */
void arch_request_software_interrupt(UCHAR vector);

/*
 * The same for any processor, by its local APIC's id.  command: a vector, or
 * what is to be done instead (APIC_NMI; x86/apic.h).
 */
void arch_send_interrupt(ULONG apic_id, ULONG command);
