/*
 * doors/system.c - processes, threads, time, the system, and win32k, by the
 * door that is chosen.
 */
#include "doors.h"

#include <nt/gdi.h>
#include <nt/nttrace.h>

#define SHARED_DATA 0xFFFFF78000000000ULL       /* the kernel's view of it */

void by_door_query_process(void)
{
    PROCESS_BASIC_INFORMATION basic = { .PebBaseAddress = NULL };
    ULONG length = 0;

    EXPECT(STATUS_SUCCESS, NtQueryInformationProcess, SELF,
           ProcessBasicInformation, &basic, (ULONG)sizeof basic, &length);
    CHECK(basic.PebBaseAddress == NtCurrentPeb() && length == sizeof basic);
    EXPECT(STATUS_INVALID_INFO_CLASS, NtQueryInformationProcess, SELF, 999,
           &basic, (ULONG)sizeof basic, &length);
}

void by_door_query_thread(void)
{
    THREAD_BASIC_INFORMATION basic = { .TebBaseAddress = NULL };
    ULONG length = 0;

    EXPECT(STATUS_SUCCESS, NtQueryInformationThread, NtCurrentThread(),
           ThreadBasicInformation, &basic, (ULONG)sizeof basic, &length);
    CHECK(basic.TebBaseAddress == NtCurrentTeb() && length == sizeof basic);
    EXPECT(STATUS_INFO_LENGTH_MISMATCH, NtQueryInformationThread,
           NtCurrentThread(), ThreadBasicInformation, &basic, 1, &length);
}

/* What works would end the test: "doors end_process", "doors end_thread". */
void by_door_terminate_process(void)
{
    EXPECT(STATUS_INVALID_HANDLE, NtTerminateProcess, NO_HANDLE, 1);
}

void by_door_terminate_thread(void)
{
    EXPECT(STATUS_INVALID_HANDLE, NtTerminateThread, NO_HANDLE, 1);
    EXPECT(STATUS_CANT_TERMINATE_SELF, NtTerminateThread, NULL, 1);
}

/* The counter counts calls, by whichever door: one between two looks at it. */
void by_door_query_system(void)
{
    static SYSTEM_PERFORMANCE_INFORMATION before, after;
    ULONG length = 0;

    EXPECT(STATUS_SUCCESS, NtQuerySystemInformation,
           SystemPerformanceInformation, &before, (ULONG)sizeof before,
           &length);
    CHECK(length == sizeof before);
    CALL(NtQuerySystemInformation, SystemPerformanceInformation, &after,
         (ULONG)sizeof after, NULL);
    CHECK_SAY(after.SystemCalls - before.SystemCalls == 1, "%u calls",
              after.SystemCalls - before.SystemCalls);
    EXPECT(STATUS_INVALID_INFO_CLASS, NtQuerySystemInformation, 0x7FFF,
           &before, (ULONG)sizeof before, &length);
}

/* Whatever the lists hold: nobody loses by it. */
void by_door_set_system(void)
{
    ULONG command = MemoryPurgeStandbyList;

    EXPECT(STATUS_SUCCESS, NtSetSystemInformation,
           SystemMemoryListInformation, &command, (ULONG)sizeof command);
    command = MemoryCommandMax;
    EXPECT(STATUS_INVALID_PARAMETER, NtSetSystemInformation,
           SystemMemoryListInformation, &command, (ULONG)sizeof command);
    EXPECT(STATUS_INVALID_INFO_CLASS, NtSetSystemInformation, 0x7FFF,
           &command, (ULONG)sizeof command);
}

void by_door_system_time(void)
{
    LARGE_INTEGER before, time, after;

    NtQuerySystemTime(&before);
    EXPECT(STATUS_SUCCESS, NtQuerySystemTime, &time);
    NtQuerySystemTime(&after);
    CHECK(before.QuadPart <= time.QuadPart &&
          time.QuadPart <= after.QuadPart);
    EXPECT(STATUS_ACCESS_VIOLATION, NtQuerySystemTime, NULL);
}

void by_door_performance_counter(void)
{
    LARGE_INTEGER before, counter, after, frequency, again;

    NtQueryPerformanceCounter(&before, &again);
    EXPECT(STATUS_SUCCESS, NtQueryPerformanceCounter, &counter, &frequency);
    NtQueryPerformanceCounter(&after, NULL);
    CHECK(before.QuadPart <= counter.QuadPart &&
          counter.QuadPart <= after.QuadPart);
    CHECK(frequency.QuadPart == again.QuadPart && again.QuadPart);
    EXPECT(STATUS_ACCESS_VIOLATION, NtQueryPerformanceCounter, NULL, NULL);
}

/* RtlCaptureContext returns a second time when the context is continued. */
void by_door_continue_context(void)
{
    static volatile ULONG arrivals;
    static CONTEXT context;

    arrivals = 0;
    RtlCaptureContext(&context);
    if (arrivals++ == 0) {
        CALL(NtContinue, &context, FALSE);
        CHECK_SAY(FALSE, "NtContinue came back");
    }
    CHECK(arrivals == 2);
    EXPECT(STATUS_ACCESS_VIOLATION, NtContinue, NULL, FALSE);
}

/* What it refuses: the rest is exceptions.c's. */
void by_door_raise_exception(void)
{
    EXCEPTION_RECORD record = {
        .ExceptionCode = STATUS_NO_MEMORY,
        .NumberParameters = EXCEPTION_MAXIMUM_PARAMETERS + 1,
    };
    CONTEXT context;

    RtlCaptureContext(&context);
    EXPECT(STATUS_INVALID_PARAMETER, NtRaiseException, &record, &context,
           TRUE);
    EXPECT(STATUS_ACCESS_VIOLATION, NtRaiseException, NULL, &context, TRUE);
    EXPECT(STATUS_ACCESS_VIOLATION, NtRaiseException, &record, NULL, TRUE);
    EXPECT(STATUS_DATATYPE_MISALIGNMENT, NtRaiseException,
           (UCHAR *)&record + 4, &context, TRUE);
    context.ContextFlags = 0;
    EXPECT(STATUS_INVALID_PARAMETER, NtRaiseException, &record, &context,
           TRUE);
}

void by_door_yield(void)
{
    EXPECT(STATUS_NO_YIELD_PERFORMED, NtYieldExecution);
}

void by_door_test_alert(void)
{
    EXPECT(STATUS_SUCCESS, NtTestAlert);
}

void by_door_callback_return(void)
{
    EXPECT(STATUS_NO_CALLBACK_ACTIVE, NtCallbackReturn, NULL, 0,
           STATUS_SUCCESS);
}

void by_door_processor_number(void)
{
    CHECK(CALL(NtGetCurrentProcessorNumber) == 0);
}

void by_door_display_string(void)
{
    WCHAR text[40];
    UNICODE_STRING string;

    _snwprintf(text, ARRAY_SIZE(text), L"shown by %S\n", door->name);
    RtlInitUnicodeString(&string, text);
    print("expected: %ls", text);
    EXPECT(STATUS_SUCCESS, NtDisplayString, &string);
    EXPECT(STATUS_ACCESS_VIOLATION, NtDisplayString, NULL);
}

void by_door_hard_error(void)
{
    ULONG_PTR parameter = 0xABC;
    ULONG response = 0xEE;

    print("expected: Hard error c0000017\n");
    EXPECT(STATUS_SUCCESS, NtRaiseHardError, STATUS_NO_MEMORY, 1, 0,
           &parameter, OptionOk, &response);
    CHECK(response == ResponseReturnToCaller);
    EXPECT(STATUS_INVALID_PARAMETER_4, NtRaiseHardError, STATUS_NO_MEMORY, 0,
           0, NULL, 99, &response);
}

void by_door_debug_control(void)
{
    const KUSER_SHARED_DATA *mine = (void *)USER_SHARED_DATA;
    ULONG major = 0, length = 0;
    SYSDBG_VIRTUAL request = {
        (void *)(SHARED_DATA + offsetof(KUSER_SHARED_DATA, NtMajorVersion)),
        &major, sizeof major };

    EXPECT(STATUS_SUCCESS, NtSystemDebugControl, SysDbgReadVirtual, &request,
           (ULONG)sizeof request, NULL, 0, &length);
    CHECK(major == mine->NtMajorVersion && length == sizeof major);
    EXPECT(STATUS_INVALID_INFO_CLASS, NtSystemDebugControl, 99, &request,
           (ULONG)sizeof request, NULL, 0, &length);
}

void by_door_trace_control(void)
{
    struct trace_order order = { .ring = TRACE_SMALLEST_RING };
    struct trace_state state = { .running = 2 };
    ULONG length = 0;

    EXPECT(STATUS_SUCCESS, NtTraceControl, EtwStartLoggerCode, &order,
           (ULONG)sizeof order, NULL, 0, &length);
    EXPECT(STATUS_SUCCESS, NtTraceControl, EtwQueryLoggerCode, NULL, 0,
           &state, (ULONG)sizeof state, &length);
    CHECK(state.running == 1 && length == sizeof state);
    EXPECT(STATUS_SUCCESS, NtTraceControl, EtwStopLoggerCode, NULL, 0, NULL,
           0, &length);
    EXPECT(STATUS_INVALID_DEVICE_REQUEST, NtTraceControl, 99, NULL, 0, NULL,
           0, &length);
}

/* ---- win32k ---- */

void by_door_thread_state(void)
{
    CHECK(CALL(NtUserGetThreadState, 0) == 0);
}

/* The clip is outside: nobody here would take the callback. */
void by_door_monitors(void)
{
    const RECT outside = { -2, -2, -1, -1 };

    CHECK(CALL(NtUserEnumDisplayMonitors, NULL, &outside, NULL, 0) == TRUE);
    CHECK(CALL(NtUserEnumDisplayMonitors, NO_HANDLE, NULL, NULL, 0) == FALSE);
}

void by_door_get_dc(void)
{
    CHECK((HANDLE)CALL(NtUserGetDC, NULL) == NtUserGetDC(NULL));
    CHECK((HANDLE)CALL(NtUserGetDC, NO_HANDLE) == NULL);
}

void by_door_bit_blt(void)
{
    HANDLE dc = NtUserGetDC(NULL);

    CHECK((LONG)CALL(NtGdiBitBlt, dc, 1, 1, 1, 1, NULL, 0, 0, PATCOPY, 0,
                     0) == TRUE);
    CHECK((LONG)CALL(NtGdiBitBlt, NO_HANDLE, 1, 1, 1, 1, NULL, 0, 0, PATCOPY,
                     0, 0) == FALSE);
}

/* Room 3 carries the batch out before the service: it is empty then. */
void by_door_flush(void)
{
    TEB *teb = NtCurrentTeb();
    struct gdi_batch_record record = { sizeof record, GDI_BATCH_FILL, 0, 0, 1,
                                       1, 0 };

    memcpy(teb->GdiTebBatch.Buffer, &record, sizeof record);
    teb->GdiTebBatch.HDC = (ULONG_PTR)NtUserGetDC(NULL);
    teb->GdiTebBatch.Offset = sizeof record;
    teb->GdiBatchCount = 1;
    EXPECT(STATUS_SUCCESS, NtGdiFlush);
    CHECK(teb->GdiBatchCount == 0 && teb->GdiTebBatch.Offset == 0);
}
