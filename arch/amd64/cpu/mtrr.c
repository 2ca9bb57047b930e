/*
 * cpu/mtrr.c - memory types by physical address: the same on all processors.
 *
 * The firmware has set the MTRRs, and may have forgotten a processor; one with
 * other types than the rest reads stale memory.  What the boot processor has
 * is what all get (SDM: 3A, 12.11.8).  The other half, the PAT, every
 * processor sets by itself (features.c).
 */
#include <arch/processor.h>

#include <x86/registers.h>

#define CPUID1_EDX_MTRR (1U << 12)

#define MTRRCAP_COUNT 0xFFULL
#define MTRRCAP_FIXED (1ULL << 8)
#define DEF_TYPE_ENABLE (1ULL << 11)

#define FIXED 11
#define MOST_VARIABLE 32                /* registers, two for each range */

static const ULONG fixed[FIXED] = { 0x250, 0x258, 0x259, 0x268, 0x269, 0x26A,
                                    0x26B, 0x26C, 0x26D, 0x26E, 0x26F };

struct mtrrs {
    ULONGLONG type, fixed[FIXED], variable[MOST_VARIABLE];
};

static struct mtrrs boot_mtrrs SEALED;
static ULONG variable_count SEALED, fixed_count SEALED;

static void read_mtrrs(struct mtrrs *to)
{
    memset(to, 0, sizeof *to);
    to->type = arch_read_msr(MSR_MTRR_DEF_TYPE);
    for (ULONG i = 0; i < fixed_count; i++)
        to->fixed[i] = arch_read_msr(fixed[i]);
    for (ULONG i = 0; i < variable_count; i++)
        to->variable[i] = arch_read_msr(MSR_MTRR_VARIABLE + i);
}

static void write_mtrrs(const struct mtrrs *from)
{
    for (ULONG i = 0; i < fixed_count; i++)
        arch_write_msr(fixed[i], from->fixed[i]);
    for (ULONG i = 0; i < variable_count; i++)
        arch_write_msr(MSR_MTRR_VARIABLE + i, from->variable[i]);
}

/* No cache while they change, and no translation that knows a type. */
static void change_mtrrs(const struct mtrrs *to)
{
    ULONGLONG cr0 = arch_read_cr0(), cr4 = arch_read_cr4();

    arch_write_cr0((cr0 | CR0_CD) & ~CR0_NW);
    arch_write_back_and_invalidate();
    arch_write_cr4(cr4 & ~CR4_PGE);
    arch_write_cr3(arch_read_cr3());
    arch_write_msr(MSR_MTRR_DEF_TYPE, to->type & ~DEF_TYPE_ENABLE);
    write_mtrrs(to);
    arch_write_msr(MSR_MTRR_DEF_TYPE, to->type);
    arch_write_back_and_invalidate();
    arch_write_cr3(arch_read_cr3());
    arch_write_cr0(cr0);
    arch_write_cr4(cr4);
}

void ki_save_mtrrs(void)
{
    ULONGLONG has;

    if (!(arch_cpuid(1, 0).edx & CPUID1_EDX_MTRR))
        return;
    has = arch_read_msr(MSR_MTRR_CAP);
    fixed_count = has & MTRRCAP_FIXED ? FIXED : 0;
    variable_count = (ULONG)(has & MTRRCAP_COUNT) * 2;
    if (variable_count > MOST_VARIABLE)
        variable_count = MOST_VARIABLE;
    read_mtrrs(&boot_mtrrs);
}

BOOLEAN ki_repeat_mtrrs(void)
{
    struct mtrrs own;

    if (!variable_count)
        return FALSE;
    read_mtrrs(&own);
    if (memcmp(&own, &boot_mtrrs, sizeof own) == 0)
        return FALSE;
    change_mtrrs(&boot_mtrrs);
    return TRUE;
}
