/*
 * win32k/batch.c - drawing orders that ring 3 has collected in its TEB.
 *
 * Room 3 calls KeGdiFlushUserBatch on the way to any shadow-table service when
 * TEB.GdiBatchCount is not 0, so orders are carried out before whatever the
 * thread asks for next.  The TEB is user memory: the batch is captured whole,
 * and its lengths are believed only as far as the captured buffer goes.
 */
#include "w32p.h"
#include <mm.h>
#include <nt/gdi.h>
#include <nt/ntapi.h>

#define GDI_OFFSET_MASK 0x7FFFFFFF      /* bit 31: HasRenderingCommand */

static NTSTATUS w32p_capture_batch(const TEB *teb, ULONG *count,
                                   GDI_TEB_BATCH *batch)
{
    NTSTATUS status = mm_copy_from_mode(UserMode, count, &teb->GdiBatchCount,
                                        sizeof(*count));

    if (NT_SUCCESS(status))
        status = mm_copy_from_mode(UserMode, batch, &teb->GdiTebBatch,
                                   sizeof(*batch));
    return status;
}

/* Offset first: a batch with a count and no bytes is harmless. */
static void w32p_empty_batch(TEB *teb)
{
    const ULONG zero = 0;

    if (NT_SUCCESS(mm_copy_to_mode(UserMode, &teb->GdiTebBatch.Offset, &zero,
                                   sizeof(zero))))
        mm_copy_to_mode(UserMode, &teb->GdiBatchCount, &zero, sizeof(zero));
}

static void w32p_run_record(const struct gdi_batch_record *record)
{
    const struct w32p_blit blit = {
        .x = record->x, .y = record->y, .cx = record->cx, .cy = record->cy,
        .rop = PATCOPY, .color = record->color,
    };

    w32p_blit(kd_get_screen(), &blit);
}

/* A record that does not fit ends the walk; an unknown kind is skipped. */
static void w32p_run_batch(const GDI_TEB_BATCH *batch, ULONG count)
{
    const UCHAR *bytes = (const UCHAR *)batch->Buffer;
    ULONG end = batch->Offset & GDI_OFFSET_MASK;
    ULONG at = 0;

    if (end > sizeof(batch->Buffer))
        end = sizeof(batch->Buffer);
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

void KeGdiFlushUserBatch(void)
{
    TEB *teb = KeGetCurrentThread()->Teb;
    GDI_TEB_BATCH batch;
    ULONG count;

    if (teb == NULL || !NT_SUCCESS(w32p_capture_batch(teb, &count, &batch)))
        return;
    if (w32p_is_screen_dc((HANDLE)batch.HDC))
        w32p_run_batch(&batch, count);
    w32p_empty_batch(teb);
}

/* Nothing left to do: room 3 has flushed the batch to get here. */
NTSTATUS NtGdiFlush(void)
{
    return STATUS_SUCCESS;
}
