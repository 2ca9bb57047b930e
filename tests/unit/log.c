/*
 * log.c - the option log: masks by component and level, and what is refused.
 */
#include "unit.h"

#include <kd/kdp.h>

static char said[4096];

static void say(const char *format, va_list args)
{
    size_t length = strlen(said);

    vsnprintf(said + length, sizeof said - length, format, args);
}

void kd_vprint(const char *format, va_list args)
{
    say(format, args);
}

ULONG DbgPrint(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say(format, args);
    va_end(args);
    return STATUS_SUCCESS;
}

static void set(const char *value)
{
    said[0] = 0;
    kd_set_log("*:trace");
    kd_set_log(value);
}

static void test_usual(void **state)
{
    (void)state;
    set("");
    assert_true(kd_wants(DPFLTR_MM_ID, DPFLTR_ERROR_LEVEL));
    assert_true(kd_wants(KD_INIT_ID, DPFLTR_TRACE_LEVEL));
    assert_false(kd_wants(KD_INIT_ID, DPFLTR_INFO_LEVEL));
    assert_string_equal(said, "");
}

static void test_one_and_all(void **state)
{
    (void)state;
    set("*:error,mm:info,ps:none");
    assert_true(kd_wants(DPFLTR_MM_ID, DPFLTR_INFO_LEVEL));
    assert_true(kd_wants(KD_KE_ID, DPFLTR_ERROR_LEVEL));
    assert_false(kd_wants(KD_KE_ID, DPFLTR_WARNING_LEVEL));
    assert_false(kd_wants(KD_PS_ID, DPFLTR_ERROR_LEVEL));
    set("mm:info,*:warning");
    assert_false(kd_wants(DPFLTR_MM_ID, DPFLTR_TRACE_LEVEL));
    assert_string_equal(said, "");
}

static void test_refused(void **state)
{
    static const char *const wrong[] = {
        "mm", "mm:", ":info", "foo:info", "mm:loud", "m:info", "mmm:info",
        "mm:info:", "mm:inf", "**:info",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        char line[80];

        set(wrong[i]);
        snprintf(line, sizeof line, "OPT   log: %s is not", wrong[i]);
        assert_memory_equal(said, line, strlen(line));
        assert_false(kd_wants(DPFLTR_MM_ID, DPFLTR_INFO_LEVEL));
    }
    set("mm:info,what,ps:info");
    assert_true(kd_wants(DPFLTR_MM_ID, DPFLTR_INFO_LEVEL));
    assert_true(kd_wants(KD_PS_ID, DPFLTR_INFO_LEVEL));
    assert_non_null(strstr(said, "log: what is not"));
}

static void test_print(void **state)
{
    (void)state;
    set("ob:info");
    DbgPrintEx(KD_OB_ID, DPFLTR_INFO_LEVEL, "a %d", 1);
    DbgPrintEx(KD_PS_ID, DPFLTR_INFO_LEVEL, "b %d", 2);
    DbgPrintEx(KD_PS_ID, DPFLTR_TRACE_LEVEL, "c %d", 3);
    assert_string_equal(said, "a 1c 3");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_usual),
        cmocka_unit_test(test_one_and_all),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_print),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
