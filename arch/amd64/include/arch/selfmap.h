/*
 * arch/selfmap.h - the arithmetic of the self map, free of any machine.
 *
 * A slot i of the top table points to the top table.  Then the entry for an
 * address lies at base + (address >> 12 + 9 * level) * 8, where base is the
 * slot number repeated once for each level that is skipped.  The masks drop
 * the sign extension and the three low bits, as Windows' do.
 */
#pragma once

#include <nt/ntdef.h>

static inline ULONGLONG mi_canonical(ULONGLONG address)
{
    return (ULONGLONG)((LONGLONG)(address << 16) >> 16);
}

static inline ULONGLONG mi_pte_base(ULONGLONG slot)
{
    return mi_canonical(slot << 39);
}

static inline ULONGLONG mi_pde_base(ULONGLONG slot)
{
    return mi_canonical(slot << 39 | slot << 30);
}

static inline ULONGLONG mi_ppe_base(ULONGLONG slot)
{
    return mi_canonical(slot << 39 | slot << 30 | slot << 21);
}

static inline ULONGLONG mi_pxe_base(ULONGLONG slot)
{
    return mi_canonical(slot << 39 | slot << 30 | slot << 21 | slot << 12);
}

static inline ULONGLONG mi_pte_address(ULONGLONG pte_base, ULONGLONG va)
{
    return pte_base + (va >> 9 & 0x7FFFFFFFF8ULL);
}

static inline ULONGLONG mi_pde_address(ULONGLONG pde_base, ULONGLONG va)
{
    return pde_base + (va >> 18 & 0x3FFFFFF8ULL);
}

static inline ULONGLONG mi_ppe_address(ULONGLONG ppe_base, ULONGLONG va)
{
    return ppe_base + (va >> 27 & 0x1FFFF8ULL);
}

static inline ULONGLONG mi_pxe_address(ULONGLONG pxe_base, ULONGLONG va)
{
    return pxe_base + (va >> 36 & 0xFF8ULL);
}

/* The address that an entry (seen through the self map) describes. */
static inline ULONGLONG mi_va_of_pte(ULONGLONG pte_base, ULONGLONG pte)
{
    return mi_canonical((pte - pte_base) << 9);
}
