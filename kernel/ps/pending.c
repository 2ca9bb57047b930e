/*
 * ps/pending.c - parts of others that are on their way.
 */
#include "psp.h"

#define W __attribute__((weak))

W void ex_cancel_thread_timers(struct _ETHREAD *t) { (void)t; }
