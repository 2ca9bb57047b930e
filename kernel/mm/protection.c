/*
 * mm/protection.c - what a PAGE_ constant means to the processor.
 *
 * Windows' constants become a five-bit code (NT's), and the code becomes bits
 * of a page-table entry.  The processor cannot tell PAGE_EXECUTE from
 * PAGE_EXECUTE_READ, so the code's base stays in the entry, in bits that the
 * processor ignores.  A page that must fault on any access (PAGE_NOACCESS,
 * PAGE_GUARD) has no valid entry; the code stands in one that says where the
 * page is instead.
 *
 * No page is writable and executable.  Windows refuses such pages to a
 * process that has its arbitrary-code guard on, with
 * STATUS_DYNAMIC_CODE_BLOCKED; here every process has it on.  Going from
 * writable to executable and back is allowed: a program that makes code
 * writes first and runs later.
 */
#include "vad.h"

#include <nt/ntapi.h>

static const ULONG base_protect[] = {
    [MM_READONLY] = PAGE_READONLY,
    [MM_EXECUTE] = PAGE_EXECUTE,
    [MM_EXECUTE_READ] = PAGE_EXECUTE_READ,
    [MM_READWRITE] = PAGE_READWRITE,
    [MM_WRITECOPY] = PAGE_WRITECOPY,
    [MM_EXECUTE_READWRITE] = PAGE_EXECUTE_READWRITE,
    [MM_EXECUTE_WRITECOPY] = PAGE_EXECUTE_WRITECOPY,
};

static ULONG modifier_mask(ULONG modifiers)
{
    switch (modifiers) {
    case 0: return 0;
    case PAGE_NOCACHE: return MM_NOCACHE;
    case PAGE_GUARD: return MM_GUARD_PAGE;
    case PAGE_WRITECOMBINE: return MM_WRITECOMBINE;
    }
    return MM_INVALID_PROTECTION;
}

/* One base, at most one modifier, and none with PAGE_NOACCESS. */
ULONG MiMakeProtectionMask(ULONG protect)
{
    ULONG modifiers = protect & (PAGE_NOCACHE | PAGE_GUARD |
                                 PAGE_WRITECOMBINE);
    ULONG mask = modifier_mask(modifiers);

    if (protect == PAGE_NOACCESS)
        return MM_NOACCESS;
    for (ULONG base = MM_READONLY; base < ARRAY_SIZE(base_protect); base++) {
        if (protect == (base_protect[base] | modifiers))
            return mask == MM_INVALID_PROTECTION ? mask : mask | base;
    }
    return MM_INVALID_PROTECTION;
}

ULONG mi_protect_constant(ULONG mask)
{
    static const ULONG modifier[] = { 0, PAGE_NOCACHE, PAGE_GUARD,
                                      PAGE_WRITECOMBINE };

    if (mask == MM_NOACCESS)
        return PAGE_NOACCESS;
    return base_protect[mask & MM_BASE_MASK] | modifier[mask >> 3];
}

BOOLEAN mi_is_write_execute(ULONG mask)
{
    ULONG base = mask & MM_BASE_MASK;

    return base == MM_EXECUTE_READWRITE || base == MM_EXECUTE_WRITECOPY;
}

BOOLEAN mi_is_accessible(ULONG mask)
{
    return mask != MM_NOACCESS && (mask & MM_WRITECOMBINE) != MM_GUARD_PAGE;
}

BOOLEAN mi_is_copy(ULONG mask)
{
    return mask != MM_NOACCESS && (mask & MM_BASE_MASK) == MM_WRITECOPY;
}

BOOLEAN mi_allows(ULONG mask, enum mm_access access)
{
    ULONG base = mask & MM_BASE_MASK;

    if (!mi_is_accessible(mask))
        return FALSE;
    switch (access) {
    case MM_ACCESS_WRITE:
        return base == MM_READWRITE || base == MM_WRITECOPY;
    case MM_ACCESS_EXECUTE:
        return base == MM_EXECUTE || base == MM_EXECUTE_READ;
    default:
        return TRUE;
    }
}

/*
 * Write combining is asked for through WriteThrough, as in NT, which gives
 * that bit its meaning in the PAT (arch/amd64/cpu/features.c).
 */
static ULONGLONG cache_bits(ULONG mask)
{
    switch (mask & MM_WRITECOMBINE) {
    case MM_NOCACHE: return MI_PTE_CACHE_DISABLE;
    case MM_WRITECOMBINE: return MI_PTE_WRITE_THROUGH;
    }
    return 0;
}

MMPTE mi_make_pte(PFN_NUMBER pfn, ULONG mask, BOOLEAN dirty)
{
    ULONG base = mask & MM_BASE_MASK;
    MMPTE pte = { .u.Long = MI_PTE_VALID | MI_PTE_OWNER | MI_PTE_ACCESSED |
                            cache_bits(mask) };

    ASSERT(mi_is_accessible(mask) && !mi_is_write_execute(mask));
    pte.u.Hard.PageFrameNumber = pfn;
    pte.u.Hard.WsleProtection = base;
    if (base == MM_WRITECOPY)
        pte.u.Long |= MI_PTE_COPY_ON_WRITE;
    if (base == MM_READWRITE)
        pte.u.Long |= MI_PTE_WRITE |
                      (dirty ? MI_PTE_DIRTY1 | MI_PTE_DIRTY : 0);
    if (base != MM_EXECUTE && base != MM_EXECUTE_READ)
        pte.u.Long |= MI_PTE_NO_EXECUTE;
    return pte;
}

MMPTE mi_make_software_pte(ULONG mask)
{
    MMPTE pte = { .u.Long = 0 };

    pte.u.Soft.Protection = mask;
    return pte;
}

MMPTE mi_make_transition_pte(PFN_NUMBER pfn, ULONG mask)
{
    MMPTE pte = mi_make_software_pte(mask);

    pte.u.Trans.Transition = 1;
    pte.u.Trans.PageFrameNumber = pfn;
    return pte;
}

MMPTE mi_make_prototype_pte(const MMPTE *prototype, ULONG mask)
{
    MMPTE pte = mi_make_software_pte(mask);

    pte.u.Proto.Prototype = 1;
    pte.u.Proto.ProtoAddress = (LONGLONG)(ULONG_PTR)prototype;
    return pte;
}

ULONG mi_pte_mask(MMPTE pte)
{
    ULONG base;

    if (!pte.u.Hard.Valid)
        return pte.u.Soft.Protection;
    base = pte.u.Hard.WsleProtection ? pte.u.Hard.WsleProtection
                                     : MM_READONLY;
    if (pte.u.Hard.CacheDisable)
        return base | MM_NOCACHE;
    return pte.u.Hard.WriteThrough ? base | MM_WRITECOMBINE : base;
}

PFN_NUMBER mi_pte_page(MMPTE pte)
{
    return pte.u.Hard.PageFrameNumber;      /* at the same place in both */
}
