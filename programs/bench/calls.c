/*
 * calls.c - what a call of a service takes, by each door, with the shortest
 * stub that the door allows; and what the door alone takes.
 *
 * Here every operation is a jump, which stands for the return that measuring
 * nothing has, too: a figure is the call's from the stub's first instruction
 * to the one behind its last. The doors alone are measured without a stub.
 */
#include "bench.h"

#include "../lib/door.h"

#define NO_SERVICE ((void *)0xFFF)      /* no table is so long */
#define CAPTURE_FEW 16
#define CAPTURE_MANY 4096

/* calls.asm; number is the context. */
operation call_syscall, call_int2e, call_sysenter;
operation call_with_4, call_with_9, call_with_14;
operation door_syscall, door_int2e, door_sysenter;

static void by_stub(void *context)
{
    (void)context;
    NtGetCurrentProcessorNumber();
}

static void by_syscall(void *number)
{
    call_syscall(number);
}

static void by_int2e(void *number)
{
    call_int2e(number);
}

static void by_sysenter(void *number)
{
    call_sysenter(number);
}

static void with_4(void *number)
{
    call_with_4(number);
}

static void with_9(void *number)
{
    call_with_9(number);
}

static void with_14(void *number)
{
    call_with_14(number);
}

static void shadow(void *context)
{
    (void)context;
    NtUserGetThreadState(0);
}

static void close_nothing(void *context)
{
    (void)context;
    NtClose((HANDLE)0x1234);
}

static UCHAR buffer[CAPTURE_MANY];

static void capture_few(void *stub)
{
    ((NTSTATUS (*)(const void *, ULONG))stub)(buffer, CAPTURE_FEW);
}

static void capture_many(void *stub)
{
    ((NTSTATUS (*)(const void *, ULONG))stub)(buffer, CAPTURE_MANY);
}

static BOOLEAN has_sysenter(void)
{
    return doors_end() > door_named("sysenter");
}

static void show_test_calls(void)
{
    figure("4 arguments", fewest(with_4, service_number("NtwNothing4")),
           "in registers, of a service that does nothing");
    figure("9 arguments", fewest(with_9, service_number("NtwNothing9")),
           "5 of them on the stack");
    figure("14 arguments", fewest(with_14, service_number("NtwNothing14")),
           "10 of them on the stack");
    figure("capture of 16 bytes",
           fewest(capture_few, find_stub("NtwCapture")),
           "probed, a block of pool, a copy");
    figure("capture of 4096 bytes",
           fewest(capture_many, find_stub("NtwCapture")), "the same");
}

void show_calls(void)
{
    void *null = service_number("NtGetCurrentProcessorNumber");

    figure("null service", fewest(by_stub, NULL),
           "NtGetCurrentProcessorNumber, by ntdll's stub: the yardstick");
    figure("null by int 2e", fewest(by_int2e, null), "the same");
    if (has_sysenter())
        figure("null by sysenter", fewest(by_sysenter, null), "the same");
    figure("wrong number", fewest(by_syscall, NO_SERVICE),
           "STATUS_INVALID_SYSTEM_SERVICE");
    figure("shadow call", fewest(shadow, NULL),
           "NtUserGetThreadState, of win32k's table");
    figure("NtClose(1234h)", fewest(close_nothing, NULL),
           "no such handle");
    if (service_number("NtwNothing0"))
        show_test_calls();
}

/* ---- The doors alone ---- */

/* which: of tests/kernel/bare.c; by: a door that still leads to a service. */
static void show_floor(const char *name, ULONG which, operation *door,
                       const char *what)
{
    ULONG_PTR (*by)(ULONG, ...) = door == door_syscall ? NtwCallInt2e
                                                       : NtwCallSyscall;
    ULONGLONG count;

    must(lead_door(which, by) ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL, name);
    count = fewest(door, NULL);
    lead_door(0, by);
    figure(name, count, what);
}

/*
 * Only the test build's kernel can lead a door elsewhere, and not under KVA
 * shadow: ring 3's page tables have the kernel's own doors alone.
 */
void show_floors(void)
{
    if (!service_number("NtwSelfTest") || !lead_door(0, NtwCallSyscall))
        return;
    show_floor("floor syscall", 1, door_syscall, "SYSCALL, SYSRET");
    show_floor("floor syscall, stack", 2, door_syscall,
               "with SWAPGS and the thread's stack");
    show_floor("floor int 2e", 3, door_int2e, "INT 2Eh, IRET");
    show_floor("floor int 2e, gs", 4, door_int2e, "with SWAPGS");
    if (!has_sysenter())
        return;
    show_floor("floor sysenter", 5, door_sysenter, "SYSENTER, SYSRET");
    show_floor("floor sysenter, stack", 6, door_sysenter,
               "with SWAPGS and the thread's stack");
}
