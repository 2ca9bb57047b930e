/*
 * paint.h - is anything of the kernel in what it has written for ring 3?
 *
 * The free part of the thread's kernel stack is painted (tests/kernel/stack.c),
 * then the kernel writes; what it has left unwritten in between shows as
 * paint, and a checked kernel's free pool likewise.  An address of the kernel
 * shows by its upper half; in what 32-bit code gets only paint is looked for.
 * A kernel without tests does not paint.
 *
 * Scenarios: G5, G10.
 */
#pragma once

#include "../../programs/lib/find.h"
#include "test.h"

#define PAINT_STACK 0x30                        /* tests/kernel/selftest.c */
#define PAINT 0x5057A15DU                       /* kernel/include/mm.h */
#define FREED 0xF5F5F5F5U                       /* kernel/mm/poolcheck.c */

static inline BOOLEAN paint_kernel_stack(void)
{
    static NTSTATUS (NTAPI *ask_kernel)(ULONG test, void *argument);

    if (!ask_kernel)
        ask_kernel = (void *)find_stub("NtwSelfTest");
    return ask_kernel && NT_SUCCESS(ask_kernel(PAINT_STACK, NULL));
}

/* allowed: an address of the kernel that ring 3 has used itself. */
static inline void check_nothing_of_kernel(const char *name, const void *from,
                                           const void *to, ULONGLONG allowed)
{
    const UCHAR *byte = from, *end = to;

    for (; byte + sizeof(ULONG) <= end; byte += sizeof(ULONG)) {
        ULONG low = *(const ULONG *)byte, high = 0;
        ULONGLONG word;

        CHECK_SAY(low != PAINT, "%s: of the kernel's stack, at %x", name,
                  (ULONG)(byte - (const UCHAR *)from));
        CHECK_SAY(low != FREED, "%s: of the kernel's pool, at %x", name,
                  (ULONG)(byte - (const UCHAR *)from));
        if (sizeof(void *) < 8 || (ULONG_PTR)byte % 8 || byte + 8 > end)
            continue;
        high = ((const ULONG *)byte)[1];
        word = (ULONGLONG)high << 32 | low;
        CHECK_SAY(high < 0xFFFF8000 || high == 0xFFFFFFFF || word == allowed,
                  "%s: %016llx at %x", name, word,
                  (ULONG)(byte - (const UCHAR *)from));
    }
}
