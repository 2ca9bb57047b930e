/*
 * kd/screen.c - text on the framebuffer.
 *
 * A grid of characters in memory is the truth; the screen shows it.  When the
 * text scrolls, only cells that differ from what is shown are drawn again, so
 * nothing is ever read back from the framebuffer, which is slow on real PCs.
 * Glyphs are drawn twice as large from a width of 1920 pixels on.
 *
 * Of a terminal's escape sequences the screen knows the two that clear it,
 * ESC [ 2 J and ESC [ H; it swallows the others of that shape.
 */
#include "kdp.h"

#include <mm.h>
#include <rtl.h>

#define MAX_COLUMNS 256
#define MAX_ROWS 128
#define LARGE_WIDTH 1920
#define BACKGROUND 0x0C1018
#define FOREGROUND 0xC8CCD4

#define PSF1_MAGIC 0x0436
#define PSF2_MAGIC 0x864AB572

struct font {
    const UCHAR *glyphs;
    ULONG count, width, height, bytes;
};

static struct {
    volatile UCHAR *base;               /* NULL: no screen */
    const struct loader_framebuffer *format;
    struct font font;
    ULONG scale, columns, rows, column, row;
    char text[MAX_ROWS][MAX_COLUMNS];
    char shown[MAX_ROWS][MAX_COLUMNS];
    enum { TEXT, ESCAPE, SEQUENCE } state;
} screen;

static struct kd_screen drawing;

static BOOLEAN find_font(struct font *font)
{
    const ULONG *psf2 = (const ULONG *)kd_font;

    if (psf2[0] == PSF2_MAGIC) {
        *font = (struct font){ kd_font + psf2[2], psf2[4], psf2[7], psf2[6],
                               psf2[5] };
        return TRUE;
    }
    if ((psf2[0] & 0xFFFF) == PSF1_MAGIC) {
        *font = (struct font){ kd_font + 4, kd_font[2] & 1 ? 512 : 256, 8,
                               kd_font[3], kd_font[3] };
        return TRUE;
    }
    return FALSE;
}

static ULONG pixel(ULONG rgb)
{
    const struct loader_framebuffer *f = screen.format;

    return (rgb >> 16 & 0xFF) << f->red_shift |
           (rgb >> 8 & 0xFF) << f->green_shift |
           (rgb & 0xFF) << f->blue_shift;
}

static void draw_line(ULONG x, ULONG y, const UCHAR *bits, ULONG on, ULONG off)
{
    volatile ULONG *at = (volatile ULONG *)(screen.base +
                                            (SIZE_T)y * screen.format->pitch) +
                         x;

    for (ULONG column = 0; column < screen.font.width; column++) {
        ULONG colour = bits[column / 8] << column % 8 & 0x80 ? on : off;

        for (ULONG i = 0; i < screen.scale; i++)
            *at++ = colour;
    }
}

static void draw_cell(ULONG column, ULONG row)
{
    const struct font *font = &screen.font;
    ULONG character = (UCHAR)screen.text[row][column];
    const UCHAR *bits = font->glyphs +
        (character < font->count ? character : 0) * font->bytes;
    ULONG bytes_per_line = (font->width + 7) / 8;
    ULONG on = pixel(FOREGROUND), off = pixel(BACKGROUND);

    for (ULONG line = 0; line < font->height * screen.scale; line++)
        draw_line(column * font->width * screen.scale,
                  row * font->height * screen.scale + line,
                  bits + line / screen.scale * bytes_per_line, on, off);
    screen.shown[row][column] = screen.text[row][column];
}

static void draw_changes(void)
{
    for (ULONG row = 0; row < screen.rows; row++) {
        for (ULONG column = 0; column < screen.columns; column++) {
            if (screen.text[row][column] != screen.shown[row][column])
                draw_cell(column, row);
        }
    }
}

static void next_row(void)
{
    screen.column = 0;
    if (++screen.row < screen.rows)
        return;
    screen.row--;
    for (ULONG row = 0; row < screen.row; row++)
        memcpy(screen.text[row], screen.text[row + 1], screen.columns);
    memset(screen.text[screen.row], ' ', screen.columns);
}

static void end_sequence(char last)
{
    if (last == 'J')
        memset(screen.text, ' ', sizeof screen.text);
    else if (last == 'H')
        screen.column = screen.row = 0;
}

/* TRUE: the character is part of an escape sequence. */
static BOOLEAN take_sequence(char character)
{
    switch (screen.state) {
    case ESCAPE:
        screen.state = character == '[' ? SEQUENCE : TEXT;
        return character == '[';
    case SEQUENCE:
        if ((UCHAR)character >= ' ' && (UCHAR)character < '@')
            return TRUE;
        screen.state = TEXT;
        end_sequence(character);
        return (UCHAR)character >= ' ';
    default:
        if (character == '\033')
            screen.state = ESCAPE;
        return character == '\033';
    }
}

static void put_character(char character)
{
    if (take_sequence(character))
        return;
    switch (character) {
    case '\n':
        next_row();
        break;
    case '\r':
        screen.column = 0;
        break;
    case '\b':
        if (screen.column)
            screen.column--;
        break;
    default:
        if (screen.column == screen.columns)
            next_row();
        screen.text[screen.row][screen.column++] =
            (UCHAR)character < ' ' ? ' ' : character;
    }
}

void kdp_screen_write(const char *text, SIZE_T length)
{
    if (!screen.base)
        return;
    for (SIZE_T i = 0; i < length; i++)
        put_character(text[i]);
    draw_changes();
}

static ULONG at_most(ULONG value, ULONG limit)
{
    return value < limit ? value : limit;
}

static void clear(void)
{
    ULONG colour = pixel(BACKGROUND);

    for (ULONG y = 0; y < screen.format->height; y++) {
        volatile ULONG *line = (volatile ULONG *)
            (screen.base + (SIZE_T)y * screen.format->pitch);
        for (ULONG x = 0; x < screen.format->width; x++)
            line[x] = colour;
    }
    memset(screen.text, ' ', sizeof screen.text);
    memset(screen.shown, ' ', sizeof screen.shown);
}

/* win32k draws only where a pixel is 0x00RRGGBB and a row is whole pixels. */
static void offer_drawing(const struct loader_framebuffer *format)
{
    if (format->red_shift != 16 || format->green_shift != 8 ||
        format->blue_shift != 0 || format->pitch % sizeof(ULONG) != 0)
        return;
    drawing = (struct kd_screen){ (volatile ULONG *)screen.base, format->width,
                                  format->height,
                                  format->pitch / sizeof(ULONG) };
}

/* Firmware's word: 32-bit pixels of three bytes that lie inside them. */
static BOOLEAN is_usable(const struct loader_framebuffer *format)
{
    return format->address && format->bits_per_pixel == 32 &&
           format->pitch >= format->width * 4ULL &&
           format->red_shift <= 24 && format->green_shift <= 24 &&
           format->blue_shift <= 24;
}

void kd_start_screen(const LOADER_PARAMETER_BLOCK *block)
{
    const struct loader_framebuffer *format = &block->framebuffer;

    if (is_usable(format) && find_font(&screen.font)) {
        screen.format = format;
        screen.scale = format->width >= LARGE_WIDTH ? 2 : 1;
        screen.columns = at_most(format->width /
                                 (screen.font.width * screen.scale),
                                 MAX_COLUMNS);
        screen.rows = at_most(format->height /
                              (screen.font.height * screen.scale), MAX_ROWS);
        if (screen.columns && screen.rows)
            screen.base = MmMapIoSpace(format->address,
                                       (SIZE_T)format->pitch * format->height,
                                       FALSE);
    }
    if (screen.base) {
        clear();
        offer_drawing(format);
    }
    kd_show_early_text();
}

const struct kd_screen *kd_get_screen(void)
{
    return &drawing;
}
