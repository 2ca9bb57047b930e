/*
 * kd/console.c - one text, two consoles.
 *
 * The screen comes up long after the serial port.  What was written before
 * is kept and shown on it first, so that both have the same text.
 *
 * One write at a time.  The writer is at DISPATCH_LEVEL, so no other thread
 * and no DPC comes in between; interrupts are on, since a serial port takes
 * its time.  What an interrupt, or an NMI, has to say in the middle of a write
 * is kept, and the writer it has interrupted shows it at the end.
 *
 * The screen is drawn at ticks of the clock (kd_draw); a bugcheck draws at
 * once.
 *
 * A second processor would have to wait where here is only an interrupt.
 */
#include "kdp.h"

#include <arch/cpu.h>
#include <ke_object.h>
#include <rtl.h>

#define LINE_LENGTH 512
#define EARLY_LENGTH 16384
#define LATE_LENGTH 2048

/* Under busy. */
static volatile BOOLEAN busy;
static char early[EARLY_LENGTH];
static SIZE_T early_length;
static BOOLEAN screen_started;

/* Interrupts append; late_length may exceed what fits. */
static char late[LATE_LENGTH];
static volatile LONG late_length;

static void keep_early(const char *text, SIZE_T length)
{
    if (length > EARLY_LENGTH - early_length)
        length = EARLY_LENGTH - early_length;
    memcpy(early + early_length, text, length);
    early_length += length;
}

static void keep_late(const char *text, SIZE_T length)
{
    SIZE_T at = (SIZE_T)__sync_fetch_and_add(&late_length, (LONG)length);

    if (at < LATE_LENGTH)
        memcpy(late + at, text,
               length < LATE_LENGTH - at ? length : LATE_LENGTH - at);
}

static void show(const char *text, SIZE_T length)
{
    kdp_serial_write(text, length);
    if (screen_started)
        kdp_screen_write(text, length);
    else
        keep_early(text, length);
}

static void show_late(void)
{
    LONG shown = 0, length;

    do {
        length = late_length;
        if (shown < LATE_LENGTH)
            show(late + shown, (length < LATE_LENGTH ? length : LATE_LENGTH) -
                                   shown);
        shown = length;
    } while (!__sync_bool_compare_and_swap(&late_length, length, 0));
}

static ULONGLONG raise(void)
{
    ULONGLONG irql = arch_read_cr8();

    if (irql < DISPATCH_LEVEL)
        arch_write_cr8(DISPATCH_LEVEL);
    return irql;
}

/* The consoles are free again, and what has come meanwhile is shown. */
static void end_write(void)
{
    __sync_lock_release(&busy);
    while (late_length && !__sync_lock_test_and_set(&busy, TRUE)) {
        show_late();
        __sync_lock_release(&busy);
    }
}

void kd_write(const char *text, SIZE_T length)
{
    ULONGLONG irql = raise();

    if (__sync_lock_test_and_set(&busy, TRUE)) {
        keep_late(text, length);
    } else {
        show(text, length);
        end_write();
    }
    arch_write_cr8(irql);
}

void kd_draw(void)
{
    ULONGLONG irql = raise();

    if (!__sync_lock_test_and_set(&busy, TRUE)) {
        kdp_screen_draw();
        end_write();
    }
    arch_write_cr8(irql);
}

void kd_take_over(void)
{
    busy = FALSE;
    kdp_screen_wait(FALSE);
}

void kd_show_early_text(void)
{
    screen_started = TRUE;
    kdp_screen_write(early, early_length);
    kdp_screen_wait(TRUE);
}

void kd_vprint(const char *format, va_list args)
{
    char line[LINE_LENGTH];
    int length = rtl_vsnprintf(line, sizeof line, format, args);

    kd_write(line, length < LINE_LENGTH ? (SIZE_T)length : LINE_LENGTH - 1);
}

ULONG DbgPrint(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    kd_vprint(format, args);
    va_end(args);
    return STATUS_SUCCESS;
}
