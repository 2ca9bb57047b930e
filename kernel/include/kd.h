/*
 * kd.h - ring 1, open to all: what the kernel shows.
 *
 * Both consoles (COM1 and the framebuffer) carry the same text; either may be
 * missing.
 */
#pragma once

#include <nt/ntdef.h>
#include <loader.h>

/* printf on the consoles, at most 512 characters a call.  IRQL: any. */
ULONG DbgPrint(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * Plain text on the consoles, not mixed with anybody else's.  Inside another
 * write (an interrupt's): shown after it.  IRQL: any.
 */
void kd_write(const char *text, SIZE_T length);

/*
 * The screen shows what was written.  Every tick of the clock sees to that
 * (io/input.c); who draws there himself, or stops the machine, asks for it.
 */
void kd_draw(void);

/* A bugcheck writes whatever it has interrupted, and is drawn at once. */
void kd_take_over(void);

/* COM1 now, the framebuffer once Mm can map it. */
void kd_start_serial(void);
void kd_start_screen(const LOADER_PARAMETER_BLOCK *block);

/*
 * One character typed on COM1, or -1.  IRQL: any.
 */
int kd_read_char(void);

/*
 * Symbols come from the boot file ntoskrnl.sym.  The name of the routine or
 * datum that address lies in, written to name, or NULL; *offset (may be
 * NULL) is the distance from its start.
 */
void kd_load_symbols(const char *bytes, SIZE_T size);
#define KD_NAME_LENGTH 64
const char *kd_symbol(ULONGLONG address, char name[KD_NAME_LENGTH],
                      ULONGLONG *offset);

/* A line for the machine that runs us (port E9), once it is enabled. */
void kd_enable_report(void);
void kd_report(const char *what, ULONG code);

/*
 * The screen as win32k sees it: 32-bit pixels, pitch in pixels.  base NULL:
 * there is no framebuffer.
 */
struct kd_screen {
    volatile ULONG *base;
    ULONG width, height, pitch;
};
const struct kd_screen *kd_get_screen(void);
