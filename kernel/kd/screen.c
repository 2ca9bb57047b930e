/*
 * kd/screen.c - text on the framebuffer.
 *
 * A grid of characters in memory is the truth; the screen shows it.  When the
 * text scrolls, only cells that differ from what is shown are drawn again, so
 * nothing is ever read back from the framebuffer, which is slow on real PCs;
 * what is written there is combined on the way (the PAT).
 * Once the clock runs they are drawn at its next tick: many lines that scroll
 * by in between are drawn once.  A bugcheck waits for nobody.
 * Glyphs are drawn twice as large from a width of 1920 pixels on, and larger
 * on larger screens.
 *
 * Of a terminal's escape sequences the screen knows the two that clear it,
 * ESC [ 2 J and ESC [ H; it swallows the others of that shape.
 */
#include "kdp.h"

#include <mm.h>
#include <rtl.h>

#define MAX_COLUMNS 256
#define MAX_ROWS 128
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
    BOOLEAN changed;                    /* since it was drawn */
    BOOLEAN waits;                      /* for kdp_screen_draw */
    ULONGLONG pairs[4];                 /* two pixels each, by their bits */
} screen;

/* Two pixels at once; a row may begin anywhere. */
typedef volatile ULONGLONG pixel_pair __attribute__((aligned(4)));

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

static void *place_of(ULONG x, ULONG y)
{
    return (void *)(screen.base + (SIZE_T)y * screen.format->pitch +
                    (SIZE_T)x * sizeof(ULONG));
}

/* Left is the lower address, and a byte's upper bit. */
static void make_pairs(void)
{
    ULONGLONG on = pixel(FOREGROUND), off = pixel(BACKGROUND);

    for (ULONG bits = 0; bits < 4; bits++)
        screen.pairs[bits] = (bits & 2 ? on : off) |
                             (bits & 1 ? on : off) << 32;
}

/* Eight pixels of a glyph. */
static void draw_byte(pixel_pair *at, ULONG bits)
{
    at[0] = screen.pairs[bits >> 6];
    at[1] = screen.pairs[bits >> 4 & 3];
    at[2] = screen.pairs[bits >> 2 & 3];
    at[3] = screen.pairs[bits & 3];
}

/* The same, twice as wide. */
static void draw_large_byte(pixel_pair *at, ULONG bits)
{
    for (ULONG mask = 0x80; mask; mask >>= 1)
        *at++ = screen.pairs[bits & mask ? 3 : 0];
}

/* Any number of pixels, of any scale. */
static void draw_pixels(volatile ULONG *at, ULONG bits, ULONG count)
{
    for (ULONG column = 0; column < count; column++) {
        ULONG colour = (ULONG)screen.pairs[bits << column & 0x80 ? 3 : 0];

        for (ULONG i = 0; i < screen.scale; i++)
            *at++ = colour;
    }
}

static void draw_line(ULONG x, ULONG y, const UCHAR *bits)
{
    ULONG left = screen.font.width;

    for (; left >= 8; left -= 8, x += 8 * screen.scale) {
        if (screen.scale == 1)
            draw_byte(place_of(x, y), *bits++);
        else if (screen.scale == 2)
            draw_large_byte(place_of(x, y), *bits++);
        else
            draw_pixels(place_of(x, y), *bits++, 8);
    }
    if (left)
        draw_pixels(place_of(x, y), *bits, left);
}

static void draw_cell(ULONG column, ULONG row)
{
    const struct font *font = &screen.font;
    ULONG character = (UCHAR)screen.text[row][column];
    const UCHAR *bits = font->glyphs +
        (character < font->count ? character : 0) * font->bytes;
    ULONG bytes_per_line = (font->width + 7) / 8;

    for (ULONG line = 0; line < font->height * screen.scale; line++)
        draw_line(column * font->width * screen.scale,
                  row * font->height * screen.scale + line,
                  bits + line / screen.scale * bytes_per_line);
    screen.shown[row][column] = screen.text[row][column];
}

static void draw_row(ULONG row)
{
    for (ULONG column = 0; column < screen.columns; column++) {
        if (screen.text[row][column] != screen.shown[row][column])
            draw_cell(column, row);
    }
}

void kdp_screen_draw(void)
{
    if (!screen.changed)
        return;
    screen.changed = FALSE;
    for (ULONG row = 0; row < screen.rows; row++) {
        if (memcmp(screen.text[row], screen.shown[row], screen.columns) != 0)
            draw_row(row);
    }
}

void kdp_screen_wait(BOOLEAN wait)
{
    screen.waits = wait;
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
    screen.changed = TRUE;
    if (!screen.waits)
        kdp_screen_draw();
}

static ULONG at_most(ULONG value, ULONG limit)
{
    return value < limit ? value : limit;
}

static void clear_line(ULONG y)
{
    void *at = place_of(0, y);
    SIZE_T pairs = screen.format->width / 2;

    __asm__ volatile("rep stosq" : "+D"(at), "+c"(pairs)
                     : "a"(screen.pairs[0]) : "memory");
    if (screen.format->width % 2)
        *(volatile ULONG *)at = (ULONG)screen.pairs[0];
}

static void clear(void)
{
    for (ULONG y = 0; y < screen.format->height; y++)
        clear_line(y);
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

/* Some hundred columns and more on every screen. */
static ULONG scale_of(ULONG width)
{
    static const ULONG from[] = { 1920, 3200, 4800 };
    ULONG scale = 1;

    while (scale <= ARRAY_SIZE(from) && width >= from[scale - 1])
        scale++;
    return scale;
}

void kd_start_screen(const LOADER_PARAMETER_BLOCK *block)
{
    const struct loader_framebuffer *format = &block->framebuffer;

    if (is_usable(format) && find_font(&screen.font)) {
        screen.format = format;
        screen.scale = scale_of(format->width);
        screen.columns = at_most(format->width /
                                 (screen.font.width * screen.scale),
                                 MAX_COLUMNS);
        screen.rows = at_most(format->height /
                              (screen.font.height * screen.scale), MAX_ROWS);
        if (screen.columns && screen.rows)
            screen.base = MmMapIoSpace(format->address,
                                       (SIZE_T)format->pitch * format->height,
                                       MmWriteCombined);
    }
    if (screen.base) {
        make_pairs();
        clear();
        offer_drawing(format);
    }
    kd_show_early_text();
}

const struct kd_screen *kd_get_screen(void)
{
    return &drawing;
}
