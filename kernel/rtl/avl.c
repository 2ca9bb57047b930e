/*
 * rtl/avl.c - a balanced tree without recursion.
 *
 * In an AVL tree the two subtrees of a node differ in height by at most one.
 * Inserting or removing a node upsets that only on the way from the change
 * to the root; one walk up that way, with at most two rotations at a node,
 * restores it.  The kernel stack is small and a tree may be attacked through
 * the keys, so depth is bounded and nothing calls itself.
 */
#include <rtl_avl.h>

#define LEFT 0
#define RIGHT 1

static LONG height(const struct rtl_avl_node *node)
{
    return node ? node->height : 0;
}

static void refresh(struct rtl_avl_node *node, rtl_avl_update *update)
{
    LONG left = height(node->child[LEFT]);
    LONG right = height(node->child[RIGHT]);

    node->height = 1 + (left > right ? left : right);
    if (update)
        update(node);
}

/* Where the pointer to node is kept: in its parent, or the root. */
static struct rtl_avl_node **place_of(struct rtl_avl_node **root,
                                      struct rtl_avl_node *node)
{
    struct rtl_avl_node *parent = node->parent;

    if (!parent)
        return root;
    return &parent->child[parent->child[RIGHT] == node];
}

/* Put node (which may be NULL) where old was. */
static void replace(struct rtl_avl_node **root, struct rtl_avl_node *old,
                    struct rtl_avl_node *node)
{
    *place_of(root, old) = node;
    if (node)
        node->parent = old->parent;
}

/* node goes down on side, its other child comes up and is returned. */
static struct rtl_avl_node *rotate(struct rtl_avl_node **root,
                                   struct rtl_avl_node *node, int side,
                                   rtl_avl_update *update)
{
    struct rtl_avl_node *up = node->child[!side];
    struct rtl_avl_node *between = up->child[side];

    replace(root, node, up);
    up->child[side] = node;
    node->parent = up;
    node->child[!side] = between;
    if (between)
        between->parent = node;
    refresh(node, update);
    refresh(up, update);
    return up;
}

/* From node to the root: heights, and rotations where they are off by two. */
static void rebalance(struct rtl_avl_node **root, struct rtl_avl_node *node,
                      rtl_avl_update *update)
{
    for (; node; node = node->parent) {
        LONG tilt = height(node->child[RIGHT]) - height(node->child[LEFT]);
        int high = tilt > 0 ? RIGHT : LEFT;
        struct rtl_avl_node *child = node->child[high];

        refresh(node, update);
        if (tilt >= -1 && tilt <= 1)
            continue;
        if (height(child->child[!high]) > height(child->child[high]))
            rotate(root, child, high, update);
        node = rotate(root, node, !high, update);
    }
}

BOOLEAN rtl_avl_insert_with(struct rtl_avl_node **root,
                            struct rtl_avl_node *node, rtl_avl_update *update)
{
    struct rtl_avl_node **place = root, *parent = NULL;

    while (*place) {
        parent = *place;
        if (parent->key == node->key)
            return FALSE;
        place = &parent->child[node->key > parent->key];
    }
    node->child[LEFT] = node->child[RIGHT] = NULL;
    node->parent = parent;
    *place = node;
    rebalance(root, node, update);
    return TRUE;
}

BOOLEAN rtl_avl_insert(struct rtl_avl_node **root, struct rtl_avl_node *node)
{
    return rtl_avl_insert_with(root, node, NULL);
}

/* node has both children: its successor, which has no left one, moves up. */
static struct rtl_avl_node *put_successor(struct rtl_avl_node **root,
                                          struct rtl_avl_node *node)
{
    struct rtl_avl_node *next = rtl_avl_next(node);
    struct rtl_avl_node *changed = next->parent;

    if (changed == node) {
        changed = next;
    } else {
        replace(root, next, next->child[RIGHT]);
        next->child[RIGHT] = node->child[RIGHT];
        next->child[RIGHT]->parent = next;
    }
    replace(root, node, next);
    next->child[LEFT] = node->child[LEFT];
    next->child[LEFT]->parent = next;
    return changed;
}

void rtl_avl_remove_with(struct rtl_avl_node **root, struct rtl_avl_node *node,
                         rtl_avl_update *update)
{
    struct rtl_avl_node *changed = node->parent;

    if (node->child[LEFT] && node->child[RIGHT])
        changed = put_successor(root, node);
    else
        replace(root, node, node->child[node->child[LEFT] ? LEFT : RIGHT]);
    rebalance(root, changed, update);
}

void rtl_avl_remove(struct rtl_avl_node **root, struct rtl_avl_node *node)
{
    rtl_avl_remove_with(root, node, NULL);
}

struct rtl_avl_node *rtl_avl_find(struct rtl_avl_node *root, ULONGLONG key)
{
    struct rtl_avl_node *best = NULL;

    while (root) {
        if (root->key <= key)
            best = root;
        if (root->key == key)
            break;
        root = root->child[key > root->key];
    }
    return best;
}

static struct rtl_avl_node *outermost(struct rtl_avl_node *node, int side)
{
    while (node && node->child[side])
        node = node->child[side];
    return node;
}

/* The neighbour on side: below node, or the first parent on that side. */
static struct rtl_avl_node *neighbour(struct rtl_avl_node *node, int side)
{
    if (node->child[side])
        return outermost(node->child[side], !side);
    while (node->parent && node->parent->child[side] == node)
        node = node->parent;
    return node->parent;
}

struct rtl_avl_node *rtl_avl_first(struct rtl_avl_node *root)
{
    return outermost(root, LEFT);
}

struct rtl_avl_node *rtl_avl_last(struct rtl_avl_node *root)
{
    return outermost(root, RIGHT);
}

struct rtl_avl_node *rtl_avl_next(struct rtl_avl_node *node)
{
    return neighbour(node, RIGHT);
}

struct rtl_avl_node *rtl_avl_previous(struct rtl_avl_node *node)
{
    return neighbour(node, LEFT);
}
