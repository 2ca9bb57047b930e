/*
 * win32k/blit.c - raster operations on a screen of 32-bit pixels.
 *
 * Rectangles come from ring 3 with any numbers in them.  They are widened to
 * 64 bits before anything is added, turned the right way round, and clipped
 * to the screen; only then do they become indices.  Nothing here knows where
 * the screen is: the unit tests blit in an array.
 */
#include "w32p.h"
#include <nt/ntapi.h>

#define PIXEL_WHITE 0x00FFFFFF

/* [left, right) x [top, bottom); dx, dy lead from there to the source. */
struct area {
    LONGLONG left, top, right, bottom;
    LONGLONG dx, dy;
};

static LONGLONG larger(LONGLONG a, LONGLONG b)
{
    return a > b ? a : b;
}

static LONGLONG smaller(LONGLONG a, LONGLONG b)
{
    return a < b ? a : b;
}

BOOLEAN w32p_is_rop(ULONG rop)
{
    return rop == BLACKNESS || rop == WHITENESS || rop == DSTINVERT ||
           rop == SRCCOPY || rop == PATCOPY;
}

/* A negative width means: to the left of x.  The source moves along. */
static struct area area_of(const struct w32p_blit *blit)
{
    LONGLONG x2 = (LONGLONG)blit->x + blit->cx;
    LONGLONG y2 = (LONGLONG)blit->y + blit->cy;

    return (struct area){
        .left = smaller(blit->x, x2), .right = larger(blit->x, x2),
        .top = smaller(blit->y, y2), .bottom = larger(blit->y, y2),
        .dx = (LONGLONG)blit->source_x - blit->x,
        .dy = (LONGLONG)blit->source_y - blit->y,
    };
}

/* Keep what lies on the screen when seen at a distance of dx, dy. */
static void clip(struct area *area, const struct kd_screen *screen,
                 LONGLONG dx, LONGLONG dy)
{
    area->left = larger(area->left, -dx);
    area->top = larger(area->top, -dy);
    area->right = smaller(area->right, screen->width - dx);
    area->bottom = smaller(area->bottom, screen->height - dy);
}

static volatile ULONG *row_of(const struct kd_screen *screen, LONGLONG y)
{
    return screen->base + y * screen->pitch;
}

static void fill(const struct kd_screen *screen, const struct area *area,
                 ULONG pixel)
{
    for (LONGLONG y = area->top; y < area->bottom; y++) {
        volatile ULONG *row = row_of(screen, y);

        for (LONGLONG x = area->left; x < area->right; x++)
            row[x] = pixel;
    }
}

static void invert(const struct kd_screen *screen, const struct area *area)
{
    for (LONGLONG y = area->top; y < area->bottom; y++) {
        volatile ULONG *row = row_of(screen, y);

        for (LONGLONG x = area->left; x < area->right; x++)
            row[x] ^= PIXEL_WHITE;
    }
}

static void copy_row(volatile ULONG *to, const volatile ULONG *from,
                     LONGLONG count, BOOLEAN backwards)
{
    for (LONGLONG i = 0; i < count; i++) {
        LONGLONG at = backwards ? count - 1 - i : i;

        to[at] = from[at];
    }
}

/*
 * The two may overlap: start where the source is read before it is painted
 * over, that is at the bottom if it lies above, and from the right if it lies
 * to the left.
 */
static void copy(const struct kd_screen *screen, const struct area *area)
{
    LONGLONG rows = area->bottom - area->top;

    for (LONGLONG i = 0; i < rows; i++) {
        LONGLONG y = area->dy < 0 ? area->bottom - 1 - i : area->top + i;

        copy_row(row_of(screen, y) + area->left,
                 row_of(screen, y + area->dy) + area->left + area->dx,
                 area->right - area->left, area->dx < 0);
    }
}

/* A COLORREF has red in its low byte, a pixel blue. */
static ULONG pixel_of(ULONG color)
{
    return (color & 0xFF) << 16 | (color & 0xFF00) | (color >> 16 & 0xFF);
}

void w32p_blit(const struct kd_screen *screen, const struct w32p_blit *blit)
{
    struct area area = area_of(blit);

    if (screen->base == NULL)
        return;
    clip(&area, screen, 0, 0);
    if (blit->rop == SRCCOPY)
        clip(&area, screen, area.dx, area.dy);
    if (area.left >= area.right)
        return;

    switch (blit->rop) {
    case BLACKNESS:
        fill(screen, &area, 0);
        break;
    case WHITENESS:
        fill(screen, &area, PIXEL_WHITE);
        break;
    case PATCOPY:
        fill(screen, &area, pixel_of(blit->color));
        break;
    case DSTINVERT:
        invert(screen, &area);
        break;
    case SRCCOPY:
        copy(screen, &area);
        break;
    }
}
