/*
 * intel.h - between intel.c and intelreturns.c.
 */
#pragma once

#include "test.h"

#define CS32 0x1B
#define CS64 0x2B
#define SS64 0x23
#define RPL 3

/* The returns to where ring 3 cannot be. */
void test_returns(void);

/* Of intel.c's handler: TRUE if it was such a return's exception. */
BOOLEAN returns_heard(const EXCEPTION_RECORD *record, CONTEXT *context);
