/*
 * events.c - two threads that wake each other.
 */
#include "bench.h"

static HANDLE ping, pong;
static volatile BOOLEAN stop;

static HANDLE new_event(void)
{
    HANDLE event;

    must(NtCreateEvent(&event, EVENT_ALL_ACCESS, NULL, SynchronizationEvent,
                       FALSE), "NtCreateEvent");
    return event;
}

static void NTAPI answer(void *argument)
{
    (void)argument;
    while (!stop) {
        NtWaitForSingleObject(ping, FALSE, NULL);
        NtSetEvent(pong, NULL);
    }
    NtTerminateThread(NtCurrentThread(), STATUS_SUCCESS);
}

static void set_and_wait(void *context)
{
    (void)context;
    NtSetEvent(ping, NULL);
    NtWaitForSingleObject(pong, FALSE, NULL);
}

static void NTAPI answer_at_once(void *argument)
{
    (void)argument;
    NtWaitForSingleObject(ping, FALSE, NULL);
    while (!stop)
        NtSignalAndWaitForSingleObject(pong, ping, FALSE, NULL);
    NtSetEvent(pong, NULL);
    NtTerminateThread(NtCurrentThread(), STATUS_SUCCESS);
}

static void signal_and_wait(void *context)
{
    (void)context;
    NtSignalAndWaitForSingleObject(ping, pong, FALSE, NULL);
}

static ULONGLONG measure(thread_routine *partner, operation *run)
{
    HANDLE thread;
    ULONGLONG best;

    stop = FALSE;
    thread = start_thread(partner, NULL, HIGH);
    run(NULL);
    best = fewest(run, NULL);
    stop = TRUE;
    run(NULL);
    join(thread);
    return best;
}

void show_events(void)
{
    ping = new_event();
    pong = new_event();
    figure("event, there and back", measure(answer, set_and_wait),
           "NtSetEvent, NtWaitForSingleObject, by both");
    figure("signal and wait", measure(answer_at_once, signal_and_wait),
           "NtSignalAndWaitForSingleObject, the same");
    must(NtClose(ping), "close");
    must(NtClose(pong), "close");
}
