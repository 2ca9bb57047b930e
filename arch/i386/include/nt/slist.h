/*
 * nt/slist.h - ring 0 of the headers: lists whose ends are exchanged without
 * a lock, with 32-bit pointers.
 *
 * A header changes as a whole, by CMPXCHG8B.  Sequence grows with each push,
 * so that a header that was read before is not taken for the present one when
 * the same entry is first again.
 */
#pragma once

#include <nt/ntdef.h>

typedef struct _SLIST_ENTRY {
    struct _SLIST_ENTRY *Next;                  /* 00 */
} SLIST_ENTRY;

typedef union _SLIST_HEADER {
    ULONGLONG Alignment;                        /* 00 */
    struct {
        SLIST_ENTRY Next;                       /* 00 */
        USHORT Depth;                           /* 04 */
        USHORT Sequence;                        /* 06 */
    };
} SLIST_HEADER;

static inline USHORT slist_depth(const SLIST_HEADER *header)
{
    return header->Depth;
}

static inline SLIST_ENTRY *slist_first(const SLIST_HEADER *header)
{
    return header->Next.Next;
}
