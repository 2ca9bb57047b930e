/*
 * hid.c - reports of a USB keyboard, by the characters that they type.
 */
#include "unit.h"

#include <io/scancode.h>
#include <usb/hid.h>

#define SECOND 10000000ULL
#define LEFT_CTRL 0x01
#define LEFT_SHIFT 0x02
#define RIGHT_SHIFT 0x20

static struct hid_keys keys;
static struct scancode_state typed;
static char made[256];

static int restart(void **state)
{
    (void)state;
    memset(&keys, 0, sizeof keys);
    memset(&typed, 0, sizeof typed);
    return 0;
}

static const char *decode(const UCHAR *codes, ULONG count)
{
    ULONG length = 0;

    assert_true(count <= HID_CODES);
    for (ULONG i = 0; i < count; i++)
        length += scancode_decode(&typed, codes[i], made + length);
    made[length] = 0;
    return made;
}

/* held: the usages of up to six keys. */
static const char *report(UCHAR modifiers, const char *held)
{
    UCHAR bytes[HID_REPORT] = { modifiers }, codes[HID_CODES];

    memcpy(bytes + 2, held, strlen(held));
    return decode(codes, hid_report(&keys, bytes, 0, codes));
}

static const char *repeat(ULONGLONG now)
{
    UCHAR codes[HID_CODES];

    return decode(codes, hid_repeat(&keys, now, codes));
}

static void one_key(void **state)
{
    static const char characters[] =
        "abcdefghijklmnopqrstuvwxyz1234567890\r\033\b\t -=[]\\\\;'`,./";

    (void)state;
    for (char usage = 0x04; usage <= 0x38; usage++) {
        const char held[] = { usage, 0 };
        const char wanted[] = { characters[usage - 0x04], 0 };

        assert_string_equal(report(0, held), wanted);
        assert_string_equal(report(0, held), "");
        assert_string_equal(report(0, ""), "");
    }
}

static void modifiers(void **state)
{
    (void)state;
    assert_string_equal(report(LEFT_SHIFT, ""), "");
    assert_string_equal(report(LEFT_SHIFT, "\x04"), "A");
    assert_string_equal(report(LEFT_SHIFT | RIGHT_SHIFT, "\x04\x05"), "B");
    assert_string_equal(report(RIGHT_SHIFT, "\x05\x04"), "");
    assert_string_equal(report(RIGHT_SHIFT, "\x06"), "C");
    assert_string_equal(report(0, "\x06\x07"), "d");
    assert_string_equal(report(LEFT_CTRL, "\x06"), "");
    assert_string_equal(report(LEFT_CTRL, ""), "");
    assert_string_equal(report(LEFT_CTRL, "\x06"), "\003");
}

static void caps_lock(void **state)
{
    (void)state;
    report(0, "\x39");
    assert_string_equal(repeat(SECOND), "");
    report(0, "");
    assert_string_equal(report(0, "\x04"), "A");
}

static void keys_that_move(void **state)
{
    static const char usages[] = "\x52\x51\x50\x4F\x4A\x4D\x4B\x4E\x49\x4C";
    static const char *const wanted[] = {
        "\033[A", "\033[B", "\033[D", "\033[C", "\033[H", "\033[F",
        "\033[5~", "\033[6~", "\033[2~", "\033[3~" };

    (void)state;
    for (ULONG i = 0; i < ARRAY_SIZE(wanted); i++) {
        const char held[] = { usages[i], 0 };

        assert_string_equal(report(0, held), wanted[i]);
    }
}

static void keypad(void **state)
{
    (void)state;
    assert_string_equal(report(0, "\x54\x55\x56\x57\x58"), "/*-+\r");
    assert_string_equal(report(0, "\x59\x5A\x5B\x5C\x5D"), "12345");
    assert_string_equal(report(0, "\x5E\x5F\x60\x61\x62\x63"), "67890.");
}

/* More keys than a report names: those that were held still are. */
static void too_many(void **state)
{
    (void)state;
    assert_string_equal(report(0, "\x04\x05"), "ab");
    assert_string_equal(report(LEFT_SHIFT, "\x01\x01\x01\x01\x01\x01"), "");
    assert_string_equal(report(LEFT_SHIFT, "\x04\x05\x06"), "C");
}

static void repeated(void **state)
{
    (void)state;
    assert_string_equal(report(0, "\x04"), "a");
    assert_string_equal(repeat(SECOND / 4), "");
    assert_string_equal(repeat(SECOND), "a");
    assert_string_equal(repeat(SECOND), "");
    assert_string_equal(repeat(2 * SECOND), "a");
    assert_string_equal(report(0, "\x04\x05"), "b");
    assert_string_equal(repeat(3 * SECOND), "b");
    assert_string_equal(report(0, "\x04"), "");
    assert_string_equal(repeat(4 * SECOND), "");
}

/* Usages that no keyboard should send make no codes, and no harm. */
static void any_bytes(void **state)
{
    UCHAR bytes[HID_REPORT], codes[HID_CODES];

    (void)state;
    for (ULONG byte = 0; byte < 256; byte++) {
        for (ULONG i = 0; i < HID_REPORT; i++)
            bytes[i] = (UCHAR)(byte + i * 37);
        assert_true(hid_report(&keys, bytes, 0, codes) <= HID_CODES);
        assert_true(hid_repeat(&keys, SECOND, codes) <= HID_CODES);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(one_key, restart),
        cmocka_unit_test_setup(modifiers, restart),
        cmocka_unit_test_setup(caps_lock, restart),
        cmocka_unit_test_setup(keys_that_move, restart),
        cmocka_unit_test_setup(keypad, restart),
        cmocka_unit_test_setup(too_many, restart),
        cmocka_unit_test_setup(repeated, restart),
        cmocka_unit_test_setup(any_bytes, restart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
