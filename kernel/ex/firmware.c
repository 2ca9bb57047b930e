/*
 * ex/firmware.c - SystemFirmwareTableInformation: what SMBIOS says.
 *
 * The one class whose buffer is read: a question stands there, a provider and
 * what is wanted of it, and the answer comes behind it.
 *
 * NT: providers are drivers, for ACPI's tables and a BIOS's memory, too.  Here
 * is the one for SMBIOS, on machines that have that; asked for another, NT
 * says the same as we do.
 */
#include "exp.h"

#include <hal.h>

#define QUESTION offsetof(SYSTEM_FIRMWARE_TABLE_INFORMATION, TableBuffer)

/* Two parts, one behind the other. */
struct exp_table {
    struct {
        const void *bytes;
        ULONG size;
    } head, rest;
};

/* room: bytes of TableBuffer. */
static NTSTATUS exp_give_table(const struct exp_table *table,
                               SYSTEM_FIRMWARE_TABLE_INFORMATION *to,
                               ULONG room, ULONG *returned)
{
    ULONG size = table->head.size + table->rest.size;
    NTSTATUS status = mm_copy_to_user(&to->TableBufferLength, &size,
                                      sizeof(size));

    *returned = QUESTION + size;
    if (NT_SUCCESS(status) && room < size)
        status = STATUS_BUFFER_TOO_SMALL;
    if (NT_SUCCESS(status))
        status = mm_copy_to_user(to->TableBuffer, table->head.bytes,
                                 table->head.size);
    if (NT_SUCCESS(status))
        status = mm_copy_to_user(to->TableBuffer + table->head.size,
                                 table->rest.bytes, table->rest.size);
    return status;
}

/* SMBIOS was found in memory: no call of the firmware's (2.0) was needed. */
static NTSTATUS exp_ask_smbios(ULONG action,
                               SYSTEM_FIRMWARE_TABLE_INFORMATION *to,
                               ULONG room, ULONG *returned)
{
    const struct RawSMBIOSData data = {
        .SMBIOSMajorVersion = hal_machine.smbios_major,
        .SMBIOSMinorVersion = hal_machine.smbios_minor,
        .DmiRevision = hal_machine.dmi_revision,
        .Length = hal_machine.smbios_size,
    };
    const struct exp_table whole = {
        { &data, sizeof(data) }, { hal_machine.smbios, data.Length }
    };
    const ULONG id = 0;
    const struct exp_table list = { .head = { &id, sizeof(id) } };

    switch (action) {
    case SystemFirmwareTable_Enumerate:
        return exp_give_table(&list, to, room, returned);
    case SystemFirmwareTable_Get:
        return exp_give_table(&whole, to, room, returned);
    default:
        return STATUS_NOT_IMPLEMENTED;
    }
}

/* *returned: 0 where there is no answer. */
NTSTATUS exp_query_firmware(void *user, ULONG length, ULONG *returned)
{
    SYSTEM_FIRMWARE_TABLE_INFORMATION question;
    NTSTATUS status;

    *returned = QUESTION;
    if (length < QUESTION)
        return STATUS_INFO_LENGTH_MISMATCH;
    *returned = 0;
    status = mm_copy_from_user(&question, user, QUESTION);
    if (!NT_SUCCESS(status))
        return status;
    if (question.ProviderSignature != FIRMWARE_TABLE_RSMB ||
        !hal_machine.smbios_size)
        return STATUS_NOT_IMPLEMENTED;
    return exp_ask_smbios(question.Action, user, length - QUESTION, returned);
}
