/*
 * mm/fault.c - what a page fault means.
 *
 * Nothing is paged in here, so a fault is always somebody's mistake, except
 * on a guard page.  Such a page is committed but its entry is not valid; the
 * first access makes it an ordinary page and is reported, and a second one
 * goes through.
 */
#include "vad.h"

NTSTATUS mm_access_fault(ULONGLONG address)
{
    ULONGLONG va = ALIGN_DOWN(address, PAGE_SIZE);
    MMPTE pte;

    if (address > MM_HIGHEST_USER_ADDRESS)
        return STATUS_ACCESS_VIOLATION;
    pte = mi_read_pte(va);
    if (pte.u.Long == 0 || pte.u.Hard.Valid ||
        (mi_pte_mask(pte) & MM_WRITECOMBINE) != MM_GUARD_PAGE)
        return STATUS_ACCESS_VIOLATION;
    mi_protect(va, va + PAGE_SIZE, mi_pte_mask(pte) & MM_BASE_MASK);
    return STATUS_GUARD_PAGE_VIOLATION;
}
