/*
 * win32k/monitor.c - the screens, told to ring 3 by calling it.
 *
 * There is one, the framebuffer.  NtUserEnumDisplayMonitors is the shortest
 * real service that calls back: once for each screen, through
 * PEB.KernelCallbackTable, whose routine passes it on to Callback.
 *
 * NT: the numbers of KernelCallbackTable and what its routines get are
 * private to win32k and user32; both are our own here (nt/gdi.h).
 */
#include "w32p.h"
#include <mm.h>
#include <nt/gdi.h>
#include <nt/ntapi.h>

#define W32P_MONITOR 0x00010001

static BOOLEAN intersect(RECT *rect, const RECT *with)
{
    if (rect->left < with->left)
        rect->left = with->left;
    if (rect->top < with->top)
        rect->top = with->top;
    if (rect->right > with->right)
        rect->right = with->right;
    if (rect->bottom > with->bottom)
        rect->bottom = with->bottom;
    return rect->left < rect->right && rect->top < rect->bottom;
}

/* An answer is one ULONG, read when the callback is over. */
static BOOLEAN call_back(const struct gdi_monitor_callback *call)
{
    ULONG length = 0, answer = 0;
    void *output = NULL;
    NTSTATUS status = KeUserModeCallback(GDI_CALLBACK_MONITOR, call,
                                         sizeof *call, &output, &length);

    if (NT_SUCCESS(status) && length == sizeof answer)
        status = mm_copy_from_user(&answer, output, sizeof answer);
    return NT_SUCCESS(status) && answer != 0;
}

/*
 * TRUE: Callback has said so, or Clip has no part of a screen.  FALSE: it has
 * said so, could not be called, or a bad argument.
 */
BOOLEAN NtUserEnumDisplayMonitors(HANDLE Dc, const RECT *Clip, void *Callback,
                                  LONG_PTR Data)
{
    const struct kd_screen *screen = kd_get_screen();
    struct gdi_monitor_callback call = {
        .monitor = W32P_MONITOR,
        .dc = (ULONG_PTR)Dc,
        .rect = { 0, 0, (LONG)screen->width, (LONG)screen->height },
        .data = Data,
        .routine = (ULONG_PTR)Callback,
    };
    RECT wanted = call.rect;

    if (Dc != NULL && !w32p_is_screen_dc(Dc))
        return FALSE;
    if (Clip && !NT_SUCCESS(mm_copy_from_user(&wanted, Clip, sizeof wanted)))
        return FALSE;
    return !intersect(&call.rect, &wanted) || call_back(&call);
}
