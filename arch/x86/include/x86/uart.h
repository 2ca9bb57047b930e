/*
 * x86/uart.h - registers of a 16550 at its port base.
 */
#pragma once

#define COM1 0x3F8

#define UART_DATA 0                     /* divisor low while DLAB is set */
#define UART_INTERRUPT 1                /* divisor high */
#define UART_FIFO 2
#define UART_LINE_CONTROL 3
#define UART_MODEM_CONTROL 4
#define UART_LINE_STATUS 5
#define UART_SCRATCH 7

#define UART_DLAB 0x80
#define UART_8N1 0x03
#define UART_FIFO_ENABLE 0xC7
#define UART_DTR_RTS_OUT2 0x0B
#define UART_LOOPBACK 0x1B
#define UART_DATA_READY 0x01
#define UART_TRANSMIT_EMPTY 0x20

#define UART_CLOCK 115200               /* divided by the divisor */
