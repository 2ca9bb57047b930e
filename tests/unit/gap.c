/*
 * gap.c - gaps between ranges: the search against one that looks everywhere.
 */
#include "unit.h"

#include "../../kernel/mm/gap.h"

#define UNIT 0x1000ULL
#define GRANULARITY 0x10000ULL
#define UNITS 2048                      /* the whole: 8 MiB from FIRST on */
#define FIRST 0x10000ULL
#define RANGES 150

static struct mi_range ranges[RANGES];
static BOOLEAN present[RANGES];
static UCHAR taken[UNITS];
static struct rtl_avl_node *root;

static void mark(const struct mi_range *range, UCHAR value)
{
    for (ULONGLONG at = mi_range_start(range); at < range->end; at += UNIT)
        taken[(at - FIRST) / UNIT] = value;
}

static BOOLEAN is_free(ULONGLONG start, ULONGLONG size)
{
    for (ULONGLONG at = start; at < start + size; at += UNIT) {
        if (taken[(at - FIRST) / UNIT])
            return FALSE;
    }
    return TRUE;
}

static ULONGLONG slow(ULONGLONG size, ULONGLONG low, ULONGLONG high,
                      BOOLEAN top_down)
{
    ULONGLONG best = 0;

    for (ULONGLONG at = ALIGN_UP(low, GRANULARITY);
         at < high && high - at >= size; at += GRANULARITY) {
        if (!is_free(at, size))
            continue;
        best = at;
        if (!top_down)
            break;
    }
    return best;
}

static ULONGLONG random_unit(ULONGLONG *seed, ULONG below)
{
    return (unit_random(seed) >> 11) % below;
}

static void compare(ULONGLONG *seed)
{
    ULONGLONG low = FIRST + random_unit(seed, UNITS) * UNIT;
    ULONGLONG high = FIRST + random_unit(seed, UNITS + 1) * UNIT;
    ULONGLONG size = (1 + random_unit(seed, 200)) * UNIT;

    if (random_unit(seed, 3) == 0)
        low = FIRST;
    if (random_unit(seed, 3) == 0)
        high = FIRST + UNITS * UNIT;
    for (ULONG top_down = 0; top_down < 2; top_down++)
        assert_int_equal(mi_find_place(root, size, low, high,
                                       (BOOLEAN)top_down),
                         slow(size, low, high, (BOOLEAN)top_down));
}

static void change(ULONGLONG *seed)
{
    ULONG i = (ULONG)random_unit(seed, RANGES);
    ULONGLONG start = FIRST + random_unit(seed, UNITS - 64) * UNIT;
    ULONGLONG size = (1 + random_unit(seed, 40)) * UNIT;

    if (present[i] && random_unit(seed, 3) == 0 &&
        ranges[i].end - mi_range_start(&ranges[i]) > 2 * UNIT) {
        mark(&ranges[i], 0);
        mi_change_range(&ranges[i], mi_range_start(&ranges[i]) + UNIT,
                        ranges[i].end - UNIT);
        mark(&ranges[i], 1);
    } else if (present[i]) {
        mi_remove_range(&root, &ranges[i]);
        mark(&ranges[i], 0);
        present[i] = FALSE;
    } else if (is_free(start, size)) {
        ranges[i].node.key = start;
        ranges[i].end = start + size;
        mi_insert_range(&root, &ranges[i]);
        mark(&ranges[i], 1);
        present[i] = TRUE;
    }
}

static void random_changes(void **state)
{
    ULONGLONG seed = 43;

    (void)state;
    for (ULONG i = 0; i < 20000; i++) {
        change(&seed);
        compare(&seed);
    }
}

static void no_ranges(void **state)
{
    (void)state;
    root = NULL;
    assert_int_equal(mi_find_place(root, UNIT, 1, 0x20000, FALSE), 0x10000);
    assert_int_equal(mi_find_place(root, UNIT, 1, 0x20000, TRUE), 0x10000);
    assert_int_equal(mi_find_place(root, GRANULARITY + 1, 1, 0x20000, TRUE),
                     0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_changes),
        cmocka_unit_test(no_ranges),
    };
    return cmocka_run_group_tests_name("gap", tests, NULL, NULL);
}
