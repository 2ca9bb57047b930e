/*
 * io/scancode.h - what the keys of a keyboard mean.
 */
#pragma once

#include <nt/ntdef.h>

#define SCANCODE_TEXT 4                 /* the longest key: ESC [ 5 ~ */

/* Which keys are held, and what the codes so far are the beginning of. */
struct scancode_state {
    UCHAR shift, ctrl;                  /* bit 0 left, bit 1 right */
    BOOLEAN caps;
    BOOLEAN extended;
    UCHAR skip;                         /* codes that mean nothing */
};

/* The next code; how many characters it makes, 0 to SCANCODE_TEXT. */
ULONG scancode_decode(struct scancode_state *state, UCHAR code,
                      char text[SCANCODE_TEXT]);
