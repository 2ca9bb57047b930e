/*
 * error.c - Win32's last error, and what a status is called there.
 */
#include <ntdll.h>

#define ERROR_MR_MID_NOT_FOUND 317              /* a status without a name */

static const struct {
    NTSTATUS status;
    ULONG error;
} errors[] = {
    { STATUS_SUCCESS, 0 },
    { STATUS_DATATYPE_MISALIGNMENT, 998 },
    { STATUS_BUFFER_OVERFLOW, 234 },
    { STATUS_NO_MORE_FILES, 18 },
    { STATUS_NO_MORE_ENTRIES, 259 },
    { STATUS_UNSUCCESSFUL, 31 },
    { STATUS_NOT_IMPLEMENTED, 1 },
    { STATUS_INVALID_INFO_CLASS, 87 },
    { STATUS_INFO_LENGTH_MISMATCH, 24 },
    { STATUS_ACCESS_VIOLATION, 998 },
    { STATUS_IN_PAGE_ERROR, 999 },
    { STATUS_INVALID_HANDLE, 6 },
    { STATUS_INVALID_PARAMETER, 87 },
    { STATUS_INVALID_DEVICE_REQUEST, 1 },
    { STATUS_END_OF_FILE, 38 },
    { STATUS_NO_MEMORY, 8 },
    { STATUS_CONFLICTING_ADDRESSES, 487 },
    { STATUS_NOT_MAPPED_VIEW, 487 },
    { STATUS_UNABLE_TO_FREE_VM, 87 },
    { STATUS_INVALID_SYSTEM_SERVICE, 1 },
    { STATUS_INVALID_VIEW_SIZE, 5 },
    { STATUS_INVALID_FILE_FOR_SECTION, 193 },
    { STATUS_ALREADY_COMMITTED, 5 },
    { STATUS_ACCESS_DENIED, 5 },
    { STATUS_BUFFER_TOO_SMALL, 122 },
    { STATUS_OBJECT_TYPE_MISMATCH, 6 },
    { STATUS_INVALID_PARAMETER_MIX, 87 },
    { STATUS_OBJECT_NAME_INVALID, 123 },
    { STATUS_OBJECT_NAME_NOT_FOUND, 2 },
    { STATUS_OBJECT_NAME_COLLISION, 183 },
    { STATUS_OBJECT_PATH_INVALID, 161 },
    { STATUS_OBJECT_PATH_NOT_FOUND, 3 },
    { STATUS_OBJECT_PATH_SYNTAX_BAD, 161 },
    { STATUS_SECTION_TOO_BIG, 8 },
    { STATUS_INVALID_PAGE_PROTECTION, 87 },
    { STATUS_SECTION_PROTECTION, 87 },
    { STATUS_PRIVILEGE_NOT_HELD, 1314 },
    { STATUS_PROCEDURE_NOT_FOUND, 127 },
    { STATUS_INVALID_IMAGE_FORMAT, 193 },
    { STATUS_INSUFFICIENT_RESOURCES, 1450 },
    { STATUS_FREE_VM_NOT_AT_BASE, 487 },
    { STATUS_MEMORY_NOT_ALLOCATED, 487 },
    { STATUS_MEDIA_WRITE_PROTECTED, 19 },
    { STATUS_FILE_IS_A_DIRECTORY, 5 },
    { STATUS_NOT_SUPPORTED, 50 },
    { STATUS_INVALID_PARAMETER_1, 87 },
    { STATUS_INVALID_PARAMETER_2, 87 },
    { STATUS_INVALID_PARAMETER_3, 87 },
    { STATUS_INVALID_PARAMETER_4, 87 },
    { STATUS_INVALID_PARAMETER_5, 87 },
    { STATUS_INVALID_PARAMETER_6, 87 },
    { STATUS_NOT_A_DIRECTORY, 267 },
    { STATUS_NAME_TOO_LONG, 206 },
    { STATUS_PROCESS_IS_TERMINATING, 5 },
    { STATUS_CANNOT_DELETE, 5 },
    { STATUS_DLL_NOT_FOUND, 126 },
    { STATUS_ORDINAL_NOT_FOUND, 182 },
    { STATUS_ENTRYPOINT_NOT_FOUND, 127 },
    { STATUS_DLL_INIT_FAILED, 1114 },
};

ULONG NTAPI RtlNtStatusToDosErrorNoTeb(NTSTATUS Status)
{
    ULONG at;

    for (at = 0; at < ARRAY_SIZE(errors); at++)
        if (errors[at].status == Status)
            return errors[at].error;
    if (((ULONG)Status & 0xFFFF0000) == 0x80070000 ||   /* a wrapped error */
        ((ULONG)Status & 0xFFFF0000) == 0xC0070000)
        return Status & 0xFFFF;
    return ERROR_MR_MID_NOT_FOUND;
}

ULONG NTAPI RtlNtStatusToDosError(NTSTATUS Status)
{
    NtCurrentTeb()->LastStatusValue = Status;
    return RtlNtStatusToDosErrorNoTeb(Status);
}

ULONG NTAPI RtlGetLastWin32Error(void)
{
    return NtCurrentTeb()->LastErrorValue;
}

void NTAPI RtlSetLastWin32Error(ULONG Error)
{
    NtCurrentTeb()->LastErrorValue = Error;
}

NTSTATUS NTAPI RtlGetLastNtStatus(void)
{
    return NtCurrentTeb()->LastStatusValue;
}

ULONG NTAPI RtlSetLastWin32ErrorAndNtStatusFromNtStatus(NTSTATUS Status)
{
    ULONG error = RtlNtStatusToDosError(Status);

    RtlSetLastWin32Error(error);
    return error;
}
