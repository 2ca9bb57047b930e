/*
 * handlers.c - handlers of the fs:[0] chain that continue, search, unwind,
 * raise again, nest and collide; RtlRaiseException, RtlRaiseStatus, RtlUnwind.
 *
 * Scenarios: H13, I8.
 */
#include "guard.h"

#define CODE 0xE0001234
#define OTHER_CODE 0xE0005678
#define CONTEXT_OF_RAISE 0x1003F
#define EAX_AFTER 0x600DF00D

/* Frames of one function: the younger one must have the lower address. */
struct frames {
    struct guard innermost, inner, outer;
};

/* An export of ntdll, where the kernel leads a service that raises. */
NTSTATUS NTAPI KiRaiseUserExceptionDispatcher(void);

/* handlers.asm */
ULONG raise_with_registers(ULONG *kept, EXCEPTION_RECORD *record);
ULONG unwind_with_registers(ULONG *kept, void *frame, void *value);
EXCEPTION_DISPOSITION stdcall_handler(EXCEPTION_RECORD *record, void *frame,
                                      CONTEXT *context, void *dispatcher);
extern ULONG seen_by_handler[4];

static void check_continue(void)
{
    struct guard guard;
    const EXCEPTION_RECORD *record = &guard.last;

    if (GUARDED(&guard, guard_continue))
        guard_raise(CODE, 0);
    guard_leave(&guard);
    CHECK(guard.asked == 1 && guard.unwound == 0);
    CHECK_STATUS(record->ExceptionCode, CODE);
    CHECK(record->ExceptionFlags == 0 && !record->ExceptionRecord);
    CHECK(record->NumberParameters == 2 &&
          record->ExceptionInformation[0] == GUARD_PARAMETER0 &&
          record->ExceptionInformation[1] == GUARD_PARAMETER1);
    CHECK(record->ExceptionAddress == (void *)guard.context.Eip);
    CHECK_SAY(guard.context.ContextFlags == CONTEXT_OF_RAISE, "flags %x",
              guard.context.ContextFlags);
    CHECK(guard.context.SegCs == 0x1B && guard.context.SegSs == 0x23);
    CHECK(guard.context.Esp < (ULONG)&guard);
}

static EXCEPTION_DISPOSITION set_eax(struct guard *guard,
                                     EXCEPTION_RECORD *record,
                                     CONTEXT *context)
{
    (void)guard;
    (void)record;
    context->Eax = EAX_AFTER;
    return ExceptionContinueExecution;
}

static void check_registers(void)
{
    EXCEPTION_RECORD record = { .ExceptionCode = CODE };
    struct guard guard;
    ULONG kept = 0;

    if (GUARDED(&guard, set_eax))
        CHECK(raise_with_registers(&kept, &record) == EAX_AFTER);
    CHECK(kept);
    CHECK(guard_chain() == &guard.record);
    kept = 0;
    CHECK(unwind_with_registers(&kept, &guard, (void *)7) == 7);
    CHECK(kept);
    CHECK(guard_chain() == &guard.record);
    guard_leave(&guard);
}

static void check_search(void)
{
    struct frames f;

    if (GUARDED(&f.outer, guard_continue)) {
        if (GUARDED(&f.inner, guard_search))
            guard_raise(CODE, 0);
        guard_leave(&f.inner);
    }
    guard_leave(&f.outer);
    CHECK(f.inner.asked == 1 && f.outer.asked == 1);
    CHECK(f.inner.unwound == 0 && f.outer.unwound == 0);
}

static void check_unwind(void)
{
    struct frames f;
    BOOLEAN caught = FALSE;

    if (GUARDED(&f.outer, guard_execute)) {
        if (GUARDED(&f.inner, guard_search))
            guard_raise(CODE, 0);
        CHECK(FALSE);
    } else {
        caught = TRUE;
        CHECK(guard_chain() == &f.outer.record);
    }
    guard_leave(&f.outer);
    CHECK(caught);
    CHECK(f.inner.asked == 1 && f.inner.unwound == 1);
    CHECK(f.outer.asked == 1 && f.outer.unwound == 0);
    CHECK_STATUS(f.inner.last_unwind.ExceptionCode, CODE);
    CHECK_SAY(f.inner.last_unwind.ExceptionFlags == EXCEPTION_UNWINDING,
              "flags %x", f.inner.last_unwind.ExceptionFlags);
}

/* Without a record those who are unwound are told STATUS_UNWIND. */
static void check_bare_unwind(void)
{
    struct frames f;

    if (GUARDED(&f.outer, guard_search) && GUARDED(&f.inner, guard_search))
        RtlUnwind(&f.outer, NULL, NULL, NULL);
    CHECK(guard_chain() == &f.outer.record);
    guard_leave(&f.outer);
    CHECK(f.inner.asked == 0 && f.inner.unwound == 1 && f.outer.unwound == 0);
    CHECK_STATUS(f.inner.last_unwind.ExceptionCode, STATUS_UNWIND);
}

/* The first exception, raised again by whoever caught it. */
static void check_rethrow(void)
{
    struct frames f;

    if (GUARDED(&f.outer, guard_execute)) {
        if (GUARDED(&f.inner, guard_execute))
            guard_raise(CODE, 0);
        guard_leave(&f.inner);
        RtlRaiseException(&f.inner.last);
        CHECK(FALSE);
    }
    guard_leave(&f.outer);
    CHECK(f.inner.asked == 1 && f.inner.unwound == 0 && f.outer.asked == 1);
    CHECK_STATUS(f.outer.last.ExceptionCode, CODE);
}

static EXCEPTION_DISPOSITION raise_other(struct guard *guard,
                                         EXCEPTION_RECORD *record,
                                         CONTEXT *context)
{
    (void)guard;
    (void)context;
    if (record->ExceptionCode == (NTSTATUS)OTHER_CODE)
        return ExceptionContinueSearch;
    guard_raise(OTHER_CODE, 0);
    return ExceptionContinueExecution;
}

/*
 * A handler that raises: the frames down to its own are asked about a nested
 * exception, those above about an ordinary one.
 */
static void check_nested(void)
{
    struct frames f;

    if (GUARDED(&f.outer, guard_continue)) {
        if (GUARDED(&f.inner, raise_other)) {
            if (GUARDED(&f.innermost, guard_search))
                guard_raise(CODE, 0);
            guard_leave(&f.innermost);
        }
        guard_leave(&f.inner);
    }
    guard_leave(&f.outer);
    CHECK(f.innermost.asked == 2 && f.inner.asked == 2 && f.outer.asked == 1);
    CHECK_STATUS(f.innermost.last.ExceptionCode, OTHER_CODE);
    CHECK(f.innermost.last.ExceptionFlags == EXCEPTION_NESTED_CALL);
    CHECK(f.inner.last.ExceptionFlags == EXCEPTION_NESTED_CALL);
    CHECK(f.outer.last.ExceptionFlags == 0);
}

static void raise_while_unwound(struct guard *guard)
{
    guard->on_unwind = NULL;
    guard_raise(OTHER_CODE, 0);
    CHECK(FALSE);
}

/*
 * A handler that raises while it is unwound, for the same target: the second
 * unwind takes over, and tells nobody twice.
 */
static void check_collided(void)
{
    struct frames f;

    if (GUARDED(&f.outer, guard_execute)) {
        if (GUARDED(&f.inner, guard_search)) {
            f.inner.on_unwind = raise_while_unwound;
            if (GUARDED(&f.innermost, guard_search))
                guard_raise(CODE, 0);
        }
        CHECK(FALSE);
    }
    CHECK(guard_chain() == &f.outer.record);
    guard_leave(&f.outer);
    CHECK(f.innermost.asked == 1 && f.innermost.unwound == 1);
    CHECK(f.inner.asked == 2 && f.inner.unwound == 1);
    CHECK(f.outer.asked == 2 && f.outer.unwound == 0);
    CHECK_STATUS(f.outer.last.ExceptionCode, OTHER_CODE);
}

/* The handler's first answer, later ones are SEARCH. */
static EXCEPTION_DISPOSITION first_answer;

static EXCEPTION_DISPOSITION answer_once(struct guard *guard,
                                         EXCEPTION_RECORD *record,
                                         CONTEXT *context)
{
    (void)record;
    (void)context;
    return guard->asked == 1 ? first_answer : ExceptionContinueSearch;
}

/* What comes of a wrong answer, as the next handler sees it. */
static void check_answer(EXCEPTION_DISPOSITION answer, ULONG flags,
                         NTSTATUS expected)
{
    struct frames f;

    first_answer = answer;
    if (GUARDED(&f.outer, guard_execute)) {
        if (GUARDED(&f.inner, answer_once))
            guard_raise(CODE, flags);
        CHECK(FALSE);
    }
    guard_leave(&f.outer);
    CHECK(f.inner.asked == 2 && f.inner.unwound == 1 && f.outer.asked == 1);
    CHECK_STATUS(f.outer.last.ExceptionCode, expected);
    CHECK(f.outer.last.ExceptionFlags & EXCEPTION_NONCONTINUABLE);
    CHECK(f.outer.last.ExceptionRecord != NULL);
    CHECK(f.outer.last.NumberParameters == 0);
}

static void check_bad_target(void)
{
    struct guard guard;

    if (GUARDED(&guard, guard_execute)) {
        RtlUnwind((void *)((ULONG)&guard - 16), NULL, NULL, NULL);
        CHECK(FALSE);
    }
    guard_leave(&guard);
    CHECK(guard.asked == 1);
    CHECK_STATUS(guard.last.ExceptionCode, STATUS_INVALID_UNWIND_TARGET);
    CHECK(guard.last.ExceptionRecord != NULL);
}

static void check_status(void)
{
    struct guard guard;

    if (GUARDED(&guard, guard_execute))
        RtlRaiseStatus(STATUS_NO_MEMORY);
    guard_leave(&guard);
    CHECK(guard.asked == 1);
    CHECK_STATUS(guard.last.ExceptionCode, STATUS_NO_MEMORY);
    CHECK(guard.last.ExceptionFlags == EXCEPTION_NONCONTINUABLE);
    CHECK(guard.last.NumberParameters == 0);
    CHECK(guard.last.ExceptionAddress == (void *)guard.context.Eip);
}

static void check_stdcall(void)
{
    EXCEPTION_REGISTRATION_RECORD record = {
        .Next = guard_chain(), .Handler = stdcall_handler,
    };
    ULONG at, kept = 0;
    EXCEPTION_RECORD exception = { .ExceptionCode = CODE };

    memset(seen_by_handler, 0xFF, sizeof seen_by_handler);
    guard_set_chain(&record);
    raise_with_registers(&kept, &exception);
    guard_set_chain(record.Next);
    CHECK(kept);
    for (at = 0; at < ARRAY_SIZE(seen_by_handler); at++)
        CHECK_SAY(seen_by_handler[at] == 0, "register %u is %x", at,
                  seen_by_handler[at]);
}

#define TURNS 100

static EXCEPTION_DISPOSITION continue_late(struct guard *guard,
                                           EXCEPTION_RECORD *record,
                                           CONTEXT *context)
{
    (void)record;
    (void)context;
    return guard->asked < TURNS ? ExceptionContinueSearch
                                : ExceptionContinueExecution;
}

/* Nobody looks for a cycle: it is walked until a handler has enough. */
static void check_cycle(void)
{
    struct frames f;

    if (GUARDED(&f.outer, guard_search) && GUARDED(&f.inner, continue_late)) {
        void *end = f.outer.record.Next;

        f.outer.record.Next = &f.inner.record;
        guard_raise(CODE, 0);
        f.outer.record.Next = end;
    }
    guard_leave(&f.outer);
    CHECK(f.inner.asked == TURNS && f.outer.asked == TURNS - 1);
}

static ULONG apcs;

static void NTAPI raise_in_apc(void *argument1, void *argument2,
                               void *argument3)
{
    (void)argument2;
    (void)argument3;
    guard_raise((NTSTATUS)argument1, 0);
    apcs++;
}

/* The handlers of the code that an APC interrupts are the APC's, too. */
static void check_apc(void)
{
    struct guard guard;

    apcs = 0;
    NtQueueApcThread(NtCurrentThread(), raise_in_apc, (void *)CODE, NULL,
                     NULL);
    if (GUARDED(&guard, guard_continue))
        CHECK_STATUS(NtTestAlert(), STATUS_SUCCESS);
    guard_leave(&guard);
    CHECK(apcs == 1 && guard.asked == 1);
    NtQueueApcThread(NtCurrentThread(), raise_in_apc, (void *)CODE, NULL,
                     NULL);
    if (GUARDED(&guard, guard_execute)) {
        NtTestAlert();
        CHECK(FALSE);
    }
    guard_leave(&guard);
    CHECK(apcs == 1 && guard.asked == 1);
    CHECK_STATUS(NtTestAlert(), STATUS_SUCCESS);
}

static LONG vectored_answer;
static ULONG vectored_calls, filter_calls;

static LONG NTAPI vectored(EXCEPTION_POINTERS *pointers)
{
    CHECK_STATUS(pointers->ExceptionRecord->ExceptionCode, CODE);
    vectored_calls++;
    return vectored_answer;
}

/* They are asked before the chain. */
static void check_vectored(void)
{
    void *handle = RtlAddVectoredExceptionHandler(1, vectored);
    struct guard guard;

    CHECK(handle != NULL);
    vectored_calls = 0;
    vectored_answer = EXCEPTION_CONTINUE_SEARCH;
    if (GUARDED(&guard, guard_continue)) {
        guard_raise(CODE, 0);
        CHECK(vectored_calls == 1 && guard.asked == 1);
        vectored_answer = EXCEPTION_CONTINUE_EXECUTION;
        guard_raise(CODE, 0);
        CHECK(vectored_calls == 2 && guard.asked == 1);
        CHECK(RtlRemoveVectoredExceptionHandler(handle));
        guard_raise(CODE, 0);
    }
    guard_leave(&guard);
    CHECK(vectored_calls == 2 && guard.asked == 2);
}

static LONG NTAPI filter(EXCEPTION_POINTERS *pointers)
{
    CHECK_STATUS(pointers->ExceptionRecord->ExceptionCode, CODE);
    CHECK(pointers->ContextRecord->SegCs == 0x1B);
    filter_calls++;
    return EXCEPTION_CONTINUE_EXECUTION;
}

/* The program's word on what no frame has wanted. */
static void check_filter(void)
{
    struct guard guard;

    RtlSetUnhandledExceptionFilter(filter);
    if (GUARDED(&guard, guard_search))
        guard_raise(CODE, 0);
    guard_leave(&guard);
    RtlSetUnhandledExceptionFilter(NULL);
    CHECK(guard.asked == 1 && guard.unwound == 0 && filter_calls == 1);
}

static void check_service_exception(void)
{
    struct guard guard;

    NtCurrentTeb()->ExceptionCode = STATUS_INVALID_HANDLE;
    if (GUARDED(&guard, guard_continue))
        CHECK_STATUS(KiRaiseUserExceptionDispatcher(),
                     STATUS_INVALID_HANDLE);
    guard_leave(&guard);
    CHECK(guard.asked == 1 && guard.last.ExceptionFlags == 0);
    CHECK_STATUS(guard.last.ExceptionCode, STATUS_INVALID_HANDLE);
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    (void)peb;
    check_continue();
    check_registers();
    check_search();
    check_unwind();
    check_bare_unwind();
    check_rethrow();
    check_nested();
    check_collided();
    check_answer(ExceptionContinueExecution, EXCEPTION_NONCONTINUABLE,
                 STATUS_NONCONTINUABLE_EXCEPTION);
    check_answer((EXCEPTION_DISPOSITION)9, 0, STATUS_INVALID_DISPOSITION);
    check_bad_target();
    check_status();
    check_stdcall();
    check_cycle();
    check_apc();
    check_vectored();
    check_filter();
    check_service_exception();
    return test_end();
}
