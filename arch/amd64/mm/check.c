/*
 * arch/amd64/mm/check.c - the promise that no page is both writable and
 * executable, checked by walking every table of the current address space.
 */
#include <mm/mi.h>

#include <kd.h>

struct check {
    ULONG_PTR pages, writable, executable;
};

static void check_leaf(const MMPTE *pte, ULONG_PTR va, BOOLEAN writable,
                       BOOLEAN executable, struct check *check)
{
    if (writable && executable)
        KeBugCheckEx(ATTEMPTED_EXECUTE_OF_NOEXECUTE_MEMORY, va, pte->u.Long,
                     0, 0);
    check->pages++;
    check->writable += writable;
    check->executable += executable;
}

/* Rights only shrink on the way down, so the path decides with the leaf. */
static void check_table(MMPTE *table, ULONG_PTR va, ULONG level,
                        BOOLEAN writable, BOOLEAN executable,
                        struct check *check)
{
    for (ULONG i = 0; i < MI_ENTRIES; i++) {
        const MMPTE *pte = &table[i];
        ULONG_PTR at = va + ((ULONG_PTR)i << (PAGE_SHIFT + 9 * level));
        BOOLEAN w = writable && pte->u.Hard.Dirty1;
        BOOLEAN x = executable && !pte->u.Hard.NoExecute;

        if (!pte->u.Hard.Valid || (level == 3 && i == mi_selfmap_slot))
            continue;
        if (level == 3 && i >= MI_ENTRIES / 2)
            at |= 0xFFFF000000000000ULL;
        if (level == 0 || pte->u.Hard.LargePage) {
            check_leaf(pte, at, w, x, check);
            continue;
        }
        check_table((MMPTE *)mi_va_of_pte(MmPteBase, (ULONG_PTR)pte), at,
                    level - 1, w, x, check);
    }
}

void mm_check_protections(void)
{
    struct check check = { 0 };

    mi_lock_current_space();
    check_table((MMPTE *)mi_pxe_window, 0, 3, TRUE, TRUE, &check);
    mi_unlock_current_space();
    DbgPrintEx(DPFLTR_MM_ID, DPFLTR_TRACE_LEVEL,
               "W^X   %llu pages: %llu writable, %llu executable, none both\n",
               check.pages, check.writable, check.executable);
}
