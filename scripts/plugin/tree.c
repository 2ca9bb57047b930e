/*
 * tree.c - the counts: a tree of who was called by whom (tree.h).
 */
#include "tree.h"

#include <inttypes.h>
#include <stdlib.h>

struct node tree_root;

static struct node *new_node(struct node *parent, uint32_t symbol,
                             enum node_kind kind)
{
    struct node *node = calloc(1, sizeof *node);

    if (!node) {
        fputs("profile: out of memory\n", stderr);
        exit(1);
    }
    node->parent = parent;
    node->symbol = symbol;
    node->kind = kind;
    return node;
}

/* What is found moves to the front: it is likely to be wanted again. */
struct node *tree_child(struct node *parent, uint32_t symbol,
                        enum node_kind kind)
{
    struct node **link = &parent->child, *node;

    while ((node = *link) && (node->symbol != symbol || node->kind != kind))
        link = &node->next;
    if (node)
        *link = node->next;
    else
        node = new_node(parent, symbol, kind);
    node->next = parent->child;
    parent->child = node;
    return node;
}

struct node *tree_pending(struct node *parent)
{
    return new_node(parent, 0, NODE_SERVICE);
}

static void merge(struct node *from, struct node *to)
{
    from->merged = to;
    to->count += from->count;
    to->calls += from->calls;
    for (struct node *child = from->child; child; child = child->next)
        merge(child, tree_child(to, child->symbol, child->kind));
}

struct node *tree_merge(struct node *pending, uint32_t symbol)
{
    struct node *service = tree_child(pending->parent, symbol, NODE_SERVICE);

    merge(pending, service);
    return service;
}

void tree_free(struct node *pending)
{
    struct node *child = pending->child;

    while (child) {
        struct node *next = child->next;

        tree_free(child);
        child = next;
    }
    free(pending);
}

static int earlier(const void *one, const void *other)
{
    const struct node *a = *(struct node *const *)one;
    const struct node *b = *(struct node *const *)other;

    if (a->symbol != b->symbol)
        return a->symbol < b->symbol ? -1 : 1;
    return (int)a->kind - (int)b->kind;
}

/* Children in the order of their symbols: the same run, the same text. */
static void write_children(FILE *file, struct node *parent, unsigned number,
                           unsigned *last)
{
    struct node **children;
    size_t count = 0, i = 0;

    for (struct node *child = parent->child; child; child = child->next)
        count++;
    if (count == 0 || !(children = calloc(count, sizeof *children)))
        return;
    for (struct node *child = parent->child; child; child = child->next)
        children[i++] = child;
    qsort(children, count, sizeof *children, earlier);
    for (i = 0; i < count; i++) {
        unsigned own = ++*last;

        fprintf(file, "%u %u %d %" PRIu32 " %" PRIu64 " %" PRIu64 "\n", own,
                number, children[i]->kind, children[i]->symbol,
                children[i]->count, children[i]->calls);
        write_children(file, children[i], own, last);
    }
    free(children);
}

void tree_write(FILE *file)
{
    unsigned last = 0;

    write_children(file, &tree_root, 0, &last);
}
