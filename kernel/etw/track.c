/*
 * etw/track.c - the two sides of a system call that is traced.
 *
 * NT: KiTrackSystemCallEntry and Exit call what DTrace has registered.
 */
#include <etw.h>

volatile ULONG KiDynamicTraceMask;

ULONGLONG KiTrackSystemCallEntry(const ULONGLONG *arguments)
{
    (void)arguments;
    return 0;
}

void KiTrackSystemCallExit(ULONGLONG call, ULONGLONG status, ULONGLONG ticks)
{
    (void)call, (void)status, (void)ticks;
}
