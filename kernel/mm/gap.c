/*
 * mm/gap.c - the first gap that is large enough.
 *
 * Both directions are one walk: "ahead" is the child's side that the search
 * goes towards.  It begins at the range that the limit is in or next to, looks
 * at what is ahead, goes up until something is, and down once it knows that
 * there is a gap below.  It takes as many steps as the tree is high, twice.
 */
#include "gap.h"

#define GRANULARITY 0x10000ULL
#define LEFT 0
#define RIGHT 1

struct search {
    ULONGLONG size;
    int ahead;
    ULONGLONG limit;        /* the other end of where to look */
};

static struct mi_range *range_of(const struct rtl_avl_node *node)
{
    return node ? CONTAINING_RECORD(node, struct mi_range, node) : NULL;
}

static struct mi_range *child(const struct mi_range *range, int side)
{
    return range_of(range->node.child[side]);
}

static ULONGLONG usable(ULONGLONG low, ULONGLONG high)
{
    ULONGLONG start = ALIGN_UP(low, GRANULARITY);

    return start < high ? high - start : 0;
}

static ULONGLONG larger(ULONGLONG a, ULONGLONG b)
{
    return a > b ? a : b;
}

static void update(struct rtl_avl_node *node)
{
    struct mi_range *range = range_of(node);
    struct mi_range *left = child(range, LEFT), *right = child(range, RIGHT);

    range->lowest = left ? left->lowest : node->key;
    range->highest = right ? right->highest : range->end;
    range->largest = 0;
    if (left)
        range->largest = larger(left->largest,
                                usable(left->highest, node->key));
    if (right)
        range->largest = larger(larger(range->largest, right->largest),
                                usable(range->end, right->lowest));
}

void mi_insert_range(struct rtl_avl_node **root, struct mi_range *range)
{
    (void)rtl_avl_insert_with(root, &range->node, update);
}

void mi_remove_range(struct rtl_avl_node **root, struct mi_range *range)
{
    rtl_avl_remove_with(root, &range->node, update);
}

void mi_change_range(struct mi_range *range, ULONGLONG start, ULONGLONG end)
{
    range->node.key = start;
    range->end = end;
    for (struct rtl_avl_node *node = &range->node; node; node = node->parent)
        update(node);
}

/* The place in the gap [low, high) that has size bytes, or 0. */
static ULONGLONG place_in(const struct search *search, ULONGLONG low,
                          ULONGLONG high)
{
    if (usable(low, high) < search->size)
        return 0;
    return search->ahead == RIGHT
               ? ALIGN_UP(low, GRANULARITY)
               : ALIGN_DOWN(high - search->size, GRANULARITY);
}

/* Between a range or subtree that ends at edge and the next one ahead. */
static ULONGLONG place_between(const struct search *search, ULONGLONG edge,
                               ULONGLONG next)
{
    return search->ahead == RIGHT ? place_in(search, edge, next)
                                  : place_in(search, next, edge);
}

/* The bound of a range, or of all below it, on a side. */
static ULONGLONG own_bound(const struct mi_range *range, int side)
{
    return side == RIGHT ? range->end : range->node.key;
}

static ULONGLONG bound(const struct mi_range *range, int side)
{
    return side == RIGHT ? range->highest : range->lowest;
}

/* range's largest gap is large enough: the first one that is. */
static ULONGLONG go_down(const struct search *search,
                         const struct mi_range *range)
{
    for (;;) {
        const struct mi_range *near = child(range, !search->ahead);
        const struct mi_range *far = child(range, search->ahead);
        ULONGLONG place = 0;

        if (near && near->largest >= search->size) {
            range = near;
            continue;
        }
        if (near)
            place = place_between(search, bound(near, search->ahead),
                                  own_bound(range, !search->ahead));
        if (!place && far)
            place = place_between(search, own_bound(range, search->ahead),
                                  bound(far, !search->ahead));
        if (place)
            return place;
        range = far;
    }
}

/* The first gap ahead of range. */
static ULONGLONG go_on(const struct search *search,
                       const struct mi_range *range)
{
    for (;;) {
        const struct mi_range *far = child(range, search->ahead);
        const struct mi_range *parent = range_of(range->node.parent);
        ULONGLONG place = 0;

        if (far)
            place = place_between(search, own_bound(range, search->ahead),
                                  bound(far, !search->ahead));
        if (!place && far && far->largest >= search->size)
            place = go_down(search, far);
        if (place)
            return place;
        while (parent && child(parent, search->ahead) == range) {
            range = parent;
            parent = range_of(range->node.parent);
        }
        place = place_between(search, bound(range, search->ahead),
                              parent ? own_bound(parent, !search->ahead)
                                     : search->limit);
        if (place || !parent)
            return place;
        range = parent;
    }
}

static ULONGLONG find_lowest(struct rtl_avl_node *root, ULONGLONG size,
                             ULONGLONG low, ULONGLONG high)
{
    const struct search search = { size, RIGHT, high };
    struct mi_range *below = range_of(rtl_avl_find(root, low));
    struct mi_range *above = range_of(below ? rtl_avl_next(&below->node)
                                            : rtl_avl_first(root));
    ULONGLONG place;

    if (below && below->end > low)
        low = below->end;
    if (!above || above->node.key > high)
        place = place_in(&search, low, high);
    else if (!(place = place_in(&search, low, above->node.key)))
        place = go_on(&search, above);
    return place && place < high && high - place >= size ? place : 0;
}

static ULONGLONG find_highest(struct rtl_avl_node *root, ULONGLONG size,
                              ULONGLONG low, ULONGLONG high)
{
    const struct search search = { size, LEFT, low };
    struct mi_range *below = range_of(rtl_avl_find(root, high - 1));
    ULONGLONG place;

    if (!below || below->end < low)
        place = place_in(&search, low, high);
    else if (below->end >= high ||
             !(place = place_in(&search, below->end, high)))
        place = go_on(&search, below);
    return place >= low ? place : 0;
}

ULONGLONG mi_find_place(struct rtl_avl_node *root, ULONGLONG size,
                        ULONGLONG low, ULONGLONG high, BOOLEAN top_down)
{
    if (low >= high)
        return 0;
    return top_down ? find_highest(root, size, low, high)
                    : find_lowest(root, size, low, high);
}
