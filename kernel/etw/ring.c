/*
 * etw/ring.c - one processor's records, the newest that it has room for.
 *
 * A writer never waits for a reader: it overwrites what was not read in time.
 */
#include "etwp.h"

static void copy_in(struct etwp_ring *ring, const void *from, ULONG length)
{
    ULONG at = (ULONG)(ring->tail % ring->size);
    ULONG first = ring->size - at < length ? ring->size - at : length;

    memcpy(ring->bytes + at, from, first);
    memcpy(ring->bytes, (const UCHAR *)from + first, length - first);
    ring->tail += length;
}

static void copy_out(struct etwp_ring *ring, void *to, ULONG length)
{
    ULONG at = (ULONG)(ring->head % ring->size);
    ULONG first = ring->size - at < length ? ring->size - at : length;

    memcpy(to, ring->bytes + at, first);
    memcpy((UCHAR *)to + first, ring->bytes, length - first);
    ring->head += length;
}

/* Sizes are multiples of 8, so the word that has it is in one piece. */
static ULONG oldest_size(const struct etwp_ring *ring)
{
    const struct trace_record *record =
        (const void *)(ring->bytes + ring->head % ring->size);

    return record->size;
}

ULONG etwp_put(struct etwp_ring *ring, const struct trace_record *record)
{
    KIRQL irql = KeAcquireSpinLock(&ring->lock);
    ULONG waiting = 0;

    if (ring->bytes) {
        while (ring->tail - ring->head + record->size > ring->size) {
            ring->head += oldest_size(ring);
            ring->lost++;
        }
        copy_in(ring, record, record->size);
        ring->records++;
        waiting = (ULONG)(ring->tail - ring->head);
    }
    KeReleaseSpinLock(&ring->lock, irql);
    return waiting;
}

ULONG etwp_take(struct etwp_ring *ring, UCHAR *buffer, ULONG size)
{
    KIRQL irql = KeAcquireSpinLock(&ring->lock);
    ULONG taken = 0;

    while (ring->head < ring->tail && oldest_size(ring) <= size - taken) {
        ULONG length = oldest_size(ring);

        copy_out(ring, buffer + taken, length);
        taken += length;
    }
    KeReleaseSpinLock(&ring->lock, irql);
    return taken;
}

void etwp_count(struct etwp_ring *ring, struct trace_state *state)
{
    KIRQL irql = KeAcquireSpinLock(&ring->lock);

    state->waiting += ring->tail - ring->head;
    state->records += ring->records;
    state->lost += ring->lost;
    KeReleaseSpinLock(&ring->lock, irql);
}

UCHAR *etwp_set_ring(struct etwp_ring *ring, UCHAR *bytes, ULONG size)
{
    KIRQL irql = KeAcquireSpinLock(&ring->lock);
    UCHAR *before = ring->bytes;

    ring->bytes = bytes;
    ring->size = size;
    ring->head = ring->tail = 0;
    ring->records = ring->lost = 0;
    KeReleaseSpinLock(&ring->lock, irql);
    return before;
}
