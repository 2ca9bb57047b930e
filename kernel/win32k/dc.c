/*
 * win32k/dc.c - device contexts: there is one, the screen's.
 *
 * Its handle has the shape of a GDI handle: an index in the low half, the
 * type (01h, a DC) in bits 16-22, a reuse count above.  It is the same in
 * every process, needs no release, and is all the drawing services accept.
 */
#include "w32p.h"
#include <ke_lock.h>
#include <nt/ntapi.h>

#define W32P_SCREEN_DC ((HANDLE)(ULONG_PTR)0x01010010)

BOOLEAN w32p_is_screen_dc(HANDLE dc)
{
    return dc == W32P_SCREEN_DC;
}

/* NT: the lock of the device. */
static EX_PUSH_LOCK screen_lock;

void w32p_draw(const struct w32p_blit *blit)
{
    ke_acquire_exclusive(&screen_lock);
    kd_draw();                          /* text from before stays below */
    w32p_blit(kd_get_screen(), blit);
    ke_release_exclusive(&screen_lock);
}

/* No window exists: a handle other than 0 is that of none, and fails. */
HANDLE NtUserGetDC(HANDLE Window)
{
    return Window == NULL ? W32P_SCREEN_DC : NULL;
}
