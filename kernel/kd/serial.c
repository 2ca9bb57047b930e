/*
 * kd/serial.c - COM1, 115200 baud, polled.
 *
 * A PC may have no port, or one that never gets ready.  The port is probed by
 * its loopback; a character that cannot be sent within a bounded number of
 * polls is dropped, and after a few of those the port counts as dead.
 */
#include "kdp.h"

#include <arch/cpu.h>
#include <x86/uart.h>

#define POLLS 100000
#define MAX_LOST 16

static BOOLEAN present;
static ULONG lost;

void kd_start_serial(void)
{
    arch_out8(COM1 + UART_INTERRUPT, 0);
    arch_out8(COM1 + UART_LINE_CONTROL, UART_DLAB);
    arch_out8(COM1 + UART_DATA, UART_CLOCK / 115200);
    arch_out8(COM1 + UART_INTERRUPT, 0);
    arch_out8(COM1 + UART_LINE_CONTROL, UART_8N1);
    arch_out8(COM1 + UART_FIFO, UART_FIFO_ENABLE);
    arch_out8(COM1 + UART_MODEM_CONTROL, UART_LOOPBACK);
    arch_out8(COM1 + UART_DATA, 0x5A);
    for (ULONG i = 0; i < POLLS && !present; i++) {
        if (arch_in8(COM1 + UART_LINE_STATUS) == 0xFF)
            return;
        if (arch_in8(COM1 + UART_LINE_STATUS) & UART_DATA_READY)
            present = arch_in8(COM1 + UART_DATA) == 0x5A;
    }
    arch_out8(COM1 + UART_MODEM_CONTROL, UART_DTR_RTS_OUT2);
}

static void send(char character)
{
    for (ULONG i = 0; i < POLLS; i++) {
        if (arch_in8(COM1 + UART_LINE_STATUS) & UART_TRANSMIT_EMPTY) {
            arch_out8(COM1 + UART_DATA, (UCHAR)character);
            return;
        }
    }
    if (++lost == MAX_LOST)
        present = FALSE;
}

void kdp_serial_write(const char *text, SIZE_T length)
{
    for (SIZE_T i = 0; present && i < length; i++) {
        if (text[i] == '\n')
            send('\r');
        send(text[i]);
    }
}

int kd_read_char(void)
{
    if (!present || !(arch_in8(COM1 + UART_LINE_STATUS) & UART_DATA_READY))
        return -1;
    return arch_in8(COM1 + UART_DATA);
}
