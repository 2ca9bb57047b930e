/*
 * doors/apcs.c - user APCs, alerts, suspension by each door.
 */
#include "doors.h"

#define THREAD NtCurrentThread()

static volatile ULONG_PTR seen[3];

static void NTAPI see(void *argument1, void *argument2, void *argument3)
{
    seen[0] += (ULONG_PTR)argument1;
    seen[1] += (ULONG_PTR)argument2;
    seen[2] += (ULONG_PTR)argument3;
}

static BOOLEAN has_seen(ULONG_PTR a, ULONG_PTR b, ULONG_PTR c)
{
    BOOLEAN good = seen[0] == a && seen[1] == b && seen[2] == c;

    seen[0] = seen[1] = seen[2] = 0;
    return good;
}

void by_door_queue_apc(void)
{
    EXPECT(STATUS_SUCCESS, NtQueueApcThread, THREAD, see, (ULONG_PTR)1,
           (ULONG_PTR)22, (ULONG_PTR)333);
    CHECK(has_seen(0, 0, 0));
    EXPECT(STATUS_SUCCESS, NtTestAlert);
    CHECK(has_seen(1, 22, 333));
    EXPECT(STATUS_INVALID_HANDLE, NtQueueApcThread, NO_HANDLE, see, NULL,
           NULL, NULL);
}

void by_door_queue_special_apc(void)
{
    EXPECT(STATUS_SUCCESS, NtQueueApcThreadEx, THREAD,
           QUEUE_USER_APC_SPECIAL_USER_APC, see, (ULONG_PTR)4, (ULONG_PTR)55,
           (ULONG_PTR)666);
    CHECK(has_seen(4, 55, 666));
    EXPECT(STATUS_INVALID_HANDLE, NtQueueApcThreadEx, THREAD, NO_HANDLE, see,
           NULL, NULL, NULL);
}

void by_door_alert(void)
{
    EXPECT(STATUS_SUCCESS, NtAlertThread, THREAD);
    EXPECT(STATUS_ALERTED, NtTestAlert);
    EXPECT(STATUS_SUCCESS, NtTestAlert);
}

void by_door_alert_resume(void)
{
    ULONG count = 5;

    EXPECT(STATUS_SUCCESS, NtAlertResumeThread, THREAD, &count);
    CHECK(count == 0);
    EXPECT(STATUS_INVALID_HANDLE, NtAlertResumeThread, NO_HANDLE, NULL);
}

void by_door_suspend(void)
{
    EXPECT(STATUS_INVALID_HANDLE, NtSuspendThread, NO_HANDLE, NULL);
    EXPECT(STATUS_ACCESS_VIOLATION, NtSuspendThread, THREAD,
           (ULONG *)(ULONG_PTR)8);
}

void by_door_resume(void)
{
    ULONG count = 5;

    EXPECT(STATUS_SUCCESS, NtResumeThread, THREAD, &count);
    CHECK(count == 0);
    EXPECT(STATUS_INVALID_HANDLE, NtResumeThread, NO_HANDLE, NULL);
}

/* Here and back: the second time it is the context that arrives. */
void by_door_continue_ex(void)
{
    static CONTEXT context;
    static volatile ULONG turns;
    KCONTINUE_ARGUMENT argument = { .ContinueType = KCONTINUE_RESUME };

    turns = 0;
    RtlCaptureContext(&context);
    if (turns++ == 0)
        CALL(NtContinueEx, &context, &argument);
    CHECK(turns == 2);
    EXPECT(STATUS_ACCESS_VIOLATION, NtContinueEx, NULL, NULL);
}
