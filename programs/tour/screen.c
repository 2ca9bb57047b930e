/*
 * screen.c - the screen: how large it is, and a QR code on it.
 *
 * win32k tells the size by calling back (PEB.KernelCallbackTable). The code is
 * painted with NtGdiBitBlt, a call for each line of dark modules in a row.
 * Text that was written before is drawn before; text behind it scrolls, but
 * does not touch the code as long as it does not stand in the code's columns:
 * 80 columns end before the right third of a screen (kernel/kd/screen.c).
 */
#include "tour.h"
#include "../lib/qr.h"

#include <nt/gdi.h>

#define LEAST_WIDTH 960                 /* 80 columns are two thirds of it */
#define LEAST_MODULE 2                  /* pixels */
#define DARK 0x000000                   /* COLORREFs */
#define LIGHT 0xFFFFFF

static RECT screen;

static NTSTATUS NTAPI note_monitor(void *data, ULONG length)
{
    const struct gdi_monitor_callback *call = data;
    ULONG go_on = TRUE;

    (void)length;
    screen = call->rect;
    return NtCallbackReturn(&go_on, sizeof go_on, STATUS_SUCCESS);
}

BOOLEAN screen_size(ULONG *width, ULONG *height)
{
    static void *const routines[] = { [GDI_CALLBACK_MONITOR] = note_monitor };
    PEB *peb = NtCurrentPeb();
    void *before = peb->KernelCallbackTable;

    peb->KernelCallbackTable = (void *)routines;
    NtUserEnumDisplayMonitors(NULL, NULL, NULL, 0);
    peb->KernelCallbackTable = before;
    *width = screen.right - screen.left;
    *height = screen.bottom - screen.top;
    return *width && *height;
}

static void fill(HANDLE dc, LONG x, LONG y, LONG cx, LONG cy, COLORREF color)
{
    NtGdiBitBlt(dc, x, y, cx, cy, NULL, 0, 0, PATCOPY, color, 0);
}

/* left, top: of the light border; module: its size in pixels. */
static void paint(const struct qr *qr, LONG left, LONG top, LONG module)
{
    LONG whole = (qr->side + 2 * QR_QUIET) * module;
    HANDLE dc = NtUserGetDC(NULL);
    ULONG x, y, end;

    fill(dc, left, top, whole, whole, LIGHT);
    left += QR_QUIET * module;
    top += QR_QUIET * module;
    for (y = 0; y < qr->side; y++) {
        for (x = 0; x < qr->side; x = end + 1) {
            for (end = x; end < qr->side && qr_is_dark(qr, end, y); end++)
                continue;
            if (end > x)
                fill(dc, left + x * module, top + y * module,
                     (end - x) * module, module, DARK);
        }
    }
}

void screen_show_code(const char *text, ULONG length)
{
    static struct qr qr;
    ULONG width, height, room, modules, module;

    if (!screen_size(&width, &height) || width < LEAST_WIDTH ||
        !qr_encode(&qr, text, length))
        return;
    room = width / 3 < height * 2 / 5 ? width / 3 : height * 2 / 5;
    modules = qr.side + 2 * QR_QUIET;
    module = room / modules;
    if (module >= LEAST_MODULE)
        paint(&qr, width - modules * module, height - modules * module,
              module);
}
