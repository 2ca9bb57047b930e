/*
 * usb/descriptor.c - a configuration, read (USB 2.0: 9.6).
 *
 * Descriptors stand one behind the other, each with its length and its type
 * in front.  Endpoints belong to the interface before them.
 */
#include "descriptor.h"

enum { CONFIGURATION = 2, INTERFACE = 4, ENDPOINT = 5 };
enum { CONFIGURATION_TOTAL = 2, CONFIGURATION_VALUE = 5 };
enum { INTERFACE_NUMBER = 2, INTERFACE_ALTERNATE = 3, INTERFACE_CLASS = 5 };
enum { ENDPOINT_ADDRESS = 2, ENDPOINT_ATTRIBUTES = 3, ENDPOINT_PACKET = 4,
       ENDPOINT_INTERVAL = 6 };

#define HEADER 2                        /* length and type */
#define INTERFACE_LENGTH 9
#define ENDPOINT_LENGTH 7
#define ENDPOINT_IN 0x80
#define ENDPOINT_NUMBER 0x0F
#define ENDPOINT_KIND 0x03
#define ENDPOINT_INTERRUPT 0x03
#define PACKET_BYTES 0x07FF

static USHORT word(const UCHAR *bytes)
{
    return (USHORT)(bytes[0] | bytes[1] << 8);
}

ULONG usb_configuration_size(const UCHAR header[USB_CONFIGURATION_HEADER])
{
    return word(header + CONFIGURATION_TOTAL);
}

/* HID, boot interface, keyboard (HID 1.11: 4.1 to 4.3). */
static BOOLEAN is_keyboard(const UCHAR *interface)
{
    const UCHAR *class = interface + INTERFACE_CLASS;

    return interface[0] >= INTERFACE_LENGTH &&
           interface[INTERFACE_ALTERNATE] == 0 &&
           class[0] == 3 && class[1] == 1 && class[2] == 1;
}

static BOOLEAN sends_reports(const UCHAR *endpoint)
{
    return endpoint[0] >= ENDPOINT_LENGTH &&
           endpoint[ENDPOINT_ADDRESS] & ENDPOINT_IN &&
           endpoint[ENDPOINT_ADDRESS] & ENDPOINT_NUMBER &&
           (endpoint[ENDPOINT_ATTRIBUTES] & ENDPOINT_KIND) ==
               ENDPOINT_INTERRUPT &&
           word(endpoint + ENDPOINT_PACKET) & PACKET_BYTES;
}

BOOLEAN usb_find_keyboard(const UCHAR *bytes, ULONG size,
                          struct usb_keyboard_part *found)
{
    BOOLEAN inside = FALSE;

    if (size < USB_CONFIGURATION_HEADER || bytes[1] != CONFIGURATION)
        return FALSE;
    found->configuration = bytes[CONFIGURATION_VALUE];
    for (ULONG at = 0; at + HEADER <= size && bytes[at] >= HEADER &&
                       bytes[at] <= size - at; at += bytes[at]) {
        const UCHAR *part = bytes + at;

        if (part[1] == INTERFACE) {
            inside = is_keyboard(part);
            if (inside)
                found->interface = part[INTERFACE_NUMBER];
        } else if (part[1] == ENDPOINT && inside && sends_reports(part)) {
            found->endpoint = part[ENDPOINT_ADDRESS] & ENDPOINT_NUMBER;
            found->interval = part[ENDPOINT_INTERVAL];
            found->packet = word(part + ENDPOINT_PACKET) & PACKET_BYTES;
            return TRUE;
        }
    }
    return FALSE;
}
