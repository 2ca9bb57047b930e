/*
 * usb/hid.h - what a USB keyboard reports, as the scan codes of a PC's.
 */
#pragma once

#include <nt/ntdef.h>

#define HID_REPORT 8                    /* bytes of the boot protocol's */
#define HID_HELD 6                      /* keys that one can name */
#define HID_CODES 64                    /* the most that a report makes */

/* What the keyboard has reported last. */
struct hid_keys {
    UCHAR modifiers, held[HID_HELD];
    UCHAR repeated;                     /* the key that is pressed again */
    ULONGLONG next;                     /* and when, in units of 100 ns */
};

/*
 * A report has come at time now; it may be any bytes.  The scan codes of what
 * has changed; how many, at most HID_CODES.
 */
ULONG hid_report(struct hid_keys *keys, const UCHAR report[HID_REPORT],
                 ULONGLONG now, UCHAR *codes);

/* A key is held long enough to count again: its scan codes, or 0. */
ULONG hid_repeat(struct hid_keys *keys, ULONGLONG now, UCHAR *codes);
