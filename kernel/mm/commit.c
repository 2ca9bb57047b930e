/*
 * mm/commit.c - committed pages come and go.
 *
 * To commit is to be promised a page, and to write that down in an entry; the
 * page itself comes when it is touched.  What can fail (can it be promised, is
 * there a page table for every address) is asked first, for the whole range;
 * only then is anything changed.
 */
#include "vad.h"

#define PDE_SPAN 0x200000ULL

BOOLEAN mi_is_committed(ULONGLONG start, ULONGLONG end)
{
    for (ULONGLONG va = start; va < end; va += PAGE_SIZE) {
        if (!mi_committed_mask(va))
            return FALSE;
    }
    return TRUE;
}

/*
 * Pages that are not.  Above limit counting stops: the answer is too many,
 * and not how many.
 */
static ULONG_PTR count_missing(ULONGLONG start, ULONGLONG end, ULONG_PTR limit)
{
    ULONG_PTR missing = 0;

    for (ULONGLONG va = start; va < end && missing <= limit;
         va += PAGE_SIZE) {
        ULONGLONG committed = mi_next_entry(va, end);

        missing += (committed - va) >> PAGE_SHIFT;
        va = committed;
    }
    return missing;
}

/*
 * The promise comes first: an absurd request makes no tables for nothing.
 * *charge is 0 when it fails.
 */
NTSTATUS mi_prepare_pages(ULONGLONG start, ULONGLONG end, ULONG_PTR count,
                          ULONG_PTR *charge)
{
    *charge = 0;
    if (!mi_charge_pages(count))
        return STATUS_COMMITMENT_LIMIT;
    for (ULONGLONG va = ALIGN_DOWN(start, PDE_SPAN); va < end;
         va += PDE_SPAN) {
        NTSTATUS status = mi_make_tables((void *)va);
        if (!NT_SUCCESS(status)) {
            mi_uncharge_pages(count);
            return status;
        }
    }
    *charge = count;
    return STATUS_SUCCESS;
}

NTSTATUS mi_prepare_commit(ULONGLONG start, ULONGLONG end, ULONG_PTR *charge)
{
    ULONG_PTR limit = mi_available_pages();
    ULONG_PTR missing = count_missing(start, end, limit);

    *charge = 0;
    return missing > limit ? STATUS_COMMITMENT_LIMIT
                           : mi_prepare_pages(start, end, missing, charge);
}

/* What was promised is the process's from now on. */
static void spend(EPROCESS *process, ULONG_PTR *charge)
{
    ASSERT(*charge > 0);
    --*charge;
    mi_add_charge(process, 1);
}

void mi_commit(EPROCESS *process, ULONGLONG start, ULONGLONG end, ULONG mask,
               ULONG_PTR *charge)
{
    for (ULONGLONG va = start; va < end; va += PAGE_SIZE) {
        if (mi_read_pte(va).u.Long) {
            mi_change_private(process, va, mask);
            continue;
        }
        spend(process, charge);
        mi_write_pte(process, va, mi_make_software_pte(mask));
    }
}

/* Where there is no page just now: there is one when it is touched. */
static NTSTATUS commit_in_page_file(EPROCESS *process, ULONGLONG va,
                                    ULONG mask, const void *bytes)
{
    MMPTE pte = mi_make_software_pte(mask);
    KIRQL irql = KeAcquireSpinLock(&mi_pfn_lock);
    ULONG slot = mi_write_new_page(bytes);

    if (slot) {
        mi_keep_promise();
        pte.u.Soft.PageFileHigh = slot;
        mi_write_pte(process, va, pte);
    }
    KeReleaseSpinLock(&mi_pfn_lock, irql);
    return slot ? STATUS_SUCCESS : STATUS_NO_MEMORY;
}

static void commit_in_memory(EPROCESS *process, ULONGLONG va, PFN_NUMBER pfn,
                             ULONG mask, const void *bytes)
{
    KIRQL irql;

    memcpy(mi_map_temporary(pfn, &irql), bytes, PAGE_SIZE);
    mi_unmap_temporary(irql);
    mi_write_pte(process, va, mi_make_pte(pfn, mask, TRUE));
}

NTSTATUS mi_commit_filled(EPROCESS *process, ULONGLONG va, ULONG mask,
                          const void *bytes, ULONG_PTR *charge)
{
    MMPTE *pte = MiGetPteAddress((void *)va);
    PFN_NUMBER pfn = mi_take_private_page(pte, mi_make_software_pte(mask),
                                          FALSE);
    NTSTATUS status = STATUS_SUCCESS;

    if (pfn)
        commit_in_memory(process, va, pfn, mask, bytes);
    else
        status = commit_in_page_file(process, va, mask, bytes);
    if (!NT_SUCCESS(status))
        return status;
    spend(process, charge);
    process->NumberOfPrivatePages++;
    return STATUS_SUCCESS;
}

void mi_map_prototypes(EPROCESS *process, ULONGLONG start, ULONGLONG end,
                       const MMPTE *prototype, ULONG mask, ULONG_PTR *charge)
{
    for (ULONGLONG va = start; va < end; va += PAGE_SIZE, prototype++) {
        if (mi_is_copy(mask))
            spend(process, charge);
        mi_write_pte(process, va, mi_make_prototype_pte(prototype, mask));
    }
}

/*
 * What an entry stood for, and it is zero.  Until then a standby page could
 * still be given to somebody else, so it leaves its list at the same time; and
 * a slot in the page file is free.
 */
static MMPTE take_entry(EPROCESS *process, ULONGLONG va)
{
    KIRQL irql = KeAcquireSpinLock(&mi_pfn_lock);
    MMPTE pte = mi_read_pte(va);
    ULONG slot = mi_page_file_slot(pte);

    if (!pte.u.Hard.Valid && !pte.u.Soft.Prototype && pte.u.Soft.Transition)
        mi_unlink_page(pte.u.Trans.PageFrameNumber);
    if (slot) {
        mi_free_slot(slot);
        mi_page_came_back();
    }
    mi_write_pte(process, va, (MMPTE){ .u.Long = 0 });
    KeReleaseSpinLock(&mi_pfn_lock, irql);
    return pte;
}

/* The entry is gone already.  Returns how many promises are given back. */
static ULONG release_private(EPROCESS *process, MMPTE pte)
{
    BOOLEAN in_memory = pte.u.Hard.Valid || pte.u.Soft.Transition;

    if (!in_memory && !mi_page_file_slot(pte))
        return 1;
    process->NumberOfPrivatePages--;
    if (in_memory)
        mi_free_page(mi_pte_page(pte));
    return 0;
}

static ULONG decommit_page(EPROCESS *process, ULONGLONG va)
{
    MMPTE pte = take_entry(process, va);
    ULONG charge = mi_pte_charge(pte);
    BOOLEAN shared = mi_is_shared(pte);

    mi_remove_charge(process, charge);
    if (!shared)
        return release_private(process, pte);
    if (pte.u.Hard.Valid)
        mi_unshare_page(mi_pte_page(pte));
    return charge;
}

void mi_decommit(EPROCESS *process, const struct mi_vad *vad, ULONGLONG start,
                 ULONGLONG end)
{
    ULONG_PTR promises = 0;

    for (ULONGLONG va = mi_next_entry(start, end); va < end;
         va = mi_next_entry(va + PAGE_SIZE, end)) {
        if (vad->permanent)
            mi_write_pte(process, va, (MMPTE){ .u.Long = 0 });
        else
            promises += decommit_page(process, va);
    }
    mi_uncharge_pages(promises);
}
