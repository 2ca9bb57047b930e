/*
 * tornregs.c - NtGetContextThread and NtSetContextThread on a thread that is
 * just on its way through the kernel: of the registers that a call keeps,
 * either all are the old ones or all are the new ones.
 *
 * The other thread has one value in rbx, rsi, rdi and r12 to r15, wherever it
 * is. It spins while a user APC waits for it, or goes by NtContinue from one
 * value to the next, or from exception to exception.
 *
 * Scenarios: I9.
 */
#include "test.h"

#include "../../programs/lib/find.h"

#define STACK 0x10000
#define ROUNDS 20
#define FIRST_STATION 0x76
#define EXCEPTION_ROUNDS 40
#define SPIN_SIZE 0x10                  /* spin's two instructions */

static volatile ULONG spins, apcs;
static CONTEXT context __attribute__((aligned(16)));
static CONTEXT stations[2] __attribute__((aligned(16)));

static HANDLE create(void *routine)
{
    HANDLE thread = NULL;

    CHECK_STATUS(NtCreateThreadEx(&thread, THREAD_ALL_ACCESS, NULL,
                                  NtCurrentProcess(), routine, NULL, 0, 0,
                                  STACK, STACK, NULL), STATUS_SUCCESS);
    return thread;
}

static void end(HANDLE thread)
{
    CHECK_STATUS(NtTerminateThread(thread, 0), STATUS_SUCCESS);
    CHECK_STATUS(NtWaitForSingleObject(thread, FALSE, NULL), STATUS_SUCCESS);
    CHECK_STATUS(NtClose(thread), STATUS_SUCCESS);
}

static void set_all(CONTEXT *to, ULONGLONG value)
{
    to->Rbx = to->Rsi = to->Rdi = value;
    to->R12 = to->R13 = to->R14 = to->R15 = value;
}

static BOOLEAN is_whole(const CONTEXT *of, ULONGLONG value)
{
    return of->Rbx == value && of->Rsi == value && of->Rdi == value &&
           of->R12 == value && of->R13 == value && of->R14 == value &&
           of->R15 == value;
}

static void check_whole(const CONTEXT *of, ULONGLONG value, const char *when)
{
    CHECK_SAY(is_whole(of, value),
              "%s: not %llx: rbx %llx rsi %llx rdi %llx r12 %llx r15 %llx",
              when, value, of->Rbx, of->Rsi, of->Rdi, of->R12, of->R15);
}

static void get(HANDLE thread)
{
    context.ContextFlags = CONTEXT_FULL;
    CHECK_STATUS(NtGetContextThread(thread, &context), STATUS_SUCCESS);
}

/* No register but rip changes here. */
static void NTAPI spin(void *argument)
{
    (void)argument;
    for (;;)
        __asm__ volatile("incl %0" : "+m"(spins));
}

static void NTAPI count_apc(void *argument1, void *argument2, void *argument3)
{
    (void)argument1, (void)argument2, (void)argument3;
    apcs++;
}

/* Until a thread is past what each begins with, and spins. */
static void wait_for_spin(void)
{
    ULONG before = spins;

    while (spins == before)
        NtYieldExecution();
}

static void resume_for_apc(HANDLE thread, ULONG before)
{
    NtResumeThread(thread, NULL);
    while (apcs == before)
        NtYieldExecution();
}

/*
 * It has an APC to come, and its context is what it spins with.  Beside other
 * programs the APC may be faster: it keeps that context, and its NtContinue
 * would undo what is set now.  Then it has its end first.
 */
static void suspend_before_apc(HANDLE thread, ULONG *before)
{
    for (;;) {
        wait_for_spin();
        *before = apcs;
        NtQueueApcThreadEx(thread, QUEUE_USER_APC_SPECIAL_USER_APC, count_apc,
                           NULL, NULL, NULL);
        NtSuspendThread(thread, NULL);
        get(thread);
        if (context.Rip - (ULONG_PTR)spin < SPIN_SIZE)
            return;
        resume_for_apc(thread, *before);
    }
}

/* Suspended where the kernel is about to deliver a user APC. */
static void check_delivery(void)
{
    HANDLE thread = create(spin);
    ULONGLONG value;
    ULONG before;

    for (value = 1; value <= ROUNDS; value++) {
        suspend_before_apc(thread, &before);
        if (value > 1)
            check_whole(&context, value - 1, "before an APC");
        set_all(&context, value);
        context.ContextFlags = CONTEXT_INTEGER;
        CHECK_STATUS(NtSetContextThread(thread, &context), STATUS_SUCCESS);
        get(thread);
        check_whole(&context, value, "set before an APC");
        resume_for_apc(thread, before);
    }
    end(thread);
}

/* From station to station. */
static void NTAPI travel(void *argument)
{
    (void)argument;
    NtContinue(&stations[0], FALSE);
}

static void prepare_station(ULONG at)
{
    static ULONGLONG stacks[2][STACK / 16];
    CONTEXT *station = &stations[at];

    RtlCaptureContext(station);
    set_all(station, FIRST_STATION + at);
    station->ContextFlags = CONTEXT_FULL;
    station->Rip = (ULONG_PTR)NtContinue;
    station->Rsp = (ULONG_PTR)&stacks[at][STACK / 16 - 15];
    station->Rcx = (ULONG_PTR)&stations[1 - at];
    station->Rdx = FALSE;
}

static BOOLEAN is_at_station(const CONTEXT *of)
{
    return (of->Rbx | 1) == (FIRST_STATION | 1);
}

static void check_travel(BOOLEAN suspend)
{
    LARGE_INTEGER tick = { .QuadPart = -1 };
    ULONG round, seen[2] = { 0 };
    HANDLE thread;

    prepare_station(0);
    prepare_station(1);
    thread = create(travel);
    do {
        NtDelayExecution(FALSE, &tick);
        get(thread);
    } while (!is_at_station(&context));
    for (round = 0; round < ROUNDS || !seen[0] || !seen[1]; round++) {
        NtDelayExecution(FALSE, &tick);
        if (suspend)
            NtSuspendThread(thread, NULL);
        get(thread);
        if (suspend)
            NtResumeThread(thread, NULL);
        CHECK_SAY(is_at_station(&context), "%llx", context.Rbx);
        seen[context.Rbx & 1]++;
        check_whole(&context, context.Rbx, "between two NtContinue");
    }
    end(thread);
}

/* New values for one who travels: they come back from everywhere. */
static void check_set_travelling(void)
{
    LARGE_INTEGER tick = { .QuadPart = -1 };
    ULONGLONG round;
    HANDLE thread;

    prepare_station(0);
    prepare_station(1);
    stations[0].ContextFlags = stations[1].ContextFlags = CONTEXT_CONTROL;
    stations[0].Rip = stations[1].Rip = (ULONG_PTR)spin;
    thread = create(travel);
    wait_for_spin();
    for (round = 1; round < 10; round++) {
        context.ContextFlags = CONTEXT_INTEGER;
        set_all(&context, round);
        CHECK_STATUS(NtSetContextThread(thread, &context), STATUS_SUCCESS);
        NtDelayExecution(FALSE, &tick);
        get(thread);
        check_whole(&context, round, "set while spinning");
    }
    end(thread);
}

/* tornregs.asm; the callback is a dispatcher that takes no lock. */
void take_exceptions(void);
void dispatch(void);
void *exception_dispatcher;
volatile ULONG exceptions;

static void instrument(void (*callback)(void))
{
    CHECK_STATUS(NtSetInformationProcess(NtCurrentProcess(),
                                         ProcessInstrumentationCallback,
                                         &callback, sizeof callback),
                 STATUS_SUCCESS);
}

static void set_priority(LONG increment)
{
    CHECK_STATUS(NtSetInformationThread(NtCurrentThread(), ThreadBasePriority,
                                        &increment, sizeof increment),
                 STATUS_SUCCESS);
}

/*
 * New values and a new place for one who is on his way to a dispatcher: what
 * has been set is what he has from then on.
 */
static void check_set_in_exception(void)
{
    static ULONGLONG stack[STACK / 8];
    LARGE_INTEGER tick = { .QuadPart = -1 };
    HANDLE thread = create(spin);
    ULONG before;
    ULONGLONG round;

    wait_for_spin();
    exception_dispatcher = find_stub("KiUserExceptionDispatcher");
    instrument(dispatch);
    set_priority(2);
    for (round = 1; round < EXCEPTION_ROUNDS; round++) {
        context.ContextFlags = CONTEXT_CONTROL | CONTEXT_INTEGER;
        context.Rip = (ULONG_PTR)take_exceptions;
        context.Rsp = (ULONG_PTR)&stack[ARRAY_SIZE(stack)];
        context.EFlags = 0;
        set_all(&context, round);
        before = exceptions;
        CHECK_STATUS(NtSetContextThread(thread, &context), STATUS_SUCCESS);
        while (exceptions == before)
            NtDelayExecution(FALSE, &tick);
        get(thread);
        check_whole(&context, round, "set in an exception");
    }
    set_priority(0);
    end(thread);
    instrument(NULL);
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    (void)peb;
    check_delivery();
    check_travel(FALSE);
    check_travel(TRUE);
    check_set_travelling();
    check_set_in_exception();
    return test_end();
}
