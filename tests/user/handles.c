/*
 * handles.c - handles of this process and of others: the list of all, handles
 * put into another process, inherited, and kept from it.
 *
 * A child is this program with a word: it waits for a handle whose value is
 * told in the command line, or tries something, and ends with what it found.
 */
#include "test.h"

#define IMAGE L"\\SystemRoot\\System32\\handles.exe"
#define EXCLUSIVE L"\\BaseNamedObjects\\only mine"
#define ROOM 0x20000
#define WAIT_FOR ((HANDLE)0x40)         /* beyond the handles it starts with */

static RTL_USER_PROCESS_INFORMATION child;

static OBJECT_ATTRIBUTES *named(const WCHAR *name, ULONG flags)
{
    static UNICODE_STRING string;
    static OBJECT_ATTRIBUTES attributes;

    RtlInitUnicodeString(&string, name);
    attributes = (OBJECT_ATTRIBUTES){ .Length = sizeof attributes,
                                      .ObjectName = name ? &string : NULL,
                                      .Attributes = flags };
    return &attributes;
}

static HANDLE make_event(ACCESS_MASK access, ULONG flags)
{
    HANDLE event = NULL;

    CHECK_STATUS(NtCreateEvent(&event, access, named(NULL, flags),
                               SynchronizationEvent, FALSE), STATUS_SUCCESS);
    return event;
}

/* ---- The child ---- */

static HANDLE value(const char *digits)
{
    ULONG_PTR result = 0;

    while (*digits >= '0' && *digits <= '9')
        result = result * 10 + (ULONG)(*digits++ - '0');
    return (HANDLE)result;
}

static NTSTATUS as_child(const char *words)
{
    HANDLE handle;

    switch (words[0]) {
    case 'w':                           /* wait */
        return NtWaitForSingleObject(value(words + 2), FALSE, NULL);
    case 's':                           /* set */
        return NtSetEvent(value(words + 2), NULL);
    case 'o':                           /* open */
        return NtOpenEvent(&handle, SYNCHRONIZE, named(EXCLUSIVE, 0));
    default:
        return STATUS_UNSUCCESSFUL;
    }
}

/* It does not run yet. */
static BOOLEAN start(const char *word, HANDLE handle, BOOLEAN inherit)
{
    RTL_USER_PROCESS_PARAMETERS *block = NULL;
    UNICODE_STRING image, line;
    WCHAR text[40];
    char bytes[40];
    ULONG length;

    _snprintf(bytes, sizeof bytes, "handles.exe %s %u", word,
             (ULONG)(ULONG_PTR)handle);
    for (length = 0; bytes[length] != 0; length++)
        text[length] = (UCHAR)bytes[length];
    text[length] = 0;
    RtlInitUnicodeString(&image, IMAGE);
    RtlInitUnicodeString(&line, text);
    CHECK_STATUS(RtlCreateProcessParametersEx(&block, &image, NULL, NULL,
                                              &line, NULL, NULL, NULL, NULL,
                                              NULL, 0), STATUS_SUCCESS);
    return CHECK_STATUS(RtlCreateUserProcess(&image, 0, block, NULL, NULL,
                                             NULL, inherit, NULL, NULL,
                                             &child), STATUS_SUCCESS);
}

static void go_on(void)
{
    CHECK_STATUS(NtResumeThread(child.ThreadHandle, NULL), STATUS_SUCCESS);
}

static void end(NTSTATUS expected)
{
    PROCESS_BASIC_INFORMATION basic = { .ExitStatus = -1 };

    CHECK_STATUS(NtWaitForSingleObject(child.ProcessHandle, FALSE, NULL),
                 STATUS_WAIT_0);
    CHECK_STATUS(NtQueryInformationProcess(child.ProcessHandle,
                                           ProcessBasicInformation, &basic,
                                           sizeof basic, NULL),
                 STATUS_SUCCESS);
    CHECK_STATUS(basic.ExitStatus, expected);
    NtClose(child.ThreadHandle);
    NtClose(child.ProcessHandle);
}

/* ---- The list ---- */

static void *query(ULONG class)
{
    static UCHAR room[ROOM] __attribute__((aligned(16)));
    ULONG length = 0, needed = 0;

    CHECK_STATUS(NtQuerySystemInformation(class, room, 0, &needed),
                 STATUS_INFO_LENGTH_MISMATCH);
    CHECK_STATUS(NtQuerySystemInformation(class, room, needed - 1, &length),
                 STATUS_INFO_LENGTH_MISMATCH);
    CHECK(length == needed);
    CHECK_STATUS(NtQuerySystemInformation(class, room, needed, &length),
                 STATUS_SUCCESS);
    CHECK(length == needed);
    return room;
}

static SYSTEM_HANDLE_TABLE_ENTRY_INFO_EX find(HANDLE process, HANDLE handle)
{
    const SYSTEM_HANDLE_INFORMATION_EX *all =
        query(SystemExtendedHandleInformation);
    SYSTEM_HANDLE_TABLE_ENTRY_INFO_EX found = { .Object = NULL };
    ULONG count = 0;

    for (ULONG_PTR i = 0; i < all->NumberOfHandles; i++) {
        if (all->Handles[i].UniqueProcessId == (ULONG_PTR)process &&
            (handle == NULL ||
             all->Handles[i].HandleValue == (ULONG_PTR)handle)) {
            found = all->Handles[i];
            count++;
        }
    }
    CHECK(count <= 1 || handle == NULL);
    return found;
}

static void check_short_form(const SYSTEM_HANDLE_TABLE_ENTRY_INFO_EX *as)
{
    const SYSTEM_HANDLE_INFORMATION *all = query(SystemHandleInformation);
    ULONG count = 0;

    for (ULONG i = 0; i < all->NumberOfHandles; i++) {
        const SYSTEM_HANDLE_TABLE_ENTRY_INFO *entry = &all->Handles[i];

        if (entry->UniqueProcessId != (USHORT)as->UniqueProcessId ||
            entry->HandleValue != (USHORT)as->HandleValue)
            continue;
        count++;
        CHECK(entry->Object == as->Object);
        CHECK(entry->GrantedAccess == as->GrantedAccess);
        CHECK(entry->ObjectTypeIndex == as->ObjectTypeIndex);
        CHECK(entry->HandleAttributes == as->HandleAttributes);
        CHECK(entry->CreatorBackTraceIndex == 0);
    }
    CHECK(count == 1);
}

static void check_list(void)
{
    HANDLE self = NtCurrentTeb()->ClientId.UniqueProcess;
    HANDLE event = make_event(SYNCHRONIZE | EVENT_QUERY_STATE, OBJ_INHERIT);
    HANDLE other = make_event(EVENT_ALL_ACCESS, 0), again = NULL;
    UCHAR type[0x100] __attribute__((aligned(8)));
    SYSTEM_HANDLE_TABLE_ENTRY_INFO_EX entry = find(self, event);

    CHECK_STATUS(NtDuplicateObject(NtCurrentProcess(), event,
                                   NtCurrentProcess(), &again, 0, 0,
                                   DUPLICATE_SAME_ACCESS), STATUS_SUCCESS);
    CHECK_STATUS(NtQueryObject(event, ObjectTypeInformation, type,
                               sizeof type, NULL), STATUS_SUCCESS);
    CHECK((LONG_PTR)entry.Object < 0);
    CHECK(entry.GrantedAccess == (SYNCHRONIZE | EVENT_QUERY_STATE));
    CHECK(entry.HandleAttributes == OBJ_INHERIT);
    CHECK(entry.ObjectTypeIndex ==
          ((OBJECT_TYPE_INFORMATION *)type)->TypeIndex);
    check_short_form(&entry);
    CHECK(find(self, again).Object == entry.Object);
    CHECK(find(self, again).HandleAttributes == 0);
    CHECK(find(self, other).Object != entry.Object);
    NtClose(again);
    CHECK(find(self, again).Object == NULL);
    NtClose(event);
    NtClose(other);
}

/* ---- Two processes ---- */

/* A handle of ours becomes the child's, which waits with it. */
static void check_duplicate(void)
{
    HANDLE event = make_event(EVENT_ALL_ACCESS, 0), theirs = NULL, back;
    HANDLE second = NULL;
    SYSTEM_HANDLE_TABLE_ENTRY_INFO_EX entry;

    if (!start("w", WAIT_FOR, FALSE))
        return;
    while (theirs < WAIT_FOR &&
           CHECK_STATUS(NtDuplicateObject(NtCurrentProcess(), event,
                                          child.ProcessHandle, &theirs,
                                          SYNCHRONIZE, 0, 0), STATUS_SUCCESS))
        continue;
    CHECK(theirs == WAIT_FOR);
    entry = find(child.ClientId.UniqueProcess, theirs);
    CHECK(entry.Object == find(NtCurrentTeb()->ClientId.UniqueProcess,
                               event).Object);
    CHECK(entry.GrantedAccess == SYNCHRONIZE);

    /* There and back again, by way of the child's own pseudo handle. */
    CHECK_STATUS(NtDuplicateObject(child.ProcessHandle, theirs,
                                   NtCurrentProcess(), &back, 0, 0,
                                   DUPLICATE_SAME_ACCESS), STATUS_SUCCESS);
    CHECK_STATUS(NtSetEvent(back, NULL), STATUS_ACCESS_DENIED);
    NtClose(back);
    CHECK_STATUS(NtDuplicateObject(child.ProcessHandle, NtCurrentProcess(),
                                   NtCurrentProcess(), &back, 0, 0,
                                   DUPLICATE_SAME_ACCESS), STATUS_SUCCESS);
    CHECK(find(NtCurrentTeb()->ClientId.UniqueProcess, back).Object ==
          find(NtCurrentTeb()->ClientId.UniqueProcess,
               child.ProcessHandle).Object);
    NtClose(back);

    /* Closed in the child from here. */
    CHECK_STATUS(NtDuplicateObject(NtCurrentProcess(), event,
                                   child.ProcessHandle, &second, 0, 0,
                                   DUPLICATE_SAME_ACCESS), STATUS_SUCCESS);
    CHECK_STATUS(NtDuplicateObject(child.ProcessHandle, second, NULL, NULL, 0,
                                   0, DUPLICATE_CLOSE_SOURCE),
                 STATUS_SUCCESS);
    CHECK_STATUS(NtDuplicateObject(child.ProcessHandle, second, NULL, NULL, 0,
                                   0, DUPLICATE_CLOSE_SOURCE),
                 STATUS_INVALID_HANDLE);
    go_on();
    CHECK_STATUS(NtSetEvent(event, NULL), STATUS_SUCCESS);
    CHECK_STATUS(NtWaitForSingleObject(child.ProcessHandle, FALSE, NULL),
                 STATUS_WAIT_0);
    CHECK_STATUS(NtDuplicateObject(NtCurrentProcess(), event,
                                   child.ProcessHandle, &theirs, SYNCHRONIZE,
                                   0, 0), STATUS_PROCESS_IS_TERMINATING);
    CHECK(find(child.ClientId.UniqueProcess, NULL).Object == NULL);
    end(STATUS_WAIT_0);
    NtClose(event);
}

/* Under the same value, with the same rights; the others are not there. */
static void check_inherit(void)
{
    HANDLE mine = make_event(EVENT_ALL_ACCESS, 0);
    HANDLE both = make_event(EVENT_MODIFY_STATE, OBJ_INHERIT), other = NULL;
    LARGE_INTEGER now = { .QuadPart = 0 };

    CHECK_STATUS(NtDuplicateObject(NtCurrentProcess(), both,
                                   NtCurrentProcess(), &other, SYNCHRONIZE,
                                   0, 0), STATUS_SUCCESS);
    if (start("s", both, TRUE)) {
        HANDLE id = child.ClientId.UniqueProcess;

        CHECK(find(id, both).GrantedAccess == EVENT_MODIFY_STATE);
        CHECK(find(id, both).HandleAttributes == OBJ_INHERIT);
        CHECK(find(id, mine).Object == NULL);
        CHECK(find(id, other).Object == NULL);
        go_on();
        end(STATUS_SUCCESS);
        CHECK_STATUS(NtWaitForSingleObject(other, FALSE, &now),
                     STATUS_WAIT_0);
    }
    if (start("s", both, FALSE)) {
        go_on();
        end(STATUS_INVALID_HANDLE);
    }
    if (start("s", mine, TRUE)) {
        go_on();
        end(STATUS_INVALID_HANDLE);
    }
    NtClose(mine);
    NtClose(both);
    NtClose(other);
}

/* An exclusive object is one process's; not even inheriting helps. */
static void check_exclusive(void)
{
    HANDLE event = NULL, theirs;

    CHECK_STATUS(NtCreateEvent(&event, EVENT_ALL_ACCESS,
                               named(EXCLUSIVE, OBJ_EXCLUSIVE | OBJ_INHERIT),
                               SynchronizationEvent, FALSE), STATUS_SUCCESS);
    if (start("o", NULL, TRUE)) {
        CHECK(find(child.ClientId.UniqueProcess, event).Object == NULL);
        CHECK_STATUS(NtDuplicateObject(NtCurrentProcess(), event,
                                       child.ProcessHandle, &theirs, 0, 0,
                                       DUPLICATE_SAME_ACCESS),
                     STATUS_ACCESS_DENIED);
        go_on();
        end(STATUS_ACCESS_DENIED);
    }
    NtClose(event);
    if (start("o", NULL, FALSE)) {
        go_on();
        end(STATUS_OBJECT_NAME_NOT_FOUND);
    }
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    const char *words = test_words();

    (void)peb;
    if (*words != 0)
        return as_child(words);
    check_list();
    check_duplicate();
    check_inherit();
    check_exclusive();
    return test_end();
}
