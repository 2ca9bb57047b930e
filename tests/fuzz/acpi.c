/*
 * acpi.c - fuzz target: any bytes as each of ACPI's tables, and as SMBIOS's.
 *
 * A table is exactly as long as the bytes, so that AddressSanitizer sees what
 * is read beyond it; the counts stay within what there is room for.
 */
#include <stdlib.h>
#include <string.h>

#include "../../kernel/hal/halp.h"

#define MUST(condition)                 \
    do {                                \
        if (!(condition))               \
            abort();                    \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_table(const struct acpi_header *table)
{
    static struct hal_machine machine;

    memset(&machine, 0, sizeof machine);
    acpi_read_madt(table, &machine);
    acpi_read_fadt(table, &machine);
    acpi_read_hpet(table, &machine);
    acpi_read_mcfg(table, &machine);
    acpi_read_dsdt(table, &machine);
    for (ULONG size = 4; size <= 8; size += 4) {
        for (ULONG i = 0; i < acpi_table_count(table, size); i++)
            acpi_table_at(table, size, i);
    }
    MUST(machine.processor_count <= HAL_PROCESSORS);
    MUST(machine.io_apic_count <= HAL_IO_APICS);
    MUST(machine.override_count <= HAL_OVERRIDES);
    MUST(machine.sleep_a < 8 && machine.sleep_b < 8);
}

static void read_names(const UCHAR *bytes, size_t size)
{
    static struct hal_machine machine;
    struct smbios_table entry;

    if (smbios_read_entry(bytes, size, &entry))
        MUST(entry.address && entry.size && entry.size <= SMBIOS_MOST);
    smbios_read(bytes, size, &machine);
    MUST(strlen(machine.product) < HAL_NAME_LENGTH);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct acpi_header *table = malloc(size + !size);
    struct acpi_root root;

    memcpy(table, data, size);
    if (acpi_read_rsdp((const UCHAR *)table, size, &root))
        MUST(root.list && (root.pointer_size == 4 || root.pointer_size == 8));
    read_names((const UCHAR *)table, size);
    if (size >= sizeof *table) {
        table->length = size;
        acpi_is_sound(table);
        read_table(table);
    }
    free(table);
    return 0;
}
