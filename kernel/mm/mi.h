/*
 * mm/mi.h - Mm's private header; arch/amd64/mm takes it too, as the lower
 * half of Mm.
 *
 * Page tables are seen and edited through the self map only.  System space is
 * shared: every process's top table holds the same entries in its upper half,
 * except the self map itself.
 */
#pragma once

#include <arch/pte.h>
#include <mm.h>

#define MI_SYSTEM_RANGE_START   0xFFFF800000000000ULL

/* System space, one PXE slot each; docs/memory-map.md draws it. */
#define MI_SYSTEM_PTE_START     0xFFFFF88000000000ULL
#define MI_PFN_DATABASE         0xFFFFFA8000000000ULL
#define MI_HYPERSPACE           0xFFFFF70000000000ULL
#define MI_KERNEL_IMAGE         0xFFFFFFFF80000000ULL

/* ---- pages (pfn.c) ---- */

/* A zeroed page, 0 when there is none. */
PFN_NUMBER mi_allocate_page(void);
void mi_free_page(PFN_NUMBER pfn);

/*
 * Promise count pages to ring 3 (FALSE: that many are not left to it); what is
 * never taken is given back.  (charge.c)
 */
BOOLEAN mi_charge_pages(ULONG_PTR count);
void mi_uncharge_pages(ULONG_PTR count);

/* Pages that ring 3 may still be promised. */
ULONG_PTR mi_available_pages(void);

/* Left to the kernel when ring 3 has taken all it can: 2 MiB. */
#define MI_KERNEL_PAGES 512

/* Number of pages of a run, kept with its first page (pool, stacks). */
void mi_set_run(PFN_NUMBER first, ULONG pages);
ULONG mi_get_run(PFN_NUMBER first);

/* Boot, in this order: choose; tables from early pages; the database. */
void mi_choose_early_pages(const LOADER_PARAMETER_BLOCK *block);
ULONGLONG mi_early_physical(void);
void mi_initialize_pages(const LOADER_PARAMETER_BLOCK *block);
void mi_set_disk_aside(void);

/* ---- page tables (arch/amd64/mm/tables.c) ---- */

/* Bases of the four windows, set once at boot. */
extern ULONGLONG MmPteBase, mi_pde_window, mi_ppe_window, mi_pxe_window;
extern ULONG mi_selfmap_slot;

/* Where va's entries are seen; the ones above must be valid to look. */
MMPTE *MiGetPteAddress(const void *va);
MMPTE *MiGetPdeAddress(const void *va);
MMPTE *MiGetPpeAddress(const void *va);
MMPTE *MiGetPxeAddress(const void *va);

/* PXE, PPE and PDE of va are valid in the current space. */
BOOLEAN mi_tables_present(const void *va);

/* Make the missing ones; user tables for user addresses.  STATUS_NO_MEMORY. */
NTSTATUS mi_make_tables(const void *va);

/*
 * No processor remembers the page; this one does not; none remembers anything.
 * IRQL: <= DISPATCH_LEVEL, interrupts on.
 */
void mi_flush_page(const void *va);
void mi_flush_page_here(const void *va);
void mi_flush_all(void);

/* Free the current process's (empty) user tables. */
void mi_free_user_tables(void);

/* A process's top table, as CR3 wants it; 0 without memory. */
ULONGLONG mi_create_top_table(void);

/*
 * KVA shadow (arch/amd64/mm/shadow.c): ring 3's top table of a process, 0
 * where there is none; an entry of the current process's other one has
 * changed.  Boot: what all of them share, once the image has its protections.
 */
NTSTATUS mi_create_shadow_top(ULONGLONG *directory);
void mi_delete_shadow_top(ULONGLONG directory);
void mi_mirror_top_entry(MMPTE *entry);
void mi_start_shadow(const KPCR *pcr);
void mi_share_processor(const KPCR *pcr);

/*
 * One page at a time, mapped in hyperspace to be filled: at DISPATCH_LEVEL,
 * so quickly.  *irql is for the way back.
 */
void *mi_map_temporary(PFN_NUMBER pfn, KIRQL *irql);
void mi_unmap_temporary(KIRQL irql);

/* A whole page, from one to another; neither is looked at otherwise. */
void mi_copy_page(PFN_NUMBER to, PFN_NUMBER from);

/* Boot: the self map and hyperspace in the loader's top table; ... */
void mi_start_page_tables(void);
/* ... an entry for every part of system space that processes share; ... */
void mi_share_system_space(void);
/* ... and the image page by page with its protections (image.c). */
void mi_protect_image(const LOADER_PARAMETER_BLOCK *block);

/* ---- system addresses (system.c); IRQL: <= DISPATCH_LEVEL ---- */

/* count pages of addresses without memory, or NULL. */
void *mi_reserve_system(ULONG count);
void mi_release_system(void *address, ULONG count);

/* Memory behind reserved addresses; STATUS_INSUFFICIENT_RESOURCES: none. */
NTSTATUS mi_back_system(void *address, ULONG count);
void mi_unback_system(void *address, ULONG count);

/* count pages of addresses with zeroed memory behind them, or NULL. */
void *mi_allocate_system(ULONG count);
void mi_free_system(void *address);

/* ---- checked builds (poolcheck.c, stackuse.c); DBG is 1 there, else 0 ---- */

#define MI_RED_ZONE 8U

/* A slot that nobody owns; is it as it was marked?  Else bugcheck C1. */
void mi_mark_free(void *slot, SIZE_T slot_size);
void mi_check_free(const void *slot, SIZE_T slot_size);

/* What lies between a block's end and its slot's; the same. */
void mi_mark_end(void *block, SIZE_T size, SIZE_T slot_size);
void mi_check_end(void *block, SIZE_T slot_size);

/* A kernel stack: full of paint; how deep was it used; is it still painted? */
void mi_paint_stack(void *top);
void mi_note_stack(const void *top);
void mi_check_dead_stack(const void *top);

/* ---- the lock of an address space (space.c) ---- */

/* Does the current thread hold one?  Then it must not touch user memory. */
BOOLEAN mi_owns_space(void);

/* The current process's. */
void mi_lock_current_space(void);
void mi_unlock_current_space(void);

/* ---- user memory (arch/amd64/mm/usercopy.asm) ---- */

/* A fault anywhere in either range is its status, not a bugcheck. */
NTSTATUS arch_copy_user(void *to, const void *from, SIZE_T size);
NTSTATUS arch_touch_user(void *address);
