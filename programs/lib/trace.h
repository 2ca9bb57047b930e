/*
 * lib/trace.h - records of NtTraceControl as lines, a call each.
 *
 * Feed records as they come; show gets each call when it is over, or when it
 * is known not to come back. At the end show those that are still open.
 */
#pragma once

#include <ntdll.h>
#include <nt/nttrace.h>

struct traced {
    const struct trace_record *enter;
    const struct trace_record *leave;           /* NULL: it did not return */
    BOOLEAN open;                               /* it may still */
};

typedef void trace_show(const struct traced *call);

void trace_feed(const void *records, ULONG length, trace_show *show);
void trace_finish(trace_show *show);

/*
 * "NtClose(0x1234) = STATUS_INVALID_HANDLE", without an end of line; cut to
 * size bytes with their 0.
 */
void trace_line(const struct traced *call, char *line, ULONG size);

/* "syscall" */
const char *trace_door_name(const struct trace_record *record);
