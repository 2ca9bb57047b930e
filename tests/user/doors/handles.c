/*
 * doors/handles.c - directories, handles and waiting, by the door that is
 * chosen.
 */
#include "doors.h"

#define HERE L"\\BaseNamedObjects\\by door"

static OBJECT_ATTRIBUTES *named(const WCHAR *name)
{
    static UNICODE_STRING string;
    static OBJECT_ATTRIBUTES attributes = { .Length = sizeof attributes,
                                            .ObjectName = &string };

    RtlInitUnicodeString(&string, name);
    return &attributes;
}

void by_door_directory(void)
{
    HANDLE directory = NULL, again = NULL;
    OBJECT_DIRECTORY_INFORMATION one[4];
    ULONG context = 7, length = 0;

    EXPECT(STATUS_SUCCESS, NtCreateDirectoryObject, &directory,
           DIRECTORY_ALL_ACCESS, named(HERE));
    EXPECT(STATUS_SUCCESS, NtOpenDirectoryObject, &again, DIRECTORY_QUERY,
           named(HERE));
    EXPECT(STATUS_NO_MORE_ENTRIES, NtQueryDirectoryObject, again, one,
           (ULONG)sizeof one, TRUE, TRUE, &context, &length);
    NtClose(again);
    EXPECT(STATUS_SUCCESS, NtOpenDirectoryObject, &again, DIRECTORY_QUERY,
           named(L"\\"));
    EXPECT(STATUS_SUCCESS, NtQueryDirectoryObject, again, one,
           (ULONG)sizeof one, TRUE, TRUE, &context, &length);
    CHECK(context == 1 && length > 2 * sizeof one[0]);
    NtClose(again);
    NtClose(directory);
}

void by_door_duplicate(void)
{
    OBJECT_HANDLE_FLAG_INFORMATION flags = { TRUE, FALSE };
    HANDLE again = NULL;
    ULONG length = 0;

    EXPECT(STATUS_SUCCESS, NtDuplicateObject, NtCurrentProcess(),
           NtCurrentThread(), NtCurrentProcess(), &again, 0, 0,
           DUPLICATE_SAME_ACCESS);
    EXPECT(STATUS_SUCCESS, NtSetInformationObject, again,
           ObjectHandleFlagInformation, &flags, (ULONG)sizeof flags);
    flags = (OBJECT_HANDLE_FLAG_INFORMATION){ FALSE, TRUE };
    EXPECT(STATUS_SUCCESS, NtQueryObject, again, ObjectHandleFlagInformation,
           &flags, (ULONG)sizeof flags, &length);
    CHECK(flags.Inherit && !flags.ProtectFromClose && length == sizeof flags);
    EXPECT(STATUS_SUCCESS, NtDuplicateObject, NtCurrentProcess(), again, NULL,
           NULL, 0, 0, DUPLICATE_CLOSE_SOURCE);
    EXPECT(STATUS_INVALID_HANDLE, NtQueryObject, again,
           ObjectHandleFlagInformation, &flags, (ULONG)sizeof flags, &length);
}

void by_door_wait(void)
{
    LARGE_INTEGER now = { .QuadPart = 0 };
    HANDLE events[2];

    for (ULONG i = 0; i < 2; i++)
        NtCreateEvent(&events[i], EVENT_ALL_ACCESS, NULL,
                      SynchronizationEvent, i == 1);
    EXPECT(STATUS_TIMEOUT, NtWaitForSingleObject, events[0], FALSE, &now);
    EXPECT(STATUS_WAIT_0 + 1, NtWaitForMultipleObjects, 2, events, 1, FALSE,
           &now);
    EXPECT(STATUS_TIMEOUT, NtWaitForMultipleObjects, 2, events, 0, FALSE,
           &now);
    EXPECT(STATUS_TIMEOUT, NtSignalAndWaitForSingleObject, events[0],
           events[1], FALSE, &now);
    EXPECT(STATUS_WAIT_0, NtWaitForSingleObject, events[0], FALSE, NULL);
    EXPECT(STATUS_WAIT_0, NtSignalAndWaitForSingleObject, events[0],
           events[0], FALSE, NULL);
    for (ULONG i = 0; i < 2; i++)
        NtClose(events[i]);
}
