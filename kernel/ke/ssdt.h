/*
 * ke/ssdt.h - one entry of a service table.
 */
#pragma once

#include <nt/ntdef.h>

#define SSDT_MAX_STACK_ARGUMENTS 14

/*
 * (routine - base) << 4 | stack_args.  0, which is never an entry of a real
 * table, when the distance does not fit 28 bits or stack_args is above 14.
 */
LONG ki_pack_entry(ULONG_PTR routine, ULONG_PTR base, ULONG stack_args);

ULONG_PTR ki_entry_routine(LONG entry, ULONG_PTR base);
ULONG ki_entry_arguments(LONG entry);
