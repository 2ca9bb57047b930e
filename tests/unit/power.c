/*
 * power.c - off and reset, on ports that belong to the test.
 */
#include "unit.h"

#include "../../kernel/hal/halp.h"

#define STATUS_PORT 0x604
#define OTHER_PORT 0x704
#define SMI_PORT 0xB2
#define WRITES 16

struct hal_machine hal_machine;

static struct {
    USHORT port;
    ULONG value;
} written[WRITES];
static ULONG writes, faults, reads_until_enabled;
static USHORT control;
static UCHAR memory;
static jmp_buf gone;

static void write(USHORT port, ULONG value)
{
    assert_true(writes < WRITES);
    written[writes].port = port;
    written[writes++].value = value;
}

void arch_out8(USHORT port, UCHAR value)
{
    write(port, value);
}

void arch_out16(USHORT port, USHORT value)
{
    write(port, value);
}

USHORT arch_in16(USHORT port)
{
    assert_true(port == STATUS_PORT || port == OTHER_PORT);
    if (writes && reads_until_enabled && !--reads_until_enabled)
        control |= 1;
    return control;
}

void arch_pause(void)
{
}

void arch_triple_fault(void)
{
    faults++;
    longjmp(gone, 1);
}

static void begin(void)
{
    memset(&hal_machine, 0, sizeof hal_machine);
    writes = faults = reads_until_enabled = memory = 0;
    control = 0x1C00;                   /* what firmware has left there */
}

static void check(ULONG at, USHORT port, ULONG value)
{
    assert_true(at < writes);
    assert_int_equal(written[at].port, port);
    assert_int_equal(written[at].value, value);
}

static void test_off(void **state)
{
    (void)state;
    begin();
    control |= 1;                       /* ACPI is on */
    hal_machine.can_sleep = TRUE;
    hal_machine.sleep_a = 5;
    hal_machine.sleep_b = 3;
    hal_machine.smi_command = SMI_PORT;
    hal_machine.enable_acpi = 0xF1;
    hal_machine.control_a = (struct hal_register){ HAL_PORT, STATUS_PORT };
    hal_power_off();
    assert_int_equal(writes, 1);
    check(0, STATUS_PORT, 0x2000 | 5 << 10 | 1);

    hal_machine.control_b = (struct hal_register){ HAL_PORT, OTHER_PORT };
    writes = 0;
    hal_power_off();
    assert_int_equal(writes, 2);
    check(1, OTHER_PORT, 0x2000 | 3 << 10 | 1);
}

static void test_off_enables_acpi(void **state)
{
    (void)state;
    begin();
    hal_machine.can_sleep = TRUE;
    hal_machine.smi_command = SMI_PORT;
    hal_machine.enable_acpi = 0xF1;
    hal_machine.control_a = (struct hal_register){ HAL_PORT, STATUS_PORT };
    reads_until_enabled = 3;
    hal_power_off();
    assert_int_equal(writes, 2);
    check(0, SMI_PORT, 0xF1);
    check(1, STATUS_PORT, 0x2001);
    begin();
    hal_machine.can_sleep = TRUE;
    hal_machine.smi_command = SMI_PORT;
    hal_machine.enable_acpi = 0xF1;
    hal_machine.control_a = (struct hal_register){ HAL_PORT, STATUS_PORT };
    hal_power_off();                    /* it never comes on */
    check(1, STATUS_PORT, 0x2000);
}

static void test_no_way_to_switch_off(void **state)
{
    (void)state;
    begin();
    hal_machine.control_a = (struct hal_register){ HAL_PORT, STATUS_PORT };
    hal_power_off();
    hal_machine.can_sleep = TRUE;
    hal_machine.control_a.space = HAL_MEMORY;
    hal_power_off();
    hal_machine.control_a = (struct hal_register){ HAL_PORT, 0x10000 };
    hal_power_off();
    hal_machine.control_a.address = 0;
    hal_power_off();
    assert_int_equal(writes, 0);
}

static void reset(void)
{
    if (!setjmp(gone))
        hal_reset();
    assert_int_equal(faults, 1);
}

/* Each way after the one before has done nothing. */
static void test_reset(void **state)
{
    (void)state;
    begin();
    reset();
    assert_int_equal(writes, 3);
    check(0, 0xCF9, 2);
    check(1, 0xCF9, 6);
    check(2, 0x64, 0xFE);
    begin();
    hal_machine.reset = (struct hal_register){ HAL_PORT, 0xB00 };
    hal_machine.reset_value = 0x7E;
    reset();
    assert_int_equal(writes, 4);
    check(0, 0xB00, 0x7E);
    begin();
    hal_machine.reset = (struct hal_register){ HAL_MEMORY, 0xFEDC0000 };
    hal_machine.reset_byte = &memory;
    hal_machine.reset_value = 0x0F;
    reset();
    assert_int_equal(memory, 0x0F);
    assert_int_equal(writes, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_off),
        cmocka_unit_test(test_off_enables_acpi),
        cmocka_unit_test(test_no_way_to_switch_off),
        cmocka_unit_test(test_reset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
