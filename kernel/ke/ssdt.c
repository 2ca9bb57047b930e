/*
 * ke/ssdt.c - how a table entry holds a routine and an argument count.
 *
 * 28 bits of signed distance from the table, 4 bits of stack arguments.  Room
 * 3 takes it apart again with an arithmetic shift and a mask.
 */
#include "ssdt.h"

#define ARGUMENT_BITS 4
#define ARGUMENT_MASK 0xF

LONG ki_pack_entry(ULONG_PTR routine, ULONG_PTR base, ULONG stack_args)
{
    LONGLONG distance = (LONGLONG)(routine - base);

    if (stack_args > SSDT_MAX_STACK_ARGUMENTS ||
        distance < -(1LL << 27) || distance >= 1LL << 27)
        return 0;
    return (LONG)((ULONG)distance << ARGUMENT_BITS | stack_args);
}

ULONG_PTR ki_entry_routine(LONG entry, ULONG_PTR base)
{
    return base + (ULONG_PTR)(LONGLONG)(entry >> ARGUMENT_BITS);
}

ULONG ki_entry_arguments(LONG entry)
{
    return entry & ARGUMENT_MASK;
}
