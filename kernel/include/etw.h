/*
 * etw.h - ring 1, open to all: who wants to know of system calls.
 *
 * Room 3 tests the mask at each call; without a trace that is all it costs.
 * The routines are called around the call of the service, on its thread.
 */
#pragma once

#include <nt/ntdef.h>

/* Bits of KiDynamicTraceMask. */
#define KI_TRACE_SYSTEM_CALLS 0x1

extern volatile ULONG KiDynamicTraceMask;

/*
 * A service is about to be called, with these arguments; then: it has come
 * back.  The first tells which call it is, 0: none that anybody wants to know
 * of.  ticks: of the time-stamp counter, between the two.  IRQL: <= APC_LEVEL,
 * and the same afterwards; neither waits.
 */
ULONGLONG KiTrackSystemCallEntry(const ULONGLONG *arguments);
void KiTrackSystemCallExit(ULONGLONG call, ULONGLONG status, ULONGLONG ticks);
