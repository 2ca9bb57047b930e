/*
 * mm/init.c - memory, from the loader's hands into ours.
 *
 * Order matters and is the story: choose pages for the first tables while
 * physical addresses are pointers; hang the self map into the loader's top
 * table; describe every page; give the image its protections; make the pages
 * that ring 3 may read.  When the caller has mapped what it still needs, the
 * identity map goes, and a physical address is only a number.
 */
#include "vad.h"

#include <bug.h>
#include <kd.h>
#include <nt/wow64.h>

static PFN_NUMBER shared_page SEALED, shared_page_xp SEALED;

static PFN_NUMBER map_shared_page(ULONGLONG address)
{
    void *va = (void *)address;
    PFN_NUMBER page = mi_allocate_page();

    if (!page || !NT_SUCCESS(mi_make_tables(va)))
        KeBugCheckEx(PHASE0_INITIALIZATION_FAILED, 4, 0, 0, 0);
    MiGetPteAddress(va)->u.Long = page << PAGE_SHIFT | MI_PTE_VALID |
        MI_PTE_READ_WRITE | MI_PTE_ACCESSED | MI_PTE_GLOBAL |
        MI_PTE_NO_EXECUTE;
    return page;
}

static void show(const LOADER_PARAMETER_BLOCK *block)
{
    static const char *const type_name[] = { "free", "loader", "firmware" };

    for (ULONG i = 0; i < block->memory_count; i++) {
        const struct loader_memory *range = &block->memory[i];
        DbgPrintEx(DPFLTR_MM_ID, DPFLTR_TRACE_LEVEL,
                   "RAM   %011llx-%011llx %8llu KiB  %s\n", range->base,
                   range->base + range->size - 1, range->size >> 10,
                   type_name[range->type]);
    }
    DbgPrintEx(DPFLTR_MM_ID, DPFLTR_TRACE_LEVEL,
               "MAP   slot %03x  PTE %016llx  PDE %016llx\n", mi_selfmap_slot,
               MmPteBase, mi_pde_window);
    DbgPrintEx(DPFLTR_MM_ID, DPFLTR_TRACE_LEVEL,
               "                PPE %016llx  PXE %016llx\n", mi_ppe_window,
               mi_pxe_window);
}

void MmInitSystem(const LOADER_PARAMETER_BLOCK *block)
{
    struct mm_statistics statistics;

    mi_choose_early_pages(block);
    mi_start_page_tables();
    mi_share_system_space();
    show(block);
    mi_initialize_pages(block);
    mi_protect_image(block);
    shared_page = map_shared_page(KI_USER_SHARED_DATA);
    shared_page_xp = map_shared_page(KI_USER_SHARED_DATA_XP);
    mi_start_shadow(CONTAINING_RECORD(KeGetCurrentPrcb(), KPCR, Prcb));
    mi_set_disk_aside();
    mm_query_statistics(&statistics);
    DbgPrintEx(DPFLTR_MM_ID, DPFLTR_TRACE_LEVEL,
               "PFN   %016llx  %llu pages, %llu free\n", MI_PFN_DATABASE,
               (ULONGLONG)statistics.total_pages,
               (ULONGLONG)statistics.resident_available);
}

NTSTATUS MmCreateProcessAddressSpace(EPROCESS *process)
{
    NTSTATUS status =
        mi_create_shadow_top(&process->Pcb.UserDirectoryTableBase);

    if (!NT_SUCCESS(status))
        return status;
    process->Pcb.DirectoryTableBase = mi_create_top_table();
    if (process->Pcb.DirectoryTableBase)
        return STATUS_SUCCESS;
    mi_delete_shadow_top(process->Pcb.UserDirectoryTableBase);
    process->Pcb.UserDirectoryTableBase = 0;
    return STATUS_INSUFFICIENT_RESOURCES;
}

NTSTATUS mm_map_shared_page(void)
{
    EPROCESS *process = PsGetCurrentProcess();
    PFN_NUMBER page = process->WoW64Process ? shared_page_xp : shared_page;
    void *va = (void *)USER_SHARED_DATA;
    struct mi_visit visit;
    NTSTATUS status = mi_enter_space(process, &visit);

    if (!NT_SUCCESS(status))
        return status;
    status = mi_make_tables(va);
    if (NT_SUCCESS(status))
        status = mi_reserve_shared_page(process);
    if (NT_SUCCESS(status))
        mi_write_pte(process, (ULONG_PTR)va,
                     mi_make_pte(page, BUG(shared_page_writable)
                                           ? MM_READWRITE : MM_READONLY,
                                 BUG(shared_page_writable)));
    mi_leave_space(&visit);
    return status;
}

void mm_delete_address_space(EPROCESS *process)
{
    mi_free_page(process->Pcb.DirectoryTableBase >> PAGE_SHIFT);
    mi_delete_shadow_top(process->Pcb.UserDirectoryTableBase);
    process->Pcb.DirectoryTableBase = process->Pcb.UserDirectoryTableBase = 0;
}
