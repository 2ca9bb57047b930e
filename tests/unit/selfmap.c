/*
 * selfmap.c - the arithmetic of the self map, for every slot that the kernel
 * half has, against a table that was not computed by this code.
 */
#include "unit.h"

#include <arch/selfmap.h>
#include <selfmap_table.h>

static void assert_address(ULONGLONG found, ULONGLONG expected)
{
    if (found != expected)
        fail_msg("%llx, not %llx", found, expected);
}

static void all_slots_are_there(void **state)
{
    (void)state;
    assert_int_equal(ARRAY_SIZE(slots), 256);
    for (ULONG i = 0; i < ARRAY_SIZE(slots); i++)
        assert_int_equal(slots[i][0], 0x100 + i);
}

static void bases(void **state)
{
    (void)state;
    for (ULONG i = 0; i < ARRAY_SIZE(slots); i++) {
        const ULONGLONG *s = slots[i];
        assert_address(mi_pte_base(s[0]), s[1]);
        assert_address(mi_pde_base(s[0]), s[2]);
        assert_address(mi_ppe_base(s[0]), s[3]);
        assert_address(mi_pxe_base(s[0]), s[4]);
        assert_address(mi_pxe_address(s[4], s[1]), s[5]);
    }
}

/* The tables' own addresses have entries, which are the level above. */
static void the_map_maps_itself(void **state)
{
    (void)state;
    for (ULONG i = 0; i < ARRAY_SIZE(slots); i++) {
        const ULONGLONG *s = slots[i];
        assert_address(mi_pte_address(s[1], s[1]), s[2]);
        assert_address(mi_pte_address(s[1], s[2]), s[3]);
        assert_address(mi_pte_address(s[1], s[3]), s[4]);
        assert_address(mi_pte_address(s[1], s[4]), s[5]);
    }
}

static void worked_examples(void **state)
{
    (void)state;
    for (ULONG i = 0; i < ARRAY_SIZE(examples); i++) {
        const ULONGLONG *e = examples[i];
        assert_address(mi_pte_address(mi_pte_base(e[0]), e[1]), e[2]);
        assert_address(mi_pde_address(mi_pde_base(e[0]), e[1]), e[3]);
        assert_address(mi_ppe_address(mi_ppe_base(e[0]), e[1]), e[4]);
        assert_address(mi_pxe_address(mi_pxe_base(e[0]), e[1]), e[5]);
    }
}

/* A level's address from the one below, and the way back to the page. */
static void random_addresses(void **state)
{
    ULONGLONG seed = 3;

    (void)state;
    for (ULONG i = 0; i < 200000; i++) {
        ULONGLONG slot = 0x100 + unit_random(&seed) % 256;
        ULONGLONG base = mi_pte_base(slot);
        ULONGLONG va = mi_canonical(unit_random(&seed));
        ULONGLONG pte = mi_pte_address(base, va);

        assert_address(mi_va_of_pte(base, pte), va & ~0xFFFULL);
        assert_address(mi_pde_address(mi_pde_base(slot), va),
                       mi_pte_address(base, pte));
        assert_address(mi_ppe_address(mi_ppe_base(slot), va),
                       mi_pde_address(mi_pde_base(slot), pte));
        assert_address(mi_pxe_address(mi_pxe_base(slot), va),
                       mi_ppe_address(mi_ppe_base(slot), pte));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_slots_are_there),
        cmocka_unit_test(bases),
        cmocka_unit_test(the_map_maps_itself),
        cmocka_unit_test(worked_examples),
        cmocka_unit_test(random_addresses),
    };
    return cmocka_run_group_tests_name("selfmap", tests, NULL, NULL);
}
