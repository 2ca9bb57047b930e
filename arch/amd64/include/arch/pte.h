/*
 * arch/pte.h - page-table entries, in Windows' words.
 *
 * Bit 1 is Dirty1: the bit the processor tests for writing.  Bit 11, Write,
 * is the software's record that the page may be written.  A page of ring 3
 * that may be written and was not has Write alone; its first store faults, and
 * Mm sets Dirty1 and Dirty.  The kernel's own pages have all three at once.
 *
 * An entry with Valid clear is Mm's alone, in one of the forms below; which
 * one, docs/memory.md tells.  Protection is at the same place in all of them.
 */
#pragma once

#include <nt/ntdef.h>
#include <arch/selfmap.h>

typedef struct _MMPTE_HARDWARE {
    ULONGLONG Valid : 1;
    ULONGLONG Dirty1 : 1;
    ULONGLONG Owner : 1;
    ULONGLONG WriteThrough : 1;
    ULONGLONG CacheDisable : 1;
    ULONGLONG Accessed : 1;
    ULONGLONG Dirty : 1;
    ULONGLONG LargePage : 1;
    ULONGLONG Global : 1;
    ULONGLONG CopyOnWrite : 1;
    ULONGLONG Unused : 1;
    ULONGLONG Write : 1;
    ULONGLONG PageFrameNumber : 36;
    ULONGLONG ReservedForHardware : 4;
    ULONGLONG ReservedForSoftware : 4;
    ULONGLONG WsleAge : 4;
    ULONGLONG WsleProtection : 3;
    ULONGLONG NoExecute : 1;
} MMPTE_HARDWARE;

/* Never touched (PageFileHigh 0), or in the page file. */
typedef struct _MMPTE_SOFTWARE {
    ULONGLONG Valid : 1;
    ULONGLONG PageFileReserved : 1;
    ULONGLONG PageFileAllocated : 1;
    ULONGLONG ColdPage : 1;
    ULONGLONG SwizzleBit : 1;
    ULONGLONG Protection : 5;
    ULONGLONG Prototype : 1;
    ULONGLONG Transition : 1;
    ULONGLONG PageFileLow : 4;
    ULONGLONG UsedPageTableEntries : 10;
    ULONGLONG ShadowStack : 1;
    ULONGLONG Unused : 5;
    ULONGLONG PageFileHigh : 32;
} MMPTE_SOFTWARE;

/* A section's page: what it is stands in the section's own entry. */
typedef struct _MMPTE_PROTOTYPE {
    ULONGLONG Valid : 1;
    ULONGLONG DemandFillProto : 1;
    ULONGLONG HiberVerifyConverted : 1;
    ULONGLONG ReadOnly : 1;
    ULONGLONG SwizzleBit : 1;
    ULONGLONG Protection : 5;
    ULONGLONG Prototype : 1;
    ULONGLONG Combined : 1;
    ULONGLONG Unused1 : 4;
    LONGLONG ProtoAddress : 48;
} MMPTE_PROTOTYPE;

/* In a section's own entry: the page is in a file. */
typedef struct _MMPTE_SUBSECTION {
    ULONGLONG Valid : 1;
    ULONGLONG Unused0 : 3;
    ULONGLONG SwizzleBit : 1;
    ULONGLONG Protection : 5;
    ULONGLONG Prototype : 1;
    ULONGLONG ColdPage : 1;
    ULONGLONG Unused1 : 3;
    ULONGLONG ExecutePrivilege : 1;
    LONGLONG SubsectionAddress : 48;
} MMPTE_SUBSECTION;

/* Not valid for the processor, but the page is there. */
typedef struct _MMPTE_TRANSITION {
    ULONGLONG Valid : 1;
    ULONGLONG Write : 1;
    ULONGLONG Spare : 1;
    ULONGLONG IoTracker : 1;
    ULONGLONG SwizzleBit : 1;
    ULONGLONG Protection : 5;
    ULONGLONG Prototype : 1;
    ULONGLONG Transition : 1;
    ULONGLONG PageFrameNumber : 36;
    ULONGLONG Unused : 16;
} MMPTE_TRANSITION;

typedef struct _MMPTE {
    union {
        ULONGLONG Long;
        MMPTE_HARDWARE Hard;
        MMPTE_PROTOTYPE Proto;
        MMPTE_SOFTWARE Soft;
        MMPTE_TRANSITION Trans;
        MMPTE_SUBSECTION Subsect;
    } u;
} MMPTE;

#define MI_PTE_VALID            0x001ULL
#define MI_PTE_DIRTY1           0x002ULL
#define MI_PTE_OWNER            0x004ULL
#define MI_PTE_WRITE_THROUGH    0x008ULL
#define MI_PTE_CACHE_DISABLE    0x010ULL
#define MI_PTE_ACCESSED         0x020ULL
#define MI_PTE_DIRTY            0x040ULL
#define MI_PTE_LARGE_PAGE       0x080ULL
#define MI_PTE_GLOBAL           0x100ULL
#define MI_PTE_COPY_ON_WRITE    0x200ULL
#define MI_PTE_WRITE            0x800ULL
#define MI_PTE_LOCKED           (1ULL << 52)    /* ours, in a valid one */
#define MI_PTE_NO_EXECUTE       (1ULL << 63)
#define MI_PTE_ADDRESS          0x0000FFFFFFFFF000ULL

/* What a writable page of the kernel has. */
#define MI_PTE_READ_WRITE (MI_PTE_DIRTY1 | MI_PTE_WRITE | MI_PTE_DIRTY)

#define MI_ENTRIES 512
