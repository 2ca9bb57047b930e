/*
 * tree.h - the counts: a tree of who was called by whom.
 *
 * A node is a function (or label) that ran on behalf of its parent. count are
 * the instructions that it began itself, calls how often it was entered.
 */
#ifndef TREE_H
#define TREE_H

#include <stdint.h>
#include <stdio.h>

enum node_kind {
    NODE_FUNCTION,
    NODE_SERVICE,               /* a system call; symbol is the routine */
    NODE_TRAP,                  /* by a vector; symbol is where it leads */
};

struct node {
    uint64_t count, calls;
    uint32_t symbol;
    enum node_kind kind;
    struct node *parent, *child, *next;
    struct node *merged;        /* where it went (tree_merge) */
};

extern struct node tree_root;

/* The child with that symbol, made if it is not there. */
struct node *tree_child(struct node *parent, uint32_t symbol,
                        enum node_kind kind);

/* A service that is not known yet: no child of its parent. tree_merge puts it
   there, and its counts with those of the others of that symbol; afterwards
   .merged of every node below tells what stands for it. tree_free then. */
struct node *tree_pending(struct node *parent);
struct node *tree_merge(struct node *pending, uint32_t symbol);
void tree_free(struct node *pending);

/* "NUMBER PARENT KIND SYMBOL COUNT CALLS", a parent before its children. */
void tree_write(FILE *file);

#endif
