/*
 * wow64/widen.c - four-byte slots become 64-bit arguments.
 *
 * 32-bit code pushes every argument as four bytes, or as two times four.  What
 * the upper half of its 64-bit form is depends on what the argument means, and
 * only services.tab knows that: one letter for each.
 */
#include "widen.h"

static ULONG slots_of(char letter)
{
    return letter == 'q' ? 2 : 1;
}

ULONG wow64p_argument_bytes(const char *letters)
{
    ULONG bytes = 0;

    for (; *letters; letters++)
        bytes += slots_of(*letters) * sizeof(ULONG);
    return bytes;
}

static ULONGLONG widen(char letter, const ULONG *slots)
{
    switch (letter) {
    case 's':
    case 'h':
        return (ULONGLONG)(LONGLONG)(LONG)slots[0];
    case 'q':
        return (ULONGLONG)slots[1] << 32 | slots[0];
    default:
        return slots[0];
    }
}

ULONG wow64p_widen(const char *letters, const ULONG *slots,
                   ULONGLONG *values)
{
    ULONG count = 0;

    for (; letters[count]; count++) {
        values[count] = widen(letters[count], slots);
        slots += slots_of(letters[count]);
    }
    return count;
}
