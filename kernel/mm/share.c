/*
 * mm/share.c - the pages of sections, and who uses them.
 *
 * A section has an entry for each of its pages (a prototype).  It is valid
 * while processes use the page, in transition when the last one has gone, and
 * before the page was ever touched it says what will be there: zeroes, or
 * what a file has (the subsection that it names knows where).
 *
 * A page is brought in by one thread at a time (sharing); whoever comes
 * meanwhile finds it there.
 */
#include "vad.h"

static EX_PUSH_LOCK sharing;

static void make_valid(MMPTE *prototype, PFN_NUMBER pfn)
{
    prototype->u.Long = MI_PTE_VALID;
    prototype->u.Hard.PageFrameNumber = pfn;
}

static BOOLEAN is_in_memory(MMPTE prototype)
{
    return prototype.u.Hard.Valid ||
           (!prototype.u.Proto.Prototype && prototype.u.Trans.Transition);
}

PFN_NUMBER mi_share_page(MMPTE *prototype, BOOLEAN dirty)
{
    KIRQL irql = KeAcquireSpinLock(&mi_pfn_lock);
    MMPTE pte = *prototype;
    PFN_NUMBER pfn = 0;

    if (is_in_memory(pte))
        pfn = pte.u.Hard.PageFrameNumber;
    if (pfn && !pte.u.Hard.Valid) {
        mi_unlink_page(pfn);
        make_valid(prototype, pfn);
        KeGetCurrentPrcb()->MmTransitionCount++;
    }
    if (pfn)
        mi_pfn_at(pfn)->ShareCount++;
    if (pfn && dirty)
        mi_note_write(pfn);
    KeReleaseSpinLock(&mi_pfn_lock, irql);
    return pfn;
}

void mi_unshare_page(PFN_NUMBER pfn)
{
    KIRQL irql = KeAcquireSpinLock(&mi_pfn_lock);
    struct mi_pfn *page = mi_pfn_at(pfn);

    ASSERT(page->ShareCount > 0);
    if (--page->ShareCount == 0) {
        *page->PteAddress =
            mi_make_transition_pte(pfn, page->OriginalPte.u.Soft.Protection);
        mi_retire_page(pfn);
    }
    KeReleaseSpinLock(&mi_pfn_lock, irql);
}

/* A new page is nobody's yet: as if its last user had just gone. */
static void publish(MMPTE *prototype, PFN_NUMBER pfn)
{
    KIRQL irql = KeAcquireSpinLock(&mi_pfn_lock);

    *prototype = mi_make_transition_pte(pfn, prototype->u.Soft.Protection);
    mi_retire_page(pfn);
    KeReleaseSpinLock(&mi_pfn_lock, irql);
}

/* As many bytes as are of the file; the rest is zero already. */
static void fill_from_file(const MMPTE *prototype, PFN_NUMBER pfn)
{
    const struct mi_subsection *subsection =
        (void *)(LONG_PTR)prototype->u.Subsect.SubsectionAddress;
    const struct mi_segment *segment = subsection->segment;
    KIRQL irql;

    mi_read_file_page(segment, subsection, prototype - segment->prototypes,
                      mi_map_temporary(pfn, &irql));
    mi_unmap_temporary(irql);
}

static void fill(const MMPTE *prototype, PFN_NUMBER pfn)
{
    if (prototype->u.Subsect.Prototype)
        fill_from_file(prototype, pfn);
    else
        mi_read_page(pfn, mi_page_file_slot(*prototype));
}

static NTSTATUS read_page(MMPTE *prototype)
{
    PFN_NUMBER pfn = mi_take_shared_page(prototype);

    if (!pfn)
        return STATUS_RETRY;
    if (prototype->u.Subsect.Prototype || mi_page_file_slot(*prototype)) {
        fill(prototype, pfn);
        KeGetCurrentPrcb()->MmPageReadCount++;
        KeGetCurrentPrcb()->MmPageReadIoCount++;
    } else {
        mi_pfn_at(pfn)->Modified = TRUE;
        KeGetCurrentPrcb()->MmDemandZeroCount++;
    }
    publish(prototype, pfn);
    return STATUS_SUCCESS;
}

NTSTATUS mi_read_shared_page(MMPTE *prototype)
{
    NTSTATUS status = STATUS_SUCCESS;

    ke_acquire_exclusive(&sharing);
    if (!is_in_memory(*prototype))
        status = read_page(prototype);
    ke_release_exclusive(&sharing);
    return status;
}

ULONG mi_delete_prototype(MMPTE *prototype)
{
    KIRQL irql = KeAcquireSpinLock(&mi_pfn_lock);
    MMPTE pte = *prototype;
    BOOLEAN in_memory = is_in_memory(pte);
    ULONG slot = mi_page_file_slot(pte);

    ASSERT(!pte.u.Hard.Valid);
    prototype->u.Long = 0;
    if (in_memory)
        mi_unlink_page(pte.u.Trans.PageFrameNumber);
    if (slot) {
        mi_free_slot(slot);
        mi_page_came_back();
    }
    KeReleaseSpinLock(&mi_pfn_lock, irql);
    if (in_memory)
        mi_free_page(pte.u.Trans.PageFrameNumber);
    return pte.u.Long && !in_memory && !slot;
}
