/*
 * wow64/object.c - NtQueryObject, NtQueryDirectoryObject and
 * NtWaitForMultipleObjects for 32-bit code.
 *
 * Where Ob can write 32-bit strings itself, it does.  A type's structure is
 * another one in 32 bits: the service answers into the translation area, and
 * structure and text go to the caller one by one.
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

/*
 * The name of a type, which the service has put behind its structure in the
 * area, to where it goes.  Other threads can write there: lengths are checked.
 */
static NTSTATUS move_name(const UNICODE_STRING *from, ULONG to,
                          UNICODE_STRING32 *string)
{
    WCHAR text[64];
    NTSTATUS status;

    if (from->MaximumLength > sizeof text)
        return STATUS_NAME_TOO_LONG;
    status = mm_copy_from_user(text, (OBJECT_TYPE_INFORMATION *)AREA + 1,
                               from->MaximumLength);
    string->Length = from->Length;
    string->MaximumLength = from->MaximumLength;
    string->Buffer = to;
    return NT_SUCCESS(status)
               ? mm_copy_to_user((void *)(ULONG_PTR)to, text,
                                 from->MaximumLength)
               : status;
}

static NTSTATUS query_type(HANDLE handle, ULONG buffer, ULONG length,
                           ULONG *needed)
{
    OBJECT_TYPE_INFORMATION from;
    OBJECT_TYPE_INFORMATION32 to = { 0 };
    NTSTATUS status = NtQueryObject(handle, ObjectTypeInformation, AREA,
                                    AREA_SIZE, NULL);

    if (NT_SUCCESS(status))
        status = mm_copy_from_user(&from, AREA, sizeof from);
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
    status = move_name(&from.TypeName, buffer + sizeof to, &to.TypeName);
    return NT_SUCCESS(status)
               ? mm_copy_to_user((void *)(ULONG_PTR)buffer, &to, sizeof to)
               : status;
}

/* Basic information and handle flags have no pointers. */
NTSTATUS wow64_NtQueryObject(HANDLE handle, ULONG class, ULONG_PTR buffer,
                             ULONG length, ULONG *return_length)
{
    ULONG needed = 0;
    NTSTATUS status;

    if (class != ObjectTypeInformation)
        return ob_query_object(handle, class, (void *)buffer, length,
                               return_length, TRUE);
    status = mm_probe_for_write((void *)buffer, length, sizeof(ULONG));
    if (NT_SUCCESS(status) && return_length != NULL)
        status = mm_probe_for_write(return_length, sizeof *return_length,
                                    sizeof(ULONG));
    if (NT_SUCCESS(status))
        status = query_type(handle, (ULONG)buffer, length, &needed);
    if (return_length != NULL && needed != 0 &&
        !NT_SUCCESS(mm_copy_to_user(return_length, &needed, sizeof needed)))
        return STATUS_ACCESS_VIOLATION;
    return status;
}
