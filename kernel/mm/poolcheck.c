/*
 * mm/poolcheck.c - in a checked build: pool that is written when it is free,
 * or beyond its end.
 *
 * A free slot is full of FREED and must still be so when it is given out.  A
 * slot in use has a red zone from the block's last byte to its own; the zone's
 * last two bytes are the block's size, all others RED.  It is looked at when
 * the block is freed.  Blocks of whole pages have an unmapped page behind
 * them instead (system.c), and none of theirs is there when they are free.
 *
 * FREED as a pointer is no address at all; ring 3 would know it by sight
 * (tests/user/paint.h).
 *
 * NT: Driver Verifier's special pool does this with a page for each block.
 */
#include "mi.h"

#define FREED 0xF5
#define RED 0xBD

/* SPECIAL_POOL_DETECTED_MEMORY_CORRUPTION's fourth parameter. */
#define CORRUPTED_NEARBY 0x23
#define CORRUPTED_BEHIND 0x24

static void check_bytes(const void *block, const UCHAR *at, const UCHAR *end,
                        UCHAR expected, ULONG kind)
{
    for (; at < end; at++) {
        if (*at != expected)
            KeBugCheckEx(SPECIAL_POOL_DETECTED_MEMORY_CORRUPTION,
                         (ULONG_PTR)block, (ULONG_PTR)at, 0, kind);
    }
}

void mi_mark_free(void *slot, SIZE_T slot_size)
{
    memset(slot, FREED, slot_size);
}

void mi_check_free(const void *slot, SIZE_T slot_size)
{
    const UCHAR *bytes = slot;

    check_bytes(slot, bytes, bytes + slot_size, FREED, CORRUPTED_NEARBY);
}

static USHORT *size_word(void *slot, SIZE_T slot_size)
{
    return (USHORT *)((UCHAR *)slot + slot_size) - 1;
}

void mi_mark_end(void *block, SIZE_T size, SIZE_T slot_size)
{
    USHORT *word = size_word(block, slot_size);

    memset((UCHAR *)block + size, RED, slot_size - size);
    *word = (USHORT)size;
}

void mi_check_end(void *block, SIZE_T slot_size)
{
    const USHORT *word = size_word(block, slot_size);
    UCHAR *bytes = block;

    if (*word > slot_size - MI_RED_ZONE)
        KeBugCheckEx(SPECIAL_POOL_DETECTED_MEMORY_CORRUPTION,
                     (ULONG_PTR)block, (ULONG_PTR)word, 0, CORRUPTED_BEHIND);
    check_bytes(block, bytes + *word, (const UCHAR *)word, RED,
                CORRUPTED_BEHIND);
}
