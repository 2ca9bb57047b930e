/*
 * boot/memmap.c - a firmware's memory map, made fit for use.
 *
 * Firmware may report ranges out of order, overlapping, unaligned, empty or
 * wrapping around.  The result is built edge by edge: between two
 * neighbouring edges of all ranges the type is the strongest one that covers
 * the place.
 */
#include "memmap.h"

#define MAX_EDGES (2 * LOADER_MEMORY_RANGES)
#define HIGHEST_PHYSICAL (1ULL << 52)
#define REAL_MODE_END 0x100000ULL
#define LOW_MEMORY_END 0xA0000ULL       /* no start-up IPI leads beyond */

static ULONGLONG end_of(const struct loader_memory *range)
{
    return range->base + range->size;
}

/* Whole pages, no wrap; FALSE when nothing is left. */
static BOOLEAN align_range(struct loader_memory *range)
{
    ULONGLONG end = end_of(range);

    if (range->base >= HIGHEST_PHYSICAL || range->size == 0)
        return FALSE;
    if (end > HIGHEST_PHYSICAL || end < range->base)
        end = HIGHEST_PHYSICAL;
    if (range->type == LOADER_MEMORY_FREE) {
        range->base = ALIGN_UP(range->base, PAGE_SIZE);
        end = ALIGN_DOWN(end, PAGE_SIZE);
    } else {
        range->base = ALIGN_DOWN(range->base, PAGE_SIZE);
        end = ALIGN_UP(end, PAGE_SIZE);
    }
    range->size = end - range->base;
    return end > range->base;
}

static void sort_edges(ULONGLONG *edges, ULONG count)
{
    for (ULONG i = 1; i < count; i++) {
        ULONGLONG edge = edges[i];
        ULONG at = i;

        for (; at > 0 && edges[at - 1] > edge; at--)
            edges[at] = edges[at - 1];
        edges[at] = edge;
    }
}

/* The strongest type at an address; FALSE where no range is. */
static BOOLEAN type_at(const struct loader_memory *ranges, ULONG count,
                       ULONGLONG address, enum loader_memory_type *type)
{
    BOOLEAN found = FALSE;

    for (ULONG i = 0; i < count; i++) {
        if (address < ranges[i].base || address >= end_of(&ranges[i]))
            continue;
        if (!found || ranges[i].type > *type)
            *type = ranges[i].type;
        found = TRUE;
    }
    return found;
}

static ULONG append(struct loader_memory *result, ULONG count, ULONG capacity,
                    struct loader_memory next)
{
    struct loader_memory *last = count ? &result[count - 1] : NULL;

    if (last && last->type == next.type && end_of(last) == next.base) {
        last->size += next.size;
        return count;
    }
    if (count == capacity)
        return count;
    result[count] = next;
    return count + 1;
}

ULONG boot_normalize_memory(struct loader_memory *ranges, ULONG count,
                            ULONG capacity)
{
    static struct loader_memory input[LOADER_MEMORY_RANGES];
    static ULONGLONG edges[MAX_EDGES];
    ULONG inputs = 0, result = 0;

    for (ULONG i = 0; i < count && inputs < LOADER_MEMORY_RANGES; i++) {
        input[inputs] = ranges[i];
        if (!align_range(&input[inputs]))
            continue;
        edges[2 * inputs] = input[inputs].base;
        edges[2 * inputs + 1] = end_of(&input[inputs]);
        inputs++;
    }
    sort_edges(edges, 2 * inputs);
    for (ULONG i = 0; i + 1 < 2 * inputs; i++) {
        struct loader_memory part = { edges[i], edges[i + 1] - edges[i], 0 };

        if (part.size && type_at(input, inputs, part.base, &part.type))
            result = append(ranges, result, capacity, part);
    }
    return result;
}

void boot_reserve(struct loader_memory *ranges, ULONG *count, ULONG capacity,
                  ULONGLONG base, ULONGLONG size, enum loader_memory_type type)
{
    if (*count == capacity)
        (*count)--;             /* the highest; what no range names is unused */
    ranges[(*count)++] = (struct loader_memory){ base, size, type };
    *count = boot_normalize_memory(ranges, *count, capacity);
}

void boot_leave_real_mode(LOADER_PARAMETER_BLOCK *block)
{
    const ULONGLONG size = LOADER_STARTUP_PAGES * PAGE_SIZE;

    for (ULONG i = 0; i < block->memory_count; i++) {
        const struct loader_memory *range = &block->memory[i];
        ULONGLONG end = end_of(range);

        if (end > LOW_MEMORY_END)
            end = LOW_MEMORY_END;
        if (range->type == LOADER_MEMORY_FREE && end > range->base + size)
            block->startup = end - size;
    }
    boot_reserve(block->memory, &block->memory_count, LOADER_MEMORY_RANGES, 0,
                 REAL_MODE_END, LOADER_MEMORY_LOADER);
}
