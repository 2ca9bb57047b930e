/*
 * kd/console.c - one text, two consoles.
 *
 * The screen comes up long after the serial port.  What was written before
 * is kept and shown on it first, so that both have the same text.
 *
 * One write at a time.  The writer is at DISPATCH_LEVEL, so no other thread
 * and no DPC comes in between; interrupts are on, since a serial port takes
 * its time.  What an interrupt, or an NMI, has to say in the middle of a write
 * is kept, and the writer it has interrupted shows it at the end.  Another
 * processor waits.
 *
 * The screen is drawn at ticks of the clock (kd_draw); a bugcheck draws at
 * once.
 */
#include "kdp.h"

#include <arch/cpu.h>
#include <ke.h>
#include <rtl.h>

#define LINE_LENGTH 512
#define EARLY_LENGTH 16384
#define LATE_LENGTH 2048

/* Who writes: a processor's number, and one; 0: nobody. */
static volatile ULONG writer;

/* The writer's. */
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

static ULONG this_processor(void)
{
    return KeGetCurrentPrcb()->Number + 1;
}

static BOOLEAN try_begin(void)
{
    return __sync_bool_compare_and_swap(&writer, 0, this_processor());
}

/* FALSE: it is this processor that writes already. */
static BOOLEAN begin_write(void)
{
    if (writer == this_processor())
        return FALSE;
    while (!try_begin())
        arch_pause();
    return TRUE;
}

/* The consoles are free again, and what has come meanwhile is shown. */
static void end_write(void)
{
    __sync_lock_release(&writer);
    while (late_length && try_begin()) {
        show_late();
        __sync_lock_release(&writer);
    }
}

void kd_write(const char *text, SIZE_T length)
{
    ULONGLONG irql = raise();

    if (begin_write()) {
        show(text, length);
        end_write();
    } else {
        keep_late(text, length);
    }
    arch_write_cr8(irql);
}

void kd_draw(void)
{
    ULONGLONG irql = raise();

    if (try_begin()) {
        kdp_screen_draw();
        end_write();
    }
    arch_write_cr8(irql);
}

void kd_take_over(void)
{
    writer = 0;
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
