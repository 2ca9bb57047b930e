/*
 * win32k/bitblt.c - room 4 on the graphical side: NtGdiBitBlt.
 *
 * Eleven arguments, seven of them from the user stack: the longest row of the
 * shadow table here, and one whose result can be seen.
 *
 * NT: PATCOPY paints with the brush selected into the DC.  A DC has no brush
 * here, so crBackColor, which Windows uses for the background of monochrome
 * sources, is the brush's color.
 */
#include "w32p.h"
#include <nt/ntapi.h>

/* Hints to Windows' mirroring and layering; they change nothing here. */
#define CAPTUREBLT 0x40000000u
#define NOMIRRORBITMAP 0x80000000u

/* TRUE, also when nothing was visible; FALSE: no such DC, or unknown rop. */
LONG NtGdiBitBlt(HANDLE DestinationDc, LONG X, LONG Y, LONG Width, LONG Height,
                 HANDLE SourceDc, LONG SourceX, LONG SourceY, ULONG Rop4,
                 COLORREF BackColor, ULONG Flags)
{
    const struct w32p_blit blit = {
        .x = X, .y = Y, .cx = Width, .cy = Height,
        .source_x = SourceX, .source_y = SourceY,
        .rop = Rop4 & ~(CAPTUREBLT | NOMIRRORBITMAP),
        .color = BackColor,
    };

    (void)Flags;
    if (!w32p_is_screen_dc(DestinationDc) || !w32p_is_rop(blit.rop))
        return FALSE;
    if (blit.rop == SRCCOPY && !w32p_is_screen_dc(SourceDc))
        return FALSE;
    w32p_draw(&blit);
    return TRUE;
}
