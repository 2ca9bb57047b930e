/*
 * options.c - the kernel's command line, taken apart.
 *
 * What the kernel would print goes into a buffer, so that a test can ask
 * whether a mistake was named.
 */
#include "unit.h"

#include <init.h>
#include <kd.h>

static char said[4096];

ULONG DbgPrintEx(ULONG component, ULONG level, const char *format, ...)
{
    (void)component, (void)level;
    size_t length = strlen(said);
    va_list args;

    va_start(args, format);
    vsnprintf(said + length, sizeof said - length, format, args);
    va_end(args);
    return STATUS_SUCCESS;
}

int rtl_snprintf(char *buffer, size_t size, const char *format, ...)
{
    va_list args;
    int length;

    va_start(args, format);
    length = vsnprintf(buffer, size, format, args);
    va_end(args);
    return length;
}

static void parse(const char *line)
{
    said[0] = 0;
    init_read_options(line);
    init_show_options();
}

/* Options keep their values between lines: set both back. */
static int reset(void **state)
{
    (void)state;
    parse("selfmap=0x1ED debug=off doors=syscall xpdoor=auto clock=auto "
          "report=none -- ");
    return 0;
}

static void test_values(void **state)
{
    (void)state;
    parse("selfmap=random  debug=on report=e9 -- tour.exe");
    assert_string_equal(init_option("selfmap"), "random");
    assert_string_equal(init_option("report"), "e9");
    assert_true(init_option_on("debug"));
    assert_string_equal(init_command_line(), "tour.exe");
    assert_null(strstr(said, "ignored"));
}

static void test_unknown_keys_are_named(void **state)
{
    (void)state;
    parse("colour=red selfmapp=1 debug plain -- a.exe");
    assert_non_null(strstr(said, "colour=red is not an option; ignored"));
    assert_non_null(strstr(said, "selfmapp=1 is not an option; ignored"));
    assert_non_null(strstr(said, "debug is not an option; ignored"));
    assert_non_null(strstr(said, "plain is not an option; ignored"));
    assert_false(init_option_on("debug"));
    assert_string_equal(init_option("colour"), "");
}

static void test_wrong_values_are_named(void **state)
{
    (void)state;
    parse("debug=yes report= -- a.exe");
    assert_non_null(strstr(said, "debug=yes is not one of on off;"));
    assert_non_null(strstr(said, "report= is not one of none e9;"));
    assert_false(init_option_on("debug"));
    assert_string_equal(init_option("report"), "none");
    parse("xpdoor=syscall doors=int2e -- a.exe");
    assert_non_null(strstr(said, "xpdoor=syscall is not one of auto "
                                 "sysenter int2e; ignored"));
    assert_string_equal(init_option("xpdoor"), "auto");
    assert_string_equal(init_option("doors"), "int2e");
    parse("clock=tsc -- a.exe");
    assert_non_null(strstr(said, "clock=tsc is not one of auto deadline "
                                 "periodic; ignored"));
}

static void test_the_program_keeps_its_words(void **state)
{
    (void)state;
    parse("-- run.exe debug=on -- \"two words\"");
    assert_string_equal(init_command_line(),
                        "run.exe debug=on -- \"two words\"");
    assert_false(init_option_on("debug"));
}

static void test_long_values_end(void **state)
{
    char line[200] = "selfmap=";

    (void)state;
    memset(line + 8, 'x', 150);
    parse(line);
    assert_in_range(strlen(init_option("selfmap")), 1, 95);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_values, reset),
        cmocka_unit_test_setup(test_unknown_keys_are_named, reset),
        cmocka_unit_test_setup(test_wrong_values_are_named, reset),
        cmocka_unit_test_setup(test_the_program_keeps_its_words, reset),
        cmocka_unit_test_setup(test_long_values_end, reset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
