/*
 * page.h - what the tour's chapter 6 has in common (page.c, pte.c,
 * trimmed.c).
 */
#pragma once

#include "tour.h"

/* Bits of an entry (dt nt!_MMPTE_HARDWARE, nt!_MMPTE_SOFTWARE). */
#define PTE_VALID (1ULL << 0)
#define PTE_DIRTY1 (1ULL << 1)
#define PTE_DIRTY (1ULL << 6)
#define PTE_COPY_ON_WRITE (1ULL << 9)
#define PTE_PROTOTYPE (1ULL << 10)              /* not valid */
#define PTE_TRANSITION (1ULL << 11)             /* not valid */
#define PTE_WRITE (1ULL << 11)
#define PTE_PAGE(pte) ((pte) >> 12 & 0xFFFFFFFFFULL)
#define PTE_PROTECTION(pte) ((ULONG)((pte) >> 5 & 0x1F))    /* not valid */
#define PTE_SLOT(pte) ((ULONG)((pte) >> 32))    /* not valid: PageFileHigh */

/* What an access has cost, all processes together. */
struct faults {
    ULONG all, zeroes, copies, transitions, reads;
};

/* Where the entry of an address is seen. Only where kernel_is_open(). */
ULONGLONG pte_address(const volatile void *page);
ULONGLONG pte_read(const volatile void *page);

/* *cell, or a store there first if value is not NULL. */
ULONGLONG measured(volatile ULONGLONG *cell, const ULONGLONG *value,
                   struct faults *faults);

/* Pages that have gone to the page file since boot, if there is one. */
ULONG pages_written(void);
BOOLEAN has_page_file(void);

/*
 * One step: what has been done, the page's entry and what it says, and the
 * faults (NULL: not asked). Returns the entry, 0 where it is not to be seen.
 */
ULONGLONG show_step(const char *step, const volatile void *page,
                    const struct faults *faults);

/* 6.3 (trimmed.c): page is there, and dirty. */
void show_trimmed(volatile ULONGLONG *page);
