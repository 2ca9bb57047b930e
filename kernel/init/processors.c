/*
 * init/processors.c - all other processors, by the firmware's list (MADT).
 *
 * Each gets a number in the order in which it comes; one that does not come is
 * left out.  What it has for itself is Mm's to make, its idle thread Ps's; how
 * it is started is the machine's affair (cpu/startup.c).
 */
#include "initp.h"

#include <arch/apic.h>
#include <arch/entry.h>
#include <arch/processor.h>
#include <arch/startup.h>
#include <hal.h>
#include <init.h>
#include <kd.h>
#include <mm.h>
#include <ps.h>

void init_map_apic(void)
{
    ULONG highest = 0;

    for (ULONG i = 0; i < hal_machine.processor_count; i++) {
        if (hal_machine.processors[i].apic_id > highest)
            highest = hal_machine.processors[i].apic_id;
    }
    ki_map_apic(highest, strcmp(init_option("apic"), "x2apic") == 0);
}

static ULONG without_memory SEALED;

static KPCR *create_processor(ULONG number)
{
    const UCHAR *stacks;
    KPCR *pcr = mm_create_processor(&stacks);

    if (!pcr)
        return NULL;
    ki_fill_pcr(pcr, number, stacks);
    ki_map_gdt(pcr);
    return ps_create_idle_thread(&pcr->Prcb,
                                 (UCHAR *)stacks +
                                     (ki_idle_stack_base - ki_stacks))
               ? pcr : NULL;
}

/* Its GDT is sealed when it has loaded its task register from there. */
static void start(ULONG apic_id)
{
    KPCR *pcr = create_processor(KeNumberProcessors);

    if (!pcr) {
        without_memory++;
    } else if (!ki_start_processor(pcr, apic_id)) {
        DbgPrintEx(KD_KE_ID, DPFLTR_WARNING_LEVEL,
                   "SMP   the processor with APIC id %x does not come\n",
                   apic_id);
    } else {
        KeNumberProcessors++;
        mm_seal_processor(pcr);
    }
}

static void show(void)
{
    ULONGLONG difference = ki_tsc_difference();

    if (without_memory)
        DbgPrintEx(KD_KE_ID, DPFLTR_WARNING_LEVEL,
                   "SMP   no memory for %u more processors\n",
                   without_memory);

    DbgPrintEx(KD_KE_ID, DPFLTR_TRACE_LEVEL, "SMP   %u processors run",
               KeNumberProcessors);
    if (ki_mtrr_repairs())
        DbgPrintEx(KD_KE_ID, DPFLTR_TRACE_LEVEL,
                   "; %u had other MTRRs than the first", ki_mtrr_repairs());
    DbgPrintEx(KD_KE_ID, DPFLTR_TRACE_LEVEL,
               difference ? "; their TSCs differ, by %llu ticks\n"
                          : "; their TSCs are in step\n", difference);
}

void KeStartAllProcessors(const LOADER_PARAMETER_BLOCK *block)
{
    const struct hal_machine *machine = &hal_machine;
    ULONG own = KeGetCurrentPrcb()->InitialApicId;

    if (machine->processor_count < 2)
        return;
    if (!block->startup || !ki_prepare_startup(block->startup)) {
        DbgPrintEx(KD_KE_ID, DPFLTR_WARNING_LEVEL,
                   "SMP   no memory below 1 MiB to start the others\n");
        return;
    }
    for (ULONG i = 0; i < machine->processor_count; i++) {
        if (machine->processors[i].apic_id != own)
            ki_reset_processor(machine->processors[i].apic_id);
    }
    KeStallExecutionProcessor(KI_INIT_WAIT);
    ki_save_mtrrs();
    for (ULONG i = 0; i < machine->processor_count; i++) {
        if (machine->processors[i].apic_id != own &&
            KeNumberProcessors < MAXIMUM_PROCESSORS)
            start(machine->processors[i].apic_id);
    }
    show();
}
