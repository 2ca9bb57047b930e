/*
 * font.c - the font that screen.c draws with, here writable and under two
 * names: kd_font is const to those who include kdp.h.
 */
_Alignas(8) unsigned char unit_font[0x8000];
extern const unsigned char kd_font[0x8000]
    __attribute__((alias("unit_font")));
