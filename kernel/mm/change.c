/*
 * mm/change.c - a committed page gets another protection.
 *
 * Where an entry is not valid, the protection is a field of it, whatever else
 * it says.  A valid page that nobody may touch any more leaves the working
 * set; a later fault that is allowed brings it back.
 *
 * A page of a section that may be copied is charged for before it is, so a
 * change can cost promises, or give some back.
 */
#include "vad.h"

#include <nt/ntapi.h>

/*
 * What mask is for this page: in an image, and where a view copies on write,
 * a section's page is never written, and one's own never copied again.
 */
static ULONG adapt(const struct mi_vad *vad, MMPTE pte, ULONG mask)
{
    ULONG rest = mask & ~MM_BASE_MASK, base = mask & MM_BASE_MASK;

    if (mask == MM_NOACCESS)
        return mask;
    if (!mi_is_shared(pte) && base == MM_WRITECOPY)
        return rest | MM_READWRITE;
    if (mi_is_shared(pte) && base == MM_READWRITE && vad->type == MEM_IMAGE)
        return rest | MM_WRITECOPY;
    return mask;
}

static BOOLEAN is_dirty(MMPTE pte)
{
    return pte.u.Hard.Dirty1;
}

static void change_entry(EPROCESS *process, ULONGLONG va, MMPTE pte,
                         ULONG mask)
{
    if (!pte.u.Hard.Valid) {
        KIRQL irql = KeAcquireSpinLock(&mi_pfn_lock);

        MiGetPteAddress((void *)va)->u.Soft.Protection = mask;
        KeReleaseSpinLock(&mi_pfn_lock, irql);
    } else if (mi_is_accessible(mask)) {
        MMPTE new = mi_make_pte(mi_pte_page(pte), mask, is_dirty(pte));

        new.u.Long |= pte.u.Long & MI_PTE_LOCKED;
        mi_write_pte(process, va, new);
    } else {
        mi_remove_from_set(process, va, mask);
    }
}

void mi_change_private(EPROCESS *process, ULONGLONG va, ULONG mask)
{
    change_entry(process, va, mi_read_pte(va), mask);
}

/* Pages to be charged for that are not yet. */
static ULONG_PTR count_charges(const struct mi_vad *vad, ULONGLONG start,
                               ULONGLONG end, ULONG mask)
{
    ULONG_PTR count = 0;

    for (ULONGLONG va = start; va < end; va += PAGE_SIZE) {
        MMPTE pte = mi_read_pte(va);

        count += mi_is_shared(pte) && !mi_pte_charge(pte) &&
                 mi_is_copy(adapt(vad, pte, mask));
    }
    return count;
}

/* Returns how many promises this page no longer needs. */
static ULONG change(EPROCESS *process, const struct mi_vad *vad, ULONGLONG va,
                    ULONG mask)
{
    MMPTE pte = mi_read_pte(va);
    ULONG before = mi_pte_charge(pte), after;

    change_entry(process, va, pte, adapt(vad, pte, mask));
    after = mi_pte_charge(mi_read_pte(va));
    mi_add_charge(process, after);
    mi_remove_charge(process, before);
    return before > after;
}

NTSTATUS mi_protect(EPROCESS *process, const struct mi_vad *vad,
                    ULONGLONG start, ULONGLONG end, ULONG mask)
{
    ULONGLONG locked = process->Vm.locked;
    ULONG_PTR promises = 0;

    if (vad->section &&
        !mi_charge_pages(count_charges(vad, start, end, mask)))
        return STATUS_COMMITMENT_LIMIT;
    for (ULONGLONG va = start; va < end; va += PAGE_SIZE)
        promises += change(process, vad, va, mask);
    mi_uncharge_pages(promises);
    return process->Vm.locked < locked ? STATUS_WAS_UNLOCKED
                                            : STATUS_SUCCESS;
}
