/*
 * tests/kernel/memtypes.c - the same memory types on all processors.
 *
 * What the MTRRs and the PAT were where somebody asked first, the kernel's own
 * list of them not used: all that may be there are tried.
 */
#include "selftest.h"

#include <arch/cpu.h>
#include <ke.h>
#include <x86/registers.h>

#define MOST_VARIABLE 32                /* two for each range */
#define COUNT_MASK 0xFF                 /* ranges, in MSR_MTRR_CAP */
#define HAS_MTRRS (1u << 12)            /* CPUID 1, edx */
#define FIXED_COUNT 11
#define MOST (2 + FIXED_COUNT + MOST_VARIABLE)

static const ULONG fixed[FIXED_COUNT] = {
    0x250, 0x258, 0x259, 0x268, 0x269, 0x26A, 0x26B, 0x26C, 0x26D, 0x26E,
    0x26F };

static ULONGLONG first[MOST];

static void read_all(ULONGLONG values[MOST])
{
    ULONG at = 0, variable;

    values[at++] = arch_read_msr(MSR_PAT);
    if (!(arch_cpuid(1, 0).edx & HAS_MTRRS))
        return;
    variable = 2 * (ULONG)(arch_read_msr(MSR_MTRR_CAP) & COUNT_MASK);
    values[at++] = arch_read_msr(MSR_MTRR_DEF_TYPE);
    for (ULONG i = 0; i < FIXED_COUNT; i++)
        values[at++] = arch_read_msr(fixed[i]);
    for (ULONG i = 0; i < variable && at < MOST; i++)
        values[at++] = arch_read_msr(MSR_MTRR_VARIABLE + i);
}

BOOLEAN test_memory_types(void)
{
    ULONGLONG values[MOST] = { 0 };
    KIRQL irql = KfRaiseIrql(DISPATCH_LEVEL);
    BOOLEAN same;

    read_all(values);
    if (!first[0])
        memcpy(first, values, sizeof first);
    same = memcmp(first, values, sizeof first) == 0;
    KfLowerIrql(irql);
    return same;
}
