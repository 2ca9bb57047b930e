/*
 * sehend.c - exceptions that no handler of 32-bit code wants, by name: the
 * process ends with the exception's code (expected.txt).
 */
#include "guard.h"

#define CODE 0xE0ABCDEF

static EXCEPTION_DISPOSITION never(EXCEPTION_RECORD *record, void *frame,
                                   CONTEXT *context, void *dispatcher)
{
    (void)record;
    (void)frame;
    (void)context;
    (void)dispatcher;
    print("a handler that must not be asked\n");
    return ExceptionContinueExecution;
}

/* No frame but the one of the thread's start. */
static void end_plain(void)
{
    guard_raise(CODE, 0);
}

static void end_searched(void)
{
    struct guard guard;

    if (GUARDED(&guard, guard_search))
        guard_raise(CODE, 0);
}

static void end_no_chain(void)
{
    guard_set_chain((void *)-1);
    guard_raise(CODE, 0);
}

/* ---- Frames that are none ---- */

static void end_null_frame(void)
{
    guard_set_chain(NULL);
    guard_raise(CODE, 0);
}

static void end_unaligned(void)
{
    struct {
        UCHAR odd[2];
        EXCEPTION_REGISTRATION_RECORD record;
    } __attribute__((packed, aligned(4))) frame = {
        .record = { (void *)-1, never },
    };

    guard_set_chain((UCHAR *)&frame + 2);
    guard_raise(CODE, 0);
}

static void end_off_stack(void)
{
    static EXCEPTION_REGISTRATION_RECORD record = { (void *)-1, never };

    guard_set_chain(&record);
    guard_raise(CODE, 0);
}

static void end_top_of_stack(void)
{
    guard_set_chain((ULONG *)NtCurrentTeb()->NtTib.StackBase - 1);
    guard_raise(CODE, 0);
}

static void end_top_of_space(void)
{
    guard_set_chain((void *)0xFFFFFFF8);
    guard_raise(CODE, 0);
}

/* The second frame is the bad one. */
static void end_bad_next(void)
{
    struct guard guard;

    if (GUARDED(&guard, guard_search)) {
        guard.record.Next = (void *)0x12345678;
        guard_raise(CODE, 0);
    }
}

static void end_handler_on_stack(void)
{
    UCHAR code[16] = { 0x33, 0xC0, 0xC3 };      /* xor eax, eax; ret */
    EXCEPTION_REGISTRATION_RECORD record = { (void *)-1, (void *)code };

    __asm__ volatile("" : : "r"(code) : "memory");
    guard_set_chain(&record);
    guard_raise(CODE, 0);
}

/* ---- Handlers that make it worse ---- */

static EXCEPTION_DISPOSITION fault(struct guard *guard,
                                   EXCEPTION_RECORD *record, CONTEXT *context)
{
    (void)guard;
    (void)record;
    (void)context;
    *(volatile int *)0 = 0;
    return ExceptionContinueExecution;
}

/* Each fault finds the same handler, until the stack ends. */
static void end_faulting_handler(void)
{
    struct guard guard;

    if (GUARDED(&guard, fault))
        guard_raise(CODE, 0);
}

static void end_jump_nowhere(void)
{
    EXCEPTION_REGISTRATION_RECORD record = { (void *)-1, (void *)0x1000 };

    guard_set_chain(&record);
    guard_raise(CODE, 0);
}

/* Unwinding meets a frame that is none, and so does who hears of it. */
static void end_unwind_bad_frame(void)
{
    struct guard guard;
    EXCEPTION_REGISTRATION_RECORD record;

    if (GUARDED(&guard, guard_execute)) {
        record = guard.record;
        guard_set_chain((UCHAR *)&record + 1);
        RtlUnwind(&guard, NULL, NULL, NULL);
    }
}

/* All frames are unwound for a target that is not there. */
static void end_unwind_no_target(void)
{
    RtlUnwind((UCHAR *)NtCurrentTeb()->NtTib.StackBase - 8, NULL, NULL, NULL);
}

/* ---- Elsewhere ---- */

static void NTAPI raise_in_apc(void *argument1, void *argument2,
                               void *argument3)
{
    (void)argument1;
    (void)argument2;
    (void)argument3;
    guard_raise(CODE, 0);
}

static void end_apc(void)
{
    NtQueueApcThread(NtCurrentThread(), raise_in_apc, NULL, NULL, NULL);
    NtTestAlert();
}

static void NTAPI raise_in_thread(void *argument)
{
    (void)argument;
    guard_raise(CODE, 0);
}

static void end_thread(void)
{
    RtlCreateUserThread(NtCurrentProcess(), NULL, FALSE, 0, 0, 0,
                        raise_in_thread, NULL, NULL, NULL);
    NtDelayExecution(FALSE, &(LARGE_INTEGER){ .QuadPart = -10000000000LL });
}

static void end_status(void)
{
    RtlRaiseStatus(STATUS_NO_MEMORY);
}

static void end_noncontinuable(void)
{
    guard_raise(CODE, EXCEPTION_NONCONTINUABLE);
}

static LONG NTAPI execute(EXCEPTION_POINTERS *pointers)
{
    (void)pointers;
    return EXCEPTION_EXECUTE_HANDLER;
}

static LONG NTAPI search(EXCEPTION_POINTERS *pointers)
{
    (void)pointers;
    return EXCEPTION_CONTINUE_SEARCH;
}

static void end_filter_execute(void)
{
    RtlSetUnhandledExceptionFilter(execute);
    guard_raise(CODE, 0);
}

static void end_filter_search(void)
{
    RtlSetUnhandledExceptionFilter(search);
    guard_raise(CODE, 0);
}

static void tell(struct guard *guard)
{
    (void)guard;
    print("unwound\n");
}

static void end_filter_unwind(void)
{
    struct guard guard;

    RtlSetUnhandledExceptionFilter(execute);
    if (GUARDED(&guard, guard_search)) {
        guard.on_unwind = tell;
        guard_raise(CODE, 0);
    }
}

#define ROW(name) { #name, end_##name }

static const struct {
    const char *name;
    void (*routine)(void);
} rows[] = {
    ROW(plain), ROW(searched), ROW(no_chain), ROW(null_frame), ROW(unaligned),
    ROW(off_stack), ROW(top_of_stack), ROW(top_of_space), ROW(bad_next),
    ROW(handler_on_stack), ROW(faulting_handler), ROW(jump_nowhere),
    ROW(unwind_bad_frame), ROW(unwind_no_target), ROW(apc), ROW(thread),
    ROW(status), ROW(noncontinuable), ROW(filter_execute),
    ROW(filter_search), ROW(filter_unwind),
};

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    ULONG at;

    (void)peb;
    for (at = 0; at < ARRAY_SIZE(rows); at++)
        if (!strcmp(test_words(), rows[at].name))
            rows[at].routine();
    print("sehend %s: still here\n", test_words());
    return 1;
}
