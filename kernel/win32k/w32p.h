/*
 * win32k/w32p.h - what the files of win32k share.
 */
#pragma once

#include <kd.h>
#include <win32k.h>

/* One transfer of pixels; the source is the same screen. */
struct w32p_blit {
    LONG x, y, cx, cy;
    LONG source_x, source_y;
    ULONG rop;                          /* SRCCOPY ... */
    ULONG color;                        /* COLORREF, for PATCOPY */
};

/* blit.c */
BOOLEAN w32p_is_rop(ULONG rop);
void w32p_blit(const struct kd_screen *screen, const struct w32p_blit *blit);

/* dc.c */
BOOLEAN w32p_is_screen_dc(HANDLE dc);

/* On the screen, not mixed with another thread's. */
void w32p_draw(const struct w32p_blit *blit);
