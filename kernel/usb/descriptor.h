/*
 * usb/descriptor.h - which part of a device is a keyboard.
 */
#pragma once

#include <nt/ntdef.h>

#define USB_CONFIGURATION_HEADER 9      /* bytes; its length is among them */

struct usb_keyboard_part {
    UCHAR configuration, interface;     /* their numbers */
    UCHAR endpoint, interval;           /* 1 to 15; as the device says it */
    USHORT packet;                      /* bytes that it sends at once */
};

/* The length of a whole configuration, by its header. */
ULONG usb_configuration_size(const UCHAR header[USB_CONFIGURATION_HEADER]);

/*
 * bytes are a configuration with all that belongs to it, as a device has sent
 * it: any bytes.  FALSE: there is no keyboard that knows the boot protocol.
 */
BOOLEAN usb_find_keyboard(const UCHAR *bytes, ULONG size,
                          struct usb_keyboard_part *found);
