/*
 * arch/entry.h - the labels of the entry code that C needs to know.
 */
#pragma once

#include <loader.h>

struct _KTRAP_FRAME;
struct _KEXCEPTION_FRAME;

/* From the loader, once: builds the machine's state, never returns. */
__attribute__((noreturn)) void KiSystemStartup(LOADER_PARAMETER_BLOCK *block);

/*
 * Room 2: SYSCALL, INT 2Eh and SYSENTER, and the stub that refuses SYSCALL of
 * 32-bit code.  KiFastCallEntry2 is where SYSENTER goes on when TF was set.
 */
void KiSystemCall64(void);
void KiSystemService(void);
void KiFastCallEntry(void);
void KiFastCallEntry2(void);
void KiSystemCall32(void);

/* Does 32-bit code return by SYSEXIT?  Set at boot (cpu/features.c). */
extern BOOLEAN KiFastSystemCallIsIA32;

/* The two last instructions on the way back to 32-bit code. */
extern const UCHAR ki_exit32_sti[], ki_exit32_sysexit[];
extern const UCHAR ki_exit32_sti_shadow[], ki_exit32_sysexit_shadow[];

/* NMI's own code lies between these two (entry/ist.asm). */
void KiNmiInterrupt(void);
extern const UCHAR ki_nmi_interrupt_end[];

/*
 * What the vectors with a stack of their own load CR3 with: Mm sets it once,
 * to the System process's top table (physical).
 */
extern ULONGLONG ki_system_directory;

/* Where each of the 256 gates leads (entry/vectors.inc). */
extern void *const ki_vectors[256];

/*
 * KiKvaShadow: are the doors these (shadow.asm)?  ki_shadow_tables: has ring 3
 * page tables of its own, too?  Set at boot (cpu/shadow.c).
 */
extern BOOLEAN KiKvaShadow, ki_shadow_tables;
void KiSystemCall64Shadow(void);
void KiSystemCall32Shadow(void);
void KiFastCallEntryShadow(void);
void KiFastCallEntry2Shadow(void);
extern void *const ki_shadow_vectors[256];

/* The gates that have no handler of their own lead between these two. */
extern const UCHAR ki_unexpected_begin[], ki_unexpected_end[];

static inline BOOLEAN ki_is_unexpected(ULONG vector)
{
    const UCHAR *handler = ki_vectors[vector];
    return handler >= ki_unexpected_begin && handler < ki_unexpected_end;
}

/*
 * A fault whose rip lies in [start, end) continues at resume with the status
 * in rax.  Rows are made where the code is (macros.inc).
 */
struct ki_fixup {
    ULONGLONG start, end, resume;
};
extern const struct ki_fixup ki_fixups[], ki_fixups_end[];

/* Places that become STAC or CLAC where the processor has SMAP. */
struct ki_smap_site {
    UCHAR *address;
    ULONGLONG stac;
};
extern const struct ki_smap_site smap_sites[], smap_sites_end[];

/* Boundaries of the image (linker.ld). */
extern UCHAR kernel_start[], kernel_text_end[], kernel_constants_end[];
extern UCHAR kernel_sealed_end[], kernel_end[], kvas_start[], kvas_end[];
extern UCHAR kvas_constants[], kvas_constants_end[];

/*
 * Stacks of the boot processor: each begins with a page that gets unmapped.
 * Every processor has these stacks in this order.
 */
extern UCHAR ki_stacks[], ki_stacks_end[];
extern UCHAR ki_panic_stack_top[], ki_mca_stack_top[], ki_nmi_stack_top[];
extern UCHAR ki_debug_stack_top[], ki_transition_stack_top[];
extern UCHAR ki_dpc_stack_top[], ki_idle_stack_top[];
extern UCHAR ki_idle_stack_base[];
extern UCHAR *const ki_stack_guards[];
extern const ULONG ki_stack_guard_count;
