/*
 * numbers.c - every number that 32-bit code can ask for, by every door, and
 * every bit of eax that is none.
 *
 * XP looks at bits 0-11 (index) and 12-13 (table) of eax.  The number comes
 * first: what does not exist is STATUS_INVALID_SYSTEM_SERVICE wherever edx
 * points.  Then the arguments: they lie on a page that nobody may read, so
 * that every service that takes some answers STATUS_ACCESS_VIOLATION, and
 * none does anything.
 *
 * Scenarios: J1.
 */
#include "../test.h"

#include "../../../programs/lib/i386/call.h"

#define SERVICE32(table, number, letters, routine, name) \
    { #name, number, letters },

static const struct row {
    const char *name;
    ULONG number;
    const char *letters;
} rows[] = {
#include "services32.inc.c"
};

#define NUMBERS 0x4000                          /* 14 bits are looked at */
#define SYSTEM_DEBUG_CONTROL 0xFF
#define TEST_ALERT 0x103

static const ULONG garbage[] = { 0, 0xFFFFC000, 0x80000000, 0x00004000,
                                 0xDEAD8000 };

static const struct door *door;
static struct call call;
static struct door_stack *unreadable;           /* but for what is below */
static struct door_stack good;

static ULONG raw(ULONG eax, struct door_stack *stack)
{
    ULONG status;

    call_prepare(&call, NULL);
    status = call_by_door(&call, door, eax, stack);
    CHECK_SAY(call.out.Ebx == call.in.Ebx && call.out.Edi == call.in.Edi &&
              call.out.Eflags == call.in.Eflags, "eax %x: registers", eax);
    return status;
}

static const struct row *row_of(ULONG number)
{
    ULONG at;

    for (at = 0; at < ARRAY_SIZE(rows); at++)
        if (rows[at].number == number)
            return &rows[at];
    return NULL;
}

static void check_number(ULONG number, ULONG more)
{
    const struct row *row = row_of(number);
    ULONG status = raw(number | more, unreadable);

    if (!row)
        CHECK_SAY(status == (ULONG)STATUS_INVALID_SYSTEM_SERVICE,
                  "number %x: %08x", number | more, status);
    else if (*row->letters)
        CHECK_SAY(status == (ULONG)STATUS_ACCESS_VIOLATION, "%s: %08x",
                  row->name, status);
    else
        CHECK_SAY(status != (ULONG)STATUS_INVALID_SYSTEM_SERVICE &&
                  status != (ULONG)STATUS_ACCESS_VIOLATION, "%s: %08x",
                  row->name, status);
}

static void check_all_numbers(void)
{
    ULONG number, at;

    for (number = 0; number < NUMBERS; number++)
        check_number(number, 0);
    for (at = 1; at < ARRAY_SIZE(garbage); at++)
        for (number = at; number < NUMBERS; number += 31)
            check_number(number, garbage[at]);
    for (at = 0; at < ARRAY_SIZE(rows); at++)
        for (number = 14; number < 32; number++)
            check_number(rows[at].number, 1U << number);
}

/* XP has the number, 32-bit code has no form of it: arguments come first. */
static void check_no_32bit_form(void)
{
    CHECK_STATUS(raw(SYSTEM_DEBUG_CONTROL, &good), STATUS_NOT_SUPPORTED);
    CHECK_STATUS(raw(SYSTEM_DEBUG_CONTROL, unreadable),
                 STATUS_ACCESS_VIOLATION);
}

/* Without arguments the stack is not read, but XP compares where it is. */
static void check_no_arguments(void)
{
    CHECK_STATUS(raw(TEST_ALERT, unreadable), STATUS_SUCCESS);
    if (door->below)
        return;
    CHECK_STATUS(raw(TEST_ALERT, (struct door_stack *)0x7FFEFFF0),
                 STATUS_SUCCESS);
    CHECK_STATUS(raw(TEST_ALERT, (struct door_stack *)0x7FFF0000),
                 STATUS_ACCESS_VIOLATION);
    CHECK_STATUS(raw(0xFFF, (struct door_stack *)0x7FFF0000),
                 STATUS_INVALID_SYSTEM_SERVICE);
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    UCHAR *pages = test_pages(2);

    (void)peb;
    test_protect(pages + PAGE_SIZE, 1, PAGE_NOACCESS);
    unreadable = (struct door_stack *)
        (pages + PAGE_SIZE - offsetof(struct door_stack, arguments));
    for (door = doors; door < doors_end(); door++) {
        test_where(door->name);
        check_all_numbers();
        check_no_32bit_form();
        check_no_arguments();
    }
    return test_end();
}
