/*
 * hal.h - ring 1: the machine as its firmware describes it (ACPI, SMBIOS).
 *
 * hal_initialize fills hal_machine once; from then on it is read-only.  What
 * the firmware does not tell is 0, and nothing here is needed to run.
 */
#pragma once

#include <loader.h>

#define HAL_PROCESSORS 256
#define HAL_IO_APICS 16
#define HAL_OVERRIDES 16
#define HAL_NAME_LENGTH 48

struct hal_processor {
    ULONG apic_id, uid;
};

/* Its inputs are interrupts first, first + 1, ... */
struct hal_io_apic {
    ULONG id, address, first;
};

/* ISA's interrupt irq is another one.  flags: ACPI 5.2.12.5. */
struct hal_override {
    ULONG irq, interrupt, flags;
};

/* ACPI: 5.2.3.2, Generic Address Structure.  address 0: there is none. */
enum { HAL_MEMORY, HAL_PORT, HAL_PCI };
struct hal_register {
    ULONG space;
    ULONGLONG address;
};

struct hal_machine {
    CHAR maker[HAL_NAME_LENGTH], product[HAL_NAME_LENGTH];
    CHAR firmware_vendor[HAL_NAME_LENGTH], firmware_version[HAL_NAME_LENGTH],
        firmware_date[HAL_NAME_LENGTH];
    const UCHAR *smbios;                /* its structures; NULL: none */
    ULONG smbios_size;                  /* of those that are whole */
    UCHAR smbios_major, smbios_minor, dmi_revision;

    CHAR tables[32][5];                 /* signatures, in their order */
    ULONG table_count;
    ULONG revision;                     /* ACPI's; 0 is 1.0 */

    struct hal_processor processors[HAL_PROCESSORS];
    ULONG processor_count, processors_left_out;
    struct hal_io_apic io_apics[HAL_IO_APICS];
    ULONG io_apic_count;
    struct hal_override overrides[HAL_OVERRIDES];
    ULONG override_count;

    struct hal_register pm_timer, control_a, control_b, reset;
    ULONG pm_timer_bits;                /* 24 or 32 */
    UCHAR reset_value;
    volatile UCHAR *reset_byte;         /* the register, where it is memory */
    ULONG smi_command, enable_acpi;     /* a port, and what it wants */
    BOOLEAN no_keyboard_controller;     /* there is none, says the firmware */

    BOOLEAN can_sleep;                  /* \_S5 is there: its two types */
    UCHAR sleep_a, sleep_b;

    ULONGLONG hpet, pci_configuration;  /* physical */
};

extern struct hal_machine hal_machine;

/* Reads the firmware's tables, and shows what they tell. */
void hal_initialize(const LOADER_PARAMETER_BLOCK *block);

/*
 * PCI.  One function of one device; and those of a class (its three bytes:
 * class, subclass, interface), at most room of them.  Not for two processors
 * at once.
 */
struct hal_function {
    UCHAR bus, device, function;
};

ULONG hal_find_functions(ULONG class, struct hal_function *found, ULONG room);

/*
 * It may use memory, and makes no interrupts.  The physical address of its
 * registers, by its first BAR; 0: they are not memory, or nowhere.
 */
ULONGLONG hal_start_function(struct hal_function at);

/*
 * Switches the machine off by ACPI's S5.  Returns if that cannot be, or has
 * done nothing.  IRQL: any, interrupts off.
 */
void hal_power_off(void);

/*
 * Starts it anew: FADT's reset register, port CF9, the keyboard controller, a
 * triple fault.  IRQL: any.
 */
__attribute__((noreturn)) void hal_reset(void);
