/*
 * arch/processor.h - bringing a processor up.
 */
#pragma once

#include <ke.h>
#include <loader.h>

/*
 * The word that guards return addresses (cpu/cookie.c), before anything else.
 * block: what the loader gave, or NULL.
 */
void ki_set_security_cookie(const LOADER_PARAMETER_BLOCK *block);
extern ULONG_PTR __security_cookie, __security_cookie_complement;

#define VENDOR_INTEL 2                  /* KPRCB.CpuVendor */

/* PCR, GDT, TSS and IDT of the boot processor, in this order; then loaded. */
void ki_initialize_pcr(void);
void ki_use_boot_gdt(KPCR *pcr);
void ki_initialize_idt(void);

/*
 * What a processor's tables say (its GdtBase, TssBase and stacks are there,
 * zeroed); by itself: they are loaded.
 */
void ki_fill_pcr(KPCR *pcr, ULONG number, const UCHAR *stacks);
void ki_fill_gdt(KPCR *pcr, const UCHAR *stacks);
void ki_load_pcr(KPCR *pcr);
void ki_load_gdt(const KPCR *pcr);
void ki_load_idt(KPCR *pcr);

/*
 * The GDT is read-only but for one descriptor, the 32-bit TEB's: from here on
 * it is written through a mapping of its own.  After Mm has started.
 */
void ki_map_gdt(const KPCR *pcr);


/* The gates lead to the doors of KVA shadow instead. */
void ki_use_shadow_gates(void);

/*
 * KVA shadow (cpu/shadow.c), by option (auto, on, off) and processor: its
 * doors are in use; ring 3's page tables are Mm's (mm/shadow.c).  Then by each
 * processor.
 */
void ki_choose_kva_shadow(const char *option);
void ki_start_kva_shadow(KPCR *pcr);

/* What doors load: page tables, now and from now on; a stack. */
void ki_load_directory(KPRCB *prcb, ULONGLONG directory);
void ki_set_kernel_stack(KPRCB *prcb, ULONG_PTR stack);

/* fs: the TEB of 32-bit code, from the context switch.  Interrupts off. */
void ki_set_teb_descriptor(ULONG base);

/*
 * CR0, CR4, EFER and the system-call MSRs, by what CPUID reports; KVA shadow,
 * also by the option.
 */
void ki_initialize_features(const char *kva_option);

/* The same on another processor, as it was decided. */
void ki_repeat_features(KPCR *pcr);

/* EFER or one of the MSRs that SYSCALL, SYSRET and SYSENTER load from; FALSE:
 * another. */
BOOLEAN ki_read_system_call_msr(ULONG msr, ULONGLONG *value);

/*
 * Memory types, before the others start; by each of those.  TRUE: they were
 * not the same before.
 */
void ki_save_mtrrs(void);
BOOLEAN ki_repeat_mtrrs(void);

/*
 * CR0, CR4 and EFER are final; whoever changes one from here on is a bugcheck,
 * with the right value back in it (pinned.c).
 */
void ki_pin_registers(void);
void ki_check_pinned_registers(void);

/* NOPs become STAC and CLAC; the image must still be writable. */
void ki_patch_smap_sites(void);

/* The local APIC and its timer as the clock of vector D1h, after ki_map_apic;
 * another processor's. */
void ki_start_clock(void);
void ki_join_clock(void);

/* So long, and a little more.  After ki_start_clock.  IRQL: any. */
void KeStallExecutionProcessor(ULONG microseconds);

/* One row each for the boot log. */
void ki_show_security_cookie(void);
void ki_show_descriptors(const KPCR *pcr);
void ki_show_idt(const KPCR *pcr);
void ki_show_features(void);

#define MAXIMUM_PROCESSORS 256
#define PROCESSORS_PER_GROUP 64
extern KPRCB *KiProcessorBlock[];
extern BOOLEAN KeSmapEnabled;
