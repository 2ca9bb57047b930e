/*
 * hal/tables.c - the firmware's tables, found in the machine and shown.
 *
 * The loader has copied where they begin out of the firmware's memory.  ACPI's
 * RSDP leads to a list of physical addresses; what lies there is mapped for
 * good.  A table that is damaged is named and left alone.
 */
#include "halp.h"

#include <kd.h>
#include <mm.h>
#include <rtl.h>

struct hal_machine hal_machine SEALED;

/* A whole table where it can be read; NULL: damaged, and said so. */
static const struct acpi_header *map_table(ULONGLONG physical)
{
    const struct acpi_header *table = MmMapIoSpace(physical, sizeof *table,
                                                   MmCached);

    if (table && table->length >= sizeof *table &&
        table->length <= ACPI_MOST)
        table = MmMapIoSpace(physical, table->length, MmCached);
    if (table && acpi_is_sound(table))
        return table;
    DbgPrintEx(KD_HAL_ID, DPFLTR_WARNING_LEVEL,
               "ACPI  the table at %llx is damaged; ignored\n", physical);
    return NULL;
}

static BOOLEAN is_table(const struct acpi_header *table, const char *signature)
{
    return memcmp(table->signature, signature, 4) == 0;
}

static void remember(const struct acpi_header *table)
{
    struct hal_machine *to = &hal_machine;

    if (to->table_count == ARRAY_SIZE(to->tables))
        return;
    for (ULONG i = 0; i < 4; i++) {
        CHAR character = table->signature[i];

        to->tables[to->table_count][i] =
            character > ' ' && character < 0x7F ? character : '?';
    }
    to->table_count++;
}

static void read_table(ULONGLONG physical)
{
    const struct acpi_header *table = map_table(physical);
    ULONGLONG dsdt = 0;

    if (!table)
        return;
    remember(table);
    if (is_table(table, "APIC"))
        acpi_read_madt(table, &hal_machine);
    else if (is_table(table, "FACP"))
        dsdt = acpi_read_fadt(table, &hal_machine);
    else if (is_table(table, "HPET"))
        acpi_read_hpet(table, &hal_machine);
    else if (is_table(table, "MCFG"))
        acpi_read_mcfg(table, &hal_machine);
    table = dsdt ? map_table(dsdt) : NULL;
    if (table) {
        remember(table);
        acpi_read_dsdt(table, &hal_machine);
    }
}

static void read_tables(const LOADER_PARAMETER_BLOCK *block)
{
    const struct acpi_header *list;
    struct acpi_root root;

    if (!acpi_read_rsdp(block->acpi_rsdp, block->acpi_rsdp_size, &root)) {
        DbgPrintEx(KD_HAL_ID, DPFLTR_WARNING_LEVEL,
                   "ACPI  the firmware has none\n");
        return;
    }
    list = map_table(root.list);
    if (!list)
        return;
    hal_machine.revision = root.revision;
    for (ULONG i = 0; i < acpi_table_count(list, root.pointer_size); i++)
        read_table(acpi_table_at(list, root.pointer_size, i));
    DbgPrintEx(KD_HAL_ID, DPFLTR_TRACE_LEVEL, "ACPI  %s %llx:",
               root.pointer_size == 8 ? "XSDT" : "RSDT", root.list);
    for (ULONG i = 0; i < hal_machine.table_count; i++)
        DbgPrintEx(KD_HAL_ID, DPFLTR_TRACE_LEVEL, " %s",
                   hal_machine.tables[i]);
    DbgPrintEx(KD_HAL_ID, DPFLTR_TRACE_LEVEL, "\n");
}

static void read_names(const LOADER_PARAMETER_BLOCK *block)
{
    struct hal_machine *to = &hal_machine;
    struct smbios_table table;
    const UCHAR *bytes = NULL;

    if (smbios_read_entry(block->smbios, LOADER_SMBIOS_SIZE, &table))
        bytes = MmMapIoSpace(table.address, table.size, MmCached);
    if (!bytes)
        return;
    smbios_read(bytes, table.size, to);
    to->smbios = bytes;
    to->smbios_major = table.major;
    to->smbios_minor = table.minor;
    to->dmi_revision = table.dmi_revision;
    DbgPrintEx(KD_HAL_ID, DPFLTR_TRACE_LEVEL, "PC    %s %s\n", to->maker,
               to->product);
    DbgPrintEx(KD_HAL_ID, DPFLTR_TRACE_LEVEL, "BIOS  %s %s, %s\n",
               to->firmware_vendor, to->firmware_version, to->firmware_date);
}

/* APIC ids, neighbours together: "0-3 8 9-11". */
static void show_processors(void)
{
    const struct hal_machine *of = &hal_machine;

    if (!of->processor_count)
        return;
    DbgPrintEx(KD_HAL_ID, DPFLTR_TRACE_LEVEL, "CPUS  %u, APIC ids",
               of->processor_count + of->processors_left_out);
    for (ULONG i = 0, last; i < of->processor_count; i = last + 1) {
        for (last = i; last + 1 < of->processor_count &&
                       of->processors[last + 1].apic_id ==
                           of->processors[last].apic_id + 1; last++)
            continue;
        DbgPrintEx(KD_HAL_ID, DPFLTR_TRACE_LEVEL,
                   last == i ? " %x" : " %x-%x", of->processors[i].apic_id,
                   of->processors[last].apic_id);
    }
    DbgPrintEx(KD_HAL_ID, DPFLTR_TRACE_LEVEL, "\n");
}

static void show_interrupts(void)
{
    const struct hal_machine *of = &hal_machine;

    for (ULONG i = 0; i < of->io_apic_count; i++)
        DbgPrintEx(KD_HAL_ID, DPFLTR_TRACE_LEVEL,
                   "IOAPIC %u at %08x, from interrupt %u\n",
                   of->io_apics[i].id, of->io_apics[i].address,
                   of->io_apics[i].first);
    if (!of->override_count)
        return;
    DbgPrintEx(KD_HAL_ID, DPFLTR_TRACE_LEVEL, "ISA  ");
    for (ULONG i = 0; i < of->override_count; i++)
        DbgPrintEx(KD_HAL_ID, DPFLTR_TRACE_LEVEL, " %u is %u/%x",
                   of->overrides[i].irq, of->overrides[i].interrupt,
                   of->overrides[i].flags);
    DbgPrintEx(KD_HAL_ID, DPFLTR_TRACE_LEVEL, "\n");
}

static void show_register(const char *what, const struct hal_register *of)
{
    static const char *const spaces[] = { "memory", "port", "PCI" };

    if (of->address)
        DbgPrintEx(KD_HAL_ID, DPFLTR_TRACE_LEVEL, "  %s %s %llx", what,
                   of->space < ARRAY_SIZE(spaces) ? spaces[of->space] : "?",
                   of->address);
}

static void show_power(void)
{
    const struct hal_machine *of = &hal_machine;

    if (!of->table_count)
        return;
    DbgPrintEx(KD_HAL_ID, DPFLTR_TRACE_LEVEL, "POWER");
    show_register("timer", &of->pm_timer);
    if (of->pm_timer.address)
        DbgPrintEx(KD_HAL_ID, DPFLTR_TRACE_LEVEL, ", %u bits",
                   of->pm_timer_bits);
    show_register("reset", &of->reset);
    if (of->can_sleep) {
        DbgPrintEx(KD_HAL_ID, DPFLTR_TRACE_LEVEL, "  S5 is %u, %u",
                   of->sleep_a, of->sleep_b);
        show_register("in", &of->control_a);
        show_register("and", &of->control_b);
    }
    DbgPrintEx(KD_HAL_ID, DPFLTR_TRACE_LEVEL, "%s\n",
               of->no_keyboard_controller ? "  no 8042" : "");
}

void hal_initialize(const LOADER_PARAMETER_BLOCK *block)
{
    struct hal_machine *to = &hal_machine;

    read_names(block);
    read_tables(block);
    if (to->reset.space == HAL_MEMORY && to->reset.address)
        to->reset_byte = MmMapIoSpace(to->reset.address, 1, MmNonCached);
    show_processors();
    show_interrupts();
    show_power();
    if (to->hpet || to->pci_configuration)
        DbgPrintEx(KD_HAL_ID, DPFLTR_TRACE_LEVEL,
                   "HPET  %llx  PCI configuration %llx\n", to->hpet,
                   to->pci_configuration);
}
