/*
 * nt/memory.h - ring 0 of the headers: what NtQueryVirtualMemory tells of a
 * region.  Only the 64-bit structure has a PartitionId.
 */
#pragma once

#include <nt/ntdef.h>

typedef struct _MEMORY_BASIC_INFORMATION {
    void *BaseAddress;                          /* 00 */
    void *AllocationBase;                       /* 04 */
    ULONG AllocationProtect;                    /* 08 */
    SIZE_T RegionSize;                          /* 0c */
    ULONG State;                                /* 10 */
    ULONG Protect;                              /* 14 */
    ULONG Type;                                 /* 18 */
} MEMORY_BASIC_INFORMATION;
