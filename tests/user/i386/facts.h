/*
 * facts.h - what the tests expect to be different in 64-bit code: the 32-bit
 * side.
 */
#pragma once

/* Windows XP. */
#define VERSION_MAJOR 5
#define VERSION_MINOR 1
#define VERSION_BUILD 2600

#define TOP             0x7FFEFFFFU             /* a program's last byte */
#define KERNEL_ADDRESS  0x80000000U
/* It lies in the last 64 KiB, where no region may be. */
#define SHARED_PAGE_STATUS STATUS_INVALID_PARAMETER_4

#define FREE_ADDRESS    0x23450000U             /* nothing is there */
#define FREE_PLACE      0x20000000U
#define TOO_MUCH        0x7F000000U             /* more than fits anywhere */

#define ALL_ONES_TEXT   "4294967295"            /* ~(size_t)0 */
#define POINTER_TEXT    "0000ABCD"              /* (void *)0xABCD */

/* Guard pages of a stack: a new one's, and one's that has grown. */
#define FIRST_STACK_GUARD PAGE_SIZE
#define STACK_GUARD       (2 * PAGE_SIZE)

/* XP's TEB has no room for it. */
#define HAS_GUARANTEE 0
#define guarantee(bytes) ((void)(bytes))

/* RTL_CRITICAL_SECTION.LockCount */
#define LOCK_COUNT_TAKEN        0
#define LOCK_COUNT_TAKEN_TWICE  1
#define LOCK_COUNT_ONE_WAITS    1               /* and the owner is in once */

#define PC Eip                                  /* CONTEXT's */

/* Of a CONTEXT. */
#define INSTRUCTION_POINTER(context)    ((context)->Eip)
#define STACK_POINTER(context)          ((context)->Esp)
#define BASE_REGISTER(context)          ((context)->Ebx)

#define FIRST_OF(header) (*(ULONG_PTR *)&(header)->Next)  /* a list's */
