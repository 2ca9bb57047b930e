/*
 * main32.c - bench32: what a call takes from 32-bit code, by XP's doors.
 *
 * bench runs it and has said what its numbers mean. XP has no service that
 * does nothing; only the test build's kernel has one.
 */
#include "bench.h"

#include "../lib/i386/call.h"

#define NO_SERVICE ((void *)0xFFF)

/* i386/calls.asm */
operation call_int2e, call_sysenter, door_int2e, door_sysenter;

static void by_int2e(void *number)
{
    call_int2e(number);
}

static void by_sysenter(void *number)
{
    call_sysenter(number);
}

static void close_nothing(void *context)
{
    (void)context;
    NtClose((HANDLE)0x1234);
}

static BOOLEAN has_sysenter(void)
{
    return doors_end() > door_named("sysenter");
}

static void show_floor(const char *name, ULONG which, operation *door,
                       const char *what)
{
    ULONG_PTR (*by)(ULONG, ...) = door == door_int2e ? NtwCallSysenter
                                                     : NtwCallInt2e;
    ULONGLONG count;

    must(lead_door(which, by) ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL, name);
    count = fewest(door, NULL);
    lead_door(0, by);
    figure(name, count, what);
}

static void show_test_figures(void)
{
    void *nothing = service_number("NtwNothing0");

    figure("32-bit null by int 2e", fewest(by_int2e, nothing),
           "a service that does nothing");
    if (!has_sysenter())
        return;
    figure("32-bit null by sysenter", fewest(by_sysenter, nothing),
           "the same");
    show_floor("32-bit floor int 2e", 3, door_int2e, "INT 2Eh, IRET");
    show_floor("32-bit floor int 2e, gs", 4, door_int2e, "with SWAPGS");
    show_floor("32-bit floor sysenter", 7, door_sysenter,
               "SYSENTER, SYSEXIT");
    show_floor("32-bit floor sysenter, stack", 8, door_sysenter,
               "with SWAPGS and the thread's stack");
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    LONG priority = HIGH;

    (void)peb;
    per_try = has_word(L"time") ? per_try : 1;
    must(NtSetInformationThread(NtCurrentThread(), ThreadPriority, &priority,
                                sizeof priority), "priority");
    figure("32-bit NtClose(1234h)", fewest(close_nothing, NULL),
           "by ntdll's stub and its door");
    figure("32-bit wrong number", fewest(by_int2e, NO_SERVICE),
           "STATUS_INVALID_SYSTEM_SERVICE, by INT 2Eh");
    if (service_number("NtwNothing0"))
        show_test_figures();
    return STATUS_SUCCESS;
}
