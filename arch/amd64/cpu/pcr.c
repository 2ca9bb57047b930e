/*
 * cpu/pcr.c - the boot processor's KPCR.
 *
 * gs points to it from here on.  The swapped base is the user's and starts
 * as 0: there is no TEB yet.
 */
#include <arch/processor.h>

#include <arch/entry.h>
#include <ke/ki.h>
#include <x86/registers.h>

#define MAXIMUM_PROCESSORS 64
#define INITIAL_MXCSR 0x1F80
#define GENUINE_INTEL 0x756E6547        /* "Genu" */
#define VENDOR_OTHER 1                  /* NT: AMD */

static KPCR boot_pcr __attribute__((aligned(4096)));
KPRCB *KiProcessorBlock[MAXIMUM_PROCESSORS] SEALED;
ULONG KeNumberProcessors SEALED;

void ki_initialize_pcr(void)
{
    KPCR *pcr = &boot_pcr;
    KPRCB *prcb = &pcr->Prcb;
    struct arch_cpuid vendor = arch_cpuid(0, 0);

    pcr->Self = pcr;
    pcr->Used_Self = NULL;
    pcr->CurrentPrcb = prcb;
    pcr->MajorVersion = 1;
    pcr->MinorVersion = 1;
    prcb->MxCsr = INITIAL_MXCSR;
    prcb->Number = 0;
    prcb->CpuVendor = vendor.ebx == GENUINE_INTEL ? VENDOR_INTEL : VENDOR_OTHER;
    prcb->RspBase = (ULONG_PTR)ki_idle_stack_top;
    prcb->DpcStack = ki_dpc_stack_top;
    prcb->GroupSetMember = 1;
    ki_initialize_dpcs(prcb);
    ki_initialize_ready_queues(prcb);
    ki_initialize_timers(prcb);
    KiProcessorBlock[0] = prcb;
    KeNumberProcessors = 1;
    ki_initialize_gdt(pcr);
    arch_write_msr(MSR_GS_BASE, (ULONG_PTR)pcr);
    arch_write_msr(MSR_GS_SWAP, 0);
    ki_initialize_idt(pcr);
}
