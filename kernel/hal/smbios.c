/*
 * hal/smbios.c - who has made the machine and its firmware (SMBIOS 3.4).
 *
 * A structure is a header, fields, and behind them its strings, each ended by
 * a zero and all of them by another.  A field names a string by its number.
 */
#include "halp.h"

#include <rtl.h>

enum { SMBIOS_FIRMWARE = 0, SMBIOS_SYSTEM = 1, SMBIOS_END = 127 };
enum { FIRMWARE_VENDOR = 4, FIRMWARE_VERSION = 5, FIRMWARE_DATE = 8 };
enum { SYSTEM_MAKER = 4, SYSTEM_PRODUCT = 5 };
#define HEADER_SIZE 4                   /* type, length, handle */

static ULONGLONG number(const UCHAR *bytes, ULONG size)
{
    ULONGLONG value = 0;

    while (size--)
        value = value << 8 | bytes[size];
    return value;
}

static BOOLEAN is_sound(const UCHAR *bytes, SIZE_T length)
{
    UCHAR sum = 0;

    while (length--)
        sum += *bytes++;
    return sum == 0;
}

BOOLEAN smbios_read_entry(const UCHAR *bytes, SIZE_T size,
                          struct smbios_table *table)
{
    if (size >= 24 && memcmp(bytes, "_SM3_", 5) == 0 && bytes[6] >= 24 &&
        bytes[6] <= size && is_sound(bytes, bytes[6]))
        *table = (struct smbios_table){ number(bytes + 16, 8),
                                        number(bytes + 12, 4),
                                        bytes[7], bytes[8], 0 };
    else if (size >= 31 && memcmp(bytes, "_SM_", 4) == 0 && bytes[5] >= 30 &&
             bytes[5] <= size && is_sound(bytes, bytes[5]))
        *table = (struct smbios_table){ number(bytes + 24, 4),
                                        number(bytes + 22, 2),
                                        bytes[6], bytes[7], bytes[30] };
    else
        return FALSE;
    return table->address && table->size && table->size <= SMBIOS_MOST;
}

/* The end of the structure that begins at bytes, 0 if it is cut off. */
static SIZE_T length_of(const UCHAR *bytes, SIZE_T size)
{
    SIZE_T at;

    if (size < HEADER_SIZE || bytes[1] < HEADER_SIZE)
        return 0;
    for (at = bytes[1]; at + 1 < size; at++) {
        if (!bytes[at] && !bytes[at + 1])
            return at + 2;
    }
    return 0;
}

/* The string that a field names, printable and without spaces around. */
static void copy_string(const UCHAR *bytes, SIZE_T length, ULONG field,
                        CHAR *to)
{
    SIZE_T at = bytes[1], end = 0;
    ULONG wanted = field < bytes[1] ? bytes[field] : 0;

    to[0] = 0;
    if (!wanted)
        return;
    for (; --wanted && at < length; at++) {
        while (at < length && bytes[at])
            at++;
    }
    while (at < length && bytes[at] == ' ')
        at++;
    for (SIZE_T i = 0; i + 1 < HAL_NAME_LENGTH && at < length && bytes[at];
         i++, at++) {
        to[i] = bytes[at] >= ' ' && bytes[at] < 0x7F ? bytes[at] : '?';
        if (to[i] != ' ')
            end = i + 1;
    }
    to[end] = 0;
}

static void keep_names(const UCHAR *bytes, SIZE_T length,
                       struct hal_machine *to)
{
    if (bytes[0] == SMBIOS_FIRMWARE) {
        copy_string(bytes, length, FIRMWARE_VENDOR, to->firmware_vendor);
        copy_string(bytes, length, FIRMWARE_VERSION, to->firmware_version);
        copy_string(bytes, length, FIRMWARE_DATE, to->firmware_date);
    } else if (bytes[0] == SMBIOS_SYSTEM) {
        copy_string(bytes, length, SYSTEM_MAKER, to->maker);
        copy_string(bytes, length, SYSTEM_PRODUCT, to->product);
    }
}

void smbios_read(const UCHAR *bytes, SIZE_T size, struct hal_machine *to)
{
    BOOLEAN ended = FALSE;
    SIZE_T at = 0, length;

    while (!ended && (length = length_of(bytes + at, size - at)) != 0) {
        ended = bytes[at] == SMBIOS_END;
        if (!ended)
            keep_names(bytes + at, length, to);
        at += length;
    }
    to->smbios_size = (ULONG)at;
}
