/*
 * lib/tracepair.c - which record is the other half of which.
 *
 * A thread's calls lie in each other: a callback in the middle of one makes
 * others. What was lost of a trace leaves halves: a call that nobody saw
 * begin is not shown, one that is open for too long is shown as it is.
 */
#include "trace.h"

#define OPEN_CALLS 64

/* The oldest first. */
static struct {
    ULONGLONG words[TRACE_LARGEST_RECORD / 8];
} open_calls[OPEN_CALLS];
static ULONG open_count;

static const struct trace_record *open_at(ULONG at)
{
    return (const void *)open_calls[at].words;
}

static void close_at(ULONG at, const struct trace_record *leave, BOOLEAN open,
                     trace_show *show)
{
    struct traced call = { open_at(at), leave, open };

    show(&call);
    open_count--;
    memmove(&open_calls[at], &open_calls[at + 1],
            (open_count - at) * sizeof open_calls[0]);
}

static void enter(const struct trace_record *record, trace_show *show)
{
    if (open_count == OPEN_CALLS)
        close_at(0, NULL, TRUE, show);
    memcpy(open_calls[open_count++].words, record, record->size);
}

static void leave(const struct trace_record *record, trace_show *show)
{
    ULONG at;

    for (at = 0; at < open_count; at++) {
        if (open_at(at)->call == record->call) {
            close_at(at, record, FALSE, show);
            return;
        }
    }
}

/* The innermost call of the thread, or all of them. */
static void away(const struct trace_record *record, BOOLEAN all,
                 trace_show *show)
{
    ULONG at = open_count;

    while (at-- > 0) {
        if (open_at(at)->thread != record->thread)
            continue;
        close_at(at, NULL, FALSE, show);
        if (!all)
            return;
    }
}

void trace_feed(const void *records, ULONG length, trace_show *show)
{
    const UCHAR *at = records, *end = at + length;

    while (at < end) {
        const struct trace_record *record = (const void *)at;

        if (record->kind == TRACE_ENTER)
            enter(record, show);
        else if (record->kind == TRACE_LEAVE)
            leave(record, show);
        else
            away(record, record->kind == TRACE_END, show);
        at += record->size;
    }
}

void trace_finish(trace_show *show)
{
    while (open_count)
        close_at(0, NULL, TRUE, show);
}
