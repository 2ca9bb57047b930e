/*
 * seh.c - __try, __except and __finally as clang compiles them.
 *
 * The steps of each case are letters in a trace: a handler that ran twice, not
 * at all or too early gives another word. clang expects exceptions in calls
 * only, so whatever raises is a routine of its own. A scope of clang's ends one
 * byte behind a call and may begin right behind one: where two calls touch, the
 * return address of the first lies in both. BETWEEN keeps them apart.
 *
 * With a word: an exception that no __except takes. It must end the process.
 *
 * Scenarios: H13, I8.
 */
#include "test.h"

#include "facts.h"

#include <nt/gdi.h>

#define NOINLINE __attribute__((noinline))
#define CODE_1 ((NTSTATUS)0xE0000001)
#define CODE_2 ((NTSTATUS)0xE0000002)
#define DEEP 400
#define BETWEEN() __asm__ volatile("nop")

static char trace[64];
static ULONG traced;

static void note(char letter)
{
    if (traced < sizeof trace - 1)
        trace[traced++] = letter;
    trace[traced] = 0;
}

static void check_trace(const char *expected, int line)
{
    CHECK_SAY(!strcmp(trace, expected), "line %d: \"%s\", not \"%s\"", line,
              trace, expected);
    traced = 0;
    *trace = 0;
}
#define TRACE(expected) check_trace(expected, __LINE__)

static NOINLINE void raise_with(NTSTATUS code, ULONG flags)
{
    EXCEPTION_RECORD record = { .ExceptionCode = code,
                                .ExceptionFlags = flags,
                                .NumberParameters = 2,
                                .ExceptionInformation = { 11, 22 } };

    RtlRaiseException(&record);
}

static NOINLINE void raise(NTSTATUS code)
{
    raise_with(code, 0);
    note('c');                                  /* continued */
}

static NOINLINE void read_nothing(void)
{
    (void)*(volatile int *)0x10;
}

static NOINLINE void write_nothing(void)
{
    *(volatile int *)0x20 = 1;
}

static NOINLINE void call_nothing(void)
{
    ((void (*)(void))(ULONG_PTR)0x30)();
}

/* A return address of 0 is a walk's end, rip 0 where it faulted is not. */
static NOINLINE void call_null(void)
{
    void (*volatile null)(void) = NULL;

    null();
}

static NOINLINE void bad_instruction(void)
{
    __asm__ volatile("ud2");
}

static NOINLINE void divide(volatile int by)
{
    volatile int one = 1;

    one = one / by;
}

/* ---- what a filter sees ---- */

static LONG look(EXCEPTION_POINTERS *pointers, NTSTATUS code,
                 ULONG_PTR parameter)
{
    const EXCEPTION_RECORD *record = pointers->ExceptionRecord;

    note('f');
    CHECK_STATUS(record->ExceptionCode, code);
    CHECK(pointers->ContextRecord->PC == (ULONG_PTR)record->ExceptionAddress);
    if (record->NumberParameters > 1)
        CHECK_SAY(record->ExceptionInformation[1] == parameter,
                  "%08X: parameter %llX", code,
                  (ULONGLONG)record->ExceptionInformation[1]);
    return EXCEPTION_EXECUTE_HANDLER;
}

static NOINLINE void expect(void (*routine)(void), NTSTATUS code,
                            ULONG_PTR parameter)
{
    __try {
        routine();
        note('!');
    } __except (look(__exception_info(), code, parameter)) {
        note('e');
        CHECK_STATUS(__exception_code(), code);
    }
    note('.');
    TRACE("fe.");
}

static void raise_1(void)
{
    raise(CODE_1);
}

static void divide_by_0(void)
{
    divide(0);
}

static void breakpoint(void)
{
    DbgBreakPoint();
}

static void codes(void)
{
    expect(raise_1, CODE_1, 22);
    expect(read_nothing, STATUS_ACCESS_VIOLATION, 0x10);
    expect(write_nothing, STATUS_ACCESS_VIOLATION, 0x20);
    expect(call_nothing, STATUS_ACCESS_VIOLATION, 0x30);
    expect(call_null, STATUS_ACCESS_VIOLATION, 0);
    expect(bad_instruction, STATUS_ILLEGAL_INSTRUCTION, 0);
    expect(divide_by_0, STATUS_INTEGER_DIVIDE_BY_ZERO, 0);
    expect(breakpoint, STATUS_BREAKPOINT, 0);
}

/* ---- order ---- */

static LONG filter(char letter, LONG answer)
{
    note(letter);
    return answer;
}

static NOINLINE void inner(NTSTATUS code)
{
    __try {
        __try {
            raise(code);
            BETWEEN();
        } __finally {
            note('1');
        }
    } __except (filter('i', __exception_code() == CODE_1)) {
        note('I');
    }
}

static NOINLINE void order(NTSTATUS code)
{
    __try {
        __try {
            inner(code);
        } __finally {
            note(_abnormal_termination() ? '2' : 'n');
        }
    } __except (filter('o', EXCEPTION_EXECUTE_HANDLER)) {
        note('O');
    }
}

static NOINLINE void go_on(void)
{
    __try {
        raise(CODE_1);
        note('a');
    } __except (filter('f', EXCEPTION_CONTINUE_EXECUTION)) {
        note('!');
    }
}

static NOINLINE void cannot_go_on(void)
{
    __try {
        __try {
            raise_with(CODE_1, EXCEPTION_NONCONTINUABLE);
        } __except (filter('f', __exception_code() == CODE_1
                                    ? EXCEPTION_CONTINUE_EXECUTION
                                    : EXCEPTION_CONTINUE_SEARCH)) {
            note('!');
        }
    } __except (filter('g', EXCEPTION_EXECUTE_HANDLER)) {
        CHECK_STATUS(__exception_code(), STATUS_NONCONTINUABLE_EXCEPTION);
    }
}

/* Into what the filter lets continue: the fault's address moves on by 2. */
static LONG skip_2(EXCEPTION_POINTERS *pointers)
{
    note('s');
    pointers->ContextRecord->PC += 2;
    return EXCEPTION_CONTINUE_EXECUTION;
}

static NOINLINE void skip(void)
{
    __try {
        bad_instruction();
        note('b');
    } __except (skip_2(__exception_info())) {
        note('!');
    }
}

static NOINLINE int leave_early(int how)
{
    int result = 0;

    __try {
        if (how == 1)
            __leave;
        if (how == 2)
            return 7;
        note('t');
    } __finally {
        note('y');
        result = 3;
    }
    return result;
}

/* ---- exceptions in handlers ---- */

static LONG raising_filter(void)
{
    note('x');
    __try {
        raise(CODE_2);
    } __except (filter('y', EXCEPTION_EXECUTE_HANDLER)) {
        note('Y');
    }
    return EXCEPTION_EXECUTE_HANDLER;
}

static NOINLINE void handled_in_filter(void)
{
    __try {
        raise(CODE_1);
    } __except (raising_filter()) {
        note('E');
    }
}

/* The second one's walk passes where the first one was. */
static LONG raise_by_filter(void)
{
    note('x');
    raise(CODE_2);
    return EXCEPTION_CONTINUE_SEARCH;
}

static NOINLINE void null_below_filter(void)
{
    __try {
        __try {
            call_null();
        } __except (__exception_code() == CODE_2 ? EXCEPTION_CONTINUE_SEARCH
                                                 : raise_by_filter()) {
            note('!');
        }
    } __except (filter('o', EXCEPTION_EXECUTE_HANDLER)) {
        CHECK_STATUS(__exception_code(), CODE_2);
        note('O');
    }
}

/* Nobody between takes the second one: it leaves the first one's walk. */
static LONG faulting_filter(void)
{
    note('x');
    read_nothing();
    return EXCEPTION_EXECUTE_HANDLER;
}

static NOINLINE void fault_in_filter(void)
{
    __try {
        __try {
            __try {
                raise(CODE_1);
            } __finally {
                note('1');
            }
        } __except (__exception_code() == CODE_1 ? faulting_filter() : 0) {
            note('!');
        }
    } __except (filter('o', EXCEPTION_EXECUTE_HANDLER)) {
        CHECK_STATUS(__exception_code(), STATUS_ACCESS_VIOLATION);
        note('O');
    }
}

static NOINLINE void fault_in_finally_inner(void)
{
    __try {
        __try {
            raise(CODE_1);
            BETWEEN();
        } __finally {
            note('1');
            raise(CODE_2);
            note('!');
        }
    } __finally {
        note('2');
    }
}

/* A collided unwind: each __finally runs once. */
static NOINLINE void fault_in_finally(void)
{
    __try {
        __try {
            fault_in_finally_inner();
        } __finally {
            note('3');
        }
    } __except (filter('f', EXCEPTION_EXECUTE_HANDLER)) {
        CHECK_STATUS(__exception_code(), CODE_2);
        note('E');
    }
}

static NOINLINE void fault_in_except(void)
{
    __try {
        __try {
            raise(CODE_1);
        } __except (filter('a', EXCEPTION_EXECUTE_HANDLER)) {
            note('A');
            raise(CODE_2);
            note('!');
        }
    } __except (filter('b', EXCEPTION_EXECUTE_HANDLER)) {
        CHECK_STATUS(__exception_code(), CODE_2);
        note('B');
    }
}

static void orders(void)
{
    order(CODE_1);
    TRACE("i1In");
    order(CODE_2);
    TRACE("io12O");
    go_on();
    TRACE("fca");
    cannot_go_on();
    TRACE("ffg");
    skip();
    TRACE("sb");
    CHECK(leave_early(0) == 3);
    TRACE("ty");
    CHECK(leave_early(1) == 3);
    TRACE("y");
    CHECK(leave_early(2) == 7);
    TRACE("y");
    handled_in_filter();
    TRACE("xyYE");
    fault_in_filter();
    TRACE("xo1O");
    null_below_filter();
    TRACE("xoO");
    fault_in_finally();
    TRACE("f1f23E");
    fault_in_except();
    TRACE("aAbB");
}

/* ---- many frames, many times ---- */

static ULONG unwound;

static NOINLINE void descend(ULONG depth)
{
    __try {
        if (depth)
            descend(depth - 1);
        else
            read_nothing();
    } __finally {
        unwound++;
    }
}

static NOINLINE void deep(void)
{
    __try {
        descend(DEEP);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        note('E');
    }
    TRACE("E");
    CHECK(unwound == DEEP + 1);
}

static NOINLINE void often(ULONG times)
{
    ULONG caught = 0, at;

    for (at = 0; at < times; at++) {
        __try {
            raise(CODE_1);
        } __except (EXCEPTION_EXECUTE_HANDLER) {
            caught++;
        }
    }
    CHECK(caught == times);
}

/* ---- callbacks, which may end in any part of a handler ---- */

static enum { BEHIND, EXCEPT, FILTER, FINALLY, DEEPER } answers_in;
static ULONG callbacks;

static LONG answer(void)
{
    ULONG value = 1;

    return NtCallbackReturn(&value, sizeof value, STATUS_SUCCESS);
}

static void call_back(void)
{
    CHECK(NtUserEnumDisplayMonitors(NULL, NULL, NULL, 0));
}

static NOINLINE void answer_in_finally(void)
{
    __try {
        read_nothing();
        BETWEEN();
    } __finally {
        note('y');
        answer();
    }
}

static NOINLINE void fault_in_callback(void)
{
    __try {
        if (answers_in == DEEPER && ++callbacks < 4)
            call_back();
        if (answers_in == FINALLY)
            answer_in_finally();
        else
            read_nothing();
        BETWEEN();
    } __except (answers_in == FILTER ? answer() : filter('f', 1)) {
        note('e');
        if (answers_in == EXCEPT)
            answer();
    }
    note('.');
}

static NTSTATUS NTAPI routine(void *data __attribute__((unused)),
                              ULONG length __attribute__((unused)))
{
    fault_in_callback();
    return answer();
}

static void in_callbacks(PEB *peb)
{
    static void *const table[] = { routine };
    static const char *const traces[] = { "fe.", "fe", "", "fy",
                                          "fe.fe.fe.fe." };
    ULONG at, times;

    peb->KernelCallbackTable = (void *)table;
    for (at = 0; at < ARRAY_SIZE(traces); at++) {
        answers_in = at;
        for (times = 0; times < 20; times++) {
            callbacks = 0;
            call_back();
            TRACE(traces[at]);
        }
    }
}

/* ---- the end of the process ---- */

static LONG NTAPI last_filter(EXCEPTION_POINTERS *pointers)
{
    print("the last filter: %08X\n", pointers->ExceptionRecord->ExceptionCode);
    return EXCEPTION_EXECUTE_HANDLER;
}

static LONG NTAPI last_but_skip(EXCEPTION_POINTERS *pointers)
{
    return skip_2(pointers);
}

static NOINLINE void fault_for_ever(void)
{
    __try {
        read_nothing();
    } __except ((fault_for_ever(), EXCEPTION_CONTINUE_SEARCH)) {
        note('!');
    }
}

static void end_by(const char *word)
{
    if (!strcmp(word, "unhandled"))
        raise(CODE_1);
    if (!strcmp(word, "fault"))
        bad_instruction();
    if (!strcmp(word, "filter")) {
        RtlSetUnhandledExceptionFilter(last_filter);
        raise(CODE_2);
    }
    if (!strcmp(word, "skip")) {
        RtlSetUnhandledExceptionFilter(last_but_skip);
        bad_instruction();
        NtTerminateProcess(NtCurrentProcess(), traced == 1 ? 0 : 1);
    }
    if (!strcmp(word, "status"))
        RtlRaiseStatus(STATUS_NO_MEMORY);
    if (!strcmp(word, "forever"))
        fault_for_ever();
    if (!strcmp(word, "exit"))
        RtlUnwind(NULL, NULL, NULL, NULL);
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    if (*test_words()) {
        end_by(test_words());
        return 1;
    }
    codes();
    orders();
    deep();
    often(2000);
    in_callbacks(peb);
    return test_end();
}
