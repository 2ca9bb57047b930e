/*
 * tests/kernel/selftest.h - tests of ring 0 that have a file of their own.
 */
#pragma once

#include <ke.h>

/* dpc.c */
BOOLEAN test_irql(void);
BOOLEAN test_dpc(void);

/* schedule.c */
BOOLEAN test_schedule(void);

/* lock.c */
BOOLEAN test_push_lock(void);
BOOLEAN test_fast_mutex(void);
