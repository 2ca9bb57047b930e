/*
 * mm/fault.c - what a page fault means.
 *
 * Nothing is paged in here, so a fault is always somebody's mistake, except
 * on a guard page.  Such a page is committed but its entry is not valid; the
 * first access makes it an ordinary page and is reported, and a second one
 * goes through.
 *
 * Between the access and the look at its page another thread may have made
 * the page what it should be: then nothing is wrong, and the access is done
 * again.  Of two threads that touch a guard page one hears of it.
 */
#include "vad.h"

static BOOLEAN allows(MMPTE pte, enum mm_access access)
{
    if (!pte.u.Hard.Valid)
        return FALSE;
    switch (access) {
    case MM_ACCESS_WRITE:
        return (pte.u.Long & MI_PTE_READ_WRITE) != 0;
    case MM_ACCESS_EXECUTE:
        return (pte.u.Long & MI_PTE_NO_EXECUTE) == 0;
    default:
        return TRUE;
    }
}

static NTSTATUS look(ULONGLONG va, enum mm_access access)
{
    MMPTE pte = mi_read_pte(va);

    if (allows(pte, access))
        return STATUS_SUCCESS;
    if (pte.u.Long == 0 || pte.u.Hard.Valid ||
        (mi_pte_mask(pte) & MM_WRITECOMBINE) != MM_GUARD_PAGE)
        return STATUS_ACCESS_VIOLATION;
    mi_protect(va, va + PAGE_SIZE, mi_pte_mask(pte) & MM_BASE_MASK);
    return STATUS_GUARD_PAGE_VIOLATION;
}

NTSTATUS mm_access_fault(ULONGLONG address, enum mm_access access)
{
    NTSTATUS status;

    if (address > MM_HIGHEST_USER_ADDRESS)
        return STATUS_ACCESS_VIOLATION;
    mi_lock_current_space();
    status = look(ALIGN_DOWN(address, PAGE_SIZE), access);
    mi_unlock_current_space();
    return status;
}
