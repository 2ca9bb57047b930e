/*
 * cpu/pcr.c - a processor's KPCR.
 *
 * gs points to it from here on.  The swapped base is the user's and starts
 * as 0: there is no TEB yet.
 *
 * The boot processor's own things lie in the image, the others' where Mm has
 * made room (arch/amd64/mm/processor.c).
 */
#include <arch/processor.h>

#include <arch/entry.h>
#include <ke/ki.h>
#include <x86/registers.h>

#define INITIAL_MXCSR 0x1F80
#define GENUINE_INTEL 0x756E6547        /* "Genu" */
#define VENDOR_OTHER 1                  /* NT: AMD */

static KPCR boot_pcr __attribute__((aligned(4096)));
KPRCB *KiProcessorBlock[MAXIMUM_PROCESSORS] SEALED;
ULONG KeNumberProcessors SEALED;

/* NT: processors are in groups of 64, so that a set of them is a word. */
static void set_number(KPRCB *prcb, ULONG number)
{
    prcb->Number = number;
    prcb->LegacyNumber = (UCHAR)(number % PROCESSORS_PER_GROUP);
    prcb->Group = (UCHAR)(number / PROCESSORS_PER_GROUP);
    prcb->GroupIndex = (UCHAR)(number % PROCESSORS_PER_GROUP);
    prcb->GroupSetMember = 1ULL << prcb->GroupIndex;
}

void ki_fill_pcr(KPCR *pcr, ULONG number, const UCHAR *stacks)
{
    KPRCB *prcb = &pcr->Prcb;
    struct arch_cpuid vendor = arch_cpuid(0, 0);

    pcr->Self = pcr;
    pcr->Used_Self = NULL;
    pcr->CurrentPrcb = prcb;
    pcr->MajorVersion = 1;
    pcr->MinorVersion = 1;
    prcb->MxCsr = INITIAL_MXCSR;
    set_number(prcb, number);
    prcb->CpuVendor = vendor.ebx == GENUINE_INTEL ? VENDOR_INTEL : VENDOR_OTHER;
    prcb->RspBase = (ULONG_PTR)stacks + (ki_idle_stack_top - ki_stacks);
    prcb->DpcStack = (UCHAR *)stacks + (ki_dpc_stack_top - ki_stacks);
    ki_initialize_dpcs(prcb);
    ki_initialize_ready_queues(prcb);
    ki_initialize_timers(prcb);
    ki_fill_gdt(pcr, stacks);
    KiProcessorBlock[number] = prcb;
}

void ki_load_pcr(KPCR *pcr)
{
    ki_load_gdt(pcr);
    arch_write_msr(MSR_GS_BASE, (ULONG_PTR)pcr);
    arch_write_msr(MSR_GS_SWAP, 0);
    ki_load_idt(pcr);
}

void ki_initialize_pcr(void)
{
    ki_use_boot_gdt(&boot_pcr);
    ki_initialize_idt();
    ki_fill_pcr(&boot_pcr, 0, ki_stacks);
    ki_load_pcr(&boot_pcr);
    KeNumberProcessors = 1;
}
