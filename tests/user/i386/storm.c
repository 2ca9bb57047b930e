/*
 * storm.c - many calls by XP's doors, for NMIs to hit: tests/boot/
 * test_kernel.py sends as many as it can while this runs.
 *
 * "storming" is when they may begin.  What an NMI must not change is all that
 * a call has: its result, and registers and stack of this loop.
 */
#include "../test.h"

#include "../../../programs/lib/i386/call.h"

#include "xp.h"

#define CALLS 1500000
#define NO_SUCH_NUMBER 0xFFF

static void storm(const struct door *door)
{
    ULONG wrong = 0, count;

    for (count = 0; count < CALLS; count++)
        wrong += (NTSTATUS)door->call(NO_SUCH_NUMBER) !=
                 STATUS_INVALID_SYSTEM_SERVICE;
    CHECK_SAY(wrong == 0, "%s: %u calls", door->name, wrong);
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    const struct door *door;

    (void)peb;
    print("storming\n");
    for (door = doors; door < doors_end(); door++)
        storm(door);
    return test_end();
}
