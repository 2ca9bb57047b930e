/*
 * slist.c - lists that many threads push to and pop from without a lock.
 *
 * What changes a list is in slist.asm, once for each processor; here is what
 * prepares one and looks at it.
 */
#include <ntdll.h>

void NTAPI RtlInitializeSListHead(SLIST_HEADER *ListHead)
{
    memset(ListHead, 0, sizeof *ListHead);
}

/* Of a moment: 65536 entries are 0 again. */
USHORT NTAPI RtlQueryDepthSList(SLIST_HEADER *ListHead)
{
    return slist_depth(ListHead);
}

SLIST_ENTRY *NTAPI RtlFirstEntrySList(const SLIST_HEADER *ListHead)
{
    return slist_first(ListHead);
}
