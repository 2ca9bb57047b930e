/*
 * numbers.c - every service number by every door, and every bit of rax that
 * is none.
 *
 * Windows looks at bits 0-11 (index) and 12 (table) of eax; all other bits of
 * rax do not count. An index without a service, in either table, is
 * STATUS_INVALID_SYSTEM_SERVICE.
 *
 * Scenarios: A6, J1, J2, J3.
 */
#include "test.h"

#include "../../programs/lib/door.h"
#include "services.h"

#define SERVICE(table, number, stack_args, argc, name) number,

static const USHORT numbers[] = {
#include "services.inc.c"
};

#define WIN32K 0x1000
#define BAD_HANDLE 0x1234

static const struct door *door;
static struct call call;

static NTSTATUS raw(ULONGLONG rax)
{
    static const ULONGLONG arguments[] = { BAD_HANDLE };

    call_prepare(&call, door->raw, 1, arguments);
    call.in.Rax = rax;
    call_with_registers(&call);
    CHECK_SAY(call.out.Rcx == (ULONGLONG)door->raw_behind &&
              call.out.Rbx == call.in.Rbx && call.out.Rdx == 0,
              "rax %llx: registers", rax);
    return (NTSTATUS)call.out.Rax;
}

static BOOLEAN exists(ULONG number)
{
    ULONG at;

    for (at = 0; at < ARRAY_SIZE(numbers); at++)
        if (numbers[at] == number)
            return TRUE;
    return FALSE;
}

/* Before the first good call to win32k, so the conversion is tried too. */
static void check_all_numbers(void)
{
    ULONG number;

    for (number = 0; number < 0x2000; number++) {
        NTSTATUS status;

        if (exists(number))
            continue;
        status = raw(number);
        CHECK_SAY(status == STATUS_INVALID_SYSTEM_SERVICE,
                  "number %x: %08x", number, status);
    }
}

static void check_limits(void)
{
    CHECK_STATUS(raw(NT_SERVICE_LIMIT), STATUS_INVALID_SYSTEM_SERVICE);
    CHECK_STATUS(raw(WIN32K + WIN32K_SERVICE_LIMIT),
                 STATUS_INVALID_SYSTEM_SERVICE);
    CHECK_STATUS(raw(0xFFF), STATUS_INVALID_SYSTEM_SERVICE);
    CHECK_STATUS(raw(0x1FFF), STATUS_INVALID_SYSTEM_SERVICE);
    CHECK_STATUS(raw(~0ULL), STATUS_INVALID_SYSTEM_SERVICE);
    CHECK(exists(NT_SERVICE_LIMIT - 1));
    CHECK(exists(WIN32K + WIN32K_SERVICE_LIMIT - 1));
}

static void check_high_bits(void)
{
    ULONG close = SERVICE_NtClose, bit;

    for (bit = 12; bit < 64; bit++) {
        NTSTATUS status = raw(close | 1ULL << bit);
        NTSTATUS expected = bit == 12 ? STATUS_INVALID_SYSTEM_SERVICE
                                      : STATUS_INVALID_HANDLE;

        CHECK_SAY(status == expected, "NtClose with bit %u: %08x", bit,
                  status);
    }
    CHECK_STATUS(raw(close | 0xFFFFFFFFFFFFE000ULL), STATUS_INVALID_HANDLE);
}

/* A GUI thread by now: both tables answer, wrong numbers still do not. */
static void check_both_tables(void)
{
    NtUserGetThreadState(0);
    CHECK_STATUS(NtGdiFlush(), STATUS_SUCCESS);
    CHECK_STATUS(raw(SERVICE_NtClose), STATUS_INVALID_HANDLE);
    CHECK_STATUS(raw(WIN32K + WIN32K_SERVICE_LIMIT),
                 STATUS_INVALID_SYSTEM_SERVICE);
    CHECK_STATUS(raw(SERVICE_NtGdiFlush | 0x2000), STATUS_SUCCESS);
}

NTSTATUS NtProcessStartup(PEB *peb)
{
    (void)peb;
    for (door = doors; door < doors_end(); door++) {
        test_where(door->name);
        check_all_numbers();
        check_limits();
        check_high_bits();
    }
    for (door = doors; door < doors_end(); door++) {
        test_where(door->name);
        check_both_tables();
    }
    return test_end();
}
