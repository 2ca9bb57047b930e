/*
 * kd/report.c - a word to the machine that runs us.
 *
 * Emulators show bytes written to port E9 to their owner.  The scripts read
 * there how a run ended; on a real PC nobody asks for it and nothing is
 * written.
 */
#include <kd.h>

#include <arch/cpu.h>
#include <rtl.h>

#define REPORT_PORT 0xE9

static BOOLEAN enabled;

void kd_enable_report(void)
{
    enabled = TRUE;
}

void kd_report(const char *what, ULONG code)
{
    char line[64];
    int length = rtl_snprintf(line, sizeof line, "~ntwalk %s 0x%08x\n", what,
                              code);

    for (int i = 0; enabled && i < length; i++)
        arch_out8(REPORT_PORT, (UCHAR)line[i]);
}
