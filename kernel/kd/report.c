/*
 * kd/report.c - a word to the machine that runs us, on how the run has ended.
 *
 * Emulators show bytes written to port E9 to their owner; on a real PC nobody
 * asks for it and nothing is written.  In memory the word is always, for a
 * debugger or whoever has nothing else of a machine to look at.
 */
#include <kd.h>

#include <arch/cpu.h>
#include <rtl.h>

#define REPORT_PORT 0xE9

static BOOLEAN enabled;
static char kd_last_report[64] __attribute__((used));

void kd_enable_report(void)
{
    enabled = TRUE;
}

void kd_report(const char *what, ULONG code)
{
    int length = rtl_snprintf(kd_last_report, sizeof kd_last_report,
                              "~ntwalk %s 0x%08x\n", what, code);

    for (int i = 0; enabled && i < length; i++)
        arch_out8(REPORT_PORT, (UCHAR)kd_last_report[i]);
}
