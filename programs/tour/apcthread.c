/*
 * apcthread.c - section 4.5: a second thread queues an APC to the first, which
 * waits for an event that nobody ever sets.
 *
 * By priorities the order is certain on one processor: the second thread
 * starts below the first, so it runs when the first waits; then it goes above
 * it, and can look at the first before that goes on.
 */
#include "apc.h"

#define STATE_READY 1
#define STATE_WAITING 5
#define BELOW (-2)
#define ABOVE 2

/* The first thread's, for the second; and what that one finds. */
static struct {
    HANDLE first, event;
    ULONGLONG kthread;
    NTSTATUS status;
    ULONG state_before, pending, state_after;
} meeting;

static struct call call;

static NTSTATUS set_priority(HANDLE thread, LONG increment)
{
    return NtSetInformationThread(thread, ThreadBasePriority, &increment,
                                  sizeof increment);
}

static ULONGLONG own_id(void)
{
    return (ULONGLONG)NtCurrentTeb()->ClientId.UniqueThread;
}

static void NTAPI second_thread(void *parameter)
{
    (void)parameter;
    if (meeting.kthread)
        meeting.state_before = apc_state(meeting.kthread);
    set_priority(NtCurrentThread(), ABOVE);
    meeting.status = NtQueueApcThread(meeting.first, apc_routine,
                                      (void *)own_id(), NULL, NULL);
    if (meeting.kthread) {
        meeting.pending = apc_pending(meeting.kthread);
        meeting.state_after = apc_state(meeting.kthread);
    }
    RtlExitUserThread(STATUS_SUCCESS);
}

static HANDLE create_thread(void)
{
    HANDLE thread = NULL;
    NTSTATUS status = NtCreateThreadEx(
        &thread, THREAD_ALL_ACCESS, NULL, NtCurrentProcess(),
        (void *)(ULONG_PTR)second_thread, NULL,
        THREAD_CREATE_FLAGS_CREATE_SUSPENDED, 0, 0, 0, NULL);

    check(NT_SUCCESS(status), "NtCreateThreadEx makes a thread");
    print("   NtCreateThreadEx   %08X %s\n", (ULONG)status,
          status_name(status));
    return thread;
}

/* A handle of this thread that others can use. */
static BOOLEAN prepare(void)
{
    OBJECT_ATTRIBUTES none = { .Length = sizeof none };
    NTSTATUS status;

    status = NtOpenThread(&meeting.first, THREAD_SET_CONTEXT, &none,
                          &NtCurrentTeb()->ClientId);
    if (NT_SUCCESS(status))
        status = NtCreateEvent(&meeting.event, EVENT_ALL_ACCESS, NULL,
                               SynchronizationEvent, FALSE);
    check(NT_SUCCESS(status), "a thread and an event for the second thread");
    meeting.kthread = kernel_is_open() ? kernel_thread() : 0;
    return NT_SUCCESS(status);
}

static void show_states(void)
{
    print("   the first, before  State %u, Waiting\n", meeting.state_before);
    print("   NtQueueApcThread   %08X %s, by the second\n",
          (ULONG)meeting.status, status_name(meeting.status));
    print("   the first, after   State %u, Ready; UserApcPendingAll %02X\n",
          meeting.state_after, meeting.pending);
    check(meeting.state_before == STATE_WAITING,
          "the first thread waits when the second runs");
    check(meeting.state_after == STATE_READY && meeting.pending == 2,
          "an APC ends the wait and is pending");
}

static void show_result(ULONGLONG second)
{
    const struct apc_seen *seen = &apc_seen[0];

    print("   routine            argument 1 = %llX: thread %llX, not %llX, "
          "queued it\n", seen->arguments[0], seen->arguments[0], own_id());
    print("   its CONTEXT        %016llX: Rax %08llX, Rip in the stub\n",
          seen->at, seen->frame.context.Rax);
    print("   wait returns       %08llX %s\n", call.out.Rax,
          status_name((NTSTATUS)call.out.Rax));
    check(apc_count == 1 && seen->arguments[0] == second,
          "the second thread's APC has run");
    check(call.out.Rax == STATUS_USER_APC &&
          seen->frame.context.Rax == STATUS_USER_APC,
          "the wait's status is STATUS_USER_APC");
}

static void meet(HANDLE thread)
{
    const ULONGLONG wait[] = { (ULONGLONG)meeting.event, TRUE, 0 };
    THREAD_BASIC_INFORMATION basic = { 0 };

    NtQueryInformationThread(thread, ThreadBasicInformation, &basic,
                             sizeof basic, NULL);
    print("   the threads        %llX, this one; %llX, two priorities below\n",
          own_id(), (ULONGLONG)basic.ClientId.UniqueThread);
    print("   NtWaitForSingleObject(event, alertable, for ever)\n");
    apc_count = 0;
    set_priority(thread, BELOW);
    NtResumeThread(thread, NULL);
    call_prepare(&call, find_stub("NtWaitForSingleObject"), ARRAY_SIZE(wait),
                 wait);
    call_with_registers(&call);
    check(NtWaitForSingleObject(thread, FALSE, NULL) == STATUS_SUCCESS,
          "the second thread ends");
    if (meeting.kthread)
        show_states();
    show_result((ULONGLONG)basic.ClientId.UniqueThread);
}

void show_apc_from_thread(void)
{
    HANDLE thread;

    print("\n 4.5 From another thread, into a wait\n");
    if (!prepare())
        return;
    thread = create_thread();
    if (thread) {
        meet(thread);
        NtClose(thread);
    }
    NtClose(meeting.event);
    NtClose(meeting.first);
}
