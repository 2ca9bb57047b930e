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

#define W32P_MONITOR ((HANDLE)(ULONG_PTR)0x00010001)

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

/* Which part of the screen is asked for; FALSE: none, or a bad pointer. */
static BOOLEAN visible_part(const RECT *clip, RECT *rect)
{
    struct kd_screen screen;
    RECT wanted;

    if (!kd_get_screen(&screen))
        return FALSE;
    *rect = (RECT){ 0, 0, (LONG)screen.width, (LONG)screen.height };
    if (clip == NULL)
        return TRUE;
    return NT_SUCCESS(mm_copy_from_user(&wanted, clip, sizeof wanted)) &&
           intersect(rect, &wanted);
}

/*
 * FALSE: Callback has said so, or could not be called, or a bad argument.  An
 * answer is one ULONG, read when the callback is over.
 */
BOOLEAN NtUserEnumDisplayMonitors(HANDLE Dc, const RECT *Clip, void *Callback,
                                  LONG_PTR Data)
{
    struct gdi_monitor_callback call = {
        .monitor = W32P_MONITOR,
        .dc = Dc,
        .data = Data,
        .routine = Callback,
    };
    ULONG length = 0, answer = 0;
    void *output = NULL;
    NTSTATUS status;

    if ((Dc != NULL && !w32p_is_screen_dc(Dc)) ||
        !visible_part(Clip, &call.rect))
        return FALSE;
    status = KeUserModeCallback(GDI_CALLBACK_MONITOR, &call, sizeof call,
                                &output, &length);
    if (NT_SUCCESS(status) && length == sizeof answer)
        status = mm_copy_from_user(&answer, output, sizeof answer);
    return NT_SUCCESS(status) && answer != 0;
}
