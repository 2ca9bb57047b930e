/*
 * boot/efi/acpi.c - ACPI's root pointer and SMBIOS's entry point, from the
 * firmware's list of tables.
 */
#include "efiload.h"

#define OLD_SIZE 20                     /* ACPI 1.0's */

void copy_tables(LOADER_PARAMETER_BLOCK *block)
{
    static EFI_GUID rsdp = ACPI_20_TABLE_GUID;
    void *found;

    if (!EFI_ERROR(LibGetSystemConfigurationTable(&rsdp, &found)))
        block->acpi_rsdp_size = LOADER_RSDP_SIZE;
    else if (!EFI_ERROR(LibGetSystemConfigurationTable(&AcpiTableGuid,
                                                       &found)))
        block->acpi_rsdp_size = OLD_SIZE;
    CopyMem(block->acpi_rsdp, found, block->acpi_rsdp_size);
    if (!EFI_ERROR(LibGetSystemConfigurationTable(&SMBIOS3TableGuid,
                                                  &found)) ||
        !EFI_ERROR(LibGetSystemConfigurationTable(&SMBIOSTableGuid, &found)))
        CopyMem(block->smbios, found, LOADER_SMBIOS_SIZE);
}
