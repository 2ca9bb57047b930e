/*
 * ssdt.c - the packed entry of a service table, at all its edges.
 *
 * Scenarios: J5.
 */
#include "unit.h"

#include <ke/ssdt.h>

#define BASE 0xFFFFFFFF80200000ULL
#define REACH (1LL << 27)

static void check_pair(LONGLONG distance, ULONG arguments)
{
    LONG entry = ki_pack_entry(BASE + (ULONGLONG)distance, BASE, arguments);

    assert_int_equal(entry, (LONG)((ULONG)distance << 4 | arguments));
    assert_true(ki_entry_routine(entry, BASE) == BASE + (ULONGLONG)distance);
    assert_int_equal(ki_entry_arguments(entry), arguments);
}

static void all_argument_counts(void **state)
{
    static const LONGLONG distances[] = {
        0x10, 1, -1, -0x10, 0x123456, -0x123456, REACH - 1, -REACH,
    };

    (void)state;
    for (ULONG i = 0; i < ARRAY_SIZE(distances); i++) {
        for (ULONG arguments = 0; arguments <= 14; arguments++)
            check_pair(distances[i], arguments);
    }
}

static void many_distances(void **state)
{
    ULONGLONG seed = 1;

    (void)state;
    for (ULONG i = 0; i < 100000; i++) {
        LONGLONG distance = (LONGLONG)(unit_random(&seed) << 36) >> 36;
        check_pair(distance, unit_random(&seed) % 15);
    }
}

static void too_far(void **state)
{
    (void)state;
    assert_int_equal(ki_pack_entry(BASE + REACH, BASE, 0), 0);
    assert_int_equal(ki_pack_entry(BASE - REACH - 1, BASE, 0), 0);
    assert_int_equal(ki_pack_entry(0, BASE, 0), 0);
    assert_int_equal(ki_pack_entry(~0ULL, REACH, 3), 0);
}

static void too_many_arguments(void **state)
{
    (void)state;
    assert_int_equal(ki_pack_entry(BASE + 0x10, BASE, 15), 0);
    assert_int_equal(ki_pack_entry(BASE + 0x10, BASE, 16), 0);
    assert_int_equal(ki_pack_entry(BASE + 0x10, BASE, ~0u), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_argument_counts),
        cmocka_unit_test(many_distances),
        cmocka_unit_test(too_far),
        cmocka_unit_test(too_many_arguments),
    };
    return cmocka_run_group_tests_name("ssdt", tests, NULL, NULL);
}
