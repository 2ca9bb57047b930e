/*
 * tests/kernel/echo.c - services that answer with their own arguments.
 *
 * NtwEchoN(out, a2, ... ) stores its N + 4 arguments at out, as the routine
 * in ring 0 found them: what room 3 copied from the user's stack, in order.
 * NtwWiden does the same with one argument of each letter of services.tab, so
 * that a 32-bit caller sees what became of its slots; NtwGuiEcho2 as a shadow
 * service.  Answers are 64-bit values whoever asks.
 */
#include "selftest.h"

#include <mm.h>

#define MAX_ARGUMENTS 18

static NTSTATUS echo(ULONG number, ULONG count, void *out, va_list more,
                     ULONGLONG a2, ULONGLONG a3, ULONGLONG a4)
{
    ULONGLONG values[MAX_ARGUMENTS] = { (ULONG_PTR)out, a2, a3, a4 };

    check_what_is_told(number, (ULONG_PTR)out, a2);
    for (ULONG i = 4; i < count; i++)
        values[i] = va_arg(more, ULONGLONG);
    return mm_copy_to_mode(KeGetCurrentThread()->PreviousMode, out, values,
                           count * sizeof values[0]);
}

#define ECHO_SERVICE(name, number, count) \
    NTSTATUS name(void *out, ULONGLONG a2, ULONGLONG a3, ULONGLONG a4, ...); \
    NTSTATUS name(void *out, ULONGLONG a2, ULONGLONG a3, ULONGLONG a4, ...) \
    { \
        va_list more; \
        NTSTATUS status; \
        va_start(more, a4); \
        status = echo(number, count, out, more, a2, a3, a4); \
        va_end(more); \
        return status; \
    }
#define ECHO(stack) ECHO_SERVICE(NtwEcho##stack, 0x300 + stack, stack + 4)

ECHO(0)
ECHO(1)
ECHO(2)
ECHO(3)
ECHO(4)
ECHO(5)
ECHO(6)
ECHO(7)
ECHO(8)
ECHO(9)
ECHO(10)
ECHO(11)
ECHO(12)
ECHO(13)
ECHO(14)

ECHO_SERVICE(NtwWiden, 0x311, 6)
ECHO_SERVICE(NtwGuiEcho2, 0x1600, 6)
