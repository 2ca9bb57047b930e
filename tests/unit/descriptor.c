/*
 * descriptor.c - configurations of USB devices, and those that lie.
 */
#include "unit.h"

#include <usb/descriptor.h>

/* As QEMU's usb-kbd sends it, with a mouse's interface in front. */
static const UCHAR sample[] = {
    9, 2, 68, 0, 2, 1, 0, 0xA0, 50,
    9, 4, 0, 0, 1, 3, 1, 2, 0,
    9, 0x21, 0x11, 1, 0, 1, 0x22, 0x34, 0,
    7, 5, 0x81, 3, 4, 0, 10,
    9, 4, 1, 0, 2, 3, 1, 1, 0,
    9, 0x21, 0x11, 1, 0, 1, 0x22, 0x3F, 0,
    7, 5, 0x02, 3, 8, 0, 10,
    7, 5, 0x83, 3, 8, 0, 7,
    2, 0xFF,
};
#define KEYBOARD 34                     /* where its interface begins */
#define ENDPOINT 59                     /* and what sends its reports */

/* In memory of its own size, so that a step too far is seen. */
static BOOLEAN find(const UCHAR *bytes, ULONG size,
                    struct usb_keyboard_part *part)
{
    UCHAR *copy = test_malloc(size);
    BOOLEAN found;

    memcpy(copy, bytes, size);
    found = usb_find_keyboard(copy, size, part);
    test_free(copy);
    return found;
}

static void a_keyboard(void **state)
{
    struct usb_keyboard_part part;

    (void)state;
    assert_int_equal(usb_configuration_size(sample), sizeof sample);
    assert_true(find(sample, sizeof sample, &part));
    assert_int_equal(part.configuration, 1);
    assert_int_equal(part.interface, 1);
    assert_int_equal(part.endpoint, 3);
    assert_int_equal(part.interval, 7);
    assert_int_equal(part.packet, 8);
}

static void cut_off(void **state)
{
    struct usb_keyboard_part part;

    (void)state;
    for (ULONG size = 9; size < sizeof sample; size++)
        assert_int_equal(find(sample, size, &part), size >= ENDPOINT + 7);
}

/* Each byte that makes it one is needed. */
static void no_keyboard(void **state)
{
    static const struct {
        ULONG at;
        UCHAR value;
    } changes[] = {
        { 1, 3 }, { KEYBOARD, 8 }, { KEYBOARD, 0 }, { KEYBOARD + 1, 3 },
        { KEYBOARD + 3, 1 }, { KEYBOARD + 5, 8 }, { KEYBOARD + 6, 0 },
        { KEYBOARD + 7, 2 }, { ENDPOINT, 6 }, { ENDPOINT, 0 },
        { ENDPOINT, 200 }, { ENDPOINT + 1, 4 }, { ENDPOINT + 2, 0x03 },
        { ENDPOINT + 2, 0x80 }, { ENDPOINT + 3, 2 }, { ENDPOINT + 4, 0 },
    };
    struct usb_keyboard_part part;
    UCHAR bytes[sizeof sample];

    (void)state;
    for (ULONG i = 0; i < ARRAY_SIZE(changes); i++) {
        memcpy(bytes, sample, sizeof sample);
        bytes[changes[i].at] = changes[i].value;
        assert_false(find(bytes, sizeof bytes, &part));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_keyboard),
        cmocka_unit_test(cut_off),
        cmocka_unit_test(no_keyboard),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
