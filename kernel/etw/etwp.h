/*
 * etw/etwp.h - what the files of Etw share.
 *
 * A processor writes records into its ring (ring.c) while a call is traced
 * (track.c, record.c); NtTraceControl empties the rings (control.c).
 */
#pragma once

#include <etw.h>
#include <ke_dpc.h>
#include <ke_lock.h>
#include <mm.h>
#include <nt/nttrace.h>
#include <ob.h>
#include <ps.h>

/* ---- ring.c ---- */

/*
 * Bytes head to tail of a ring whose size is a multiple of 8; both only grow.
 * Records lie one behind the other, one may go around the end.  When there is
 * no room the oldest ones go, and are counted.  All of it under lock, at
 * DISPATCH_LEVEL.
 */
struct etwp_ring {
    KSPIN_LOCK lock;
    UCHAR *bytes;                       /* NULL: no trace */
    ULONG size;
    ULONGLONG head, tail;               /* the oldest record; behind the last */
    ULONGLONG records, lost;
};

/* Returns how many bytes wait now; 0: there is no trace any more. */
ULONG etwp_put(struct etwp_ring *ring, const struct trace_record *record);

/* Whole records to a buffer; returns how many bytes. */
ULONG etwp_take(struct etwp_ring *ring, UCHAR *buffer, ULONG size);

/* Adds what waits in it, what came and what was lost, at one moment. */
void etwp_count(struct etwp_ring *ring, struct trace_state *state);

/* bytes NULL: no more; what it had is the caller's to free. */
UCHAR *etwp_set_ring(struct etwp_ring *ring, UCHAR *bytes, ULONG size);

/* ---- record.c ---- */

struct etwp_draft {
    struct trace_record record;
    UCHAR rest[TRACE_LARGEST_RECORD - sizeof(struct trace_record)];
};

void etwp_begin(struct etwp_draft *draft, enum trace_kind kind,
                const struct ki_tracked_call *call);
void etwp_add_value(struct etwp_draft *draft, ULONGLONG value);

/*
 * What the arguments point to: what a service reads, before it is called;
 * what it has written, when it has succeeded.  which: bits of the arguments to
 * look at.  Returns those that could not be read.
 */
ULONG etwp_add_inputs(struct etwp_draft *draft,
                      const struct ki_tracked_call *call, ULONG which);
void etwp_add_results(struct etwp_draft *draft,
                      const struct ki_tracked_call *call);

/* ---- control.c ---- */

/* Whether the current process is one that the trace is about. */
BOOLEAN etwp_wants_process(void);

/*
 * Into this processor's ring, unless another trace has begun that is not about
 * this call; wake: whoever waits for records may be told.
 */
void etwp_tell(const struct etwp_draft *draft, BOOLEAN wake);

/* A number that no other call has. */
ULONGLONG etwp_new_id(void);
