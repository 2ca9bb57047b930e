/*
 * main.c - trace: runs a program and prints its system calls, one a line.
 *
 * trace [-c] PROGRAM [ARG...]; -c: with how many ticks of the time-stamp
 * counter each took. Its status is the program's.
 *
 * The kernel wakes it when a call is over, and it goes before all others, so
 * its lines stand where they belong in what the program writes. Everything
 * but its own calls is in the trace, so what the program starts is in it, too.
 */
#include "../lib/print.h"
#include "../lib/start.h"
#include "../lib/trace.h"

#include <nt/ntex.h>
#include <nt/ntps.h>

#define RING 0x40000
#define LINE_SIZE 2000
#define WAIT_ANY 1                              /* WAIT_TYPE */
#define AHEAD_OF_ALL 16                         /* ThreadBasePriority */

static ULONGLONG records[RING / sizeof(ULONGLONG)];
static WCHAR path[PROGRAM_PATH];
static BOOLEAN with_ticks;

static void write(const char *text)
{
    IO_STATUS_BLOCK io;

    NtWriteFile(NtCurrentPeb()->ProcessParameters->StandardOutput, NULL, NULL,
                NULL, &io, (void *)text, (ULONG)strlen(text), NULL, NULL);
}

/* Lines say which thread it is once there has been a second one. */
static BOOLEAN several_threads(ULONG thread)
{
    static ULONG first;
    static BOOLEAN several;

    if (!first)
        first = thread;
    several |= thread != first;
    return several;
}

static void show(const struct traced *call)
{
    char line[LINE_SIZE];
    ULONG at = 0;

    if (several_threads(call->enter->thread))
        at = (ULONG)_snprintf(line, sizeof line, "[%u] ",
                              call->enter->thread);
    trace_line(call, line + at, sizeof line - at - 40);
    at = (ULONG)strlen(line);
    if (with_ticks && call->leave)
        _snprintf(line + at, sizeof line - at, " <%llu>\n",
                  call->leave->values[1]);
    else
        strcpy(line + at, "\n");
    write(line);
}

static NTSTATUS start_trace(HANDLE event)
{
    struct trace_order order = {
        .flags = TRACE_EXCEPT,
        .ring = RING,
        .process = (ULONGLONG)NtCurrentTeb()->ClientId.UniqueProcess,
        .event = (ULONGLONG)event,
        .wake = 1,
    };
    ULONG length;

    return NtTraceControl(EtwStartLoggerCode, &order, sizeof order, NULL, 0,
                          &length);
}

static void show_records(void)
{
    ULONG length;

    while (NT_SUCCESS(NtTraceControl(EtwFlushLoggerCode, NULL, 0, records,
                                     sizeof records, &length)) && length)
        trace_feed(records, length, show);
}

static void stop_trace(void)
{
    struct trace_state state = { .lost = 0 };
    ULONG length;

    NtTraceControl(EtwQueryLoggerCode, NULL, 0, &state, sizeof state,
                   &length);
    NtTraceControl(EtwStopLoggerCode, NULL, 0, NULL, 0, &length);
    show_records();
    trace_finish(show);
    if (state.lost)
        print("%llu records were lost\n", state.lost);
}

static void wait_for_end(HANDLE process, HANDLE event)
{
    HANDLE handles[] = { process, event };

    do {
        show_records();
    } while (NtWaitForMultipleObjects(ARRAY_SIZE(handles), handles, WAIT_ANY,
                                      FALSE, NULL) == STATUS_WAIT_0 + 1);
}

static NTSTATUS status_of(HANDLE process)
{
    PROCESS_BASIC_INFORMATION basic;
    NTSTATUS status = NtQueryInformationProcess(
        process, ProcessBasicInformation, &basic, sizeof basic, NULL);

    if (!NT_SUCCESS(status))
        return status;
    print("ended with %08X %s\n", (ULONG)basic.ExitStatus,
          status_name(basic.ExitStatus));
    return basic.ExitStatus;
}

static NTSTATUS run(const WCHAR *command_line)
{
    const WCHAR *space = wcschr(command_line, ' ');
    HANDLE event, process, thread;
    CLIENT_ID client;
    LONG priority = AHEAD_OF_ALL;
    NTSTATUS status;

    program_path(command_line, space ? (ULONG)(space - command_line)
                                     : (ULONG)wcslen(command_line), path);
    status = NtCreateEvent(&event, EVENT_ALL_ACCESS, NULL,
                           SynchronizationEvent, FALSE);
    if (NT_SUCCESS(status))
        status = start_trace(event);
    if (!NT_SUCCESS(status)) {
        print("trace: %08X %s\n", (ULONG)status, status_name(status));
        return status;
    }
    NtSetInformationThread(NtCurrentThread(), ThreadBasePriority, &priority,
                           sizeof priority);
    status = start_program(path, command_line, 0, &process, &thread,
                           &client);
    if (NT_SUCCESS(status))
        wait_for_end(process, event);
    stop_trace();
    if (NT_SUCCESS(status))
        return status_of(process);
    print("%ls: %08X %s\n", path, (ULONG)status, status_name(status));
    return status;
}

/* Behind the first word, or the end. */
static const WCHAR *next_word(const WCHAR *words)
{
    const WCHAR *space = wcschr(words, ' ');

    while (space && *space == ' ')
        space++;
    return space ? space : words + wcslen(words);
}

NTSTATUS NtProcessStartup(PEB *peb)
{
    const WCHAR *words = next_word(peb->ProcessParameters->CommandLine.Buffer);

    if (wcsncmp(words, L"-c ", 3) == 0) {
        with_ticks = TRUE;
        words = next_word(words);
    }
    if (!*words) {
        print("usage: trace [-c] PROGRAM [ARG...]\n");
        return STATUS_INVALID_PARAMETER;
    }
    return run(words);
}
