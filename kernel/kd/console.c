/*
 * kd/console.c - one text, two consoles.
 *
 * The screen comes up long after the serial port.  What was written before
 * is kept and shown on it first, so that both have the same text.
 *
 * An interrupt may want to say something while it interrupts a write.  Then
 * it is silent: neither console can be used twice at once.
 */
#include "kdp.h"

#include <rtl.h>

#define LINE_LENGTH 512
#define EARLY_LENGTH 16384

static char early[EARLY_LENGTH];
static SIZE_T early_length;
static BOOLEAN screen_started;
static volatile BOOLEAN busy;

static void keep_early(const char *text, SIZE_T length)
{
    if (length > EARLY_LENGTH - early_length)
        length = EARLY_LENGTH - early_length;
    memcpy(early + early_length, text, length);
    early_length += length;
}

void kd_write(const char *text, SIZE_T length)
{
    if (busy)
        return;
    busy = TRUE;
    kdp_serial_write(text, length);
    if (screen_started)
        kdp_screen_write(text, length);
    else
        keep_early(text, length);
    busy = FALSE;
}

void kd_take_over(void)
{
    busy = FALSE;
}

void kd_show_early_text(void)
{
    screen_started = TRUE;
    kdp_screen_write(early, early_length);
}

ULONG DbgPrint(const char *format, ...)
{
    char line[LINE_LENGTH];
    va_list args;
    int length;

    va_start(args, format);
    length = rtl_vsnprintf(line, sizeof line, format, args);
    va_end(args);
    kd_write(line, length < LINE_LENGTH ? (SIZE_T)length : LINE_LENGTH - 1);
    return STATUS_SUCCESS;
}
