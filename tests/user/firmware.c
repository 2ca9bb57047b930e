/*
 * firmware.c - SystemFirmwareTableInformation: SMBIOS's structures by their
 * provider, for 64-bit and 32-bit code alike.
 *
 * Statuses and lengths are those of Wine's test, which Windows passes.  On a
 * machine without SMBIOS there is no such provider.
 */
#include "test.h"

#define QUESTION offsetof(SYSTEM_FIRMWARE_TABLE_INFORMATION, TableBuffer)
#define DATA offsetof(struct RawSMBIOSData, SMBIOSTableData)
#define MOST 0x4000
#define UNTOUCHED 0xCC
#define SYSTEM 1                        /* a structure's type */
#define ACPI 0x41435049u                /* other providers of Windows */
#define FIRM 0x4649524Du
#define KERNEL ((void *)(LONG_PTR)-0x10000)

static union {
    SYSTEM_FIRMWARE_TABLE_INFORMATION table;
    UCHAR bytes[MOST];
} buffer;
static ULONG needed;                    /* with the question */

static void put_question(void *to, ULONG provider, ULONG action)
{
    const SYSTEM_FIRMWARE_TABLE_INFORMATION question = {
        .ProviderSignature = provider, .Action = action };

    memcpy(to, &question, QUESTION);
}

static NTSTATUS query(void *to, ULONG length, ULONG *returned)
{
    return NtQuerySystemInformation(SystemFirmwareTableInformation, to, length,
                                    returned);
}

static NTSTATUS ask(ULONG provider, ULONG action, ULONG length,
                    ULONG *returned)
{
    memset(&buffer, UNTOUCHED, sizeof buffer);
    put_question(&buffer, provider, action);
    *returned = 0x1234;
    return query(&buffer, length, returned);
}

static BOOLEAN untouched_from(ULONG at)
{
    while (at < sizeof buffer && buffer.bytes[at] == UNTOUCHED)
        at++;
    return at == sizeof buffer;
}

static void check_refused(ULONG provider, ULONG action)
{
    ULONG returned;

    CHECK_STATUS(ask(provider, action, sizeof buffer, &returned),
                 STATUS_NOT_IMPLEMENTED);
    CHECK(returned == 0 && untouched_from(QUESTION));
}

static void check_refusals(void)
{
    ULONG returned;

    for (ULONG length = 0; length < QUESTION; length++) {
        CHECK_STATUS(ask(FIRMWARE_TABLE_RSMB, SystemFirmwareTable_Get, length,
                         &returned), STATUS_INFO_LENGTH_MISMATCH);
        CHECK(returned == QUESTION && untouched_from(QUESTION));
    }
    check_refused(0, SystemFirmwareTable_Enumerate);
    check_refused(ACPI, SystemFirmwareTable_Enumerate);
    check_refused(FIRM, SystemFirmwareTable_Get);
    check_refused(FIRMWARE_TABLE_RSMB, SystemFirmwareTable_Get + 1);
    check_refused(FIRMWARE_TABLE_RSMB, ~0u);
}

/* Every length that is too short, then one that suffices, and a longer one. */
static void check_lengths(ULONG action)
{
    ULONG returned;

    for (ULONG length = QUESTION; length < needed; length++) {
        CHECK_STATUS(ask(FIRMWARE_TABLE_RSMB, action, length, &returned),
                     STATUS_BUFFER_TOO_SMALL);
        CHECK(returned == needed && untouched_from(QUESTION) &&
              buffer.table.TableBufferLength == needed - QUESTION);
    }
    for (ULONG more = 0; more < 2; more++) {
        CHECK_STATUS(ask(FIRMWARE_TABLE_RSMB, action, needed + more,
                         &returned), STATUS_SUCCESS);
        CHECK(returned == needed && untouched_from(needed) &&
              buffer.table.TableBufferLength == needed - QUESTION);
    }
    put_question(&buffer, FIRMWARE_TABLE_RSMB, action);
    CHECK_STATUS(query(&buffer, needed, NULL), STATUS_SUCCESS);
}

static void check_list(void)
{
    ULONG id;

    needed = QUESTION + sizeof id;
    check_lengths(SystemFirmwareTable_Enumerate);
    memcpy(&id, buffer.table.TableBuffer, sizeof id);
    CHECK(id == 0);
}

/* The end of the structure at bytes: a header, and strings up to two zeroes. */
static const UCHAR *end_of(const UCHAR *bytes, const UCHAR *end)
{
    for (bytes += bytes[1]; bytes + 1 < end; bytes++) {
        if (!bytes[0] && !bytes[1])
            return bytes + 2;
    }
    return NULL;
}

static void check_table(void)
{
    const struct RawSMBIOSData *data = (const void *)buffer.table.TableBuffer;
    const UCHAR *at = data->SMBIOSTableData, *end;
    ULONG systems = 0;

    check_lengths(SystemFirmwareTable_Get);
    CHECK(DATA + data->Length == buffer.table.TableBufferLength);
    CHECK(data->SMBIOSMajorVersion >= 2 && !data->Used20CallingMethod);
    for (end = at + data->Length; at && at < end; at = end_of(at, end))
        systems += *at == SYSTEM;
    CHECK(at == end && systems == 1);
    print("SMBIOS %u.%u, %u bytes\n", data->SMBIOSMajorVersion,
          data->SMBIOSMinorVersion, data->Length);
}

static void check_places(void)
{
    UCHAR *pages = test_pages(2);
    UCHAR *last = pages + PAGE_SIZE - QUESTION;

    test_protect(pages + PAGE_SIZE, 1, PAGE_NOACCESS);
    put_question(last, FIRMWARE_TABLE_RSMB, SystemFirmwareTable_Get);
    CHECK_STATUS(query(last, QUESTION, NULL), needed
                 ? STATUS_BUFFER_TOO_SMALL : STATUS_NOT_IMPLEMENTED);
    CHECK_STATUS(query(last, MOST, NULL), STATUS_ACCESS_VIOLATION);
    CHECK_STATUS(query(last + 1, QUESTION, NULL), STATUS_DATATYPE_MISALIGNMENT);
    CHECK_STATUS(query(NULL, QUESTION, NULL), STATUS_ACCESS_VIOLATION);
    CHECK_STATUS(query(KERNEL, QUESTION, NULL), STATUS_ACCESS_VIOLATION);
    CHECK_STATUS(query(last, QUESTION, KERNEL), STATUS_ACCESS_VIOLATION);
    test_protect(pages, 1, PAGE_READONLY);
    CHECK_STATUS(query(last, QUESTION, NULL), STATUS_ACCESS_VIOLATION);
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    NTSTATUS status = ask(FIRMWARE_TABLE_RSMB, SystemFirmwareTable_Get,
                          QUESTION, &needed);

    (void)peb;
    if (status == STATUS_NOT_IMPLEMENTED)
        print("no SMBIOS\n");
    else
        CHECK_STATUS(status, STATUS_BUFFER_TOO_SMALL);
    check_refusals();
    check_places();
    if (needed) {
        CHECK(needed > QUESTION + DATA && needed <= MOST);
        check_table();
        check_list();
    }
    return test_end();
}
