/*
 * ex/procnum.c - NtGetCurrentProcessorNumber, the null service.
 *
 * No arguments, no memory, one load: what a call of it costs is what rooms 2,
 * 3 and 5 cost.  That makes it the benchmarks' service.  The number is the one
 * in the processor's group.
 */
#include <ke.h>
#include <nt/ntapi.h>

ULONG NtGetCurrentProcessorNumber(void)
{
    return KeGetCurrentPrcb()->LegacyNumber;
}
