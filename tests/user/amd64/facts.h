/*
 * facts.h - what the tests expect to be different in 32-bit code: the 64-bit
 * side.
 */
#pragma once

/* Windows 10 2004. */
#define VERSION_MAJOR 10
#define VERSION_MINOR 0
#define VERSION_BUILD 19041

#define TOP             0x00007FFFFFFEFFFFULL   /* a program's last byte */
#define KERNEL_ADDRESS  0xFFFF800000000000ULL
/* Who reserves the shared page collides with it. */
#define SHARED_PAGE_STATUS STATUS_CONFLICTING_ADDRESSES

#define FREE_ADDRESS    0x123450000000ULL       /* nothing is there */
#define FREE_PLACE      0x200000000ULL
#define TOO_MUCH        (1ULL << 34)            /* bytes that nobody has */

#define ALL_ONES_TEXT   "18446744073709551615"  /* ~(size_t)0 */
#define POINTER_TEXT    "000000000000ABCD"      /* (void *)0xABCD */

/* Guard pages of a stack: a new one's, and one's that has grown. */
#define FIRST_STACK_GUARD (3 * PAGE_SIZE)
#define STACK_GUARD       (3 * PAGE_SIZE)

/* SetThreadStackGuarantee. */
#define HAS_GUARANTEE 1
#define guarantee(bytes) (NtCurrentTeb()->GuaranteedStackBytes = (bytes))

/* RTL_CRITICAL_SECTION.LockCount */
#define LOCK_COUNT_TAKEN        (-2)
#define LOCK_COUNT_TAKEN_TWICE  (-2)
#define LOCK_COUNT_ONE_WAITS    (-6)               /* and the owner is in */

#define PC Rip                                  /* CONTEXT's */

/* Of a CONTEXT. */
#define INSTRUCTION_POINTER(context)    ((context)->Rip)
#define STACK_POINTER(context)          ((context)->Rsp)
#define BASE_REGISTER(context)          ((context)->Rbx)

#define FIRST_OF(header) ((header)->Region)     /* a list's first entry */
