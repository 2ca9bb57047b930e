/*
 * rtl_avl.h - ring 1: a balanced tree of things that have a number.
 *
 * The node lies inside the thing (CONTAINING_RECORD finds the way back), so
 * nothing is allocated here.  Keys are unique.  A tree is a pointer to its
 * root, NULL when it is empty.
 *
 * NT: RTL_AVL_TREE, whose nodes keep the balance in the parent pointer's low
 * bits; ours has a word for it, and for the key.
 */
#pragma once

#include <rtl.h>

struct rtl_avl_node {
    struct rtl_avl_node *child[2];      /* smaller keys, greater keys */
    struct rtl_avl_node *parent;
    ULONGLONG key;
    LONG height;                        /* 1 for a leaf */
};

/* FALSE, and nothing done, when the tree has node->key already. */
BOOLEAN rtl_avl_insert(struct rtl_avl_node **root, struct rtl_avl_node *node);

/* node is in the tree. */
void rtl_avl_remove(struct rtl_avl_node **root, struct rtl_avl_node *node);

/*
 * A tree whose nodes know something of all that is below them: update makes
 * it of the node and what its children know, and is called for every node
 * that has got other children or may know something else, children first.
 */
typedef void rtl_avl_update(struct rtl_avl_node *node);
BOOLEAN rtl_avl_insert_with(struct rtl_avl_node **root,
                            struct rtl_avl_node *node, rtl_avl_update *update);
void rtl_avl_remove_with(struct rtl_avl_node **root, struct rtl_avl_node *node,
                         rtl_avl_update *update);

/* The node with the greatest key that is not above key, or NULL. */
struct rtl_avl_node *rtl_avl_find(struct rtl_avl_node *root, ULONGLONG key);

/* In order of keys; NULL at either end. */
struct rtl_avl_node *rtl_avl_first(struct rtl_avl_node *root);
struct rtl_avl_node *rtl_avl_last(struct rtl_avl_node *root);
struct rtl_avl_node *rtl_avl_next(struct rtl_avl_node *node);
struct rtl_avl_node *rtl_avl_previous(struct rtl_avl_node *node);
