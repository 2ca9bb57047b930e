/*
 * tests/kernel/watched.c - what the kernel must not do with ring 3's memory,
 * done once: the watch (tests/entry/watch.py) must see it.
 *
 * Scenarios: F8, H8.
 */
#include "selftest.h"

#include <mm.h>

/* With AC, SMAP does not mind; without interrupts nothing clears it. */
static ULONG read_directly(const volatile ULONG *user)
{
    ULONG value;

    __asm__ volatile("pushfq\n\tpushfq\n\torl $0x40000, (%%rsp)\n\t"
                     "andl $~0x200, (%%rsp)\n\tpopfq\n\t"
                     "movl %1, %0\n\tpopfq"
                     : "=r"(value) : "m"(*user) : "memory", "cc");
    return value;
}

BOOLEAN test_watched(ULONGLONG user)
{
    const ULONG *address = (const ULONG *)user;
    ULONG length, again;

    return NT_SUCCESS(mm_copy_from_user(&length, address, sizeof length)) &&
           NT_SUCCESS(mm_copy_from_user(&again, address, sizeof again)) &&
           length == again && read_directly(address + 1) != ~length;
}
