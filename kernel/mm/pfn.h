/*
 * mm/pfn.h - what Mm knows of each physical page.
 *
 * The page-frame database has an entry for every page up to the highest free
 * one.  A page of ring 3 is in one of four places: on the free list, in use
 * (valid entries of processes point to it: ShareCount of them), or in no use
 * and still whole, on the standby list if a copy of it is elsewhere, on the
 * modified list if there is none.  docs/memory.md draws the ways between them.
 *
 * PteAddress is the entry that says where the page is: the process's own, as
 * the self map shows it in that process, for a private page (PteFrame is the
 * page of the table that it lies in); the section's prototype for a shared
 * one.  OriginalPte is what that entry becomes when the page is taken away.
 *
 * All of it is under mi_pfn_lock, and so is every entry, of a process or a
 * section, that is or becomes valid or in transition for a shared page, or in
 * transition for a private one.
 *
 * NT: MMPFN, with the same names and another layout.
 */
#pragma once

#include "mi.h"

/* NT's names for where a page is; those that are here. */
enum mi_page_location {
    FreePageList = 1,
    StandbyPageList = 2,
    ModifiedPageList = 3,
    ActiveAndValid = 6,
};

struct mi_pfn {
    ULONG Flink, Blink;         /* on a list: neighbours, 0 at its ends */
    MMPTE *PteAddress;
    MMPTE OriginalPte;
    ULONG PteFrame;
    ULONG ShareCount;
    ULONG run;                  /* kernel: pages of the block begun here */
    USHORT ReferenceCount;      /* who needs it to stay where it is */
    UCHAR PageLocation;
    UCHAR Modified : 1;         /* there is no copy of what it holds */
    UCHAR PrototypePte : 1;     /* a section's */
};

/* NT: MMPFNLIST.  Under mi_pfn_lock. */
struct mi_page_list {
    ULONG_PTR Total;
    enum mi_page_location ListName;
    ULONG Flink, Blink;
};

extern KSPIN_LOCK mi_pfn_lock;
extern struct mi_page_list MmFreePageListHead, MmStandbyPageListHead;
extern struct mi_page_list MmModifiedPageListHead;

static inline struct mi_pfn *mi_pfn_at(PFN_NUMBER pfn)
{
    return (struct mi_pfn *)MI_PFN_DATABASE + pfn;
}

/* ---- lists (pagelist.c); all under mi_pfn_lock ---- */

void mi_insert_page_first(struct mi_page_list *list, PFN_NUMBER pfn);
void mi_insert_page_last(struct mi_page_list *list, PFN_NUMBER pfn);

/* [first, end), of which nothing is known yet: their entries are zero. */
void mi_insert_new_pages(struct mi_page_list *list, PFN_NUMBER first,
                         PFN_NUMBER end);

/* From the list that it is on; it is in use then. */
void mi_unlink_page(PFN_NUMBER pfn);

/* A page that has lost its last user: standby or modified. */
void mi_retire_page(PFN_NUMBER pfn);

/*
 * It is about to be written: whoever makes an entry dirty says so here.  Under
 * mi_pfn_lock.
 */
void mi_note_write(PFN_NUMBER pfn);

/* ---- promises (charge.c) ---- */

/* Pages neither in use nor promised; under mi_pfn_lock. */
ULONG_PTR mi_unpromised_pages(void);

/* Under mi_pfn_lock: a promise is kept, or made again without asking. */
void mi_keep_promise(void);
void mi_renew_promise(void);

/* ---- the page file (pagefile.c); all but the first under mi_pfn_lock ---- */

/* Boot: as the option says.  How many pages it takes. */
ULONG_PTR mi_create_page_file(void);
BOOLEAN mi_has_page_file(void);
ULONG_PTR mi_page_file_size(void);

/* Slots that are free, or whose page is in memory as well. */
ULONG_PTR mi_page_file_room(void);

/* A page that has a slot is in memory no more, or again (or gone with it). */
void mi_page_left(void);
void mi_page_came_back(void);
void mi_free_slot(ULONG slot);

/* Copy a page to a slot of its own, noted in OriginalPte.  FALSE: full. */
BOOLEAN mi_write_page(PFN_NUMBER pfn);

/* A page begins in the file: its slot.  0: full. */
ULONG mi_write_new_page(const void *bytes);

/* And back; the page is nobody's yet, so without a lock. */
void mi_read_page(PFN_NUMBER pfn, ULONG slot);

/* The slot that an entry names, or 0. */
static inline ULONG mi_page_file_slot(MMPTE pte)
{
    if (pte.u.Hard.Valid || pte.u.Soft.Prototype || pte.u.Soft.Transition)
        return 0;
    return (ULONG)pte.u.Soft.PageFileHigh;
}

/* The standby page that has waited longest, nobody's now (standby.c); 0. */
PFN_NUMBER mi_reuse_standby_page(void);

/* Pages that faults leave to the kernel when there is a page file. */
#define MI_FAULT_RESERVE 128

/* And those of which the kernel takes none then: 2 MiB. */
#define MI_TURNOVER_PAGES 512

/*
 * Pages of ring 3 that are not to leave memory, whichever they are.  FALSE:
 * there would be fewer than MI_TURNOVER_PAGES that do.
 */
BOOLEAN mi_set_aside_pages(ULONG_PTR count);
void mi_give_back_pages(ULONG_PTR count);

/*
 * The kernel has taken a page, or found none: few may be left.  Any level, no
 * lock of Mm's that is further down than pool_lock.  (trim.c)
 */
void mi_note_allocation(void);

/* ---- pages of ring 3 (pfn.c) ---- */

/*
 * Take a promised page, or one that comes back from the page file (original
 * says so), and say whose it is: pte is PteAddress.  zero: or with whatever it
 * held, for somebody who fills it.  0: there is none just now.
 */
PFN_NUMBER mi_take_private_page(MMPTE *pte, MMPTE original, BOOLEAN zero);
PFN_NUMBER mi_take_shared_page(MMPTE *prototype);
