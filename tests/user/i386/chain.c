/*
 * chain.c - fs:[0] of ring 3 is the program's alone: no door, trap, APC or
 * change of threads writes to it, or minds what it is. After a callback it is
 * what it was before.
 *
 * XP's kernel has a chain of its own at fs:[0], where fs is the KPCR's, and so
 * leaves ring 3's alone; here it has none.
 */
#include "../test.h"

#include "../../../programs/lib/i386/call.h"

#include "gate.h"
#include "xp.h"

#define NO_SUCH_NUMBER 0xFFF
#define NT10_TEST_ALERT 0x1C0
#define TURNS 50

/* Not an address of a frame: an exception meanwhile would be the end. */
#define MINE ((void *)0x5EADBEE1)
#define CHAIN (*(void *volatile *)&NtCurrentTeb()->NtTib.ExceptionList)

static ULONG apcs, callbacks;

/* fs:[0] is MINE while statement runs, and afterwards. */
#define UNTOUCHED(statement) ({                                         \
        void *before_ = CHAIN, *after_;                                 \
        CHAIN = MINE;                                                   \
        statement;                                                      \
        after_ = CHAIN;                                                 \
        CHAIN = before_;                                                \
        CHECK_SAY(after_ == MINE, "fs:[0] is %p after %s", after_,      \
                  #statement);                                          \
    })

static void NTAPI look(void *argument1, void *argument2, void *argument3)
{
    (void)argument2;
    (void)argument3;
    apcs += CHAIN == argument1;
}

static void check_door(const struct door *door)
{
    test_where(door->name);
    UNTOUCHED(door->call(NO_SUCH_NUMBER));
    UNTOUCHED(door->call(SERVICE_NtYieldExecution));
    UNTOUCHED(door->call(SERVICE_NtClose, (HANDLE)0x1234));
    UNTOUCHED(door->call(SERVICE_NtQuerySystemTime, (void *)0x10));
    UNTOUCHED(door->call(SERVICE_NtDelayExecution, FALSE,
                         &(LARGE_INTEGER){ .QuadPart = -1 }));
    UNTOUCHED(door->call(SERVICE_NtUserGetThreadState, 0));
    apcs = 0;
    NtQueueApcThread(NtCurrentThread(), look, MINE, NULL, NULL);
    UNTOUCHED(door->call(SERVICE_NtTestAlert));
    CHECK(apcs == 1);
    test_where("");
}

static void check_gate(ULONG by_int2e)
{
    struct gate_call gate = { .number = NT10_TEST_ALERT,
                              .by_int2e = by_int2e };

    UNTOUCHED(gate_call(&gate));
    CHECK(gate.rax == STATUS_SUCCESS);
}

/*
 * NT: XP, too, puts it back after a callback: the routine's frames are gone
 * when it answers from within them.
 */
static NTSTATUS NTAPI answer_with_frames(void *data, ULONG length)
{
    static const ULONG yes = TRUE;

    (void)data;
    (void)length;
    callbacks += CHAIN == MINE;
    CHAIN = (void *)&data;
    return NtCallbackReturn((void *)&yes, sizeof yes, STATUS_SUCCESS);
}

static void check_callback(PEB *peb)
{
    static void *const table[] = { answer_with_frames };

    peb->KernelCallbackTable = (void *)table;
    UNTOUCHED(NtUserEnumDisplayMonitors(NULL, NULL, NULL, 0));
    CHECK(callbacks == 1);
}

/* Interrupts of the clock, and pages that are there on demand. */
static void wait_for_ticks(ULONG count)
{
    const volatile KUSER_SHARED_DATA *shared =
        (KUSER_SHARED_DATA *)USER_SHARED_DATA;
    ULONG until = shared->TickCountLow + count;

    while ((LONG)(shared->TickCountLow - until) < 0)
        continue;
}

static void touch(volatile UCHAR *pages, ULONG count)
{
    ULONG at;

    for (at = 0; at < count; at++)
        pages[at * PAGE_SIZE] = 1;
}

static void NTAPI turn(void *argument)
{
    ULONG count, kept = 0;

    CHAIN = argument;
    for (count = 0; count < TURNS; count++) {
        NtYieldExecution();
        kept += CHAIN == argument;
    }
    RtlExitUserThread(kept == TURNS ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL);
}

/* Each thread has its own. */
static void check_threads(void)
{
    HANDLE threads[2];
    THREAD_BASIC_INFORMATION basic;
    ULONG at;

    for (at = 0; at < ARRAY_SIZE(threads); at++)
        CHECK_STATUS(RtlCreateUserThread(NtCurrentProcess(), NULL, FALSE, 0,
                                         0, 0, turn,
                                         (UCHAR *)MINE + at * 0x100,
                                         &threads[at], NULL),
                     STATUS_SUCCESS);
    UNTOUCHED(NtWaitForMultipleObjects(ARRAY_SIZE(threads), threads, 0,
                                       FALSE, NULL));
    for (at = 0; at < ARRAY_SIZE(threads); at++) {
        basic.ExitStatus = -1;
        NtQueryInformationThread(threads[at], ThreadBasicInformation, &basic,
                                 sizeof basic, NULL);
        CHECK_STATUS(basic.ExitStatus, STATUS_SUCCESS);
        NtClose(threads[at]);
    }
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    const struct door *door;
    UCHAR *pages = test_pages(8);

    for (door = doors; door < doors_end(); door++)
        check_door(door);
    check_gate(GATE_SYSCALL);
    check_gate(GATE_INT2E);
    check_callback(peb);
    UNTOUCHED(wait_for_ticks(3));
    UNTOUCHED(touch(pages, 8));
    check_threads();
    return test_end();
}
