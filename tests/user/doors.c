/*
 * doors.c - every service by every door: the same status, the same effect.
 *
 * Each row makes one service's real calls, one that works and one that is
 * refused, through ntdll's routine for the door (doors/).  A service of
 * services.tab without a row here is a failure.  The machine must have
 * debug=on.
 *
 *     doors                       all rows, by each door
 *     doors gui DOOR              the call that makes a thread a GUI thread
 *     doors end_process DOOR      NtTerminateProcess(12345678)
 *     doors end_thread DOOR       NtTerminateThread(23456789)
 */
#include "doors/doors.h"

#define SERVICE(table, number, stack_args, argc, name) { number, argc, #name },

static const struct service {
    USHORT number, count;
    const char *name;
} services[] = {
#include "services.inc.c"
};

#define ROW(service, routine) { #service, by_door_##routine }

static const struct row {
    const char *service;
    void (*check)(void);
} rows[] = {
    ROW(NtReadFile, read_file),
    ROW(NtWriteFile, write_file),
    ROW(NtClose, close_file),
    ROW(NtQueryInformationFile, query_file),
    ROW(NtAllocateVirtualMemory, allocate_memory),
    ROW(NtQueryInformationProcess, query_process),
    ROW(NtFreeVirtualMemory, free_memory),
    ROW(NtQueryVirtualMemory, query_memory),
    ROW(NtQueryInformationThread, query_thread),
    ROW(NtMapViewOfSection, views),
    ROW(NtUnmapViewOfSection, views),
    ROW(NtTerminateProcess, terminate_process),
    ROW(NtQueryPerformanceCounter, performance_counter),
    ROW(NtOpenFile, open_file),
    ROW(NtQuerySystemInformation, query_system),
    ROW(NtContinue, continue_context),
    ROW(NtYieldExecution, yield),
    ROW(NtCreateSection, section_object),
    ROW(NtProtectVirtualMemory, protect_memory),
    ROW(NtReadVirtualMemory, copy_memory),
    ROW(NtWriteVirtualMemory, copy_memory),
    ROW(NtLockVirtualMemory, lock_memory),
    ROW(NtUnlockVirtualMemory, lock_memory),
    ROW(NtOpenSection, open_section),
    ROW(NtQuerySection, query_section),
    ROW(NtTerminateThread, terminate_thread),
    ROW(NtCreateFile, create_file),
    ROW(NtQuerySystemTime, system_time),
    ROW(NtDisplayString, display_string),
    ROW(NtGetCurrentProcessorNumber, processor_number),
    ROW(NtRaiseException, raise_exception),
    ROW(NtRaiseHardError, hard_error),
    ROW(NtSystemDebugControl, debug_control),
    ROW(NtTestAlert, test_alert),
    ROW(NtQueueApcThread, queue_apc),
    ROW(NtQueueApcThreadEx, queue_special_apc),
    ROW(NtAlertThread, alert),
    ROW(NtAlertResumeThread, alert_resume),
    ROW(NtSuspendThread, suspend),
    ROW(NtResumeThread, resume),
    ROW(NtContinueEx, continue_ex),
    ROW(NtCallbackReturn, callback_return),
    ROW(NtCreateEvent, create_event),
    ROW(NtOpenEvent, open_event),
    ROW(NtSetEvent, change_event),
    ROW(NtResetEvent, change_event),
    ROW(NtPulseEvent, change_event),
    ROW(NtClearEvent, change_event),
    ROW(NtQueryEvent, query_event),
    ROW(NtCreateMutant, create_mutant),
    ROW(NtOpenMutant, open_mutant),
    ROW(NtReleaseMutant, release_mutant),
    ROW(NtQueryMutant, query_mutant),
    ROW(NtCreateSemaphore, create_semaphore),
    ROW(NtOpenSemaphore, open_semaphore),
    ROW(NtReleaseSemaphore, release_semaphore),
    ROW(NtQuerySemaphore, query_semaphore),
    ROW(NtCreateTimer, create_timer),
    ROW(NtOpenTimer, open_timer),
    ROW(NtSetTimer, change_timer),
    ROW(NtCancelTimer, change_timer),
    ROW(NtQueryTimer, query_timer),
    ROW(NtDelayExecution, delay),
    ROW(NtSetSystemInformation, set_system),
    ROW(NtSetSystemTime, set_time),
    ROW(NtQueryTimerResolution, resolution),
    ROW(NtSetTimerResolution, resolution),
    ROW(NtCreateThreadEx, create_thread_ex),
    ROW(NtCreateThread, create_thread),
    ROW(NtOpenThread, open_thread),
    ROW(NtOpenProcess, open_process),
    ROW(NtCreateUserProcess, create_process),
    ROW(NtGetContextThread, get_context),
    ROW(NtSetContextThread, set_context),
    ROW(NtSetInformationThread, set_thread),
    ROW(NtSetInformationProcess, set_process),
    ROW(NtCreateDirectoryObject, directory),
    ROW(NtOpenDirectoryObject, directory),
    ROW(NtQueryDirectoryObject, directory),
    ROW(NtDuplicateObject, duplicate),
    ROW(NtSetInformationObject, duplicate),
    ROW(NtQueryObject, duplicate),
    ROW(NtWaitForSingleObject, wait),
    ROW(NtWaitForMultipleObjects, wait),
    ROW(NtSignalAndWaitForSingleObject, wait),
    ROW(NtTraceControl, trace_control),
    ROW(NtUserEnumDisplayMonitors, monitors),
    ROW(NtUserGetThreadState, thread_state),
    ROW(NtGdiBitBlt, bit_blt),
    ROW(NtUserGetDC, get_dc),
    ROW(NtGdiFlush, flush),
};

/* The only one there is, the same in every process. */
#define SCREEN_DC ((HANDLE)0x01010010)

const struct door *door;

/* The test build's own: they answer with their arguments. */
static void check_echo(const struct service *service)
{
    static ULONGLONG out[18];
    static const ULONGLONG in[18] = { 0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
                                      13, 14, 15, 16, 17, 18 };
    NTSTATUS status;

    memset(out, 0, sizeof out);
    status = door->call(service->number, out, in[1], in[2], in[3], in[4],
                        in[5], in[6], in[7], in[8], in[9], in[10], in[11],
                        in[12], in[13], in[14], in[15], in[16], in[17]);
    CHECK_STATUS(status, STATUS_SUCCESS);
    CHECK_SAY(out[0] == (ULONGLONG)out &&
              !memcmp(out + 1, in + 1, (service->count - 1) * sizeof *in),
              "%s: not what went in", service->name);
}

static void check_capture(const struct service *service)
{
    static const UCHAR bytes[16];

    CHECK_STATUS(door->call(service->number, bytes, sizeof bytes),
                 STATUS_SUCCESS);
    CHECK_STATUS(door->call(service->number, -4096, sizeof bytes),
                 STATUS_ACCESS_VIOLATION);
}

static void check_test_service(const struct service *service)
{
    if (!strncmp(service->name, "NtwEcho", 7) ||
        !strcmp(service->name, "NtwGuiEcho2") ||
        !strcmp(service->name, "NtwWiden"))
        check_echo(service);
    else if (!strcmp(service->name, "NtwSelfTest"))
        CHECK_STATUS(door->call(service->number, 0, NULL), STATUS_SUCCESS);
    else if (!strncmp(service->name, "NtwNothing", 10))
        CHECK_STATUS(door->call(service->number), STATUS_SUCCESS);
    else if (!strcmp(service->name, "NtwCapture"))
        check_capture(service);
    else
        CHECK_SAY(FALSE, "%s has no row", service->name);
}

static void check_service(const struct service *service)
{
    ULONG at;

    for (at = 0; at < ARRAY_SIZE(rows); at++) {
        if (!strcmp(rows[at].service, service->name)) {
            rows[at].check();
            return;
        }
    }
    check_test_service(service);
}

static void check_all(void)
{
    ULONG at;

    for (door = doors; door < doors_end(); door++) {
        test_where(door->name);
        for (at = 0; at < ARRAY_SIZE(services); at++)
            check_service(&services[at]);
    }
}

static const struct service *find_service(const char *name)
{
    for (ULONG at = 0; at < ARRAY_SIZE(services); at++) {
        if (!strcmp(services[at].name, name))
            return &services[at];
    }
    return NULL;
}

/*
 * Room 3 makes the thread a GUI thread and calls again, arguments kept: four
 * from registers, the others from the stack.  Nor does a batch change them.
 */
static void check_gui(void)
{
    const struct service *echo = find_service("NtwGuiEcho2");
    TEB *teb = NtCurrentTeb();

    if (echo) {
        check_echo(echo);
        teb->GdiBatchCount = 1;
        check_echo(echo);
        CHECK(teb->GdiBatchCount == 0);
    }
    CHECK((LONG)CALL(NtGdiBitBlt, SCREEN_DC, 0, 0, 1, 1, NULL, 0, 0,
                     BLACKNESS, 0, 0) == TRUE);
    CHECK((HANDLE)CALL(NtUserGetDC, NULL) == SCREEN_DC);
    CHECK(NtUserGetDC(NULL) == SCREEN_DC);
}

NTSTATUS NtProcessStartup(PEB *peb)
{
    const char *words = test_words(), *name = strrchr(words, ' ');

    (void)peb;
    if (!name) {
        check_all();
        return test_end();
    }
    door = door_named(name + 1);
    if (!CHECK_SAY(door != NULL, "no door \"%s\"", name + 1))
        return test_end();
    if (!strncmp(words, "end_process", 11))
        CALL(NtTerminateProcess, SELF, 0x12345678);
    else if (!strncmp(words, "end_thread", 10))
        CALL(NtTerminateThread, NtCurrentThread(), 0x23456789);
    else
        check_gui();
    return test_end();
}
