/*
 * hal/acpi.c - what ACPI's tables say.
 *
 * Fields are read by their offsets in the ACPI specification (6.4), and a
 * field that a short table does not have is 0.  Nothing is aligned.
 *
 * AML is not interpreted.  All that is wanted of it is \_S5's package, which
 * firmware writes as constants: it is looked for as bytes.
 */
#include "halp.h"

#include <rtl.h>

#define RSDP_SIZE 20                    /* of ACPI 1.0 */
#define RSDP_LONG_SIZE 36

enum {                                  /* ACPI: 5.2.12 */
    MADT_ENTRIES = 44,
    MADT_PROCESSOR = 0, MADT_IO_APIC = 1, MADT_OVERRIDE = 2,
    MADT_X2APIC_PROCESSOR = 9,
};
#define MADT_ENABLED 1

enum {                                  /* ACPI: 5.2.9 */
    FADT_DSDT = 40, FADT_SMI_COMMAND = 48, FADT_ENABLE = 52,
    FADT_CONTROL_A = 64, FADT_CONTROL_B = 68, FADT_TIMER = 76,
    FADT_TIMER_LENGTH = 91, FADT_BOOT_FLAGS = 109,
    FADT_FLAGS = 112, FADT_RESET = 116, FADT_RESET_VALUE = 128,
    FADT_X_DSDT = 140, FADT_X_CONTROL_A = 172, FADT_X_CONTROL_B = 184,
    FADT_X_TIMER = 208,
};
#define BOOT_HAS_8042 (1u << 1)
#define BOOT_FLAGS_SINCE 2              /* FADT's revision */
#define FLAG_TIMER_32_BITS (1u << 8)
#define FLAG_RESET (1u << 10)

enum { HPET_ADDRESS = 40, MCFG_ADDRESS = 44 };

enum {                                  /* ACPI: 20.2, AML */
    AML_ZERO = 0x00, AML_ONE = 0x01, AML_NAME = 0x08, AML_BYTE = 0x0A,
    AML_PACKAGE = 0x12, AML_ROOT = '\\',
};

static UCHAR sum(const UCHAR *bytes, SIZE_T size)
{
    UCHAR total = 0;

    while (size--)
        total += *bytes++;
    return total;
}

/* size bytes at offset, the lowest first; 0 beyond the end. */
static ULONGLONG field(const struct acpi_header *table, ULONG offset,
                       ULONG size)
{
    const UCHAR *bytes = (const UCHAR *)table;
    ULONGLONG value = 0;

    if (offset > table->length || size > table->length - offset)
        return 0;
    while (size--)
        value = value << 8 | bytes[offset + size];
    return value;
}

static ULONGLONG bytes_of(const UCHAR *bytes, ULONG size)
{
    ULONGLONG value = 0;

    while (size--)
        value = value << 8 | bytes[size];
    return value;
}

BOOLEAN acpi_read_rsdp(const UCHAR *bytes, SIZE_T size, struct acpi_root *root)
{
    SIZE_T length;

    if (size < RSDP_SIZE || memcmp(bytes, "RSD PTR ", 8) != 0 ||
        sum(bytes, RSDP_SIZE) != 0)
        return FALSE;
    *root = (struct acpi_root){ bytes_of(bytes + 16, 4), 4, bytes[15] };
    if (root->revision < 2 || size < RSDP_LONG_SIZE)
        return root->list != 0;
    length = bytes_of(bytes + 20, 4);
    if (length < RSDP_LONG_SIZE || length > size || sum(bytes, length) != 0)
        return FALSE;
    if (bytes_of(bytes + 24, 8)) {
        root->list = bytes_of(bytes + 24, 8);
        root->pointer_size = 8;
    }
    return root->list != 0;
}

BOOLEAN acpi_is_sound(const struct acpi_header *table)
{
    return table->length >= sizeof *table && table->length <= ACPI_MOST &&
           sum((const UCHAR *)table, table->length) == 0;
}

ULONG acpi_table_count(const struct acpi_header *list, ULONG pointer_size)
{
    return (list->length - sizeof *list) / pointer_size;
}

ULONGLONG acpi_table_at(const struct acpi_header *list, ULONG pointer_size,
                        ULONG index)
{
    return field(list, sizeof *list + index * pointer_size, pointer_size);
}

static void add_processor(struct hal_machine *to, ULONG apic_id, ULONG uid,
                          ULONG flags)
{
    if (!(flags & MADT_ENABLED))
        return;
    if (to->processor_count == HAL_PROCESSORS)
        to->processors_left_out++;
    else
        to->processors[to->processor_count++] =
            (struct hal_processor){ apic_id, uid };
}

static void read_entry(const struct acpi_header *madt, ULONG at, ULONG length,
                       struct hal_machine *to)
{
    ULONG type = field(madt, at, 1);

    if (type == MADT_PROCESSOR && length >= 8)
        add_processor(to, field(madt, at + 3, 1), field(madt, at + 2, 1),
                      field(madt, at + 4, 4));
    else if (type == MADT_X2APIC_PROCESSOR && length >= 16)
        add_processor(to, field(madt, at + 4, 4), field(madt, at + 12, 4),
                      field(madt, at + 8, 4));
    else if (type == MADT_IO_APIC && length >= 12 &&
             to->io_apic_count < HAL_IO_APICS)
        to->io_apics[to->io_apic_count++] = (struct hal_io_apic){
            field(madt, at + 2, 1), field(madt, at + 4, 4),
            field(madt, at + 8, 4) };
    else if (type == MADT_OVERRIDE && length >= 10 &&
             to->override_count < HAL_OVERRIDES)
        to->overrides[to->override_count++] = (struct hal_override){
            field(madt, at + 3, 1), field(madt, at + 4, 4),
            field(madt, at + 8, 2) };
}

void acpi_read_madt(const struct acpi_header *madt, struct hal_machine *to)
{
    ULONG at = MADT_ENTRIES;

    while (at + 2 <= madt->length) {
        ULONG length = field(madt, at + 1, 1);

        if (length < 2 || length > madt->length - at)
            break;
        read_entry(madt, at, length, to);
        at += length;
    }
}

/* A generic address, or the port that older tables have in its place. */
static struct hal_register read_register(const struct acpi_header *fadt,
                                         ULONG offset, ULONG old)
{
    struct hal_register to = { field(fadt, offset, 1),
                               field(fadt, offset + 4, 8) };

    if (!to.address && old)
        to = (struct hal_register){ HAL_PORT, field(fadt, old, 4) };
    return to;
}

ULONGLONG acpi_read_fadt(const struct acpi_header *fadt,
                         struct hal_machine *to)
{
    ULONG flags = field(fadt, FADT_FLAGS, 4);
    ULONGLONG dsdt = field(fadt, FADT_X_DSDT, 8);

    to->control_a = read_register(fadt, FADT_X_CONTROL_A, FADT_CONTROL_A);
    to->control_b = read_register(fadt, FADT_X_CONTROL_B, FADT_CONTROL_B);
    if (field(fadt, FADT_TIMER_LENGTH, 1))
        to->pm_timer = read_register(fadt, FADT_X_TIMER, FADT_TIMER);
    to->pm_timer_bits = flags & FLAG_TIMER_32_BITS ? 32 : 24;
    if (flags & FLAG_RESET) {
        to->reset = read_register(fadt, FADT_RESET, 0);
        to->reset_value = field(fadt, FADT_RESET_VALUE, 1);
    }
    to->smi_command = field(fadt, FADT_SMI_COMMAND, 4);
    to->enable_acpi = field(fadt, FADT_ENABLE, 1);
    to->no_keyboard_controller =
        fadt->revision >= BOOT_FLAGS_SINCE &&
        !(field(fadt, FADT_BOOT_FLAGS, 2) & BOOT_HAS_8042);
    return dsdt ? dsdt : field(fadt, FADT_DSDT, 4);
}

void acpi_read_hpet(const struct acpi_header *hpet, struct hal_machine *to)
{
    if (field(hpet, HPET_ADDRESS, 1) == HAL_MEMORY)
        to->hpet = field(hpet, HPET_ADDRESS + 4, 8);
}

void acpi_read_mcfg(const struct acpi_header *mcfg, struct hal_machine *to)
{
    to->pci_configuration = field(mcfg, MCFG_ADDRESS, 8);
}

/* A number of three bits at at, which goes on behind it; FALSE: another. */
static BOOLEAN read_type(const struct acpi_header *dsdt, ULONG *at,
                         UCHAR *value)
{
    UCHAR first = field(dsdt, *at, 1);

    if (first == AML_BYTE) {
        *value = field(dsdt, *at + 1, 1);
        *at += 2;
    } else if (first == AML_ZERO || first == AML_ONE) {
        *value = first;
        *at += 1;
    } else {
        return FALSE;
    }
    return *value < 8;
}

/* Name (_S5_, Package (n) { a, b ... }), or the same with \_S5_. */
static BOOLEAN read_package(const struct acpi_header *dsdt, ULONG name,
                            struct hal_machine *to)
{
    ULONG at = name + 4;
    BOOLEAN is_name = field(dsdt, name - 1, 1) == AML_NAME ||
                      (field(dsdt, name - 1, 1) == AML_ROOT &&
                       field(dsdt, name - 2, 1) == AML_NAME);

    if (!is_name || field(dsdt, at, 1) != AML_PACKAGE)
        return FALSE;
    at += 2 + (field(dsdt, at + 1, 1) >> 6);    /* PkgLength's own length */
    if (field(dsdt, at++, 1) < 2 || at >= dsdt->length)
        return FALSE;
    return read_type(dsdt, &at, &to->sleep_a) && at < dsdt->length &&
           read_type(dsdt, &at, &to->sleep_b) && at <= dsdt->length;
}

void acpi_read_dsdt(const struct acpi_header *dsdt, struct hal_machine *to)
{
    const UCHAR *bytes = (const UCHAR *)dsdt;

    for (ULONG at = sizeof *dsdt + 2; at + 4 <= dsdt->length; at++) {
        if (memcmp(bytes + at, "_S5_", 4) != 0 || !read_package(dsdt, at, to))
            continue;
        to->can_sleep = TRUE;
        return;
    }
    to->sleep_a = to->sleep_b = 0;
}
