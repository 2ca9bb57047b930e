/*
 * mm/gap.h - ranges of addresses that do not overlap, and the gaps between.
 *
 * Each node of the tree knows the outer bounds of what is below it and the
 * largest gap inside, so a search goes to the first gap that is large enough
 * without a look at the ranges before it.  Gaps count from their first
 * multiple of 64 KiB on.
 *
 * Nothing of the kernel is needed here: tests/unit/gap.c.
 */
#pragma once

#include <rtl_avl.h>

/* [node.key, end); the rest is of the subtree. */
struct mi_range {
    struct rtl_avl_node node;
    ULONGLONG end;
    ULONGLONG lowest, highest;
    ULONGLONG largest;
};

static inline ULONGLONG mi_range_start(const struct mi_range *range)
{
    return range->node.key;
}

/* The range lies in a gap. */
void mi_insert_range(struct rtl_avl_node **root, struct mi_range *range);
void mi_remove_range(struct rtl_avl_node **root, struct mi_range *range);

/* The range becomes [start, end), which nothing else is in. */
void mi_change_range(struct mi_range *range, ULONGLONG start, ULONGLONG end);

/*
 * A place for size bytes on a 64-KiB boundary in a gap and in [low, high): the
 * lowest, or the highest.  0: there is none.  low is not 0.
 */
ULONGLONG mi_find_place(struct rtl_avl_node *root, ULONGLONG size,
                        ULONGLONG low, ULONGLONG high, BOOLEAN top_down);
