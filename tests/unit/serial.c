/*
 * serial.c - the serial console on ports that work, that are not there, and
 * that have died.
 */
#include "unit.h"

#include <kd/kdp.h>
#include <kd/serial.c>

enum model { ABSENT, WORKING, STUCK, DEAD_LOOPBACK };

static enum model model;
static UCHAR registers[8];
static UCHAR divisor_low;
static char sent[256];
static ULONG sent_length, accesses;
static int received = -1;               /* in the receiver, or -1 */

UCHAR arch_in8(USHORT port)
{
    int character = received;

    assert_true(port >= COM1 && port < COM1 + 8);
    accesses++;
    if (model == ABSENT)
        return 0xFF;
    switch (port - COM1) {
    case UART_DATA:
        received = -1;
        return (UCHAR)character;
    case UART_LINE_STATUS:
        return (received >= 0 ? UART_DATA_READY : 0) |
               (model == STUCK ? 0 : UART_TRANSMIT_EMPTY);
    }
    return registers[port - COM1];
}

void arch_out8(USHORT port, UCHAR value)
{
    assert_true(port >= COM1 && port < COM1 + 8);
    accesses++;
    registers[port - COM1] = value;
    if (port != COM1 + UART_DATA || model == ABSENT)
        return;
    if (registers[UART_LINE_CONTROL] & UART_DLAB) {
        divisor_low = value;
    } else if ((registers[UART_MODEM_CONTROL] & 0x10) != 0) {
        if (model != DEAD_LOOPBACK)
            received = value;
    } else {
        assert_true(sent_length < sizeof sent - 1);
        sent[sent_length++] = (char)value;
        sent[sent_length] = 0;
    }
}

static void start(enum model kind)
{
    model = kind;
    present = FALSE;
    lost = sent_length = accesses = 0;
    received = -1;
    sent[0] = 0;
    memset(registers, 0, sizeof registers);
    kd_start_serial();
}

static void a_working_port(void **state)
{
    (void)state;
    start(WORKING);
    assert_int_equal(divisor_low, 1);
    assert_int_equal(registers[UART_LINE_CONTROL], 3);
    assert_int_equal(registers[UART_INTERRUPT], 0);
    kdp_serial_write("a\nb", 3);
    assert_string_equal(sent, "a\r\nb");
    assert_int_equal(kd_read_char(), -1);
    received = 'x';
    assert_int_equal(kd_read_char(), 'x');
    assert_int_equal(kd_read_char(), -1);
}

static void no_port(void **state)
{
    (void)state;
    start(ABSENT);
    accesses = 0;
    kdp_serial_write("text", 4);
    assert_int_equal(kd_read_char(), -1);
    assert_int_equal(accesses, 0);
}

static void a_port_that_answers_nothing(void **state)
{
    (void)state;
    start(DEAD_LOOPBACK);
    kdp_serial_write("text", 4);
    assert_string_equal(sent, "");
    assert_true(accesses < 10 * POLLS);
}

/* The transmitter never gets ready: given up, in bounded time, for good. */
static void a_port_that_dies(void **state)
{
    (void)state;
    start(WORKING);
    model = STUCK;
    accesses = 0;
    for (ULONG i = 0; i < 100; i++)
        kdp_serial_write("text", 4);
    assert_true(accesses < 20 * POLLS);
    assert_string_equal(sent, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_working_port),
        cmocka_unit_test(no_port),
        cmocka_unit_test(a_port_that_answers_nothing),
        cmocka_unit_test(a_port_that_dies),
    };
    return cmocka_run_group_tests_name("serial", tests, NULL, NULL);
}
