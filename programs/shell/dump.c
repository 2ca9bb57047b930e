/*
 * dump.c - what a call has left in memory.
 */
#include "dump.h"
#include "../lib/print.h"

#define ROW 16U

static void print_row(const UCHAR *bytes, ULONG offset, ULONG size)
{
    ULONG at;

    print("  %04X ", offset);
    for (at = 0; at < ROW; at++) {
        if (at < size)
            print(" %02X", bytes[at]);
        else
            print("   ");
    }
    print("  ");
    for (at = 0; at < size; at++)
        print("%c", bytes[at] >= ' ' && bytes[at] < 0x7F ? bytes[at] : '.');
    print("\n");
}

void dump(ULONG number, const UCHAR *bytes, ULONG size)
{
    BOOLEAN starred = FALSE;
    ULONG at;

    print("argument %u:\n", number);
    for (at = 0; at < size; at += ROW) {
        ULONG length = size - at < ROW ? size - at : ROW;

        if (at && length == ROW && !memcmp(bytes + at, bytes + at - ROW, ROW)) {
            if (!starred)
                print("  *\n");
            starred = TRUE;
            continue;
        }
        starred = FALSE;
        print_row(bytes + at, at, length);
    }
}
