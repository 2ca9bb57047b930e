/*
 * wow64/widen.h - four-byte slots become 64-bit arguments.
 */
#pragma once

#include <nt/ntdef.h>

/* Room 3 copies no more than 14 behind the four in registers. */
#define WOW64P_ARGUMENTS 18
#define WOW64P_SLOTS (2 * WOW64P_ARGUMENTS)

/* What the caller's arguments take on its stack. */
ULONG wow64p_argument_bytes(const char *letters);

/*
 * values: one for each letter.  Returns how many.  A pointer whose target has
 * another form in 32 bits (a capital letter) still is the caller's.
 */
ULONG wow64p_widen(const char *letters, const ULONG *slots,
                   ULONGLONG *values);
