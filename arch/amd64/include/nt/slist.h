/*
 * nt/slist.h - ring 0 of the headers: lists whose ends are exchanged without
 * a lock, with 64-bit pointers.
 *
 * A header changes as a whole, by CMPXCHG16B.  Sequence grows with each push,
 * so that a header that was read before is not taken for the present one when
 * the same entry is first again.
 */
#pragma once

#include <nt/ntdef.h>

typedef struct __attribute__((aligned(16))) _SLIST_ENTRY {
    struct _SLIST_ENTRY *Next;                  /* 00 */
} SLIST_ENTRY;

typedef union __attribute__((aligned(16))) _SLIST_HEADER {
    struct {
        ULONGLONG Alignment;                    /* 00 */
        ULONGLONG Region;                       /* 08 */
    };
    struct {
        struct {
            ULONGLONG Depth : 16;
            ULONGLONG Sequence : 48;
        };
        struct {
            ULONGLONG Reserved : 4;
            ULONGLONG NextEntry : 60;           /* the address / 16 */
        };
    } HeaderX64;
} SLIST_HEADER;

static inline USHORT slist_depth(const SLIST_HEADER *header)
{
    return (USHORT)header->HeaderX64.Depth;
}

static inline SLIST_ENTRY *slist_first(const SLIST_HEADER *header)
{
    return (SLIST_ENTRY *)(header->Region & ~0xFULL);
}
