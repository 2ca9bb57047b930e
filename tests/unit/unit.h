/*
 * unit.h - what every unit test includes.
 *
 * A test is one program: a few functions that take void **state, a main that
 * ends in cmocka_run_group_tests.  Kernel sources under test are linked in,
 * or included where a test must see their static parts; what they ask of the
 * rest of the kernel the test supplies.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <nt/ntdef.h>
#include <nt/ntstatus.h>

/* The same numbers in every run (xorshift), so that a failure comes back. */
static inline ULONGLONG unit_random(ULONGLONG *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}
