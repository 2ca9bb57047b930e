/*
 * wow64/rows.c - services.tab's rows for 32-bit code.
 *
 * Alone in a file: it names every service without its arguments, which the
 * headers with their prototypes would contradict.
 */
#include "wow64p.h"

#define SERVICE32(table, number, letters, routine, name) \
    NTSTATUS name(void); \
    _Static_assert((number & SERVICE_INDEX_MASK) < WOW64P_TABLE_ENTRIES, \
                   #name); \
    _Static_assert(sizeof(letters) - 1 <= WOW64P_ARGUMENTS, #name);
#include <services32.inc.c>
#undef SERVICE32

#define SERVICE32(table, number, letters, routine, name) \
    { number, letters, routine },
const struct wow64p_row wow64p_rows[] = {
#include <services32.inc.c>
};
#undef SERVICE32

const ULONG wow64p_row_count = ARRAY_SIZE(wow64p_rows);
