/*
 * screen.c - text on a framebuffer that is only memory.
 *
 * A small terminal in this file says which character each cell should show;
 * from that and the font every pixel is predicted.  The framebuffer's rows
 * are longer than its picture, and nothing may be written between them.
 */
#include "unit.h"

#include <kd/kdp.h>
#include <kd/screen.c>

#define PADDING_PIXEL 0xDEADBEEF
#define FONT_BYTES 0x8000

/* font.c: kd_font, writable. */
extern UCHAR unit_font[];

static ULONG *pixels;                   /* what MmMapIoSpace gives */
static SIZE_T pixels_size;
static LOADER_PARAMETER_BLOCK block;
static BOOLEAN map_fails;
static ULONG seed_font;

static struct {
    ULONG columns, rows, column, row;
    UCHAR cells[MAX_ROWS][MAX_COLUMNS];
} model;

void *MmMapIoSpace(ULONGLONG physical, SIZE_T size, MEMORY_CACHING_TYPE type)
{
    assert_true(physical == block.framebuffer.address);
    assert_int_equal(type, MmWriteCombined);
    assert_true(size <= pixels_size);
    return map_fails ? NULL : pixels;
}

void kd_show_early_text(void)
{
}

/* 256 glyphs; the one of the space is empty, as in every real font. */
static void random_glyphs(UCHAR *glyphs, ULONG bytes)
{
    ULONGLONG seed = ++seed_font;

    for (ULONG i = 0; i < 256 * bytes; i++)
        glyphs[i] = (UCHAR)(unit_random(&seed) >> 16);
    memset(glyphs + ' ' * bytes, 0, bytes);
}

static void make_psf1(ULONG height)
{
    static const UCHAR magic[] = { 0x36, 0x04, 0 };

    memcpy(unit_font, magic, sizeof magic);
    unit_font[3] = (UCHAR)height;
    random_glyphs(unit_font + 4, height);
}

static void make_psf2(ULONG width, ULONG height)
{
    ULONG bytes = (width + 7) / 8 * height;
    ULONG header[] = { PSF2_MAGIC, 0, 32, 0, 256, bytes, height, width };

    memcpy(unit_font, header, sizeof header);
    random_glyphs(unit_font + 32, bytes);
}

static void start(ULONG width, ULONG height, ULONG extra, BOOLEAN bgr)
{
    struct loader_framebuffer *f = &block.framebuffer;

    memset(&screen, 0, sizeof screen);
    memset(&drawing, 0, sizeof drawing);
    *f = (struct loader_framebuffer){
        .address = 0xE0000000, .pitch = (width + extra) * 4, .width = width,
        .height = height, .bits_per_pixel = 32, .red_shift = bgr ? 0 : 16,
        .red_bits = 8, .green_shift = 8, .green_bits = 8,
        .blue_shift = bgr ? 16 : 0, .blue_bits = 8,
    };
    free(pixels);
    pixels_size = (SIZE_T)f->pitch * height;
    pixels = malloc(pixels_size);
    for (SIZE_T i = 0; i < pixels_size / 4; i++)
        pixels[i] = PADDING_PIXEL;
    kd_start_screen(&block);
    memset(&model, 0, sizeof model);
    memset(model.cells, ' ', sizeof model.cells);
    model.columns = screen.columns;
    model.rows = screen.rows;
}

static void model_next_row(void)
{
    model.column = 0;
    if (++model.row < model.rows)
        return;
    model.row = model.rows - 1;
    memmove(model.cells[0], model.cells[1], model.row * MAX_COLUMNS);
    memset(model.cells[model.row], ' ', MAX_COLUMNS);
}

static void model_put(char c)
{
    if (c == '\n') {
        model_next_row();
    } else if (c == '\r') {
        model.column = 0;
    } else if (c == '\b') {
        model.column -= model.column > 0;
    } else {
        if (model.column == model.columns)
            model_next_row();
        model.cells[model.row][model.column++] = (UCHAR)c < ' ' ? ' ' : c;
    }
}

static void write_both(const char *text, SIZE_T length)
{
    kdp_screen_write(text, length);
    for (SIZE_T i = 0; i < length; i++)
        model_put(text[i]);
}

/* The pixel that the model wants at (x, y). */
static ULONG expected_pixel(ULONG x, ULONG y)
{
    const struct font *font = &screen.font;
    ULONG column = x / screen.scale / font->width;
    ULONG row = y / screen.scale / font->height;
    ULONG bit = x / screen.scale % font->width;
    ULONG line = y / screen.scale % font->height;
    const UCHAR *glyph;

    if (column >= model.columns || row >= model.rows ||
        model.cells[row][column] == ' ')
        return pixel(BACKGROUND);
    glyph = font->glyphs + model.cells[row][column] * font->bytes;
    return glyph[line * ((font->width + 7) / 8) + bit / 8] & 0x80 >> bit % 8
               ? pixel(FOREGROUND) : pixel(BACKGROUND);
}

static void check_pixels(void)
{
    const struct loader_framebuffer *f = &block.framebuffer;

    for (ULONG y = 0; y < f->height; y++) {
        const ULONG *row = pixels + (SIZE_T)y * f->pitch / 4;
        for (ULONG x = 0; x < f->width; x++) {
            if (row[x] != expected_pixel(x, y))
                fail_msg("pixel %u,%u is %08x", x, y, row[x]);
        }
        for (ULONG x = f->width; x < f->pitch / 4; x++)
            assert_int_equal(row[x], PADDING_PIXEL);
    }
}

static void random_text(ULONG count)
{
    static const char alphabet[] = "abcXYZ019 \n\n\r\b\t\x01\xE9~";
    ULONGLONG seed = 71;
    char text[200];

    while (count--) {
        SIZE_T length = unit_random(&seed) % sizeof text;
        for (SIZE_T i = 0; i < length; i++)
            text[i] = alphabet[unit_random(&seed) % (sizeof alphabet - 1)];
        write_both(text, length);
    }
    check_pixels();
}

static void an_empty_screen(void **state)
{
    (void)state;
    make_psf1(16);
    start(1024, 768, 16, FALSE);
    assert_int_equal(screen.columns, 128);
    assert_int_equal(screen.rows, 48);
    check_pixels();
}

static void one_line(void **state)
{
    (void)state;
    make_psf1(16);
    start(1024, 768, 16, FALSE);
    write_both("ntwalk\n  second", 15);
    check_pixels();
}

/* ESC [ 2 J and ESC [ H; another is swallowed, a line feed ends one. */
static void escape_sequences(void **state)
{
    (void)state;
    make_psf1(16);
    start(1024, 768, 16, FALSE);
    write_both("old\nlines", 9);
    kdp_screen_write("\033[2J\033[H", 7);
    memset(model.cells, ' ', sizeof model.cells);
    model.row = model.column = 0;
    write_both("new", 3);
    kdp_screen_write("\033[31m\033[3", 8);
    write_both("\nx\033", 2);
    check_pixels();
    kdp_screen_write("\033", 1);
    write_both("yz", 2);
    check_pixels();
}

static void scrolling(void **state)
{
    (void)state;
    make_psf1(16);
    start(1024, 768, 0, FALSE);
    for (ULONG i = 0; i < 120; i++) {
        char line[32];
        int length = snprintf(line, sizeof line, "line %u\n", i);
        write_both(line, (SIZE_T)length);
        if (i % 40 == 0)
            check_pixels();
    }
    check_pixels();
}

static void drawn_when_asked(void **state)
{
    ULONG *before;

    (void)state;
    make_psf1(16);
    start(1024, 768, 0, FALSE);
    write_both("first\n", 6);
    before = malloc(pixels_size);
    memcpy(before, pixels, pixels_size);
    kdp_screen_wait(TRUE);
    for (ULONG i = 0; i < 100; i++)
        write_both("next\n", 5);
    assert_memory_equal(pixels, before, pixels_size);
    kdp_screen_draw();
    check_pixels();
    memcpy(before, pixels, pixels_size);
    kdp_screen_draw();
    assert_memory_equal(pixels, before, pixels_size);
    free(before);
    kdp_screen_wait(FALSE);
    write_both("last", 4);
    check_pixels();
}

static void long_lines_wrap(void **state)
{
    char text[300];

    (void)state;
    make_psf1(16);
    start(1024, 768, 8, FALSE);
    memset(text, 'w', sizeof text);
    write_both(text, 128);
    write_both("\n", 1);
    write_both(text, 129);
    write_both(text, 300);
    check_pixels();
}

static void many_formats(void **state)
{
    (void)state;
    make_psf1(8);
    start(643, 481, 5, TRUE);
    random_text(100);
    make_psf2(10, 20);
    start(1024, 768, 3, FALSE);
    random_text(100);
    make_psf2(16, 32);
    start(800, 600, 0, TRUE);
    random_text(60);
}

static void twice_as_large(void **state)
{
    (void)state;
    make_psf1(16);
    start(1920, 1080, 128, FALSE);
    assert_int_equal(screen.scale, 2);
    assert_int_equal(screen.columns, 120);
    random_text(60);
}

static void check_scale(ULONG width, ULONG height, ULONG scale, ULONG columns)
{
    start(width, height, 8, FALSE);
    assert_int_equal(screen.scale, scale);
    assert_int_equal(screen.columns, columns);
    random_text(30);
}

/* Widths that are no multiple of eight among the glyphs, too. */
static void larger_still(void **state)
{
    (void)state;
    make_psf1(16);
    check_scale(3199, 1800, 2, 199);
    check_scale(3840, 2160, 3, 160);
    check_scale(5120, 2880, 4, 160);
    make_psf2(10, 20);
    check_scale(3840, 2160, 3, 128);
}

/* More cells than the text buffer has. */
static void a_very_large_screen(void **state)
{
    (void)state;
    make_psf1(8);
    start(3199, 2880, 0, FALSE);
    assert_true(screen.columns <= MAX_COLUMNS && screen.rows <= MAX_ROWS);
    random_text(40);
}

static void a_very_small_screen(void **state)
{
    (void)state;
    make_psf1(16);
    start(8, 16, 1, FALSE);
    assert_int_equal(screen.columns * screen.rows, 1);
    random_text(5);
    start(7, 100, 1, FALSE);
    assert_null(screen.base);
    kdp_screen_write("text", 4);
}

static void no_screen(void)
{
    kd_start_screen(&block);
    assert_null(screen.base);
    assert_null(kd_get_screen()->base);
    kdp_screen_write("text\n", 5);
}

static void screens_that_are_none(void **state)
{
    (void)state;
    make_psf1(16);
    start(640, 480, 0, FALSE);
    memset(&screen, 0, sizeof screen);
    memset(&drawing, 0, sizeof drawing);
    map_fails = TRUE;
    no_screen();
    map_fails = FALSE;
    block.framebuffer.bits_per_pixel = 24;
    no_screen();
    block.framebuffer.bits_per_pixel = 32;
    block.framebuffer.pitch = 640 * 4 - 4;
    no_screen();
    block.framebuffer.pitch = 640 * 4;
    block.framebuffer.address = 0;
    no_screen();
    block.framebuffer.address = 0xE0000000;
    block.framebuffer.width = 0x40000000 + 640;
    no_screen();
    block.framebuffer.width = 640;
    block.framebuffer.blue_shift = 40;
    no_screen();
    block.framebuffer.blue_shift = 0;
    unit_font[0] = 0;
    no_screen();
}

static void what_win32k_gets(void **state)
{
    (void)state;
    make_psf1(16);
    start(800, 600, 32, FALSE);
    assert_ptr_equal(kd_get_screen()->base, pixels);
    assert_int_equal(kd_get_screen()->width, 800);
    assert_int_equal(kd_get_screen()->height, 600);
    assert_int_equal(kd_get_screen()->pitch, 832);
    start(800, 600, 32, TRUE);
    assert_null(kd_get_screen()->base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_screen),
        cmocka_unit_test(one_line),
        cmocka_unit_test(escape_sequences),
        cmocka_unit_test(scrolling),
        cmocka_unit_test(drawn_when_asked),
        cmocka_unit_test(long_lines_wrap),
        cmocka_unit_test(many_formats),
        cmocka_unit_test(twice_as_large),
        cmocka_unit_test(larger_still),
        cmocka_unit_test(a_very_large_screen),
        cmocka_unit_test(a_very_small_screen),
        cmocka_unit_test(screens_that_are_none),
        cmocka_unit_test(what_win32k_gets),
    };
    int failed = cmocka_run_group_tests_name("screen", tests, NULL, NULL);

    free(pixels);
    return failed;
}
