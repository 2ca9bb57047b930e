/*
 * arch/startup.h - another processor's start (cpu/startup.c), and what it
 * begins with (entry/startup.asm).
 */
#pragma once

#include <ke.h>

#define KI_STARTUP_CODE64 0x00209B0000000000ULL

/* Behind a copy of the code; it reads all of it before it comes to C. */
struct ki_startup {
    ULONGLONG gdt[2];                   /* none, 64-bit code */
    USHORT gdt_limit;
    ULONG gdt_base;
    ULONG offset;                       /* of ki_startup_long's copy */
    USHORT selector;
    ULONG directory;                    /* for CR3, below 4 GiB */
    void *stack;
    KPCR *pcr;
    void (*entry)(KPCR *pcr);
} __attribute__((packed));

extern const UCHAR ki_startup_code[], ki_startup_long[], ki_startup_data[];

#define KI_INIT_WAIT 10000              /* microseconds */

/*
 * Boot: the pages at a physical address below 1 MiB that processors begin with
 * (LOADER_STARTUP_PAGES).  FALSE: no system addresses.
 */
BOOLEAN ki_prepare_startup(ULONGLONG pages);

/* From here on, after KI_INIT_WAIT, it waits to be started. */
void ki_reset_processor(ULONG apic_id);

/*
 * One that waits: it becomes pcr's, whose idle thread is there.  FALSE: it has
 * not come, and waits again.
 */
BOOLEAN ki_start_processor(KPCR *pcr, ULONG apic_id);

/*
 * Of all that have come: the most that a TSC was behind another one, in its
 * ticks; how many had other memory types than the boot processor.
 */
ULONGLONG ki_tsc_difference(void);
ULONG ki_mtrr_repairs(void);

/* Where it comes to C, on its idle thread's stack; never returns. */
__attribute__((noreturn)) void ki_processor_startup(KPCR *pcr);
