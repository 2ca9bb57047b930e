/*
 * ps/pending.c - parts of others that are on their way.
 */
#include "psp.h"

#define W __attribute__((weak))

W void ke_acquire_exclusive(EX_PUSH_LOCK *l) { (void)l; }
W void ke_acquire_shared(EX_PUSH_LOCK *l) { (void)l; }
W void ke_release_exclusive(EX_PUSH_LOCK *l) { (void)l; }
W void ke_release_shared(EX_PUSH_LOCK *l) { (void)l; }
W void ex_cancel_thread_timers(struct _ETHREAD *t) { (void)t; }
