/*
 * usb/hid.c - from a keyboard's report to scan codes.
 *
 * The boot protocol's report (HID 1.11, appendix B.1): eight modifiers, and up
 * to six keys that are held, by their usages (HID Usage Tables, page 7).  What
 * has come and gone since the last one become codes of set 1, so that whoever
 * reads keyboards needs to know only those.  NT: kbdhid, the same way.
 *
 * A PC's keyboard repeats a key that is held; here the driver has to.
 */
#include "hid.h"

#define RELEASED 0x80
#define EXTENDED 0xE0
#define E0(code) (0x100 | (code))       /* with EXTENDED in front */

#define TOO_MANY 0x01                   /* in all places: more than six */
#define FIRST_MODIFIER 0xE0
#define CAPS_LOCK 0x39

#define DELAY 5000000ULL                /* 100 ns: before the first one */
#define PERIOD 330000ULL                /* and before others */

/* By usage; 0: a PC has no such key, or one that nobody reads. */
static const USHORT codes_of[] = {
    [0x04] = 0x1E, 0x30, 0x2E, 0x20, 0x12, 0x21, 0x22, 0x23, 0x17, 0x24,
    0x25, 0x26, 0x32, 0x31, 0x18, 0x19, 0x10, 0x13, 0x1F, 0x14, 0x16, 0x2F,
    0x11, 0x2D, 0x15, 0x2C,             /* a to z */
    0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0A, 0x0B, /* 1 to 0 */
    0x1C, 0x01, 0x0E, 0x0F, 0x39,       /* Enter, Escape, back, Tab, space */
    0x0C, 0x0D, 0x1A, 0x1B, 0x2B, 0x2B, 0x27, 0x28, 0x29, 0x33, 0x34, 0x35,
    0x3A,                               /* - to /, caps lock */
    0x3B, 0x3C, 0x3D, 0x3E, 0x3F, 0x40, 0x41, 0x42, 0x43, 0x44, 0x57, 0x58,
    E0(0x37), 0x46, 0,                  /* print, scroll lock, pause */
    E0(0x52), E0(0x47), E0(0x49), E0(0x53), E0(0x4F), E0(0x51),
    E0(0x4D), E0(0x4B), E0(0x50), E0(0x48),     /* right, left, down, up */
    0x45, E0(0x35), 0x37, 0x4A, 0x4E, E0(0x1C), /* the keypad */
    0x4F, 0x50, 0x51, 0x4B, 0x4C, 0x4D, 0x47, 0x48, 0x49, 0x52, 0x53,
    0x56, E0(0x5D),
    /* left and right control, shift, alt, and the system's */
    [FIRST_MODIFIER] = 0x1D, 0x2A, 0x38, E0(0x5B),
    E0(0x1D), 0x36, E0(0x38), E0(0x5C),
};

static ULONG put(ULONG usage, UCHAR released, UCHAR *codes)
{
    ULONG code = usage < ARRAY_SIZE(codes_of) ? codes_of[usage] : 0;
    ULONG count = 0;

    if (!code)
        return 0;
    if (code & E0(0))
        codes[count++] = EXTENDED;
    codes[count++] = (UCHAR)code | released;
    return count;
}

static BOOLEAN is_held(const UCHAR held[HID_HELD], UCHAR usage)
{
    for (ULONG i = 0; i < HID_HELD; i++) {
        if (held[i] == usage)
            return TRUE;
    }
    return FALSE;
}

static ULONG put_modifiers(struct hid_keys *keys, UCHAR modifiers,
                           UCHAR *codes)
{
    UCHAR changed = keys->modifiers ^ modifiers;
    ULONG count = 0;

    for (ULONG i = 0; i < 8; i++) {
        if (changed & 1u << i)
            count += put(FIRST_MODIFIER + i,
                         modifiers & 1u << i ? 0 : RELEASED, codes + count);
    }
    keys->modifiers = modifiers;
    return count;
}

static ULONG put_released(struct hid_keys *keys, const UCHAR held[HID_HELD],
                          UCHAR *codes)
{
    ULONG count = 0;

    for (ULONG i = 0; i < HID_HELD; i++) {
        UCHAR usage = keys->held[i];

        if (usage && !is_held(held, usage))
            count += put(usage, RELEASED, codes + count);
    }
    if (!is_held(held, keys->repeated))
        keys->repeated = 0;
    return count;
}

static ULONG put_pressed(struct hid_keys *keys, const UCHAR held[HID_HELD],
                         ULONGLONG now, UCHAR *codes)
{
    ULONG count = 0;

    for (ULONG i = 0; i < HID_HELD; i++) {
        UCHAR usage = held[i];

        if (!usage || is_held(keys->held, usage))
            continue;
        count += put(usage, 0, codes + count);
        keys->repeated = usage == CAPS_LOCK ? 0 : usage;
        keys->next = now + DELAY;
    }
    return count;
}

ULONG hid_report(struct hid_keys *keys, const UCHAR report[HID_REPORT],
                 ULONGLONG now, UCHAR *codes)
{
    const UCHAR *held = report + HID_REPORT - HID_HELD;
    ULONG count = put_modifiers(keys, report[0], codes);

    if (is_held(held, TOO_MANY))
        return count;
    count += put_released(keys, held, codes + count);
    count += put_pressed(keys, held, now, codes + count);
    for (ULONG i = 0; i < HID_HELD; i++)
        keys->held[i] = held[i];
    return count;
}

ULONG hid_repeat(struct hid_keys *keys, ULONGLONG now, UCHAR *codes)
{
    if (!keys->repeated || now < keys->next)
        return 0;
    keys->next = now + PERIOD;
    return put(keys->repeated, 0, codes);
}
