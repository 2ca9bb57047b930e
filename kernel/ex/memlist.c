/*
 * ex/memlist.c - NtSetSystemInformation: commands to the lists of pages.
 *
 * What a page goes through when memory is short, at the caller's wish: a
 * modified one is written to the page file, a standby one loses its memory.
 * NT: SeProfileSingleProcessPrivilege; here there are no users.
 */
#include "exp.h"

static NTSTATUS carry_out(ULONG command)
{
    switch (command) {
    case MemoryFlushModifiedList:
        mm_flush_modified_list();
        return STATUS_SUCCESS;
    case MemoryPurgeStandbyList:
        mm_purge_standby_list();
        return STATUS_SUCCESS;
    default:
        return command < MemoryCommandMax ? STATUS_NOT_SUPPORTED
                                          : STATUS_INVALID_PARAMETER;
    }
}

NTSTATUS NtSetSystemInformation(ULONG SystemInformationClass,
                                const void *SystemInformation,
                                ULONG SystemInformationLength)
{
    ULONG command;
    NTSTATUS status = mm_probe_for_read(SystemInformation,
                                        SystemInformationLength,
                                        sizeof(ULONG));

    if (!NT_SUCCESS(status))
        return status;
    if (SystemInformationClass != SystemMemoryListInformation)
        return STATUS_INVALID_INFO_CLASS;
    if (SystemInformationLength != sizeof(command))
        return STATUS_INFO_LENGTH_MISMATCH;
    status = mm_copy_from_user(&command, SystemInformation, sizeof(command));
    return NT_SUCCESS(status) ? carry_out(command) : status;
}
