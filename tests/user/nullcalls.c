/*
 * nullcalls.c - a thread on each processor makes calls, N each:
 *
 *     nullcalls N          a null service
 *     nullcalls N event    NtSetEvent, all of one event
 *
 * What they share meanwhile is looked at from outside (boot/test_smp.py).
 */
#include "test.h"

#define STACK 0x10000
#define CALLS 1000
#define MOST 64

static HANDLE event;
static ULONG calls = CALLS;
static BOOLEAN shared;
static volatile LONG begun;
static LONG processors;

static void NTAPI call(void *processor)
{
    ULONG_PTR mask = (ULONG_PTR)1 << (ULONG_PTR)processor;

    CHECK_STATUS(NtSetInformationThread(NtCurrentThread(), ThreadAffinityMask,
                                        &mask, sizeof mask), STATUS_SUCCESS);
    __sync_fetch_and_add(&begun, 1);
    while (begun < processors)
        continue;
    for (ULONG i = 0; i < calls; i++) {
        if (shared)
            NtSetEvent(event, NULL);
        else
            NtGetCurrentProcessorNumber();
    }
    NtTerminateThread(NtCurrentThread(), 0);
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    const char *words = test_words();
    HANDLE threads[MOST];

    processors = (LONG)peb->NumberOfProcessors;
    if (processors > MOST)
        processors = MOST;
    if (*words)
        calls = (ULONG)atoi(words);
    shared = strchr(words, 'e') != NULL;
    CHECK_STATUS(NtCreateEvent(&event, EVENT_ALL_ACCESS, NULL,
                               NotificationEvent, FALSE), STATUS_SUCCESS);
    for (LONG i = 0; i < processors; i++)
        CHECK_STATUS(NtCreateThreadEx(&threads[i], THREAD_ALL_ACCESS, NULL,
                                      NtCurrentProcess(), call,
                                      (void *)(ULONG_PTR)i, 0, 0, STACK,
                                      STACK, NULL), STATUS_SUCCESS);
    for (LONG i = 0; i < processors; i++)
        CHECK_STATUS(NtWaitForSingleObject(threads[i], FALSE, NULL),
                     STATUS_SUCCESS);
    return test_end();
}
