/*
 * arch/machinecheck.h - what the processor finds wrong with itself.
 *
 * The banks of MSRs are read by #MC and, for what was corrected without one,
 * by a DPC once a minute; both put records into a ring (machinecheck.c).  The
 * clock has the DPC print them.
 */
#pragma once

#include <nt/ntdef.h>

struct ki_machine_check {
    ULONGLONG status;               /* MCi_STATUS */
    ULONGLONG address, misc;        /* 0 if status says there is none */
    ULONGLONG global;               /* MCG_STATUS; 0: found, not told */
    ULONGLONG rip;                  /* of what was interrupted, 0: nothing */
    ULONG bank;
};

/*
 * Banks are switched on; what they have from before the boot is recorded.  The
 * second is each other processor's.
 */
void ki_initialize_machine_checks(void);
void ki_start_machine_checks(void);

/* From the clock interrupt: anything to print, or time to look? */
void ki_check_machine_checks(void);
