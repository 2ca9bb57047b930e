/*
 * widen.c - four-byte slots to 64-bit arguments: every letter of
 * services.tab, every boundary of a slot, and 18 arguments.
 */
#include "unit.h"

#include <wow64/widen.h>

#define LETTERS "pblrushqHIPNOU"

static const ULONG boundaries[] = {
    0, 1, 0xFF, 0x7FFFFFFE, 0x7FFFFFFF, 0x80000000, 0x80000001, 0xFFFFFFFA,
    0xFFFFFFFE, 0xFFFFFFFF,
};

/* Said another way than the code says it. */
static ULONGLONG expected(char letter, const ULONG *slots)
{
    ULONGLONG value = slots[0];

    if (letter == 'q')
        return value + slots[1] * 0x100000000ULL;
    if ((letter == 's' || letter == 'h') && value >= 0x80000000)
        return value - 0x100000000ULL;
    return value;
}

static void one_argument(void **state)
{
    (void)state;
    for (const char *at = LETTERS; *at; at++) {
        const char letters[] = { *at, 0 };

        for (ULONG i = 0; i < ARRAY_SIZE(boundaries); i++) {
            for (ULONG j = 0; j < ARRAY_SIZE(boundaries); j++) {
                ULONG slots[] = { boundaries[i], boundaries[j] };
                ULONGLONG value = 0x5555555555555555;

                assert_int_equal(wow64p_widen(letters, slots, &value), 1);
                assert_true(value == expected(*at, slots));
            }
        }
    }
}

static void literal_values(void **state)
{
    const ULONG slots[] = {
        0xFFFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFFE, 0x89ABCDEF,
        0x01234567, 0x80000000, 0x7FFFFFFF,
    };
    ULONGLONG values[7];

    (void)state;
    assert_int_equal(wow64p_widen("pushqsh", slots, values), 7);
    assert_true(values[0] == 0xFFFFFFFF);
    assert_true(values[1] == 0x80000000);
    assert_true(values[2] == 0xFFFFFFFFFFFFFFFF);
    assert_true(values[3] == 0xFFFFFFFFFFFFFFFE);
    assert_true(values[4] == 0x0123456789ABCDEF);
    assert_true(values[5] == 0xFFFFFFFF80000000);
    assert_true(values[6] == 0x7FFFFFFF);
}

/* Any mixture: each argument takes its own slots, and nobody else's. */
static void mixtures(void **state)
{
    ULONGLONG seed = 32;

    (void)state;
    for (ULONG round = 0; round < 20000; round++) {
        ULONG count = unit_random(&seed) % (WOW64P_ARGUMENTS + 1);
        char letters[WOW64P_ARGUMENTS + 1] = { 0 };
        ULONG slots[WOW64P_SLOTS];
        ULONGLONG values[WOW64P_ARGUMENTS + 1];
        const ULONG *at = slots;

        for (ULONG i = 0; i < WOW64P_SLOTS; i++)
            slots[i] = (ULONG)unit_random(&seed);
        for (ULONG i = 0; i < count; i++)
            letters[i] = LETTERS[unit_random(&seed) % strlen(LETTERS)];
        values[count] = 0x77;
        assert_int_equal(wow64p_widen(letters, slots, values), count);
        for (ULONG i = 0; i < count; i++) {
            assert_true(values[i] == expected(letters[i], at));
            at += letters[i] == 'q' ? 2 : 1;
        }
        assert_int_equal(wow64p_argument_bytes(letters),
                         (at - slots) * sizeof(ULONG));
        assert_int_equal(values[count], 0x77);
    }
}

static void byte_counts(void **state)
{
    (void)state;
    assert_int_equal(wow64p_argument_bytes(""), 0);
    assert_int_equal(wow64p_argument_bytes("h"), 4);
    assert_int_equal(wow64p_argument_bytes("q"), 8);
    assert_int_equal(wow64p_argument_bytes("HuOIpuuuupu"), 44);
    assert_int_equal(wow64p_argument_bytes("pppppppppppppppppp"), 72);
    assert_int_equal(wow64p_argument_bytes("qqqqqqqqqqqqqqqqqq"), 144);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_argument),
        cmocka_unit_test(literal_values),
        cmocka_unit_test(mixtures),
        cmocka_unit_test(byte_counts),
    };
    return cmocka_run_group_tests_name("widen", tests, NULL, NULL);
}
