/*
 * events.c - event objects: every status of their services, and what one
 * thread can see of them (waits.c has several).
 */
#include "objects.h"

static NTSTATUS create(HANDLE *handle, ACCESS_MASK access,
                       OBJECT_ATTRIBUTES *attributes)
{
    return NtCreateEvent(handle, access, attributes, NotificationEvent,
                         FALSE);
}

static const struct kind kind = {
    "event", create, NtOpenEvent, NtQueryEvent, EVENT_ALL_ACCESS,
    sizeof(EVENT_BASIC_INFORMATION), NtOpenMutant };

static void check_state(HANDLE event, ULONG type, LONG state)
{
    EVENT_BASIC_INFORMATION basic;

    memset(&basic, 0xEE, sizeof basic);
    CHECK_STATUS(NtQueryEvent(event, EventBasicInformation, &basic,
                              sizeof basic, NULL), STATUS_SUCCESS);
    CHECK_SAY((ULONG)basic.EventType == type && basic.EventState == state,
              "type %u, state %d", basic.EventType, basic.EventState);
}

static void check_types(void)
{
    static const ULONG none[] = { 2, 0x7FFFFFFF, 0xFFFFFFFF };
    HANDLE event;

    for (ULONG i = 0; i < ARRAY_SIZE(none); i++)
        CHECK_STATUS(NtCreateEvent(&event, EVENT_ALL_ACCESS, NULL, none[i],
                                   FALSE), STATUS_INVALID_PARAMETER);
    CHECK_STATUS(NtCreateEvent(NULL, EVENT_ALL_ACCESS, NULL, 2, FALSE),
                 STATUS_ACCESS_VIOLATION);
    for (ULONG type = 0; type < 2; type++) {
        for (ULONG state = 0; state < 2; state++) {
            CHECK_STATUS(NtCreateEvent(&event, EVENT_ALL_ACCESS, NULL, type,
                                       (BOOLEAN)(state * 0x80)),
                         STATUS_SUCCESS);
            check_state(event, type, state);
            NtClose(event);
        }
    }
}

/* All that can change one refuse alike. */
static void check_refusals(NTSTATUS (NTAPI *change)(HANDLE, LONG *),
                           const char *name)
{
    HANDLE reader = make(&kind, EVENT_QUERY_STATE | SYNCHRONIZE);
    HANDLE event = make(&kind, EVENT_ALL_ACCESS);
    LONG previous = 77, pair[2];

    test_where(name);
    CHECK_STATUS(change(NO_HANDLE, &previous), STATUS_INVALID_HANDLE);
    CHECK_STATUS(change(NtCurrentProcess(), &previous),
                 STATUS_OBJECT_TYPE_MISMATCH);
    CHECK_STATUS(change(reader, &previous), STATUS_ACCESS_DENIED);
    CHECK_STATUS(change(event, UNMAPPED), STATUS_ACCESS_VIOLATION);
    CHECK_STATUS(change(event, (LONG *)((UCHAR *)pair + 1)),
                 STATUS_DATATYPE_MISALIGNMENT);
    CHECK_STATUS(change(NO_HANDLE, UNMAPPED), STATUS_ACCESS_VIOLATION);
    CHECK(previous == 77);
    check_state(event, NotificationEvent, 0);
    NtClose(reader);
    NtClose(event);
    test_where("");
}

static void check_changes(void)
{
    HANDLE event = make(&kind, EVENT_ALL_ACCESS);
    HANDLE writer = make(&kind, GENERIC_WRITE);
    LONG previous = 77;

    CHECK_STATUS(NtSetEvent(event, &previous), STATUS_SUCCESS);
    CHECK(previous == 0);
    check_state(event, NotificationEvent, 1);
    CHECK_STATUS(NtSetEvent(event, &previous), STATUS_SUCCESS);
    CHECK(previous == 1);
    CHECK_STATUS(NtPulseEvent(event, &previous), STATUS_SUCCESS);
    CHECK(previous == 1);
    check_state(event, NotificationEvent, 0);
    CHECK_STATUS(NtPulseEvent(event, NULL), STATUS_SUCCESS);
    check_state(event, NotificationEvent, 0);
    CHECK_STATUS(NtSetEvent(event, NULL), STATUS_SUCCESS);
    CHECK_STATUS(NtResetEvent(event, &previous), STATUS_SUCCESS);
    CHECK(previous == 1);
    CHECK_STATUS(NtResetEvent(event, &previous), STATUS_SUCCESS);
    CHECK(previous == 0);
    CHECK_STATUS(NtSetEvent(event, NULL), STATUS_SUCCESS);
    CHECK_STATUS(NtClearEvent(event), STATUS_SUCCESS);
    check_state(event, NotificationEvent, 0);
    CHECK_STATUS(NtSetEvent(writer, NULL), STATUS_SUCCESS);
    CHECK_STATUS(NtQueryEvent(writer, EventBasicInformation, &previous, 8,
                              NULL), STATUS_ACCESS_DENIED);
    NtClose(writer);
    NtClose(event);
}

static void check_clear(void)
{
    HANDLE reader = make(&kind, EVENT_QUERY_STATE);

    CHECK_STATUS(NtClearEvent(NO_HANDLE), STATUS_INVALID_HANDLE);
    CHECK_STATUS(NtClearEvent(NtCurrentThread()),
                 STATUS_OBJECT_TYPE_MISMATCH);
    CHECK_STATUS(NtClearEvent(reader), STATUS_ACCESS_DENIED);
    NtClose(reader);
}

/* A wait takes a synchronization event, and leaves the other as it is. */
static void check_waits(void)
{
    HANDLE event;

    for (ULONG type = 0; type < 2; type++) {
        NtCreateEvent(&event, EVENT_ALL_ACCESS, NULL, type, FALSE);
        CHECK_STATUS(poll(event), STATUS_TIMEOUT);
        NtSetEvent(event, NULL);
        CHECK_STATUS(poll(event), STATUS_WAIT_0);
        CHECK_STATUS(poll(event), type == NotificationEvent ? STATUS_WAIT_0
                                                            : STATUS_TIMEOUT);
        check_state(event, type, type == NotificationEvent);
        NtClose(event);
    }
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    (void)peb;
    check_kind(&kind);
    check_types();
    check_refusals(NtSetEvent, "set");
    check_refusals(NtResetEvent, "reset");
    check_refusals(NtPulseEvent, "pulse");
    check_changes();
    check_clear();
    check_waits();
    return test_end();
}
