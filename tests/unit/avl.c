/*
 * avl.c - the balanced tree against a plain array.
 */
#include "unit.h"

#include <rtl_avl.h>

#define KEYS 200

static struct rtl_avl_node nodes[KEYS];
static BOOLEAN present[KEYS];
static struct rtl_avl_node *root;

/* Heights right, keys in order, parents right; returns the height. */
static LONG check_subtree(struct rtl_avl_node *node,
                          struct rtl_avl_node *parent, LONGLONG low,
                          LONGLONG high)
{
    LONG left, right;

    if (!node)
        return 0;
    assert_ptr_equal(node->parent, parent);
    assert_true((LONGLONG)node->key > low && (LONGLONG)node->key < high);
    left = check_subtree(node->child[0], node, low, (LONGLONG)node->key);
    right = check_subtree(node->child[1], node, (LONGLONG)node->key, high);
    assert_true(left - right <= 1 && right - left <= 1);
    assert_int_equal(node->height, 1 + (left > right ? left : right));
    return node->height;
}

static void check_order(void)
{
    struct rtl_avl_node *node = rtl_avl_first(root), *last = NULL;
    struct rtl_avl_node *best = NULL;

    for (ULONG key = 0; key < KEYS; key++) {
        if (present[key]) {
            assert_ptr_equal(node, &nodes[key]);
            assert_ptr_equal(rtl_avl_previous(node), last);
            last = best = node;
            node = rtl_avl_next(node);
        }
        assert_ptr_equal(rtl_avl_find(root, key), best);
    }
    assert_null(node);
    assert_ptr_equal(rtl_avl_last(root), last);
}

static void random_changes(void **state)
{
    ULONGLONG seed = 41;

    (void)state;
    for (ULONG i = 0; i < 20000; i++) {
        ULONG key = (ULONG)(unit_random(&seed) >> 9) % KEYS;

        nodes[key].key = key;
        if (!present[key]) {
            struct rtl_avl_node same = { .key = key };
            assert_true(rtl_avl_insert(&root, &nodes[key]));
            assert_false(rtl_avl_insert(&root, &same));
        } else {
            rtl_avl_remove(&root, &nodes[key]);
        }
        present[key] = !present[key];
        check_subtree(root, NULL, -1, KEYS);
        if (i % 16 == 0)
            check_order();
    }
}

static void in_order_and_out(void **state)
{
    (void)state;
    root = NULL;
    for (ULONG key = 0; key < KEYS; key++) {
        nodes[key].key = key;
        assert_true(rtl_avl_insert(&root, &nodes[key]));
    }
    assert_true(check_subtree(root, NULL, -1, KEYS) <= 10);
    for (ULONG key = 0; key < KEYS; key++) {
        rtl_avl_remove(&root, &nodes[key]);
        check_subtree(root, NULL, (LONGLONG)key, KEYS);
    }
    assert_null(root);
    assert_null(rtl_avl_first(root));
    assert_null(rtl_avl_last(root));
    assert_null(rtl_avl_find(root, 5));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_changes),
        cmocka_unit_test(in_order_and_out),
    };
    return cmocka_run_group_tests_name("avl", tests, NULL, NULL);
}
