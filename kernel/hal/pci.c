/*
 * hal/pci.c - what is on the PCI buses, by the configuration ports.
 *
 * Every PC has them; the memory that MCFG names shows the same registers and
 * some more, which nobody here needs.  All buses are looked at: firmware has
 * numbered them, and a PC may have several roots.
 */
#include <hal.h>

#include <arch/cpu.h>

#define CONFIG_ADDRESS 0xCF8
#define CONFIG_DATA 0xCFC
#define CONFIG_ENABLE 0x80000000u

enum { PCI_ID = 0x00, PCI_COMMAND = 0x04, PCI_CLASS = 0x08,
       PCI_HEADER = 0x0C, PCI_BAR0 = 0x10 };
#define COMMAND_MEMORY 0x0002u
#define COMMAND_MASTER 0x0004u
#define COMMAND_NO_INTERRUPT 0x0400u
#define COMMAND_STATUS 0xFFFF0000u      /* cleared by ones */
#define HEADER_MANY 0x00800000u         /* it has functions 1 to 7, too */
#define BAR_PORTS 0x1u
#define BAR_WIDE 0x4u
#define BAR_FLAGS 0xFu
#define NOTHING 0xFFFFFFFFu

#define BUSES 256
#define DEVICES 32
#define FUNCTIONS 8

static void select(struct hal_function at, ULONG offset)
{
    arch_out32(CONFIG_ADDRESS, CONFIG_ENABLE | (ULONG)at.bus << 16 |
               (ULONG)at.device << 11 | (ULONG)at.function << 8 | offset);
}

static ULONG read(struct hal_function at, ULONG offset)
{
    select(at, offset);
    return arch_in32(CONFIG_DATA);
}

static void write(struct hal_function at, ULONG offset, ULONG value)
{
    select(at, offset);
    arch_out32(CONFIG_DATA, value);
}

static ULONG functions_of(ULONG bus, ULONG device)
{
    struct hal_function first = { (UCHAR)bus, (UCHAR)device, 0 };

    if (read(first, PCI_ID) == NOTHING)
        return 0;
    return read(first, PCI_HEADER) & HEADER_MANY ? FUNCTIONS : 1;
}

static ULONG find_on(ULONG bus, ULONG class, struct hal_function *found,
                     ULONG room)
{
    ULONG count = 0;

    for (ULONG device = 0; device < DEVICES; device++) {
        ULONG functions = functions_of(bus, device);

        for (ULONG i = 0; i < functions && count < room; i++) {
            struct hal_function at = { (UCHAR)bus, (UCHAR)device, (UCHAR)i };

            if (read(at, PCI_ID) != NOTHING &&
                read(at, PCI_CLASS) >> 8 == class)
                found[count++] = at;
        }
    }
    return count;
}

ULONG hal_find_functions(ULONG class, struct hal_function *found, ULONG room)
{
    ULONG count = 0;

    for (ULONG bus = 0; bus < BUSES && count < room; bus++)
        count += find_on(bus, class, found + count, room - count);
    return count;
}

ULONGLONG hal_start_function(struct hal_function at)
{
    ULONG bar = read(at, PCI_BAR0);
    ULONGLONG upper = 0;

    if (bar & BAR_PORTS)
        return 0;
    if (bar & BAR_WIDE)
        upper = read(at, PCI_BAR0 + 4);
    write(at, PCI_COMMAND, (read(at, PCI_COMMAND) & ~COMMAND_STATUS) |
          COMMAND_MEMORY | COMMAND_MASTER | COMMAND_NO_INTERRUPT);
    return upper << 32 | (bar & ~BAR_FLAGS);
}
