/*
 * nt/gdi.h - ring 0 of the headers: what win32k and ring 3 have between them:
 * the drawing orders in TEB.GdiTebBatch, and callbacks.
 *
 * GDI collects small drawing orders in the TEB instead of making a call for
 * each; the kernel carries them out when the thread next enters the shadow
 * table.  GdiTebBatch.HDC is the device context they are for, Offset the bytes
 * of Buffer in use, TEB.GdiBatchCount the number of records.
 *
 * NT: the mechanism and the fields are Windows'; its records are not public,
 * so this one record is our own.
 */
#pragma once

#include <nt/ntdef.h>

#define GDI_BATCH_FILL 1

/* size counts the whole record, a multiple of 4; color is a COLORREF. */
struct gdi_batch_record {
    ULONG size;
    ULONG kind;
    LONG x, y, cx, cy;
    ULONG color;
};

typedef struct tagRECT {
    LONG left, top, right, bottom;
} RECT;

/*
 * NtUserEnumDisplayMonitors calls this routine of PEB.KernelCallbackTable for
 * each screen, with this structure, the same for 32-bit code.  It answers by
 * NtCallbackReturn with one ULONG: go on, or not.
 */
#define GDI_CALLBACK_MONITOR 0

struct gdi_monitor_callback {
    ULONGLONG monitor, dc;
    RECT rect;
    LONGLONG data;
    ULONGLONG routine;
};
