/*
 * halp.h - the firmware's tables as bytes, and who reads them.
 *
 * acpi.c and smbios.c are plain C over bytes that anybody may have made: they
 * trust a length only as far as the bytes go.  tables.c finds them in the
 * machine.
 */
#pragma once

#include <hal.h>

#define ACPI_MOST (16u << 20)           /* bytes of a table */
#define SMBIOS_MOST (1u << 20)

struct acpi_header {
    CHAR signature[4];
    ULONG length;                       /* with this header */
    UCHAR revision, checksum;
    CHAR oem[6], oem_table[8];
    ULONG oem_revision, creator, creator_revision;
} __attribute__((packed));              /* a BIOS aligns nothing */

_Static_assert(sizeof(struct acpi_header) == 36, "ACPI: 5.2.6");

/* Where the list of tables is, and the size of its pointers. */
struct acpi_root {
    ULONGLONG list;
    ULONG pointer_size, revision;
};

/* FALSE: it is no RSDP, or damaged. */
BOOLEAN acpi_read_rsdp(const UCHAR *bytes, SIZE_T size,
                       struct acpi_root *root);
BOOLEAN acpi_is_sound(const struct acpi_header *table);

/* All of these take a sound table of their kind. */
ULONG acpi_table_count(const struct acpi_header *list, ULONG pointer_size);
ULONGLONG acpi_table_at(const struct acpi_header *list, ULONG pointer_size,
                        ULONG index);
void acpi_read_madt(const struct acpi_header *madt, struct hal_machine *to);
/* Returns the physical address of the DSDT, 0 for none. */
ULONGLONG acpi_read_fadt(const struct acpi_header *fadt,
                         struct hal_machine *to);
void acpi_read_hpet(const struct acpi_header *hpet, struct hal_machine *to);
void acpi_read_mcfg(const struct acpi_header *mcfg, struct hal_machine *to);
void acpi_read_dsdt(const struct acpi_header *dsdt, struct hal_machine *to);

/* Where SMBIOS's structures are, and how many bytes of them at most. */
struct smbios_table {
    ULONGLONG address;
    ULONG size;
    UCHAR major, minor;
    UCHAR dmi_revision;                 /* BCD; SMBIOS 3 has none */
};

/* FALSE: it is no entry point, or damaged. */
BOOLEAN smbios_read_entry(const UCHAR *bytes, SIZE_T size,
                          struct smbios_table *table);
/* Names, and how many bytes there are up to the end of the last structure. */
void smbios_read(const UCHAR *bytes, SIZE_T size, struct hal_machine *to);
