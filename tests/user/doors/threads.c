/*
 * doors/threads.c - threads and processes made, opened, set and looked into
 * by each door.
 */
#include "doors.h"

#define STACK ((SIZE_T)0x10000)

static OBJECT_ATTRIBUTES attributes = { .Length = sizeof attributes };
static CONTEXT context __attribute__((aligned(16)));

static void NTAPI leave(void *argument)
{
    NtTerminateThread(NtCurrentThread(), (NTSTATUS)(ULONG_PTR)argument);
}

static void join(HANDLE thread, NTSTATUS expected)
{
    THREAD_BASIC_INFORMATION basic = { .ExitStatus = -1 };

    CHECK_STATUS(NtWaitForSingleObject(thread, FALSE, NULL), STATUS_WAIT_0);
    NtQueryInformationThread(thread, ThreadBasicInformation, &basic,
                             sizeof basic, NULL);
    CHECK_STATUS(basic.ExitStatus, expected);
    CHECK_STATUS(NtClose(thread), STATUS_SUCCESS);
}

void by_door_create_thread_ex(void)
{
    HANDLE thread = NULL;

    EXPECT(STATUS_SUCCESS, NtCreateThreadEx, &thread, THREAD_ALL_ACCESS,
           NULL, SELF, leave, (ULONG_PTR)77, 0, (SIZE_T)0, STACK, STACK,
           NULL);
    join(thread, 77);
    EXPECT(STATUS_INVALID_HANDLE, NtCreateThreadEx, &thread,
           THREAD_ALL_ACCESS, NULL, NO_HANDLE, leave, NULL, 0, (SIZE_T)0,
           STACK, STACK, NULL);
}

/* With a stack and registers of its own. */
void by_door_create_thread(void)
{
    UCHAR *stack = test_pages(STACK / PAGE_SIZE);
    INITIAL_TEB teb = { .StackBase = stack + STACK, .StackLimit = stack };
    HANDLE thread = NULL;
    CLIENT_ID id = { NULL, NULL };

    RtlCaptureContext(&context);
    context.Rip = (ULONG_PTR)leave;
    context.Rsp = (ULONG_PTR)(stack + STACK) - 0x28;
    context.Rcx = 78;
    EXPECT(STATUS_SUCCESS, NtCreateThread, &thread, THREAD_ALL_ACCESS, NULL,
           SELF, &id, &context, &teb, FALSE);
    CHECK(id.UniqueProcess == NtCurrentTeb()->ClientId.UniqueProcess);
    join(thread, 78);
    EXPECT(STATUS_ACCESS_VIOLATION, NtCreateThread, &thread,
           THREAD_ALL_ACCESS, NULL, SELF, &id, NULL, &teb, FALSE);
}

void by_door_open_thread(void)
{
    HANDLE thread = NULL;

    EXPECT(STATUS_SUCCESS, NtOpenThread, &thread, THREAD_ALL_ACCESS,
           &attributes, &NtCurrentTeb()->ClientId);
    CHECK_STATUS(NtClose(thread), STATUS_SUCCESS);
    EXPECT(STATUS_INVALID_PARAMETER_MIX, NtOpenThread, &thread,
           THREAD_ALL_ACCESS, &attributes, NULL);
}

void by_door_open_process(void)
{
    HANDLE process = NULL;

    EXPECT(STATUS_SUCCESS, NtOpenProcess, &process, PROCESS_ALL_ACCESS,
           &attributes, &NtCurrentTeb()->ClientId);
    CHECK_STATUS(NtClose(process), STATUS_SUCCESS);
    EXPECT(STATUS_INVALID_PARAMETER_MIX, NtOpenProcess, &process,
           PROCESS_ALL_ACCESS, &attributes, NULL);
}

void by_door_create_process(void)
{
    HANDLE handles[2];

    EXPECT(STATUS_ACCESS_VIOLATION, NtCreateUserProcess, &handles[0],
           &handles[1], PROCESS_ALL_ACCESS, THREAD_ALL_ACCESS, NULL, NULL, 0,
           0, NULL, NULL, NULL);
    EXPECT(STATUS_INVALID_PARAMETER, NtCreateUserProcess, &handles[0],
           &handles[1], PROCESS_ALL_ACCESS, THREAD_ALL_ACCESS, NULL, NULL,
           0x8000, 0, NULL, NULL, NULL);
}

void by_door_get_context(void)
{
    context.ContextFlags = CONTEXT_FULL;
    EXPECT(STATUS_SUCCESS, NtGetContextThread, NtCurrentThread(), &context);
    CHECK(context.Rsp - (ULONG_PTR)NtCurrentTeb()->NtTib.StackLimit <
          (ULONG_PTR)NtCurrentTeb()->NtTib.StackBase);
    EXPECT(STATUS_INVALID_HANDLE, NtGetContextThread, NO_HANDLE, &context);
}

/* A context that changes nothing: debug registers that are all 0. */
void by_door_set_context(void)
{
    memset(&context, 0, sizeof context);
    context.ContextFlags = CONTEXT_DEBUG_REGISTERS;
    EXPECT(STATUS_SUCCESS, NtSetContextThread, NtCurrentThread(), &context);
    EXPECT(STATUS_INVALID_HANDLE, NtSetContextThread, NO_HANDLE, &context);
}

void by_door_set_thread(void)
{
    LONG step = 0;

    EXPECT(STATUS_SUCCESS, NtSetInformationThread, NtCurrentThread(),
           ThreadBasePriority, &step, (ULONG)sizeof step);
    EXPECT(STATUS_INVALID_INFO_CLASS, NtSetInformationThread,
           NtCurrentThread(), 999, &step, (ULONG)sizeof step);
}

void by_door_set_process(void)
{
    LONG priority = 8;

    EXPECT(STATUS_SUCCESS, NtSetInformationProcess, SELF,
           ProcessBasePriority, &priority, (ULONG)sizeof priority);
    EXPECT(STATUS_INVALID_INFO_CLASS, NtSetInformationProcess, SELF, 999,
           &priority, (ULONG)sizeof priority);
}
