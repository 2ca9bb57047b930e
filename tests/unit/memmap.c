/*
 * memmap.c - firmware's memory maps: random ones against a picture painted
 * page by page, and the ones that lie.
 */
#include "unit.h"

#include <memmap.h>

#define PAGES 64
#define NOTHING 0xFF

static void paint(UCHAR *picture, const struct loader_memory *range)
{
    ULONGLONG first = range->base / PAGE_SIZE;
    ULONGLONG end = (range->base + range->size + PAGE_SIZE - 1) / PAGE_SIZE;

    if (range->size == 0)
        return;
    if (range->type == LOADER_MEMORY_FREE) {
        first = (range->base + PAGE_SIZE - 1) / PAGE_SIZE;
        end = (range->base + range->size) / PAGE_SIZE;
    }
    for (; first < end; first++) {
        if (picture[first] == NOTHING || picture[first] < range->type)
            picture[first] = (UCHAR)range->type;
    }
}

/* What every result must be, whatever came in. */
static void check_form(const struct loader_memory *ranges, ULONG count,
                       ULONG capacity)
{
    assert_true(count <= capacity);
    for (ULONG i = 0; i < count; i++) {
        assert_true(ranges[i].size > 0);
        assert_int_equal(ranges[i].base % PAGE_SIZE, 0);
        assert_int_equal(ranges[i].size % PAGE_SIZE, 0);
        assert_true(ranges[i].base + ranges[i].size > ranges[i].base);
        if (i == 0)
            continue;
        assert_true(ranges[i - 1].base + ranges[i - 1].size <=
                    ranges[i].base);
        assert_false(ranges[i - 1].base + ranges[i - 1].size ==
                         ranges[i].base &&
                     ranges[i - 1].type == ranges[i].type);
    }
}

static struct loader_memory random_range(ULONGLONG *seed, ULONG granularity)
{
    ULONGLONG limit = PAGES * PAGE_SIZE;
    ULONGLONG a = unit_random(seed) % limit / granularity * granularity;
    ULONGLONG b = unit_random(seed) % (limit - a) / 4;

    return (struct loader_memory){
        a, b / granularity * granularity, unit_random(seed) % 3,
    };
}

static void random_maps(void **state)
{
    ULONGLONG seed = 23;

    (void)state;
    for (ULONG round = 0; round < 20000; round++) {
        struct loader_memory ranges[LOADER_MEMORY_RANGES];
        UCHAR expected[PAGES + 1], found[PAGES + 1];
        ULONG count = unit_random(&seed) % 20;
        ULONG granularity = round % 2 ? 1 : PAGE_SIZE;

        memset(expected, NOTHING, sizeof expected);
        memset(found, NOTHING, sizeof found);
        for (ULONG i = 0; i < count; i++) {
            ranges[i] = random_range(&seed, granularity);
            paint(expected, &ranges[i]);
        }
        count = boot_normalize_memory(ranges, count, LOADER_MEMORY_RANGES);
        check_form(ranges, count, LOADER_MEMORY_RANGES);
        for (ULONG i = 0; i < count; i++)
            paint(found, &ranges[i]);
        assert_memory_equal(found, expected, sizeof found);
    }
}

static void a_real_pc(void **state)
{
    struct loader_memory ranges[LOADER_MEMORY_RANGES] = {
        { 0x100000, 0x7EE0000, LOADER_MEMORY_FREE },
        { 0, 0x9FC00, LOADER_MEMORY_FREE },
        { 0x9FC00, 0x400, LOADER_MEMORY_FIRMWARE },
        { 0xF0000, 0x10000, LOADER_MEMORY_FIRMWARE },
    };
    ULONG count = boot_normalize_memory(ranges, 4, LOADER_MEMORY_RANGES);

    (void)state;
    assert_int_equal(count, 4);
    assert_int_equal(ranges[0].size, 0x9F000);
    assert_int_equal(ranges[1].base, 0x9F000);
    assert_int_equal(ranges[1].size, 0x1000);
    assert_int_equal(ranges[2].base, 0xF0000);
    boot_reserve(ranges, &count, LOADER_MEMORY_RANGES, 0x200000, 0x12345,
                 LOADER_MEMORY_LOADER);
    check_form(ranges, count, LOADER_MEMORY_RANGES);
    assert_int_equal(count, 6);
    assert_int_equal(ranges[4].base, 0x200000);
    assert_int_equal(ranges[4].size, 0x13000);
    assert_int_equal(ranges[4].type, LOADER_MEMORY_LOADER);
}

static void maps_that_lie(void **state)
{
    static const ULONGLONG edges[] = {
        0, 1, 0xFFF, 0x1000, 0x1001, 0x7FFFFFFFFFFFFFFF, 0x8000000000000000,
        0xFFFFFFFFFFFFF000, 0xFFFFFFFFFFFFFFFF, 1ULL << 52, (1ULL << 52) - 1,
    };
    ULONGLONG seed = 31;

    (void)state;
    for (ULONG round = 0; round < 5000; round++) {
        struct loader_memory ranges[LOADER_MEMORY_RANGES];
        ULONG count = unit_random(&seed) % 12;

        for (ULONG i = 0; i < count; i++)
            ranges[i] = (struct loader_memory){
                edges[unit_random(&seed) % ARRAY_SIZE(edges)],
                edges[unit_random(&seed) % ARRAY_SIZE(edges)],
                unit_random(&seed) % 3,
            };
        count = boot_normalize_memory(ranges, count, LOADER_MEMORY_RANGES);
        check_form(ranges, count, LOADER_MEMORY_RANGES);
    }
}

/* Every other page reserved: more ranges than fit. */
static void more_than_fit(void **state)
{
    struct loader_memory ranges[LOADER_MEMORY_RANGES];
    ULONG count = 1;

    (void)state;
    ranges[0] = (struct loader_memory){ 0, 4096 * PAGE_SIZE,
                                        LOADER_MEMORY_FREE };
    for (ULONG i = 0; i < 300; i++)
        boot_reserve(ranges, &count, LOADER_MEMORY_RANGES,
                     (2 * i + 1) * PAGE_SIZE, PAGE_SIZE,
                     LOADER_MEMORY_LOADER);
    check_form(ranges, count, LOADER_MEMORY_RANGES);
    for (ULONG i = 0; i < count; i++) {
        ULONGLONG first = ranges[i].base / PAGE_SIZE;
        if (ranges[i].type == LOADER_MEMORY_FREE && first < 600)
            assert_int_equal(ranges[i].size, PAGE_SIZE);
    }
}

/* A full map still takes a reservation: it must never be handed out. */
static void reservation_in_a_full_map(void **state)
{
    struct loader_memory ranges[LOADER_MEMORY_RANGES];
    ULONG count = LOADER_MEMORY_RANGES;

    (void)state;
    for (ULONG i = 0; i < count; i++)
        ranges[i] = (struct loader_memory){ i * 16 * PAGE_SIZE, 8 * PAGE_SIZE,
                                            LOADER_MEMORY_FREE };
    boot_reserve(ranges, &count, LOADER_MEMORY_RANGES, 34 * PAGE_SIZE,
                 PAGE_SIZE, LOADER_MEMORY_LOADER);
    check_form(ranges, count, LOADER_MEMORY_RANGES);
    for (ULONG i = 0; i < count; i++) {
        if (ranges[i].type == LOADER_MEMORY_FREE)
            assert_true(ranges[i].base > 34 * PAGE_SIZE ||
                        ranges[i].base + ranges[i].size <= 34 * PAGE_SIZE);
    }
}

/* Where processors begin on a PC that has something at base, 0: nowhere. */
static ULONGLONG startup_beside(ULONGLONG base, ULONGLONG size)
{
    static LOADER_PARAMETER_BLOCK block;

    block = (LOADER_PARAMETER_BLOCK){
        .memory = {
            { 0, 0x9F000, LOADER_MEMORY_FREE },
            { 0x9F000, 0x1000, LOADER_MEMORY_FIRMWARE },
            { 0xC0000, 0x1F40000, LOADER_MEMORY_FREE },
        },
        .memory_count = 3,
    };
    boot_reserve(block.memory, &block.memory_count, LOADER_MEMORY_RANGES,
                 base, size, LOADER_MEMORY_LOADER);
    boot_leave_real_mode(&block);
    check_form(block.memory, block.memory_count, LOADER_MEMORY_RANGES);
    for (ULONG i = 0; i < block.memory_count; i++)
        assert_true(block.memory[i].type != LOADER_MEMORY_FREE ||
                    block.memory[i].base >= 0x100000);
    return block.startup;
}

static void real_mode(void **state)
{
    (void)state;
    assert_int_equal(startup_beside(0x200000, 0x1000), 0x9B000);
    assert_int_equal(startup_beside(0x40000, 0x5C000), 0x3C000);
    assert_int_equal(startup_beside(0x4000, 0x98000), 0);   /* page 0 is not */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_maps),
        cmocka_unit_test(a_real_pc),
        cmocka_unit_test(maps_that_lie),
        cmocka_unit_test(more_than_fit),
        cmocka_unit_test(reservation_in_a_full_map),
        cmocka_unit_test(real_mode),
    };
    return cmocka_run_group_tests_name("memmap", tests, NULL, NULL);
}
