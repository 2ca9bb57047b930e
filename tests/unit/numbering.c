/*
 * numbering.c - numbering files: what is read, what is refused and where, and
 * which numbers the services get that the file lacks.
 */
#include "unit.h"

#include <ke/numbering.h>

static const struct ke_service services[] = {
    { "NtReadFile", NULL, 0x0006, 9, "" },
    { "NtWriteFile", NULL, 0x0008, 9, "" },
    { "NtClose", NULL, 0x000F, 1, "" },
    { "NtUserGetDC", NULL, 0x100A, 1, "" },
    { "NtGdiFlush", NULL, 0x1012, 0, "" },
};
#define COUNT ARRAY_SIZE(services)

static USHORT numbers[COUNT];
static struct ke_numbering_result result;

/* The text is copied to the end of a block, so that ASan sees overruns. */
static BOOLEAN parse_bytes(const char *text, SIZE_T size)
{
    char *copy = malloc(size ? size : 1);
    BOOLEAN good;

    memcpy(copy, text, size);
    good = ke_parse_numbering(copy, size, services, COUNT, numbers, &result);
    free(copy);
    return good;
}

static BOOLEAN parse(const char *text)
{
    return parse_bytes(text, strlen(text));
}

static void expect_numbers(ULONG a, ULONG b, ULONG c, ULONG d, ULONG e)
{
    const USHORT expected[COUNT] = { a, b, c, d, e };

    for (ULONG i = 0; i < COUNT; i++)
        assert_int_equal(numbers[i], expected[i]);
}

static void expect_error(const char *text, ULONG line)
{
    if (parse(text))
        fail_msg("accepted: %s", text);
    if (result.error_line != line)
        fail_msg("line %u, not %u: %s", result.error_line, line, text);
    assert_non_null(result.error);
}

static void every_name_given(void **state)
{
    (void)state;
    assert_true(parse("NtGdiFlush 0x1001\nNtClose 12\nNtReadFile 0x3\n"
                      "NtWriteFile 5\nNtUserGetDC 4096\n"));
    expect_numbers(3, 5, 12, 0x1000, 0x1001);
    assert_int_equal(result.used, 5);
    assert_int_equal(result.unknown, 0);
    assert_null(result.error);
}

static void whatever_people_type(void **state)
{
    (void)state;
    assert_true(parse("# Windows\r\n\r\n\t NtClose \t 0X0c # twelve\r\n"
                      "   \n#\n\nNtReadFile\t0xAb\nNtWriteFile 00007   "));
    expect_numbers(0xAB, 7, 0xC, 0x1000, 0x1001);
    assert_int_equal(result.used, 3);
}

static void empty_file(void **state)
{
    (void)state;
    assert_true(parse(""));
    expect_numbers(0, 1, 2, 0x1000, 0x1001);
    assert_true(parse("\n\n# nothing"));
    expect_numbers(0, 1, 2, 0x1000, 0x1001);
}

/* Above the highest of the table, known or not; in the services' order. */
static void names_the_file_lacks(void **state)
{
    (void)state;
    assert_true(parse("NtWriteFile 2\nNtUnknown 0x20\nNtUserThing 0x1005\n"));
    expect_numbers(0x21, 2, 0x22, 0x1006, 0x1007);
    assert_int_equal(result.used, 1);
    assert_int_equal(result.unknown, 2);
}

static void tables_count_alone(void **state)
{
    (void)state;
    assert_true(parse("NtClose 0xFFD\n"));
    expect_numbers(0xFFE, 0xFFF, 0xFFD, 0x1000, 0x1001);
    assert_true(parse("NtUserGetDC 0x1FFE\n"));
    expect_numbers(0, 1, 2, 0x1FFE, 0x1FFF);
}

static void table_is_full(void **state)
{
    (void)state;
    expect_error("NtClose 0xFFE\n", 0);
    expect_error("NtOther 0xFFF\n", 0);
    expect_error("NtUserGetDC 0x1FFF\n", 0);
    assert_true(parse("NtClose 0xFFF\nNtReadFile 1\nNtWriteFile 2\n"));
}

static void unreadable_lines(void **state)
{
    static const char *const lines[] = {
        "NtClose", "NtClose ", "NtClose 0x", "NtClose x", "NtClose -1",
        "NtClose 1 2", "NtClose 1x", "NtClose 0xG", "NtClose=1", "12", "=",
        "Nt-Close 1", "NtClose 1,", "\"NtClose\" 1", "NtClose # 1",
        "NtClose\v1", "NtClose\r1", "7Nt 1",
        "\xEF\xBB\xBFNtClose 1", "NtClose 0x1.0", "NtClose +1",
    };
    char text[64];

    (void)state;
    for (ULONG i = 0; i < ARRAY_SIZE(lines); i++) {
        snprintf(text, sizeof text, "%s\n", lines[i]);
        expect_error(text, 1);
        snprintf(text, sizeof text, "\nNtOther 7\r\n#\n%s", lines[i]);
        expect_error(text, 4);
    }
}

static void bytes_that_are_no_text(void **state)
{
    static const char zero[] = "NtClose 1\nNtReadFile 2\0 3\n";

    (void)state;
    assert_false(parse_bytes(zero, sizeof zero - 1));
    assert_int_equal(result.error_line, 2);
    assert_false(parse_bytes("\0", 1));
    assert_int_equal(result.error_line, 1);
}

static void numbers_out_of_range(void **state)
{
    (void)state;
    expect_error("NtOther 0x2000\n", 1);
    expect_error("NtOther 8192", 1);
    expect_error("\nNtOther 0xFFFFFFFFFFFFFFFFFFFFFFFF\n", 2);
    expect_error("\nNtOther 4294967296\n", 2);
    expect_error("NtOther 18446744073709551617\n", 1);
    assert_true(parse("NtOther 0x1FFD"));
}

static void the_other_tables_number(void **state)
{
    (void)state;
    expect_error("NtClose 0x1000\n", 1);
    expect_error("# win32k\nNtGdiFlush 0xFFF\n", 2);
}

static void given_twice(void **state)
{
    (void)state;
    expect_error("NtClose 1\nNtClose 2\n", 2);
    expect_error("NtOther 1\n\nNtOther 2\n", 3);
    expect_error("NtClose 1\nNtReadFile 0x1\n", 2);
    expect_error("NtOther 1\nNtAnother 1\n", 2);
    expect_error("NtOther 1\nNtClose 2\nNtReadFile 01\n", 3);
    assert_true(parse("NtClos 1\nNtClose 2\nNtCloses 3\nntclose 4\n"));
    assert_int_equal(result.unknown, 3);
}

static void random_bytes(void **state)
{
    static const char alphabet[] = "NtClose 0x12#\n\r\t\0_zQ9";
    ULONGLONG seed = 7;
    char text[48];

    (void)state;
    for (ULONG i = 0; i < 200000; i++) {
        SIZE_T size = unit_random(&seed) % sizeof text;
        for (SIZE_T at = 0; at < size; at++)
            text[at] = alphabet[unit_random(&seed) % sizeof alphabet];
        if (!parse_bytes(text, size))
            assert_non_null(result.error);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_name_given),
        cmocka_unit_test(whatever_people_type),
        cmocka_unit_test(empty_file),
        cmocka_unit_test(names_the_file_lacks),
        cmocka_unit_test(tables_count_alone),
        cmocka_unit_test(table_is_full),
        cmocka_unit_test(unreadable_lines),
        cmocka_unit_test(bytes_that_are_no_text),
        cmocka_unit_test(numbers_out_of_range),
        cmocka_unit_test(the_other_tables_number),
        cmocka_unit_test(given_twice),
        cmocka_unit_test(random_bytes),
    };
    return cmocka_run_group_tests_name("numbering", tests, NULL, NULL);
}
