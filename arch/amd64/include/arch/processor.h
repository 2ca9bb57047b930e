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
void ki_initialize_gdt(KPCR *pcr);
void ki_initialize_idt(KPCR *pcr);

/*
 * The GDT is read-only but for one descriptor, the 32-bit TEB's: from here on
 * it is written through a mapping of its own.  After Mm has started.
 */
void ki_map_gdt(void);

/* The gates lead to the doors of KVA shadow instead. */
void ki_use_shadow_gates(void);

/*
 * KVA shadow (cpu/shadow.c), by option (auto, on, off) and processor: its
 * doors are in use; ring 3's page tables are Mm's (mm/shadow.c).
 */
void ki_start_kva_shadow(KPCR *pcr, const char *option);

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

/* EFER or one of the MSRs that SYSCALL, SYSRET and SYSENTER load from; FALSE:
 * another. */
BOOLEAN ki_read_system_call_msr(ULONG msr, ULONGLONG *value);

/*
 * CR0, CR4 and EFER are final; whoever changes one from here on is a bugcheck,
 * with the right value back in it (pinned.c).
 */
void ki_pin_registers(void);
void ki_check_pinned_registers(void);

/* NOPs become STAC and CLAC; the image must still be writable. */
void ki_patch_smap_sites(void);

/* The local APIC and its timer as the clock of vector D1h. */
void ki_start_clock(void);

/* One row each for the boot log. */
void ki_show_security_cookie(void);
void ki_show_descriptors(const KPCR *pcr);
void ki_show_idt(const KPCR *pcr);
void ki_show_features(void);

extern KPRCB *KiProcessorBlock[];
extern BOOLEAN KeSmapEnabled;
