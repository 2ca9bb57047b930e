/*
 * ob/close.c - room 4: the work of a service, here NtClose.
 *
 * This is where the walk of a system call arrives: room 3 has turned number
 * 0Fh into this routine's address and put the caller's argument back into
 * rcx, so NtClose is an ordinary C function.  It takes a number that means
 * something only to the calling process, finds the object behind it, and lets
 * go.  Every other service is built the same way: look at what the caller
 * says, prove it, then do what can no longer fail, and return an NTSTATUS,
 * which room 5 carries back in eax.
 */
#include "obp.h"
#include <ex.h>
#include <nt/ntapi.h>

/*
 * -1 to -6, and only these 64-bit values: the process, the thread, the
 * console session and the three tokens Windows has such handles for.
 */
#define OBP_LOWEST_PSEUDO_HANDLE (-6)

static BOOLEAN obp_is_pseudo_handle(HANDLE handle)
{
    LONG_PTR value = (LONG_PTR)handle;

    return value < 0 && value >= OBP_LOWEST_PSEUDO_HANDLE;
}

/* A process may ask for an exception besides (ProcessMitigationPolicy). */
static NTSTATUS bad_close(HANDLE handle, NTSTATUS status)
{
    const HANDLE_TABLE *table = obp_process_table(obp_current_process());

    obp_tell_bad_handle(handle, status);
    return table && (table->Flags & EX_TABLE_HANDLE_EXCEPTIONS)
               ? KeRaiseUserException(status) : status;
}

/*
 * STATUS_INVALID_HANDLE for what is no handle, STATUS_HANDLE_NOT_CLOSABLE for
 * one that NtSetInformationObject has protected.  Closing a pseudo handle does
 * nothing and succeeds, as CloseHandle is documented to.  NT: raises an
 * exception in a debugged caller, too.
 */
NTSTATUS NtClose(HANDLE handle)
{
    NTSTATUS status;

    if (obp_is_pseudo_handle(handle))
        return STATUS_SUCCESS;
    status = obp_close_handle(obp_current_process(), handle);
    return NT_SUCCESS(status) ? status : bad_close(handle, status);
}

NTSTATUS obp_close_handle(struct _EPROCESS *process, HANDLE handle)
{
    HANDLE_TABLE *table = obp_process_table(process);
    HANDLE_TABLE_ENTRY *entry;
    OBJECT_HEADER *header;
    KIRQL irql;

    entry = table == NULL ? NULL : ExMapHandleToPointer(table, handle, &irql);
    if (entry == NULL)
        return STATUS_INVALID_HANDLE;
    if (ex_entry_attributes(entry) & OBJ_PROTECT_CLOSE) {
        ExUnlockHandleTableEntry(entry, irql);
        return STATUS_HANDLE_NOT_CLOSABLE;
    }
    header = ex_entry_object(entry);
    ExDestroyHandle(table, entry, irql);
    obp_drop_handle(header);
    return STATUS_SUCCESS;
}
