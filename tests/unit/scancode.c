/*
 * scancode.c - keys as the controller tells them, and the characters they
 * make.
 */
#include "unit.h"

#include <io/scancode.h>

static struct scancode_state keys;

/* What codes make, from the state that earlier ones have left. */
static void expect(const char *codes, SIZE_T count, const char *text)
{
    char made[64];
    ULONG length = 0;

    for (SIZE_T i = 0; i < count; i++) {
        assert_true(length + SCANCODE_TEXT < sizeof made);
        length += scancode_decode(&keys, (UCHAR)codes[i], made + length);
    }
    made[length] = 0;
    assert_string_equal(made, text);
}

#define EXPECT(codes, text) expect(codes, sizeof(codes) - 1, text)

static int restart(void **state)
{
    (void)state;
    memset(&keys, 0, sizeof keys);
    return 0;
}

static void letters(void **state)
{
    (void)state;
    EXPECT("\x1E\x9E\x30\xB0\x39\xB9\x02\x82", "ab 1");
    EXPECT("\x1C\x9C\x0E\x8E\x0F\x8F\x01\x81", "\r\b\t\033");
    EXPECT("\x0C\x0D\x1A\x1B\x27\x28\x29\x2B\x33\x34\x35", "-=[];'`\\,./");
}

/* Two shift keys; one of them is enough. */
static void shift(void **state)
{
    (void)state;
    EXPECT("\x2A\x1E\x9E\x36\xAA\x1E\x03\xB6\x1E", "AA@a");
    EXPECT("\x2A\x0C\x0D\x1A\x1B\x27\x28\x29\x2B\x33\x34\x35",
           "_+{}:\"~|<>?");
}

static void caps_lock(void **state)
{
    (void)state;
    EXPECT("\x3A\xBA\x1E\x02\x2A\x1E\x02\xAA\x3A\xBA\x1E", "A1a!a");
}

static void ctrl(void **state)
{
    (void)state;
    EXPECT("\x1D\x2E\x9D\x2E", "\003c");
    EXPECT("\xE0\x1D\x1E\x1A\x02\xE0\x9D\x1E", "\001\0331a");
    EXPECT("\x1D\xE0\x1D\x9D\x1E\xE0\x9D\x1E", "\001a");
}

static void cursor_keys(void **state)
{
    (void)state;
    EXPECT("\xE0\x48\xE0\xC8\xE0\x50\xE0\x4B\xE0\x4D",
           "\033[A\033[B\033[D\033[C");
    EXPECT("\xE0\x47\xE0\x4F\xE0\x52\xE0\x53\xE0\x49\xE0\x51",
           "\033[H\033[F\033[2~\033[3~\033[5~\033[6~");
}

/* Some keyboards wrap cursor keys into shifts that nobody has pressed. */
static void shifts_that_are_none(void **state)
{
    (void)state;
    EXPECT("\xE0\x2A\xE0\x4B\xE0\xCB\xE0\xAA\x1E", "\033[Da");
    EXPECT("\x2A\xE0\xAA\xE0\x4B\x1E\xE0\x2A\x1E\xAA", "\033[DAA");
    EXPECT("\xE0\x2A\x1E\xE0\xAA", "a");
}

static void the_keypad(void **state)
{
    (void)state;
    EXPECT("\x47\x4A\x52\x53\x37\xE0\x35\xE0\x1C", "7-0.*/\r");
}

/* Pause, function keys, Alt, and codes that no key has. */
static void keys_without_a_character(void **state)
{
    (void)state;
    EXPECT("\xE1\x1D\x45\xE1\x9D\xC5\x1E", "a");
    EXPECT("\x3B\x44\x57\x38\xB8\x45\x46\x1E", "a");
    EXPECT("\x54\x7F\xFF\x80\xE0\x7F\xE0\x01\xFA\x1E", "a");
}

static void any_codes(void **state)
{
    ULONGLONG seed = 5;
    char text[SCANCODE_TEXT];

    (void)state;
    for (ULONG i = 0; i < 1000000; i++)
        assert_true(scancode_decode(&keys, (UCHAR)unit_random(&seed), text)
                    <= SCANCODE_TEXT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(letters, restart),
        cmocka_unit_test_setup(shift, restart),
        cmocka_unit_test_setup(caps_lock, restart),
        cmocka_unit_test_setup(ctrl, restart),
        cmocka_unit_test_setup(cursor_keys, restart),
        cmocka_unit_test_setup(shifts_that_are_none, restart),
        cmocka_unit_test_setup(the_keypad, restart),
        cmocka_unit_test_setup(keys_without_a_character, restart),
        cmocka_unit_test_setup(any_codes, restart),
    };
    return cmocka_run_group_tests_name("scancode", tests, NULL, NULL);
}
