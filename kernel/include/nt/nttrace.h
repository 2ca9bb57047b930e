/*
 * nt/nttrace.h - a trace of system calls, as ring 3 asks for it.
 *
 * NtTraceControl starts one and stops it; between, each call leaves two
 * records, one before and one after it, and flushing hands them out, oldest
 * first.  There is one trace in the machine.  The codes are phnt's; NT's
 * structures are others (WMI_LOGGER_INFORMATION), as are its records.
 */
#pragma once

#include <nt/ntdef.h>

typedef enum _ETWTRACECONTROLCODE {
    EtwStartLoggerCode = 1,             /* in: struct trace_order */
    EtwStopLoggerCode = 2,              /* records stay to be flushed */
    EtwQueryLoggerCode = 3,             /* out: struct trace_state */
    EtwFlushLoggerCode = 5,             /* out: whole records */
} ETWTRACECONTROLCODE;

#define TRACE_EXCEPT 0x1                /* flags: all processes but that one */

#define TRACE_SMALLEST_RING 0x1000
#define TRACE_LARGEST_RING 0x400000

struct trace_order {
    ULONG flags;
    ULONG ring;                         /* bytes for each processor */
    ULONGLONG process;                  /* 0: all */
    ULONGLONG event;                    /* 0, or one to set ... */
    ULONGLONG wake;                     /* ... when so many bytes wait */
};

struct trace_state {
    ULONG running;
    ULONG ring;
    ULONGLONG process;
    ULONGLONG waiting;                  /* bytes */
    ULONGLONG records;                  /* since the start */
    ULONGLONG lost;                     /* of these: overwritten */
};

enum trace_kind {
    TRACE_ENTER,                        /* a call begins */
    TRACE_LEAVE,                        /* ... and has come back */
    TRACE_AWAY,                         /* the thread's call does not return */
    TRACE_END,                          /* the thread ends */
};

/* What the call came by; 32-bit code's number is XP's. */
enum trace_door {
    TRACE_ZW,                           /* from the kernel: no arguments */
    TRACE_SYSCALL,
    TRACE_INT2E,
    TRACE_SYSENTER,
};

#define TRACE_CODE32 0x1                /* of 32-bit code */

/*
 * Then come count values: a call's arguments; or what it has returned and how
 * many ticks of the time-stamp counter it took.  Then, up to size, pieces of
 * what arguments point to.
 */
struct trace_record {
    USHORT size;                        /* a multiple of 8 */
    UCHAR kind;
    UCHAR door;
    UCHAR flags;
    UCHAR count;
    USHORT number;
    ULONG process;
    ULONG thread;
    ULONGLONG call;                     /* the same in both records */
    ULONGLONG time;                     /* 100 ns since boot */
    ULONGLONG values[];
};

/*
 * By the argument's letter (services.tab): U, O text (O: behind the root
 * directory's handle, 8 bytes); b the bytes; else values of 8 bytes, I two.
 * Padded to a multiple of 8.
 */
struct trace_piece {
    UCHAR argument;                     /* which, from 0 */
    UCHAR cut;                          /* there was more of it */
    USHORT length;                      /* bytes */
    ULONG unused;
    UCHAR bytes[];
};

#define TRACE_MOST_TEXT 0x100           /* bytes of a piece */
#define TRACE_MOST_BYTES 0x20           /* of b */
#define TRACE_LARGEST_RECORD 0x400

NTSTATUS NTAPI NtTraceControl(_In_ ULONG FunctionCode,
                              _In_opt_ void *InBuffer, _In_ ULONG InBufferLen,
                              _Out_opt_ void *OutBuffer,
                              _In_ ULONG OutBufferLen,
                              _Out_ ULONG *ReturnLength);
