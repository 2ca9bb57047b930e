/*
 * tests/kernel/switches.c - the processor as every service must find it: what
 * keeps ring 3 out is on, and what ring 3 had in its flags is off.  Written
 * out here, so that a change of the kernel's own list shows.
 *
 * Scenarios: E5, E8, F1 to F4, F7, F8, D7, P9.
 */
#include "selftest.h"

#include <arch/cpu.h>
#include <arch/entry.h>
#include <arch/processor.h>
#include <mm.h>
#include <x86/registers.h>

#define FMASK 0x44700                   /* AC NT DF IF TF */
#define FLAGS_OF_RING_3 0x47500         /* AC NT IOPL DF TF */

static BOOLEAN has(ULONG_PTR value, ULONG_PTR bits)
{
    return (value & bits) == bits;
}

/* bit of CR4: on where the processor has it, off where it has not. */
static BOOLEAN follows(ULONGLONG cr4, ULONGLONG bit, ULONG feature)
{
    return (cr4 & bit) == (feature ? bit : 0);
}

static BOOLEAN test_registers(void)
{
    struct arch_cpuid features = arch_cpuid(7, 0);
    ULONGLONG cr0 = arch_read_cr0(), cr4 = arch_read_cr4();

    return has(cr0, CR0_WP | CR0_NE | CR0_AM | CR0_MP) &&
           !(cr0 & (CR0_EM | CR0_TS)) && has(cr4, CR4_MCE) &&
           follows(cr4, CR4_UMIP, features.ecx >> 2 & 1) &&
           follows(cr4, CR4_SMEP, features.ebx >> 7 & 1) &&
           follows(cr4, CR4_SMAP, features.ebx >> 20 & 1) &&
           !(ki_shadow_tables && (cr4 & CR4_PGE)) &&
           has(arch_read_msr(MSR_EFER), EFER_SCE | EFER_NXE) &&
           arch_read_msr(MSR_FMASK) == FMASK;
}

static BOOLEAN test_flags(void)
{
    ULONGLONG flags;

    __asm__ volatile("pushfq; popq %0" : "=r"(flags));
    return !(flags & FLAGS_OF_RING_3) && (flags & EFLAGS_IF);
}

/* The vectors that may come at any instruction have stacks of their own. */
static BOOLEAN test_gates(const KPCR *pcr)
{
    static const UCHAR anywhere[] = { 1, 2, 8, 18 };
    ULONG stacks = 1;                   /* 0 is none */

    for (ULONG i = 0; i < ARRAY_SIZE(anywhere); i++) {
        ULONG stack = 1U << pcr->IdtBase[anywhere[i]].IstIndex;

        if (stacks & stack)
            return FALSE;
        stacks |= stack;
    }
    return pcr->TssBase->IoMapBase >= sizeof *pcr->TssBase;
}

static BOOLEAN test_guards(void)
{
    for (ULONG i = 0; i < ki_stack_guard_count; i++) {
        if (MmIsAddressValid(ki_stack_guards[i]))
            return FALSE;
    }
    return ki_stack_guard_count != 0 &&
           !MmIsAddressValid((UCHAR *)KeGetCurrentThread()->StackLimit - 1);
}

BOOLEAN test_switches(void)
{
    return test_registers() && test_flags() &&
           test_gates(CONTAINING_RECORD(KeGetCurrentPrcb(), KPCR, Prcb)) &&
           test_guards();
}
