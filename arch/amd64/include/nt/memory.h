/*
 * nt/memory.h - ring 0 of the headers: what NtQueryVirtualMemory tells of a
 * region.  Only the 64-bit structure has a PartitionId.
 */
#pragma once

#include <nt/ntdef.h>

typedef struct _MEMORY_BASIC_INFORMATION {
    void *BaseAddress;                          /* 00 */
    void *AllocationBase;                       /* 08 */
    ULONG AllocationProtect;                    /* 10 */
    USHORT PartitionId;                         /* 14 */
    SIZE_T RegionSize;                          /* 18 */
    ULONG State;                                /* 20 */
    ULONG Protect;                              /* 24 */
    ULONG Type;                                 /* 28 */
} MEMORY_BASIC_INFORMATION;
