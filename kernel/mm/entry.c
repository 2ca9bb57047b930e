/*
 * mm/entry.c - one page-table entry of ring 3 at a time.
 *
 * Page tables are made before there is anything to put into them, and go with
 * the address space; an address without one has an entry of zero.
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

static void count_set(EPROCESS *process, MMPTE old, MMPTE new)
{
    struct ps_working_set *set = &process->Vm;

    set->WorkingSetSize += new.u.Hard.Valid;
    set->WorkingSetSize -= old.u.Hard.Valid;
    set->locked += mi_is_locked(new);
    set->locked -= mi_is_locked(old);
    if (set->WorkingSetSize > set->PeakWorkingSetSize)
        set->PeakWorkingSetSize = set->WorkingSetSize;
}

void mi_write_pte(EPROCESS *process, ULONGLONG va, MMPTE pte)
{
    MMPTE *place = MiGetPteAddress((void *)va), old = *place;

    count_set(process, old, pte);
    *place = pte;
    if (old.u.Hard.Valid)               /* no processor remembers another */
        mi_flush_page((void *)va);
}

ULONGLONG mi_next_entry(ULONGLONG va, ULONGLONG end)
{
    while ((va = mi_skip_missing_tables(va, end)) < end) {
        if (MiGetPteAddress((void *)va)->u.Long != 0)
            return va;
        va += PAGE_SIZE;
    }
    return end;
}

BOOLEAN mi_is_shared(MMPTE pte)
{
    if (pte.u.Hard.Valid)
        return mi_pfn_at(mi_pte_page(pte))->PrototypePte;
    return mi_is_prototype(pte);
}

ULONG mi_pte_charge(MMPTE pte)
{
    if (pte.u.Long == 0)
        return 0;
    return mi_is_shared(pte) ? mi_is_copy(mi_pte_mask(pte)) : 1;
}

/* A page of a section may be reserved there. */
ULONG mi_committed_mask(ULONGLONG va)
{
    MMPTE pte = mi_read_pte(va);

    if (pte.u.Long == 0 ||
        (mi_is_prototype(pte) && mi_prototype_of(pte)->u.Long == 0))
        return 0;
    return mi_pte_mask(pte);
}

void mi_add_charge(EPROCESS *process, ULONG_PTR pages)
{
    process->CommitCharge += pages;
    if (process->CommitCharge > process->CommitChargePeak)
        process->CommitChargePeak = process->CommitCharge;
}

void mi_remove_charge(EPROCESS *process, ULONG_PTR pages)
{
    ASSERT(process->CommitCharge >= pages);
    process->CommitCharge -= pages;
}

static void retire_private(EPROCESS *process, ULONGLONG va, PFN_NUMBER pfn,
                           ULONG mask)
{
    KIRQL irql = KeAcquireSpinLock(&mi_pfn_lock);

    mi_pfn_at(pfn)->ShareCount = 0;
    mi_write_pte(process, va, mi_make_transition_pte(pfn, mask));
    mi_retire_page(pfn);
    KeReleaseSpinLock(&mi_pfn_lock, irql);
}

void mi_remove_from_set(EPROCESS *process, ULONGLONG va, ULONG mask)
{
    MMPTE pte = mi_read_pte(va);
    PFN_NUMBER pfn = mi_pte_page(pte);

    if (!mi_is_shared(pte)) {
        retire_private(process, va, pfn, mask);
        return;
    }
    mi_write_pte(process, va,
                 mi_make_prototype_pte(mi_pfn_at(pfn)->PteAddress, mask));
    mi_unshare_page(pfn);
}
