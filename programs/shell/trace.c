/*
 * trace.c - trace: the machine's system calls, or those of one process.
 *
 * The kernel keeps the newest; "show" prints and forgets them. The shell's own
 * calls are among them, as long as no process is named.
 */
#include "shell.h"
#include "../lib/trace.h"

#define RING 0x40000
#define LINE_SIZE 2000
#define TICKS_PER_MS 10000                      /* times are in 100 ns */

static ULONGLONG first_time;

static NTSTATUS control(ULONG code, void *in, ULONG in_size, void *out,
                        ULONG out_size, ULONG *length)
{
    return NtTraceControl(code, in, in_size, out, out_size, length);
}

/* "12.345  24 syscall      1234 NtClose(0x1234) = STATUS_INVALID_HANDLE" */
static void show_call(const struct traced *call)
{
    const struct trace_record *enter = call->enter;
    ULONGLONG time;
    char line[LINE_SIZE];

    if (!first_time)
        first_time = enter->time;
    time = enter->time - first_time;
    print("%5llu.%03llu %6u %-8s ", time / TICKS_PER_MS,
          time % TICKS_PER_MS / 10, enter->thread, trace_door_name(enter));
    if (call->leave)
        print("%9llu ", call->leave->values[1]);
    else
        print("%9s ", "-");
    trace_line(call, line, sizeof line);
    print_text(line);
    print_text("\n");
}

static void show_records(ULONG size)
{
    void *heap = NtCurrentPeb()->ProcessHeap;
    UCHAR *records = RtlAllocateHeap(heap, 0, size);
    ULONG length = 0;
    NTSTATUS status;

    if (!records) {
        print_failure("the records", STATUS_NO_MEMORY);
        return;
    }
    status = control(EtwFlushLoggerCode, NULL, 0, records, size, &length);
    if (NT_SUCCESS(status)) {
        print("%9s %6s %-8s %9s call\n", "ms", "thread", "door", "ticks");
        trace_feed(records, length, show_call);
        trace_finish(show_call);
    } else {
        print_failure("trace", status);
    }
    RtlFreeHeap(heap, 0, records);
}

/* What was waiting just now; its own calls go on in a trace that runs. */
static void show(void)
{
    struct trace_state state;
    ULONG length;
    NTSTATUS status = control(EtwQueryLoggerCode, NULL, 0, &state,
                              sizeof state, &length);

    if (!NT_SUCCESS(status)) {
        print("trace: there is none\n");
        return;
    }
    show_records(state.ring);
    if (state.lost)
        print("%llu of %llu records were lost\n", state.lost, state.records);
}

static void start(int count, const struct word *words)
{
    struct trace_order order = { .ring = RING };
    ULONGLONG id = 0;
    ULONG length;
    NTSTATUS status;

    if (count > 2 && !parse_process_id("trace", &words[2], &id))
        return;
    order.process = id;
    first_time = 0;
    status = control(EtwStartLoggerCode, &order, sizeof order, NULL, 0,
                     &length);
    if (status == STATUS_OBJECT_NAME_COLLISION)
        print("trace: it is on\n");
    else if (!NT_SUCCESS(status))
        print_failure("trace", status);
}

static void stop(void)
{
    ULONG length;

    if (!NT_SUCCESS(control(EtwStopLoggerCode, NULL, 0, NULL, 0, &length)))
        print("trace: it is off\n");
}

void command_trace(int count, const struct word *words)
{
    const char *what = word_text(&words[1]);

    if (!strcmp(what, "on"))
        start(count, words);
    else if (!strcmp(what, "off") && count == 2)
        stop();
    else if (!strcmp(what, "show") && count == 2)
        show();
    else
        print("usage: trace on [PID]|off|show\n");
}
