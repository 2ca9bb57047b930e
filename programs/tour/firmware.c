/*
 * firmware.c - names of the machine, from SMBIOS (3.4): the firmware's table,
 * which NtQuerySystemInformation gives to everybody.
 *
 * A structure is a header, fields, and behind them its strings, each ended by
 * a zero and all of them by another. A field names a string by its number.
 */
#include "tour.h"

#define HEAP NtCurrentPeb()->ProcessHeap

enum { FIRMWARE = 0, SYSTEM = 1 };              /* types of structures */
enum { VENDOR = 4, VERSION = 5, DATE = 8 };     /* fields */
enum { MAKER = 4, PRODUCT = 5 };
enum { TYPE = 0, LENGTH = 1, HEADER = 4 };      /* of every structure */

static void copy_string(const UCHAR *structure, const UCHAR *end, ULONG field,
                        char to[MACHINE_NAME])
{
    ULONG number = field < structure[LENGTH] ? structure[field] : 0, at = 0;
    const UCHAR *string = structure + structure[LENGTH];

    if (!number)
        return;
    for (; --number && string < end; string++)
        while (string < end && *string)
            string++;
    while (string < end && *string == ' ')
        string++;
    for (; string < end && *string && at < MACHINE_NAME - 1; string++)
        to[at++] = *string >= ' ' && *string < 0x7F ? *string : '?';
    while (at && to[at - 1] == ' ')
        at--;
    to[at] = 0;
}

static const UCHAR *end_of(const UCHAR *structure, const UCHAR *end)
{
    const UCHAR *at = structure + structure[LENGTH];

    while (at + 2 < end && (at[0] || at[1]))
        at++;
    return at + 2;
}

static void read_names(const struct RawSMBIOSData *data,
                       struct machine_names *names)
{
    const UCHAR *at = data->SMBIOSTableData, *end = at + data->Length;

    for (; at + HEADER < end; at = end_of(at, end)) {
        if (at[TYPE] == FIRMWARE) {
            copy_string(at, end, VENDOR, names->vendor);
            copy_string(at, end, VERSION, names->version);
            copy_string(at, end, DATE, names->date);
        } else if (at[TYPE] == SYSTEM) {
            copy_string(at, end, MAKER, names->maker);
            copy_string(at, end, PRODUCT, names->product);
        }
    }
}

static NTSTATUS query(SYSTEM_FIRMWARE_TABLE_INFORMATION *table, ULONG length,
                      ULONG *needed)
{
    table->ProviderSignature = FIRMWARE_TABLE_RSMB;
    table->Action = SystemFirmwareTable_Get;
    table->TableID = 0;
    return NtQuerySystemInformation(SystemFirmwareTableInformation, table,
                                    length, needed);
}

void firmware_names(struct machine_names *names)
{
    SYSTEM_FIRMWARE_TABLE_INFORMATION question, *table;
    ULONG length = offsetof(SYSTEM_FIRMWARE_TABLE_INFORMATION, TableBuffer);
    NTSTATUS status = query(&question, length, &length);

    memset(names, 0, sizeof *names);
    check(status == STATUS_BUFFER_TOO_SMALL ||
          status == STATUS_NOT_IMPLEMENTED,
          "the firmware's names have a size, or there are none");
    if (status != STATUS_BUFFER_TOO_SMALL)
        return;
    table = RtlAllocateHeap(HEAP, 0, length);
    if (!table)
        return;
    status = query(table, length, &length);
    check(status == STATUS_SUCCESS, "the firmware's names can be had");
    if (status == STATUS_SUCCESS)
        read_names((const void *)table->TableBuffer, names);
    RtlFreeHeap(HEAP, 0, table);
}
