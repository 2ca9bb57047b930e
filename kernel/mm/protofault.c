/*
 * mm/protofault.c - a page of a section is touched in a view.
 *
 * The process's entry names the section's; that says where the page is.  If
 * it is not in memory it is put there once, for all views (share.c).  A write
 * to a page that is copied goes on to the copy at once.
 */
#include "vad.h"

NTSTATUS mi_prototype_fault(EPROCESS *process, ULONGLONG va,
                            enum mm_access access)
{
    MMPTE pte = mi_read_pte(va);
    MMPTE *prototype = mi_prototype_of(pte);
    ULONG mask = mi_pte_mask(pte);
    BOOLEAN dirty = access == MM_ACCESS_WRITE && !mi_is_copy(mask);
    PFN_NUMBER pfn;

    while (!(pfn = mi_share_page(prototype, dirty))) {
        NTSTATUS status = mi_read_shared_page(prototype);

        if (!NT_SUCCESS(status))
            return status;
    }
    mi_write_pte(process, va, mi_make_pte(pfn, mask, dirty));
    return access == MM_ACCESS_WRITE && !dirty ? mi_copy_on_write(process, va)
                                               : STATUS_SUCCESS;
}
