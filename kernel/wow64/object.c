/*
 * wow64/object.c - NtQueryObject, NtQueryDirectoryObject and
 * NtWaitForMultipleObjects for 32-bit code.
 *
 * Answers with a text behind them have it elsewhere in 32 bits: the service
 * answers into pool-sized room of the translation area, and structure and
 * text go to the caller one by one.
 */
#include "wow64p.h"

#include <nt/ntapi.h>
#include <ob.h>

#define AREA ((void *)wow64p_thunk_area())
#define AREA_SIZE PAGE_SIZE

/* ---- Waiting ---- */

/* A bad number or type: the service looks at no handle. */
NTSTATUS wow64_NtWaitForMultipleObjects(ULONG count, ULONG_PTR handles,
                                        ULONG type, BOOLEAN alertable,
                                        LARGE_INTEGER *timeout)
{
    ULONG from[MAXIMUM_WAIT_OBJECTS];
    HANDLE to[MAXIMUM_WAIT_OBJECTS];
    HANDLE *area = AREA;
    NTSTATUS status;

    if (count == 0 || count > MAXIMUM_WAIT_OBJECTS || type > WaitAny)
        return NtWaitForMultipleObjects(count, area, type, alertable,
                                        timeout);
    status = mm_probe_for_read((void *)handles, count * sizeof from[0],
                               sizeof(ULONG));
    if (NT_SUCCESS(status))
        status = mm_copy_from_user(from, (void *)handles,
                                   count * sizeof from[0]);
    if (!NT_SUCCESS(status))
        return status;
    for (ULONG i = 0; i < count; i++)
        to[i] = (HANDLE)(LONG_PTR)(LONG)from[i];
    status = mm_copy_to_user(area, to, count * sizeof to[0]);
    return NT_SUCCESS(status)
               ? NtWaitForMultipleObjects(count, area, type, alertable,
                                          timeout)
               : status;
}

/* ---- Directories ---- */

NTSTATUS wow64_NtQueryDirectoryObject(HANDLE handle, ULONG_PTR buffer,
                                      ULONG length, BOOLEAN single,
                                      BOOLEAN restart, ULONG *context,
                                      ULONG *return_length)
{
    return ob_query_directory(handle, (void *)buffer, length, single, restart,
                              context, return_length, TRUE);
}

/* ---- Objects ---- */

/* A text that the service has put into the area, to where it goes. */
static NTSTATUS move_text(const UNICODE_STRING *from, ULONG to,
                          UNICODE_STRING32 *string)
{
    WCHAR text[AREA_SIZE / 4];
    NTSTATUS status;

    string->Length = from->Length;
    string->MaximumLength = from->MaximumLength;
    string->Buffer = from->Length != 0 ? to : 0;
    if (from->Length == 0)
        return STATUS_SUCCESS;
    if (from->MaximumLength > sizeof text)
        return STATUS_NAME_TOO_LONG;
    status = mm_copy_from_user(text, from->Buffer, from->MaximumLength);
    return NT_SUCCESS(status)
               ? mm_copy_to_user((void *)(ULONG_PTR)to, text,
                                 from->MaximumLength)
               : status;
}

static NTSTATUS query_name(ULONG buffer, ULONG length, ULONG *needed)
{
    OBJECT_NAME_INFORMATION from;
    UNICODE_STRING32 to;
    NTSTATUS status = mm_copy_from_user(&from, AREA, sizeof from);

    if (!NT_SUCCESS(status))
        return status;
    *needed = sizeof to + from.Name.MaximumLength;
    if (length < sizeof to)
        return STATUS_INFO_LENGTH_MISMATCH;
    if (length < *needed)
        return STATUS_BUFFER_OVERFLOW;
    status = move_text(&from.Name, buffer + sizeof to, &to);
    return NT_SUCCESS(status)
               ? mm_copy_to_user((void *)(ULONG_PTR)buffer, &to, sizeof to)
               : status;
}

static NTSTATUS query_type(ULONG buffer, ULONG length, ULONG *needed)
{
    OBJECT_TYPE_INFORMATION from;
    OBJECT_TYPE_INFORMATION32 to = { 0 };
    NTSTATUS status = mm_copy_from_user(&from, AREA, sizeof from);

    if (!NT_SUCCESS(status))
        return status;
    *needed = sizeof to + ALIGN_UP(from.TypeName.MaximumLength,
                                   sizeof(ULONG));
    if (length < *needed)
        return STATUS_INFO_LENGTH_MISMATCH;
    to.TotalNumberOfObjects = from.TotalNumberOfObjects;
    to.TotalNumberOfHandles = from.TotalNumberOfHandles;
    to.HighWaterNumberOfObjects = from.HighWaterNumberOfObjects;
    to.HighWaterNumberOfHandles = from.HighWaterNumberOfHandles;
    to.InvalidAttributes = from.InvalidAttributes;
    memcpy(to.GenericMapping, &from.GenericMapping, sizeof to.GenericMapping);
    to.ValidAccessMask = from.ValidAccessMask;
    status = move_text(&from.TypeName, buffer + sizeof to, &to.TypeName);
    return NT_SUCCESS(status)
               ? mm_copy_to_user((void *)(ULONG_PTR)buffer, &to, sizeof to)
               : status;
}

static NTSTATUS query_text(HANDLE handle, ULONG class, ULONG buffer,
                           ULONG length, ULONG *needed)
{
    NTSTATUS status = mm_probe_for_write((void *)(ULONG_PTR)buffer, length,
                                         sizeof(ULONG));

    if (NT_SUCCESS(status))
        status = NtQueryObject(handle, class, AREA, AREA_SIZE, NULL);
    if (!NT_SUCCESS(status))
        return status;
    return class == ObjectNameInformation
               ? query_name(buffer, length, needed)
               : query_type(buffer, length, needed);
}

/* Basic information and handle flags have no pointers. */
NTSTATUS wow64_NtQueryObject(HANDLE handle, ULONG class, ULONG_PTR buffer,
                             ULONG length, ULONG *return_length)
{
    ULONG needed = 0;
    NTSTATUS status = STATUS_SUCCESS;

    if (class != ObjectNameInformation && class != ObjectTypeInformation)
        return NtQueryObject(handle, class, (void *)buffer, length,
                             return_length);
    if (return_length != NULL)
        status = mm_probe_for_write(return_length, sizeof *return_length,
                                    sizeof(ULONG));
    if (NT_SUCCESS(status))
        status = query_text(handle, class, (ULONG)buffer, length, &needed);
    if (return_length != NULL && needed != 0 &&
        !NT_SUCCESS(mm_copy_to_user(return_length, &needed, sizeof needed)))
        return STATUS_ACCESS_VIOLATION;
    return status;
}
