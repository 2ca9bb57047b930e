/*
 * mm/commit.c - memory behind user addresses.
 *
 * To commit is to give each page its memory at once.  What can fail (are
 * there enough pages, is there a page table for every address) is asked
 * first, for the whole range, and the pages are set aside; only then is
 * anything changed.
 *
 * Page tables are made when they are needed and go with the address space.
 */
#include "vad.h"

#define PXE_SPAN 0x8000000000ULL
#define PPE_SPAN 0x40000000ULL
#define PDE_SPAN 0x200000ULL

ULONGLONG mi_skip_missing_tables(ULONGLONG va, ULONGLONG end)
{
    while (va < end) {
        void *at = (void *)va;

        if (!MiGetPxeAddress(at)->u.Hard.Valid)
            va = ALIGN_DOWN(va, PXE_SPAN) + PXE_SPAN;
        else if (!MiGetPpeAddress(at)->u.Hard.Valid)
            va = ALIGN_DOWN(va, PPE_SPAN) + PPE_SPAN;
        else if (!MiGetPdeAddress(at)->u.Hard.Valid)
            va = ALIGN_DOWN(va, PDE_SPAN) + PDE_SPAN;
        else
            return va;
    }
    return end;
}

MMPTE mi_read_pte(ULONGLONG va)
{
    if (!mi_tables_present((void *)va))
        return (MMPTE){ .u.Long = 0 };
    return *MiGetPteAddress((void *)va);
}

static void write_pte(ULONGLONG va, MMPTE pte)
{
    *MiGetPteAddress((void *)va) = pte;
    mi_flush_page((void *)va);
}

/* The next committed page in [va, end), or end. */
static ULONGLONG next_committed(ULONGLONG va, ULONGLONG end)
{
    while ((va = mi_skip_missing_tables(va, end)) < end) {
        if (MiGetPteAddress((void *)va)->u.Long != 0)
            return va;
        va += PAGE_SIZE;
    }
    return end;
}

BOOLEAN mi_is_committed(ULONGLONG start, ULONGLONG end)
{
    for (ULONGLONG va = start; va < end; va += PAGE_SIZE) {
        if (next_committed(va, end) != va)
            return FALSE;
    }
    return TRUE;
}

/* Pages that are not; counting stops when there are more than limit. */
static ULONG_PTR count_missing(ULONGLONG start, ULONGLONG end, ULONG_PTR limit)
{
    ULONG_PTR missing = 0;

    for (ULONGLONG va = start; va < end && missing <= limit;
         va += PAGE_SIZE) {
        ULONGLONG committed = next_committed(va, end);

        missing += (committed - va) >> PAGE_SHIFT;
        va = committed;
    }
    return missing;
}

ULONG_PTR mi_available_pages(void)
{
    struct mm_statistics statistics;

    mm_query_statistics(&statistics);
    return statistics.free_pages > MI_KERNEL_PAGES
               ? statistics.free_pages - MI_KERNEL_PAGES : 0;
}

/*
 * The charge comes first: an absurd request makes no tables for nothing.  0
 * when it fails.
 */
NTSTATUS mi_prepare_commit(ULONGLONG start, ULONGLONG end, ULONG_PTR *charge)
{
    ULONG_PTR missing = count_missing(start, end, mi_available_pages());

    *charge = 0;
    if (!mi_charge_pages(missing))
        return STATUS_COMMITMENT_LIMIT;
    for (ULONGLONG va = ALIGN_DOWN(start, PDE_SPAN); va < end;
         va += PDE_SPAN) {
        NTSTATUS status = mi_make_tables((void *)va);
        if (!NT_SUCCESS(status)) {
            mi_uncharge_pages(missing);
            return status;
        }
    }
    *charge = missing;
    return STATUS_SUCCESS;
}

static PFN_NUMBER take_page(EPROCESS *process, ULONG_PTR *charge)
{
    PFN_NUMBER pfn;

    ASSERT(*charge > 0);
    --*charge;
    pfn = mi_allocate_charged_page();
    process->NumberOfPrivatePages++;
    process->CommitCharge++;
    return pfn;
}

void mi_commit(EPROCESS *process, ULONGLONG start, ULONGLONG end, ULONG mask,
               ULONG_PTR *charge)
{
    for (ULONGLONG va = start; va < end; va += PAGE_SIZE) {
        MMPTE pte = mi_read_pte(va);
        PFN_NUMBER pfn = pte.u.Long ? mi_pte_page(pte)
                                    : take_page(process, charge);

        write_pte(va, mi_make_pte(pfn, mask));
    }
}

void mi_commit_filled(EPROCESS *process, ULONGLONG va, ULONG mask,
                      const void *bytes, SIZE_T size, ULONG_PTR *charge)
{
    PFN_NUMBER pfn = take_page(process, charge);
    KIRQL irql;

    memcpy(mi_map_temporary(pfn, &irql), bytes, size);
    mi_unmap_temporary(irql);
    write_pte(va, mi_make_pte(pfn, mask));
}

void mi_map_shared(ULONGLONG va, PFN_NUMBER pfn, ULONG mask)
{
    write_pte(va, mi_make_pte(pfn, mask));
}

void mi_protect(ULONGLONG start, ULONGLONG end, ULONG mask)
{
    for (ULONGLONG va = start; va < end; va += PAGE_SIZE)
        write_pte(va, mi_make_pte(mi_pte_page(mi_read_pte(va)), mask));
}

void mi_decommit(EPROCESS *process, const struct mi_vad *vad, ULONGLONG start,
                 ULONGLONG end)
{
    for (ULONGLONG va = next_committed(start, end); va < end;
         va = next_committed(va + PAGE_SIZE, end)) {
        PFN_NUMBER pfn = mi_pte_page(mi_read_pte(va));

        write_pte(va, (MMPTE){ .u.Long = 0 });
        if (vad->shared)
            continue;
        mi_free_page(pfn);
        process->NumberOfPrivatePages--;
        process->CommitCharge--;
    }
}
