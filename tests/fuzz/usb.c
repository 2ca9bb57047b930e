/*
 * usb.c - fuzz target: any bytes as a device's configuration, and as reports
 * of a keyboard.
 */
#include <stdlib.h>
#include <string.h>

#include "../../kernel/usb/descriptor.h"
#include "../../kernel/usb/hid.h"

#define MUST(condition)                 \
    do {                                \
        if (!(condition))               \
            abort();                    \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_configuration(const uint8_t *data, size_t size)
{
    struct usb_keyboard_part part;
    UCHAR *copy = malloc(size);         /* ends where the bytes end */

    memcpy(copy, data, size);
    if (usb_find_keyboard(copy, (ULONG)size, &part)) {
        MUST(part.endpoint >= 1 && part.endpoint <= 15);
        MUST(part.packet >= 1 && part.packet < 2048);
    }
    free(copy);
}

static void read_reports(const uint8_t *data, size_t size)
{
    struct hid_keys keys = { 0 };
    ULONGLONG now = 0;

    for (; size >= HID_REPORT; data += HID_REPORT, size -= HID_REPORT) {
        UCHAR *codes = malloc(HID_CODES);

        MUST(hid_report(&keys, data, now, codes) <= HID_CODES);
        now += data[1] * 100000ULL;
        MUST(hid_repeat(&keys, now, codes) <= 2);
        free(codes);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size >= USB_CONFIGURATION_HEADER)
        read_configuration(data, size);
    read_reports(data, size);
    return 0;
}
