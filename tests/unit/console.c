/*
 * console.c - both consoles carry the same text, also what was written before
 * the screen was there; and names for addresses, which go with it.
 */
#include "unit.h"

#include <arch/cpu.h>
#include <kd/kdp.h>
#include <ke.h>

#include <pthread.h>

/* CR8 is ring 0's, and gs; a processor is a thread here. */
static __thread ULONGLONG cr8;
static KPRCB processors[2] = { { .Number = 0 }, { .Number = 1 } };
static __thread KPRCB *current = &processors[0];
#define arch_read_cr8() cr8
#define arch_write_cr8(level) (void)(cr8 = (level))
#define KeGetCurrentPrcb() current

#include <kd/console.c>

/* What an interrupt writes in the middle of the next write. */
static const char *interrupt;

static char serial[40000], picture[40000];
static SIZE_T serial_length, picture_length;

void kdp_serial_write(const char *text, SIZE_T length)
{
    const char *late_text = interrupt;

    assert_true(cr8 == DISPATCH_LEVEL);
    interrupt = NULL;
    if (late_text)
        kd_write(late_text, strlen(late_text));
    assert_true(serial_length + length < sizeof serial);
    memcpy(serial + serial_length, text, length);
    serial_length += length;
    serial[serial_length] = 0;
}

void kdp_screen_write(const char *text, SIZE_T length)
{
    assert_true(picture_length + length < sizeof picture);
    memcpy(picture + picture_length, text, length);
    picture_length += length;
    picture[picture_length] = 0;
}

static BOOLEAN waits;
static ULONG drawn;

void kdp_screen_wait(BOOLEAN wait)
{
    waits = wait;
}

void kdp_screen_draw(void)
{
    const char *late_text = interrupt;

    assert_true(cr8 == DISPATCH_LEVEL);
    interrupt = NULL;
    if (late_text)
        kd_write(late_text, strlen(late_text));
    drawn++;
}

static int restart(void **state)
{
    (void)state;
    serial_length = picture_length = early_length = 0;
    serial[0] = picture[0] = 0;
    screen_started = FALSE;
    return 0;
}

static void the_same_text(void **state)
{
    (void)state;
    DbgPrint("early %d\n", 1);
    kd_write("plain\n", 6);
    assert_string_equal(serial, "early 1\nplain\n");
    assert_string_equal(picture, "");
    kd_show_early_text();
    DbgPrint("late %s\n", "2");
    assert_string_equal(serial, "early 1\nplain\nlate 2\n");
    assert_string_equal(picture, serial);
}

/* Nobody's line has another's in the middle. */
static void text_of_an_interrupt(void **state)
{
    (void)state;
    kd_show_early_text();
    interrupt = "late\n";
    DbgPrint("first %d\n", 1);
    DbgPrint("second\n");
    assert_string_equal(serial, "first 1\nlate\nsecond\n");
    assert_string_equal(picture, serial);
    assert_true(cr8 == PASSIVE_LEVEL);
}

/* The early text at once, the rest when it is asked for; a bugcheck, too. */
static void drawn_at_ticks(void **state)
{
    (void)state;
    waits = FALSE;
    drawn = 0;
    kd_show_early_text();
    assert_true(waits);
    interrupt = "late\n";
    kd_draw();
    assert_int_equal(drawn, 1);
    assert_string_equal(serial, "late\n");
    assert_true(cr8 == PASSIVE_LEVEL);
    writer = 2;
    kd_draw();
    assert_int_equal(drawn, 1);
    kd_take_over();
    assert_false(waits);
    kd_draw();
    assert_int_equal(drawn, 2);
}

#define LINES 500

/* Whole lines, whoever else writes: none is kept for the other's writer. */
static void *write_lines(void *processor)
{
    current = processor;
    for (ULONG i = 0; i < LINES; i++)
        DbgPrint("%u:0123456789\n", current->Number);
    return NULL;
}

static void two_processors(void **state)
{
    pthread_t other;
    ULONG lines[2] = { 0, 0 };

    (void)state;
    assert_int_equal(pthread_create(&other, NULL, write_lines,
                                    &processors[1]), 0);
    write_lines(&processors[0]);
    pthread_join(other, NULL);
    for (const char *at = serial; *at; at += strlen("0:0123456789\n")) {
        assert_in_range(*at, '0', '1');
        assert_memory_equal(at + 1, ":0123456789\n", 12);
        lines[*at - '0']++;
    }
    assert_int_equal(lines[0], LINES);
    assert_int_equal(lines[1], LINES);
}

static void very_much_early_text(void **state)
{
    (void)state;
    for (ULONG i = 0; i < 3000; i++)
        DbgPrint("line %04u\n", i);
    kd_show_early_text();
    assert_int_equal(serial_length, 30000);
    assert_true(picture_length <= EARLY_LENGTH);
    assert_memory_equal(picture, serial, picture_length);
}

static void long_lines_are_cut(void **state)
{
    char text[2000];

    (void)state;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = 0;
    kd_show_early_text();
    DbgPrint("%s", text);
    assert_true(serial_length >= 511 && serial_length <= 512);
    assert_string_equal(picture, serial);
    assert_int_equal(strspn(serial, "x"), serial_length);
}

static const char symbols_file[] =
    "ffffffff80101000 T KiSystemCall64\n"
    "ffffffff80101020 T KiSystemServiceUser\n"
    "ffffffff80101020 t an_alias\n"
    "ffffffff80103000 D KeNumberProcessors\n";

static void expect_symbol(ULONGLONG address, const char *name,
                          ULONGLONG distance)
{
    char buffer[KD_NAME_LENGTH];
    ULONGLONG offset = 99;
    const char *found = kd_symbol(address, buffer, &offset);

    if (!name) {
        assert_null(found);
        return;
    }
    assert_non_null(found);
    assert_string_equal(found, name);
    assert_true(offset == distance);
}

static void symbols_of_addresses(void **state)
{
    char name[KD_NAME_LENGTH];
    char *copy = malloc(sizeof symbols_file - 1);

    (void)state;
    expect_symbol(0xFFFFFFFF80101000, NULL, 0);
    memcpy(copy, symbols_file, sizeof symbols_file - 1);
    kd_load_symbols(copy, sizeof symbols_file - 1);
    expect_symbol(0xFFFFFFFF80100FFF, NULL, 0);
    expect_symbol(0xFFFFFFFF80101000, "KiSystemCall64", 0);
    expect_symbol(0xFFFFFFFF8010101F, "KiSystemCall64", 0x1F);
    expect_symbol(0xFFFFFFFF80101020, "KiSystemServiceUser", 0);
    expect_symbol(0xFFFFFFFF80103008, "KeNumberProcessors", 8);
    expect_symbol(0x7FF700001000, NULL, 0);
    expect_symbol(~0ULL, NULL, 0);
    assert_non_null(kd_symbol(0xFFFFFFFF80101000, name, NULL));
    free(copy);
    kd_load_symbols("", 0);
    expect_symbol(0xFFFFFFFF80101000, NULL, 0);
}

/* Every length of the file, and lines that are none. */
static void broken_symbol_files(void **state)
{
    char name[KD_NAME_LENGTH];
    static const char *const files[] = {
        "\n\n\n", "ffffffff80101000", "ffffffff80101000 T ",
        "ffffffff80101000 T \n", "no address at all here\nnor there\n",
        "ffffffff80101000 T a_very_long_name_that_is_longer_than_names_of_"
        "routines_are_allowed_to_be_in_this_kernel\n",
    };

    (void)state;
    for (SIZE_T size = 0; size < sizeof symbols_file; size++) {
        char *copy = malloc(size + 1);
        memcpy(copy, symbols_file, size);
        kd_load_symbols(memmove(copy + 1, copy, size), size);
        kd_symbol(0xFFFFFFFF80103008, name, NULL);
        kd_symbol(0xFFFFFFFF80101000, name, NULL);
        free(copy);
    }
    for (ULONG i = 0; i < ARRAY_SIZE(files); i++) {
        char *copy = malloc(strlen(files[i]));
        memcpy(copy, files[i], strlen(files[i]));
        kd_load_symbols(copy, strlen(files[i]));
        kd_symbol(0xFFFFFFFF80101004, name, NULL);
        kd_symbol(~0ULL, name, NULL);
        free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_same_text, restart),
        cmocka_unit_test_setup(text_of_an_interrupt, restart),
        cmocka_unit_test_setup(drawn_at_ticks, restart),
        cmocka_unit_test_setup(two_processors, restart),
        cmocka_unit_test_setup(very_much_early_text, restart),
        cmocka_unit_test_setup(long_lines_are_cut, restart),
        cmocka_unit_test(symbols_of_addresses),
        cmocka_unit_test(broken_symbol_files),
    };
    return cmocka_run_group_tests_name("console", tests, NULL, NULL);
}
