/*
 * win32k/batch.c - drawing orders that ring 3 has collected in its TEB.
 *
 * Room 3 calls KeGdiFlushUserBatch on the way to any shadow-table service when
 * TEB.GdiBatchCount is not 0, so orders are carried out before whatever the
 * thread asks for next.  The TEB is user memory: the batch is captured whole,
 * and its lengths are believed only as far as the captured buffer goes.  The
 * TEB of 32-bit code has the same batch at other places.
 */
#include "w32p.h"
#include <mm.h>
#include <nt/gdi.h>
#include <nt/ntapi.h>

#define GDI_OFFSET_MASK 0x7FFFFFFF      /* bit 31: HasRenderingCommand */
#define GDI_BATCH_BUFFER ARRAY_SIZE(((TEB *)0)->GdiTebBatch.Buffer)
_Static_assert(GDI_BATCH_BUFFER ==
               ARRAY_SIZE(((TEB32 *)0)->GdiTebBatch.Buffer), "one size");

/* A batch where it lies in a TEB, of either kind: addresses in user memory. */
struct w32p_batch_place {
    ULONG *count, *offset;
    const void *dc;
    SIZE_T dc_size;
    const ULONG *buffer;
};

#define W32P_BATCH_PLACE(teb) ((const struct w32p_batch_place){ \
    &(teb)->GdiBatchCount, &(teb)->GdiTebBatch.Offset, \
    &(teb)->GdiTebBatch.HDC, sizeof((teb)->GdiTebBatch.HDC), \
    (teb)->GdiTebBatch.Buffer })

/* What was captured from there. */
struct w32p_batch {
    ULONG count, offset;
    ULONGLONG dc;
    ULONG buffer[GDI_BATCH_BUFFER];
};

static NTSTATUS w32p_capture_batch(const struct w32p_batch_place *from,
                                   struct w32p_batch *batch)
{
    const struct {
        void *to;
        const void *from;
        SIZE_T size;
    } parts[] = {
        { &batch->count, from->count, sizeof(batch->count) },
        { &batch->offset, from->offset, sizeof(batch->offset) },
        { &batch->dc, from->dc, from->dc_size },
        { batch->buffer, from->buffer, sizeof(batch->buffer) },
    };
    NTSTATUS status = STATUS_SUCCESS;

    batch->dc = 0;
    for (ULONG i = 0; i < ARRAY_SIZE(parts) && NT_SUCCESS(status); i++)
        status = mm_copy_from_mode(UserMode, parts[i].to, parts[i].from,
                                   parts[i].size);
    return status;
}

/* Offset first: a batch with a count and no bytes is harmless. */
static void w32p_empty_batch(const struct w32p_batch_place *place)
{
    const ULONG zero = 0;

    if (NT_SUCCESS(mm_copy_to_mode(UserMode, place->offset, &zero,
                                   sizeof(zero))))
        mm_copy_to_mode(UserMode, place->count, &zero, sizeof(zero));
}

static void w32p_run_record(const struct gdi_batch_record *record)
{
    const struct w32p_blit blit = {
        .x = record->x, .y = record->y, .cx = record->cx, .cy = record->cy,
        .rop = PATCOPY, .color = record->color,
    };

    w32p_draw(&blit);
}

/* A record that does not fit ends the walk; an unknown kind is skipped. */
static void w32p_run_batch(const struct w32p_batch *batch)
{
    const UCHAR *bytes = (const UCHAR *)batch->buffer;
    ULONG end = batch->offset & GDI_OFFSET_MASK;
    ULONG count = batch->count;
    ULONG at = 0;

    if (end > sizeof(batch->buffer))
        end = sizeof(batch->buffer);
    while (count-- > 0 && end - at >= 2 * sizeof(ULONG)) {
        struct gdi_batch_record record = { 0 };

        memcpy(&record, bytes + at, 2 * sizeof(ULONG));
        if (record.size < 2 * sizeof(ULONG) || record.size > end - at ||
            record.size % sizeof(ULONG) != 0)
            return;
        if (record.kind == GDI_BATCH_FILL && record.size == sizeof(record)) {
            memcpy(&record, bytes + at, sizeof(record));
            w32p_run_record(&record);
        }
        at += record.size;
    }
}

static void w32p_flush_batch(const struct w32p_batch_place *place)
{
    struct w32p_batch batch;

    if (!NT_SUCCESS(w32p_capture_batch(place, &batch)))
        return;
    if (w32p_is_screen_dc((HANDLE)batch.dc))
        w32p_run_batch(&batch);
    w32p_empty_batch(place);
}

void KeGdiFlushUserBatch(void)
{
    TEB *teb = KeGetCurrentThread()->Teb;

    if (teb != NULL)
        w32p_flush_batch(&W32P_BATCH_PLACE(teb));
}

void win32k_flush_batch32(TEB32 *teb)
{
    w32p_flush_batch(&W32P_BATCH_PLACE(teb));
}

/* Nothing left to do: room 3 has flushed the batch to get here. */
NTSTATUS NtGdiFlush(void)
{
    return STATUS_SUCCESS;
}
