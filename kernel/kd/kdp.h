/*
 * kd/kdp.h - Kd's private header.
 */
#pragma once

#include <kd.h>

/* serial.c: nothing happens without a port. */
void kdp_serial_write(const char *text, SIZE_T length);

/* screen.c: nothing happens without a framebuffer. */
void kdp_screen_write(const char *text, SIZE_T length);

/* From now on what is written is drawn by kdp_screen_draw; or at once. */
void kdp_screen_wait(BOOLEAN wait);
void kdp_screen_draw(void);

/* console.c: what both prints end in. */
void kd_vprint(const char *format, va_list args);

/* console.c: the screen is there now. */
void kd_show_early_text(void);

/* The console font, a PSF file (font.asm). */
extern const UCHAR kd_font[];
