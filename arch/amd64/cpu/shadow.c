/*
 * cpu/shadow.c - KVA shadow: whether ring 3 gets page tables of its own, and
 * what of the processor changes then.
 *
 * Some processors let ring 3 read the kernel's memory by speculation
 * (Meltdown, CVE-2017-5754), if only it is mapped.  With KVA shadow it is not:
 * ring 3 runs on page tables that have the doors and hardly anything else
 * (mm/shadow.c), and the doors load the kernel's (entry/shadow.asm).
 */
#include <arch/processor.h>

#include <arch/entry.h>
#include <arch/speculation.h>
#include <bug.h>
#include <kd.h>
#include <x86/registers.h>

#define CPUID1_ECX_PCID (1U << 17)

BOOLEAN KiKvaShadow SEALED;             /* the shadow doors are in use */
BOOLEAN ki_shadow_tables SEALED;        /* ring 3 has page tables of its own */

/* Translations that are global, or that a change of CR3 keeps. */
static void set_translations(void)
{
    ULONGLONG cr4 = arch_read_cr4() & ~UNLESS_BUG(kva_global_pages, CR4_PGE);
    ULONGLONG directory = arch_read_cr3();

    arch_write_cr4(cr4);                /* or the kernel stays in the TLB */
    if (!(arch_cpuid(1, 0).ecx & CPUID1_ECX_PCID))
        return;
    arch_write_cr4(cr4 | CR4_PCIDE);
    directory |= CR3_PCID_KERNEL;
    arch_write_cr3(directory);
    KeGetCurrentThread()->Process->DirectoryTableBase = directory;
}

void ki_choose_kva_shadow(const char *option)
{
    ki_shadow_tables = strcmp(option, "auto") == 0
                           ? ki_needs_kva_shadow()
                           : strcmp(option, "on") == 0;
    KiKvaShadow = ki_shadow_tables || ki_needs_predictor_doors();
    DbgPrintEx(KD_KE_ID, DPFLTR_TRACE_LEVEL, "KVA   %s\n",
               ki_shadow_tables ? "shadow: ring 3 has page tables of its own"
               : KiKvaShadow ? "one set of page tables; the shadow doors are "
                               "for the predictors"
                             : "no shadow: one set of page tables");
    if (KiKvaShadow)
        ki_use_shadow_gates();
}

void ki_start_kva_shadow(KPCR *pcr)
{
    KTSS64 *tss = pcr->TssBase;

    if (!KiKvaShadow)
        return;
    if (ki_shadow_tables)
        set_translations();
    else
        pcr->Prcb.ShadowFlags |= KI_SHADOW_ONE_SPACE;
    tss->Rsp0 = tss->Ist[TSS_IST_DEBUG] +
                (ULONG_PTR)(ki_transition_stack_top - ki_debug_stack_top);
}

void ki_load_directory(KPRCB *prcb, ULONGLONG directory)
{
    arch_write_cr3(directory);
    prcb->KernelDirectoryTableBase = directory |
        (directory & CR3_PCID_KERNEL ? CR3_NO_FLUSH : 0);
    prcb->ShadowFlags |= KI_SHADOW_FLUSH_PENDING;
}

void ki_set_kernel_stack(KPRCB *prcb, ULONG_PTR stack)
{
    prcb->RspBase = prcb->RspBaseShadow = stack;
    if (!KiKvaShadow)
        CONTAINING_RECORD(prcb, KPCR, Prcb)->TssBase->Rsp0 = stack;
}
