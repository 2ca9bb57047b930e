/*
 * boot/memmap.h - making a firmware's memory map fit for use.
 */
#pragma once

#include <loader.h>

/*
 * Sort, page-align (free ranges inwards, others outwards), resolve overlaps
 * (firmware wins over loader over free) and merge.  Returns the new count,
 * at most capacity; what does not fit is lost from the free end first.
 */
ULONG boot_normalize_memory(struct loader_memory *ranges, ULONG count,
                            ULONG capacity);

/*
 * Mark [base, base + size) of what is free as type.  In a full map the highest
 * range makes room: memory may be lost, never handed out twice.
 */
void boot_reserve(struct loader_memory *ranges, ULONG *count, ULONG capacity,
                  ULONGLONG base, ULONGLONG size,
                  enum loader_memory_type type);

/*
 * When all else is reserved: real mode's memory is not Mm's, and block->startup
 * is the last of it that is free.
 */
void boot_leave_real_mode(LOADER_PARAMETER_BLOCK *block);
