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
 * The same, if the component's messages of that level are wanted (the boot
 * option log).  NT's numbers, where NT has the component; arguments are made
 * in any case, so what costs something asks kd_wants first.  IRQL: any.
 */
#define DPFLTR_ERROR_LEVEL 0            /* something cannot be */
#define DPFLTR_WARNING_LEVEL 1          /* ... is not as somebody wants it */
#define DPFLTR_TRACE_LEVEL 2            /* what the boot tells */
#define DPFLTR_INFO_LEVEL 3             /* each of many; off unless asked for */

#define DPFLTR_LDR_ID 85                /* images */
#define DPFLTR_MM_ID 102
#define DPFLTR_WOW64_ID 104
#define KD_INIT_ID 0x100
#define KD_KE_ID 0x101
#define KD_OB_ID 0x102
#define KD_IO_ID 0x103
#define KD_PS_ID 0x104
#define KD_HAL_ID 0x105
#define KD_IDS 0x106

extern ULONG kd_masks[KD_IDS];

static inline BOOLEAN kd_wants(ULONG component, ULONG level)
{
    return (kd_masks[component] >> level & 1) != 0;
}

ULONG DbgPrintEx(ULONG component, ULONG level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The option's value, "mm:info,*:none"; what is wrong with it is named. */
void kd_set_log(const char *value);

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

/* A line for the machine that runs us: in memory, and on port E9 if enabled. */
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
