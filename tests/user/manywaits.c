/*
 * manywaits.c - threads that wait for many objects, or signal one and wait for
 * the next; handles that are closed meanwhile; names that several threads
 * make, open and close at once.
 */
#include "objects.h"

#define WAIT_ALL 0                      /* NtWaitForMultipleObjects' WaitType */
#define WAIT_ANY 1
#define MANY 64
#define ROUNDS 2000
#define RACERS 3

static HANDLE ready, woken;             /* events */
static HANDLE many[MANY];

static void wait_for(HANDLE handle)
{
    CHECK_STATUS(NtWaitForSingleObject(handle, FALSE, NULL), STATUS_WAIT_0);
}

static HANDLE start(void NTAPI (*routine)(void *argument), void *argument)
{
    HANDLE thread = NULL;
    CLIENT_ID id;

    CHECK_STATUS(RtlCreateUserThread(NtCurrentProcess(), NULL, FALSE, 0, 0, 0,
                                     (void *)routine, argument, &thread, &id),
                 STATUS_SUCCESS);
    return thread;
}

static void join(HANDLE thread)
{
    wait_for(thread);
    NtClose(thread);
}

static HANDLE make_event(BOOLEAN state)
{
    HANDLE event = NULL;

    CHECK_STATUS(NtCreateEvent(&event, EVENT_ALL_ACCESS, NULL,
                               SynchronizationEvent, state), STATUS_SUCCESS);
    return event;
}

/* ---- Sixty-four ---- */

static volatile NTSTATUS result;

/* Says so before each wait, and after it. */
static void NTAPI wait_any(void *argument)
{
    (void)argument;
    for (ULONG i = 0; i < MANY; i++) {
        NtSetEvent(ready, NULL);
        result = NtWaitForMultipleObjects(MANY, many, WAIT_ANY, FALSE, NULL);
        NtSetEvent(woken, NULL);
    }
    RtlExitUserThread(STATUS_SUCCESS);
}

static void NTAPI wait_all(void *argument)
{
    (void)argument;
    NtSetEvent(ready, NULL);
    result = NtWaitForMultipleObjects(MANY, many, WAIT_ALL, FALSE, NULL);
    NtSetEvent(woken, NULL);
    RtlExitUserThread(STATUS_SUCCESS);
}

static void signal(ULONG i)
{
    if (i % 2 == 0)
        CHECK_STATUS(NtSetEvent(many[i], NULL), STATUS_SUCCESS);
    else
        CHECK_STATUS(NtReleaseSemaphore(many[i], 1, NULL), STATUS_SUCCESS);
}

static void check_many(void)
{
    HANDLE thread;

    for (ULONG i = 0; i < MANY; i++) {
        if (i % 2 == 0)
            many[i] = make_event(FALSE);
        else
            NtCreateSemaphore(&many[i], SEMAPHORE_ALL_ACCESS, NULL, 0, 1);
    }
    thread = start(wait_any, NULL);
    for (ULONG i = 0; i < MANY; i++) {
        ULONG which = i * 37 % MANY;

        wait_for(ready);
        signal(which);
        wait_for(woken);
        CHECK_STATUS(result, STATUS_WAIT_0 + (NTSTATUS)which);
        CHECK_STATUS(poll(many[which]), STATUS_TIMEOUT);
    }
    join(thread);

    /* All of them: none is taken before the last one comes. */
    thread = start(wait_all, NULL);
    wait_for(ready);
    for (ULONG i = 0; i < MANY - 1; i++)
        signal(i * 37 % MANY);
    CHECK_STATUS(poll(woken), STATUS_TIMEOUT);
    CHECK_STATUS(poll(many[0]), STATUS_WAIT_0);
    signal(0);
    signal((MANY - 1) * 37 % MANY);
    wait_for(woken);
    CHECK_STATUS(result, STATUS_WAIT_0);
    for (ULONG i = 0; i < MANY; i++)
        CHECK_STATUS(poll(many[i]), STATUS_TIMEOUT);
    join(thread);
    for (ULONG i = 0; i < MANY; i++)
        NtClose(many[i]);
}

/* One object twice: any of them is good, all of them cannot be. */
static void check_twins(void)
{
    HANDLE event = make_event(TRUE), pair[2] = { event, NULL };
    LARGE_INTEGER now = { .QuadPart = 0 };

    CHECK_STATUS(NtDuplicateObject(NtCurrentProcess(), event,
                                   NtCurrentProcess(), &pair[1], 0, 0,
                                   DUPLICATE_SAME_ACCESS), STATUS_SUCCESS);
    CHECK_STATUS(NtWaitForMultipleObjects(2, pair, WAIT_ALL, FALSE, &now),
                 STATUS_INVALID_PARAMETER_MIX);
    CHECK_STATUS(NtWaitForMultipleObjects(2, pair, WAIT_ANY, FALSE, &now),
                 STATUS_WAIT_0);
    CHECK_STATUS(NtWaitForMultipleObjects(2, pair, WAIT_ANY, FALSE, &now),
                 STATUS_TIMEOUT);
    NtClose(pair[0]);
    NtClose(pair[1]);
}

/* ---- Signal and wait ---- */

static void NTAPI play(void *argument)
{
    HANDLE *pair = argument;

    wait_for(pair[1]);
    for (ULONG i = 0; i < ROUNDS; i++) {
        result++;
        if (i < ROUNDS - 1)
            CHECK_STATUS(NtSignalAndWaitForSingleObject(pair[0], pair[1],
                                                        FALSE, NULL),
                         STATUS_WAIT_0);
    }
    NtSetEvent(pair[0], NULL);
    RtlExitUserThread(STATUS_SUCCESS);
}

/* Two threads that hand each other the turn. */
static void check_turns(void)
{
    HANDLE pair[2] = { make_event(FALSE), make_event(FALSE) };
    HANDLE thread = start(play, pair);

    result = 0;
    for (LONG i = 0; i < ROUNDS; i++) {
        CHECK_STATUS(NtSignalAndWaitForSingleObject(pair[1], pair[0], FALSE,
                                                    NULL), STATUS_WAIT_0);
        if (result != i + 1) {
            CHECK_SAY(FALSE, "turn %d, %d expected", result, i + 1);
            break;
        }
    }
    join(thread);
    NtClose(pair[0]);
    NtClose(pair[1]);
}

static void check_signals(void)
{
    LARGE_INTEGER now = { .QuadPart = 0 };
    HANDLE set = make_event(TRUE), event = make_event(FALSE), blind = NULL;
    HANDLE semaphore, mutant;

    NtCreateSemaphore(&semaphore, SEMAPHORE_ALL_ACCESS, NULL, 0, 1);
    NtCreateMutant(&mutant, MUTANT_ALL_ACCESS, NULL, TRUE);
    CHECK_STATUS(NtSignalAndWaitForSingleObject(semaphore, event, FALSE,
                                                &now), STATUS_TIMEOUT);
    CHECK_STATUS(NtSignalAndWaitForSingleObject(semaphore, set, FALSE, &now),
                 STATUS_SEMAPHORE_LIMIT_EXCEEDED);
    CHECK_STATUS(NtSignalAndWaitForSingleObject(mutant, set, FALSE, NULL),
                 STATUS_WAIT_0);
    CHECK_STATUS(NtSignalAndWaitForSingleObject(mutant, event, FALSE, NULL),
                 STATUS_MUTANT_NOT_OWNED);
    CHECK_STATUS(NtSignalAndWaitForSingleObject(event, event, FALSE, NULL),
                 STATUS_WAIT_0);
    CHECK_STATUS(NtSignalAndWaitForSingleObject(NtCurrentThread(), event,
                                                FALSE, &now),
                 STATUS_OBJECT_TYPE_MISMATCH);
    CHECK_STATUS(NtDuplicateObject(NtCurrentProcess(), event,
                                   NtCurrentProcess(), &blind, SYNCHRONIZE, 0,
                                   0), STATUS_SUCCESS);
    CHECK_STATUS(NtSignalAndWaitForSingleObject(blind, semaphore, FALSE,
                                                NULL), STATUS_ACCESS_DENIED);
    CHECK_STATUS(poll(semaphore), STATUS_WAIT_0);
    NtClose(blind);
    NtClose(set);
    NtClose(event);
    NtClose(semaphore);
    NtClose(mutant);
}

/* ---- What is waited for goes ---- */

static void NTAPI wait_one(void *argument)
{
    result = NtSignalAndWaitForSingleObject(ready, argument, FALSE, NULL);
    RtlExitUserThread(STATUS_SUCCESS);
}

static void NTAPI hold(void *argument)
{
    wait_for(argument);
    RtlExitUserThread(STATUS_SUCCESS);
}

static void check_closed(void)
{
    HANDLE event = make_event(FALSE), again = NULL, thread, held;

    CHECK_STATUS(NtDuplicateObject(NtCurrentProcess(), event,
                                   NtCurrentProcess(), &again, 0, 0,
                                   DUPLICATE_SAME_ACCESS), STATUS_SUCCESS);
    result = STATUS_UNSUCCESSFUL;
    thread = start(wait_one, event);
    wait_for(ready);
    CHECK_STATUS(NtClose(event), STATUS_SUCCESS);
    CHECK_STATUS(poll(thread), STATUS_TIMEOUT);
    CHECK_STATUS(NtSetEvent(again, NULL), STATUS_SUCCESS);
    join(thread);
    CHECK_STATUS(result, STATUS_WAIT_0);

    /* The last handle: the wait holds the object, only the end ends it. */
    thread = start(wait_one, again);
    wait_for(ready);
    CHECK_STATUS(NtClose(again), STATUS_SUCCESS);
    CHECK_STATUS(NtTerminateThread(thread, STATUS_SUCCESS), STATUS_SUCCESS);
    join(thread);

    /* A thread waits for another one to end. */
    event = make_event(FALSE);
    held = start(hold, event);
    result = STATUS_UNSUCCESSFUL;
    thread = start(wait_one, held);
    wait_for(ready);
    CHECK_STATUS(poll(thread), STATUS_TIMEOUT);
    NtSetEvent(event, NULL);
    join(thread);
    CHECK_STATUS(result, STATUS_WAIT_0);
    join(held);
    NtClose(event);
}

/* ---- Races for names ---- */

static const WCHAR *const names[] = {
    L"\\BaseNamedObjects\\race", L"\\BaseNamedObjects\\race 2",
    L"\\BaseNamedObjects\\races", L"\\BaseNamedObjects\\races\\inner"
};

/* Events, but for the third, which is the last one's directory. */
static NTSTATUS reach(ULONG which, BOOLEAN make, HANDLE *handle)
{
    UNICODE_STRING string;
    OBJECT_ATTRIBUTES attributes = { .Length = sizeof attributes,
                                     .ObjectName = &string,
                                     .Attributes = OBJ_OPENIF };

    RtlInitUnicodeString(&string, names[which]);
    if (which == 2)
        return make ? NtCreateDirectoryObject(handle, DIRECTORY_ALL_ACCESS,
                                              &attributes)
                    : NtOpenDirectoryObject(handle, DIRECTORY_QUERY,
                                            &attributes);
    return make ? NtCreateEvent(handle, EVENT_ALL_ACCESS, &attributes,
                                NotificationEvent, FALSE)
                : NtOpenEvent(handle, SYNCHRONIZE, &attributes);
}

static BOOLEAN is_fine(ULONG which, BOOLEAN make, NTSTATUS status)
{
    return NT_SUCCESS(status) ||
           (which == 3 && status == STATUS_OBJECT_PATH_NOT_FOUND) ||
           (!make && status == STATUS_OBJECT_NAME_NOT_FOUND);
}

static void NTAPI race(void *argument)
{
    ULONG seed = (ULONG)(ULONG_PTR)argument, bad = 0;
    HANDLE held[4] = { NULL };

    for (ULONG i = 0; i < ROUNDS; i++) {
        ULONG which = (seed = seed * 1664525 + 1013904223) >> 30;
        BOOLEAN make = seed >> 29 & 1;
        NTSTATUS status;

        if (held[which] != NULL) {
            bad += NtClose(held[which]) != STATUS_SUCCESS;
            held[which] = NULL;
            continue;
        }
        status = reach(which, make, &held[which]);
        bad += !is_fine(which, make, status);
        if (!NT_SUCCESS(status))
            held[which] = NULL;
        if (seed >> 25 & 1)
            NtYieldExecution();
    }
    for (ULONG i = 0; i < 4; i++) {
        if (held[i] != NULL)
            bad += NtClose(held[i]) != STATUS_SUCCESS;
    }
    CHECK_SAY(bad == 0, "%u of %u rounds", bad, ROUNDS);
    RtlExitUserThread(STATUS_SUCCESS);
}

/* Until they have ended: lists of what they change. */
static void look(HANDLE *threads)
{
    static UCHAR room[0x8000] __attribute__((aligned(16)));
    HANDLE directory = NULL;
    ULONG context = 0;
    UNICODE_STRING string;
    OBJECT_ATTRIBUTES attributes = { .Length = sizeof attributes,
                                     .ObjectName = &string };

    RtlInitUnicodeString(&string, L"\\BaseNamedObjects");
    CHECK_STATUS(NtOpenDirectoryObject(&directory, DIRECTORY_QUERY,
                                       &attributes), STATUS_SUCCESS);
    for (ULONG i = 0; i < RACERS; i++) {
        while (poll(threads[i]) == STATUS_TIMEOUT) {
            NTSTATUS status = NtQueryDirectoryObject(
                directory, room, sizeof room, FALSE, TRUE, &context, NULL);

            if (status != STATUS_SUCCESS && status != STATUS_NO_MORE_ENTRIES)
                CHECK_STATUS(status, STATUS_SUCCESS);
            NtQuerySystemInformation(SystemExtendedHandleInformation, room,
                                     sizeof room, NULL);
            NtYieldExecution();
        }
        NtClose(threads[i]);
    }
    NtClose(directory);
}

static void check_races(void)
{
    HANDLE threads[RACERS], handle;

    for (ULONG_PTR i = 0; i < RACERS; i++)
        threads[i] = start(race, (void *)(i + 1));
    look(threads);
    for (ULONG i = 0; i < 4; i++)
        CHECK_STATUS(reach(i, FALSE, &handle),
                     i == 3 ? STATUS_OBJECT_PATH_NOT_FOUND
                            : STATUS_OBJECT_NAME_NOT_FOUND);
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    (void)peb;
    ready = make_event(FALSE);
    woken = make_event(FALSE);
    check_many();
    check_twins();
    check_turns();
    check_signals();
    check_closed();
    check_races();
    return test_end();
}
