/*
 * io/keyboard.c - the keyboard controller, polled.
 *
 * Nothing routes interrupts of devices here, so the controller is told to
 * make none.  A PC may have no controller, or firmware may imitate one and
 * never answer: every wait ends after a number of polls, and whoever does
 * not take its first command is not asked again.
 */
#include "iop.h"
#include <arch/cpu.h>
#include <x86/i8042.h>

#define POLLS 100000
#define LEFTOVERS 64                    /* bytes that firmware left unread */

static BOOLEAN present;

static BOOLEAN wait_for(UCHAR mask, UCHAR value)
{
    for (ULONG i = 0; i < POLLS; i++) {
        if ((arch_in8(I8042_STATUS) & mask) == value)
            return TRUE;
    }
    return FALSE;
}

static BOOLEAN write(USHORT port, UCHAR value)
{
    if (!wait_for(I8042_INPUT_FULL, 0))
        return FALSE;
    arch_out8(port, value);
    return TRUE;
}

/* 0xFF in the status is no controller at all: every bit set. */
static void drain(void)
{
    for (ULONG i = 0; i < LEFTOVERS; i++) {
        UCHAR status = arch_in8(I8042_STATUS);

        if (status == 0xFF || !(status & I8042_OUTPUT_FULL))
            return;
        arch_in8(I8042_DATA);
    }
}

/* No interrupts; the keyboard's clock on; scan codes of set 1. */
static BOOLEAN configure(void)
{
    UCHAR configuration;

    if (!write(I8042_COMMAND, I8042_READ_CONFIGURATION) ||
        !wait_for(I8042_OUTPUT_FULL, I8042_OUTPUT_FULL))
        return FALSE;
    configuration = arch_in8(I8042_DATA);
    configuration &= (UCHAR)~(I8042_INTERRUPTS | I8042_KEYBOARD_OFF);
    configuration |= I8042_TRANSLATE;
    return write(I8042_COMMAND, I8042_WRITE_CONFIGURATION) &&
           write(I8042_DATA, configuration);
}

void iop_start_keyboard(void)
{
    if (arch_in8(I8042_STATUS) == 0xFF)
        return;
    if (!write(I8042_COMMAND, I8042_DISABLE_KEYBOARD) ||
        !write(I8042_COMMAND, I8042_DISABLE_MOUSE))
        return;
    drain();
    if (!configure() || !write(I8042_COMMAND, I8042_ENABLE_KEYBOARD) ||
        !write(I8042_DATA, KEYBOARD_ENABLE_SCANNING))
        return;
    present = TRUE;
}

int iop_read_scancode(void)
{
    UCHAR status, data;

    if (!present)
        return -1;
    status = arch_in8(I8042_STATUS);
    if (!(status & I8042_OUTPUT_FULL))
        return -1;
    data = arch_in8(I8042_DATA);
    return status & I8042_FROM_MOUSE ? -1 : data;
}
