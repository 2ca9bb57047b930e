/*
 * etw.h - ring 1, open to all: who wants to know of system calls.
 *
 * Room 3 tests the mask at each call; without a trace that is all it costs.
 * With one the call is made by ki_call_tracked, or by wow64's likeness of it,
 * with the two KiTrack routines around it.
 */
#pragma once

#include <nt/ntdef.h>

/* Bits of KiDynamicTraceMask. */
#define KI_TRACE_SYSTEM_CALLS 0x1

extern volatile ULONG KiDynamicTraceMask;

/* A call, on the stack of whoever makes it.  letters: services.tab's. */
struct ki_tracked_call {
    const char *letters;
    const ULONGLONG *arguments;
    ULONG number;
    BOOLEAN code32;
    ULONG unread;                       /* arguments to look at again */
    ULONGLONG id;                       /* 0: nobody wants to know of it */
};

/*
 * Before the service is called, and when it has come back; ticks: of the
 * time-stamp counter, between the two.  They change neither what the caller
 * has nor the IRQL, and do not wait: what is not in memory just now is not
 * told.  IRQL: <= APC_LEVEL.
 */
void KiTrackSystemCallEntry(struct ki_tracked_call *call);
void KiTrackSystemCallExit(const struct ki_tracked_call *call,
                           ULONGLONG result, ULONGLONG ticks);

/* For room 3: the routine called with its arguments; what it returns. */
ULONGLONG ki_call_tracked(void *routine, const ULONGLONG *arguments);

/*
 * The current thread's innermost call does not come back: ring 3 goes on
 * elsewhere.  The thread ends, and with it all its calls.
 */
void etw_tell_away(void);
void etw_tell_end(void);

/* Is there a trace at all? */
static inline BOOLEAN etw_is_on(void)
{
    return (KiDynamicTraceMask & KI_TRACE_SYSTEM_CALLS) != 0;
}
