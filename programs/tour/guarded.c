/*
 * guarded.c - a store in a __try. mingw's gcc has no __try; clang has.
 */
#include "exception.h"

BOOLEAN store_guarded(void *to, exception_filter *filter)
{
    BOOLEAN done = TRUE;

    __try {
        store_at(to);
    } __except (filter(__exception_info())) {
        note_landed();
        done = FALSE;
    }
    return done;
}
