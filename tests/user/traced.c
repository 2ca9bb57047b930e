/*
 * traced.c - calls for tests/boot/test_trace.py to see in a trace: values,
 * names, results, bad pointers, a thread, and an end with status 5.
 */
#include "test.h"

#include <nt/ntex.h>
#include <nt/ntps.h>

#define PLACE 0x10000000                        /* free in any program */

static WCHAR path[] = L"\\BaseNamedObjects\\bell";
static UNICODE_STRING name = { sizeof path - sizeof(WCHAR), sizeof path,
                               path };
static OBJECT_ATTRIBUTES attributes = {
    .Length = sizeof attributes, .ObjectName = &name,
};

static void events(void)
{
    LARGE_INTEGER timeout = { .QuadPart = -10000 };
    HANDLE event, again;

    NtCreateEvent(&event, EVENT_ALL_ACCESS, &attributes, NotificationEvent,
                  FALSE);
    NtOpenEvent(&again, SYNCHRONIZE, &attributes);
    NtSetEvent(event, NULL);
    NtWaitForSingleObject(again, FALSE, NULL);
    NtClearEvent(event);
    NtWaitForSingleObject(event, FALSE, &timeout);
    attributes.RootDirectory = event;
    NtOpenEvent(&again, SYNCHRONIZE, &attributes);
    NtOpenEvent((HANDLE *)8, SYNCHRONIZE, (OBJECT_ATTRIBUTES *)12);
    NtClose(again);
    NtClose(event);
    NtClose(event);
}

static void memory(void)
{
    void *base = (void *)PLACE;
    SIZE_T size = 1;

    NtAllocateVirtualMemory(NtCurrentProcess(), &base, 0, &size,
                            MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    size = 0;
    NtFreeVirtualMemory(NtCurrentProcess(), &base, &size, MEM_RELEASE);
    NtFreeVirtualMemory(NtCurrentProcess(), NULL, NULL, MEM_RELEASE);
}

static void NTAPI other_thread(void *argument)
{
    (void)argument;
    NtTestAlert();
    NtTerminateThread(NtCurrentThread(), 7);
}

static void threads(void)
{
    HANDLE thread;

    RtlCreateUserThread(NtCurrentProcess(), NULL, FALSE, 0, 0, 0,
                        other_thread, NULL, &thread, NULL);
    NtWaitForSingleObject(thread, FALSE, NULL);
    NtClose(thread);
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    (void)peb;
    NtClose((HANDLE)0x1234);
    events();
    memory();
    print("a \"line\"\n");
    NtYieldExecution();
    threads();
    return 5;
}
