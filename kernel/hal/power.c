/*
 * hal/power.c - off, and on again.
 *
 * Nothing here is sure to work, so whatever does not is followed by the next.
 */
#include "halp.h"

#include <arch/cpu.h>
#include <x86/i8042.h>

#define SLEEP_ENABLE (1u << 13)         /* ACPI: 4.8.3.2.1, PM1 control */
#define SLEEP_TYPE_SHIFT 10
#define SLEEP_TYPE_MASK (7u << SLEEP_TYPE_SHIFT)
#define SCI_ENABLE 1u
#define TRIES 1000000                   /* reads of a port; each some 1 us */
#define RESET_PORT 0xCF9                /* of PCI chipsets: hard, then now */
#define RESET_HARD 0x02
#define RESET_NOW 0x06

static BOOLEAN is_port(const struct hal_register *at)
{
    return at->space == HAL_PORT && at->address && at->address < 0x10000;
}

/* Firmware may have left the registers to itself (ACPI: 16.3.1). */
static void enable_acpi(void)
{
    const struct hal_machine *of = &hal_machine;

    if (!of->smi_command || !of->enable_acpi || of->smi_command > 0xFFFF ||
        arch_in16(of->control_a.address) & SCI_ENABLE)
        return;
    arch_out8(of->smi_command, of->enable_acpi);
    for (ULONG i = 0; i < TRIES; i++) {
        if (arch_in16(of->control_a.address) & SCI_ENABLE)
            return;
    }
}

static void sleep(const struct hal_register *control, UCHAR type)
{
    USHORT value;

    if (!is_port(control))
        return;
    value = arch_in16(control->address) & ~(SLEEP_TYPE_MASK | SLEEP_ENABLE);
    arch_out16(control->address,
               value | type << SLEEP_TYPE_SHIFT | SLEEP_ENABLE);
}

void hal_power_off(void)
{
    if (!hal_machine.can_sleep || !is_port(&hal_machine.control_a))
        return;
    enable_acpi();
    sleep(&hal_machine.control_a, hal_machine.sleep_a);
    sleep(&hal_machine.control_b, hal_machine.sleep_b);
    for (ULONG i = 0; i < TRIES; i++)
        arch_pause();
}

static void reset_by_acpi(void)
{
    const struct hal_machine *of = &hal_machine;

    if (is_port(&of->reset))
        arch_out8(of->reset.address, of->reset_value);
    else if (of->reset_byte)
        *of->reset_byte = of->reset_value;
}

static void wait(void)
{
    for (ULONG i = 0; i < TRIES; i++)
        arch_pause();
}

void hal_reset(void)
{
    reset_by_acpi();
    wait();
    arch_out8(RESET_PORT, RESET_HARD);
    arch_out8(RESET_PORT, RESET_NOW);
    wait();
    arch_out8(I8042_COMMAND, I8042_PULSE_RESET);
    wait();
    for (;;)
        arch_triple_fault();
}
