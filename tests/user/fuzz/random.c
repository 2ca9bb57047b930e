/*
 * random.c - the random numbers: xorshift, 32 bits at a time, for both sizes
 * of code alike.
 */
#include "fuzz.h"

static ULONG state = 1;

/* Two seeds that differ in a bit begin far apart. */
static ULONG mix(ULONG value)
{
    value = (value ^ value >> 16) * 0x7FEB352Du;
    value = (value ^ value >> 15) * 0x846CA68Bu;
    return value ^ value >> 16;
}

void random_begin(ULONG seed, ULONG epoch)
{
    state = mix(mix(seed) + epoch);
    if (state == 0)
        state = 1;
}

ULONG random32(void)
{
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
}
