/*
 * unwind.c - RtlVirtualUnwind, tables, vectored handlers, handlers' answers.
 *
 * Each function of unwind.asm is stepped through with the trap flag; at every
 * instruction one step of unwinding must lead to its caller with all of the
 * caller's registers.
 *
 * With a word: an exception that must be the process's end.
 *
 * Scenarios: H13, I8.
 */
#include "test.h"

#define NOINLINE __attribute__((noinline))
#define TRAP_FLAG 0x100
#define CODE_1 ((NTSTATUS)0xE0000001)

void step_through(ULONG_PTR function);
extern const UCHAR stepped_begin[], stepped_end[], stepped_return[];
extern const ULONG_PTR stepped_functions[];
extern const ULONGLONG stepped_rsp, stepped_integers[8];
extern const M128A stepped_vectors[10];

/* ---- one step at every instruction ---- */

static ULONG steps;

static void unwind_once(CONTEXT *context)
{
    ULONGLONG base, frame;
    void *data;
    RUNTIME_FUNCTION *entry = RtlLookupFunctionEntry(context->Rip, &base,
                                                     NULL);

    if (entry) {
        RtlVirtualUnwind(UNW_FLAG_NHANDLER, base, context->Rip, entry,
                         context, &data, &frame, NULL);
        return;
    }
    context->Rip = *(ULONGLONG *)context->Rsp;
    context->Rsp += 8;
}

static void check_caller(const CONTEXT *context, ULONGLONG rip)
{
    const ULONGLONG found[] = { context->Rbx, context->Rbp, context->Rsi,
                                context->Rdi, context->R12, context->R13,
                                context->R14, context->R15 };
    ULONG at = (ULONG)(rip - (ULONGLONG)stepped_begin);

    CHECK_SAY(context->Rip == (ULONGLONG)stepped_return, "+%X: rip %llX", at,
              context->Rip);
    CHECK_SAY(context->Rsp == stepped_rsp, "+%X: rsp %llX", at, context->Rsp);
    CHECK_SAY(!memcmp(found, stepped_integers, sizeof found),
              "+%X: rbx %llX rbp %llX rsi %llX rdi %llX r12 %llX r13 %llX "
              "r14 %llX r15 %llX", at, found[0], found[1], found[2], found[3],
              found[4], found[5], found[6], found[7]);
    CHECK_SAY(!memcmp(&context->FltSave.XmmRegisters[6], stepped_vectors,
                      10 * sizeof *stepped_vectors), "+%X: vectors", at);
}

static LONG NTAPI step(EXCEPTION_POINTERS *pointers)
{
    CONTEXT *context = pointers->ContextRecord;
    ULONGLONG rip = context->Rip;

    if (pointers->ExceptionRecord->ExceptionCode != STATUS_SINGLE_STEP)
        return EXCEPTION_CONTINUE_SEARCH;
    if (rip >= (ULONGLONG)stepped_begin && rip < (ULONGLONG)stepped_end) {
        CONTEXT caller = *context;

        unwind_once(&caller);
        check_caller(&caller, rip);
        steps++;
    }
    if (rip != (ULONGLONG)stepped_return)
        context->EFlags |= TRAP_FLAG;
    return EXCEPTION_CONTINUE_EXECUTION;
}

static void every_instruction(void)
{
    void *handle = RtlAddVectoredExceptionHandler(TRUE, step);
    ULONG at;

    for (at = 0; stepped_functions[at]; at++) {
        ULONG before = steps;

        step_through(stepped_functions[at]);
        CHECK_SAY(steps >= before + 2, "function %u: %u steps", at,
                  steps - before);
    }
    CHECK(RtlRemoveVectoredExceptionHandler(handle));
}

/* ---- vectored handlers ---- */

static char trace[32];
static void *removable, *self;

static void note(char letter)
{
    size_t length = strlen(trace);

    if (length < sizeof trace - 1)
        trace[length] = letter;
}

static void check_trace(const char *expected, int line)
{
    CHECK_SAY(!strcmp(trace, expected), "line %d: \"%s\", not \"%s\"", line,
              trace, expected);
    memset(trace, 0, sizeof trace);
}
#define TRACE(expected) check_trace(expected, __LINE__)

static LONG NTAPI note_a(EXCEPTION_POINTERS *pointers)
{
    (void)pointers;
    note('a');
    return EXCEPTION_CONTINUE_SEARCH;
}

static LONG NTAPI note_b(EXCEPTION_POINTERS *pointers)
{
    (void)pointers;
    note('b');
    return EXCEPTION_CONTINUE_SEARCH;
}

static LONG NTAPI go_on(EXCEPTION_POINTERS *pointers)
{
    (void)pointers;
    note('g');
    return EXCEPTION_CONTINUE_EXECUTION;
}

static LONG NTAPI heard(EXCEPTION_POINTERS *pointers)
{
    CHECK_STATUS(pointers->ExceptionRecord->ExceptionCode, CODE_1);
    note('h');
    return EXCEPTION_CONTINUE_SEARCH;
}

/* It removes itself and the one behind it, which is then not called. */
static LONG NTAPI remove_both(EXCEPTION_POINTERS *pointers)
{
    (void)pointers;
    note('r');
    CHECK(RtlRemoveVectoredExceptionHandler(self));
    CHECK(!RtlRemoveVectoredExceptionHandler(self));
    CHECK(RtlRemoveVectoredExceptionHandler(removable));
    return EXCEPTION_CONTINUE_SEARCH;
}

static NOINLINE void raise(NTSTATUS code)
{
    EXCEPTION_RECORD record = { .ExceptionCode = code };

    RtlRaiseException(&record);
}

static void vectored(void)
{
    void *last = RtlAddVectoredExceptionHandler(FALSE, go_on);
    void *a = RtlAddVectoredExceptionHandler(TRUE, note_a);
    void *b = RtlAddVectoredExceptionHandler(TRUE, note_b);
    void *hears = RtlAddVectoredContinueHandler(FALSE, heard);

    raise(CODE_1);
    TRACE("bagh");
    CHECK(RtlRemoveVectoredExceptionHandler(b));
    CHECK(!RtlRemoveVectoredExceptionHandler(b));
    CHECK(!RtlRemoveVectoredExceptionHandler((void *)0x10));
    CHECK(!RtlRemoveVectoredContinueHandler(a));
    raise(CODE_1);
    TRACE("agh");
    CHECK(RtlRemoveVectoredContinueHandler(hears));
    removable = RtlAddVectoredExceptionHandler(TRUE, note_b);
    self = RtlAddVectoredExceptionHandler(TRUE, remove_both);
    raise(CODE_1);
    TRACE("rag");
    raise(CODE_1);
    TRACE("ag");
    CHECK(RtlRemoveVectoredExceptionHandler(a));
    CHECK(RtlRemoveVectoredExceptionHandler(last));
}

#define THREADS 3
#define ROUNDS 300

static volatile LONG lost;

static LONG NTAPI continue_own(EXCEPTION_POINTERS *pointers)
{
    return pointers->ExceptionRecord->ExceptionCode == CODE_1
               ? EXCEPTION_CONTINUE_EXECUTION : EXCEPTION_CONTINUE_SEARCH;
}

static LONG NTAPI pass(EXCEPTION_POINTERS *pointers)
{
    (void)pointers;
    NtYieldExecution();                         /* others change the list */
    return EXCEPTION_CONTINUE_SEARCH;
}

static void NTAPI add_and_remove(void *argument)
{
    ULONG at;

    (void)argument;
    for (at = 0; at < ROUNDS; at++) {
        void *last = RtlAddVectoredExceptionHandler(FALSE, continue_own);
        void *first = RtlAddVectoredExceptionHandler(TRUE, pass);

        raise(CODE_1);
        if (!RtlRemoveVectoredExceptionHandler(first) ||
            !RtlRemoveVectoredExceptionHandler(last))
            lost++;
    }
    RtlExitUserThread(STATUS_SUCCESS);
}

/* Handlers leave the list while other threads' walks stand at them. */
static void vectored_by_threads(void)
{
    HANDLE threads[THREADS];
    ULONG at;

    for (at = 0; at < THREADS; at++)
        CHECK_STATUS(RtlCreateUserThread(NtCurrentProcess(), NULL, FALSE, 0,
                                         0, 0, add_and_remove, NULL,
                                         &threads[at], NULL), STATUS_SUCCESS);
    for (at = 0; at < THREADS; at++) {
        CHECK_STATUS(NtWaitForSingleObject(threads[at], FALSE, NULL),
                     STATUS_SUCCESS);
        NtClose(threads[at]);
    }
    CHECK(!lost);
    CHECK(RtlValidateHeap(NtCurrentPeb()->ProcessHeap, 0, NULL));
}

/* ---- tables of the program's own ---- */

static RUNTIME_FUNCTION *answer;

static RUNTIME_FUNCTION *NTAPI find(ULONGLONG pc, void *context)
{
    CHECK(context == &answer);
    note(pc % 2 ? 'o' : 'e');
    return answer;
}

static void tables(void)
{
    static const RUNTIME_FUNCTION source[] = {
        { 0x400, 0x480, 0x800 }, { 0x100, 0x180, 0x800 },
        { 0x200, 0x240, 0x801 + sizeof(RUNTIME_FUNCTION) },
    };
    UCHAR *page = test_pages(2);
    RUNTIME_FUNCTION *table = (RUNTIME_FUNCTION *)page;
    ULONGLONG at = (ULONGLONG)page, base = 0;
    ULONGLONG identifier = (at + PAGE_SIZE) | 3;

    memcpy(table, source, sizeof source);
    CHECK(!RtlLookupFunctionEntry(at + 0x100, &base, NULL));
    CHECK(!RtlAddFunctionTable(table, 0, at));
    CHECK(RtlAddFunctionTable(table, 3, at));
    CHECK(RtlLookupFunctionEntry(at + 0x100, &base, NULL) == &table[1]);
    CHECK(base == at);
    CHECK(RtlLookupFunctionEntry(at + 0x17F, &base, NULL) == &table[1]);
    CHECK(!RtlLookupFunctionEntry(at + 0x180, &base, NULL));
    CHECK(!RtlLookupFunctionEntry(at + 0xFF, &base, NULL));
    CHECK(RtlLookupFunctionEntry(at + 0x47F, &base, NULL) == &table[0]);
    CHECK((UCHAR *)RtlLookupFunctionEntry(at + 0x200, &base, NULL) ==
          page + 0x800 + sizeof(RUNTIME_FUNCTION));
    CHECK(RtlDeleteFunctionTable(table));
    CHECK(!RtlDeleteFunctionTable(table));
    CHECK(!RtlDeleteFunctionTable(NULL));
    CHECK(!RtlLookupFunctionEntry(at + 0x100, &base, NULL));

    answer = &table[2];
    CHECK(!RtlInstallFunctionTableCallback(at, at, 0x1000, find, &answer,
                                           NULL));
    CHECK(RtlInstallFunctionTableCallback(identifier, at, 0x1000, find,
                                          &answer, NULL));
    CHECK((UCHAR *)RtlLookupFunctionEntry(at + 0xFFF, &base, NULL) ==
          page + 0x800 + sizeof(RUNTIME_FUNCTION));
    answer = NULL;
    CHECK(!RtlLookupFunctionEntry(at, &base, NULL));
    CHECK(!RtlLookupFunctionEntry(at + 0x1000, &base, NULL));
    TRACE("oe");
    CHECK(RtlDeleteFunctionTable((RUNTIME_FUNCTION *)identifier));
}

/* The functions of one lie between those of another. */
static void tables_in_turn(void)
{
    UCHAR *page = test_pages(1);
    RUNTIME_FUNCTION *table = (RUNTIME_FUNCTION *)page;
    ULONGLONG at = (ULONGLONG)page, base = 0;

    table[0] = (RUNTIME_FUNCTION){ 0x100, 0x180, 0x800 };
    table[1] = (RUNTIME_FUNCTION){ 0x300, 0x380, 0x800 };
    table[2] = (RUNTIME_FUNCTION){ 0x200, 0x280, 0x800 };
    CHECK(RtlAddFunctionTable(table, 2, at));
    CHECK(RtlAddFunctionTable(&table[2], 1, at));
    CHECK(RtlLookupFunctionEntry(at + 0x300, &base, NULL) == &table[1]);
    CHECK(RtlLookupFunctionEntry(at + 0x200, &base, NULL) == &table[2]);
    CHECK(base == at);
    CHECK(!RtlLookupFunctionEntry(at + 0x280, &base, NULL));
    CHECK(RtlDeleteFunctionTable(table));
    CHECK(RtlLookupFunctionEntry(at + 0x200, &base, NULL) == &table[2]);
    CHECK(RtlDeleteFunctionTable(&table[2]));
}

/* ---- handlers of a frame ---- */

void framed_fault(void);
extern const UCHAR framed_fault_return[];
EXCEPTION_DISPOSITION NTAPI frame_handler(EXCEPTION_RECORD *record, void *frame,
                                          CONTEXT *context,
                                          DISPATCHER_CONTEXT *at);

static enum { SKIP, UNWIND, DISPOSE, NESTED } wanted;

static EXCEPTION_DISPOSITION unwind_here(EXCEPTION_RECORD *record, void *frame,
                                         DISPATCHER_CONTEXT *at)
{
    if (record->ExceptionFlags & EXCEPTION_UNWINDING) {
        CHECK(record->ExceptionFlags & EXCEPTION_TARGET_UNWIND);
        CHECK(at->TargetIp == (ULONGLONG)framed_fault_return);
        note('u');
        return ExceptionContinueSearch;
    }
    RtlUnwindEx(frame, (void *)framed_fault_return, record, NULL,
                at->ContextRecord, NULL);
    note('!');
    return ExceptionContinueSearch;
}

/* The fault inside the handler finds this frame again, further out. */
static EXCEPTION_DISPOSITION fault_once(const EXCEPTION_RECORD *record,
                                        CONTEXT *context)
{
    if (record->ExceptionFlags & EXCEPTION_NESTED_CALL) {
        note('n');
        context->Rip += 2;
        return ExceptionContinueExecution;
    }
    note('1');
    __asm__ volatile("ud2");
    note('2');
    context->Rip += 2;
    return ExceptionContinueExecution;
}

EXCEPTION_DISPOSITION NTAPI frame_handler(EXCEPTION_RECORD *record, void *frame,
                                          CONTEXT *context,
                                          DISPATCHER_CONTEXT *at)
{
    CHECK(at->EstablisherFrame == (ULONGLONG)frame);
    CHECK(at->LanguageHandler == frame_handler);
    switch (wanted) {
    case SKIP:
        note('s');
        context->Rip += 2;
        return ExceptionContinueExecution;
    case UNWIND:
        return unwind_here(record, frame, at);
    case NESTED:
        return fault_once(record, context);
    default:
        return record->ExceptionCode == STATUS_ILLEGAL_INSTRUCTION
                   ? (EXCEPTION_DISPOSITION)77 : ExceptionContinueSearch;
    }
}

static void frames(void)
{
    wanted = SKIP;
    framed_fault();
    TRACE("s");
    wanted = UNWIND;
    framed_fault();
    TRACE("u");
    wanted = NESTED;
    framed_fault();
    TRACE("1n2");
}

/* ---- longjmp, consolidation ---- */

static _JUMP_BUFFER buffer;

static NOINLINE void jump(int value)
{
    longjmp(&buffer, value);
}

static NOINLINE ULONGLONG my_callers_frame(void)
{
    RUNTIME_FUNCTION *entry;
    ULONGLONG base, frame;
    CONTEXT context;
    void *data;

    RtlCaptureContext(&context);
    unwind_once(&context);
    entry = RtlLookupFunctionEntry(context.Rip, &base, NULL);
    RtlVirtualUnwind(0, base, context.Rip, entry, &context, &data, &frame,
                     NULL);
    return frame;
}

static NOINLINE void jumps(void)
{
    volatile int times = 0;
    int value = _setjmp(&buffer);

    CHECK(value == times);
    if (++times < 4)
        jump(times);
    CHECK(times == 4);
    times = 0;
    value = _setjmpex(&buffer, (void *)my_callers_frame());
    CHECK(value == (times ? 1 : 0));
    if (!times++)
        jump(0);
    CHECK(times == 2);
}

static void *consolidated(EXCEPTION_RECORD *record)
{
    CHECK(record->ExceptionInformation[1] == 0x1234);
    note('c');
    return (void *)framed_fault_return;
}

static LONG NTAPI consolidate(EXCEPTION_POINTERS *pointers)
{
    EXCEPTION_RECORD record = {
        .ExceptionCode = STATUS_UNWIND_CONSOLIDATE,
        .NumberParameters = 2,
        .ExceptionInformation = { (ULONG_PTR)consolidated, 0x1234 },
    };

    RtlRestoreContext(pointers->ContextRecord, &record);
    note('!');
    return EXCEPTION_CONTINUE_SEARCH;
}

static void consolidation(void)
{
    void *handle = RtlAddVectoredExceptionHandler(TRUE, consolidate);

    framed_fault();
    CHECK(RtlRemoveVectoredExceptionHandler(handle));
    TRACE("c");
}

/* ---- the end of the process ---- */

static LONG NTAPI fault_again(EXCEPTION_POINTERS *pointers)
{
    (void)pointers;
    __asm__ volatile("ud2");
    return EXCEPTION_CONTINUE_SEARCH;
}

static LONG NTAPI raise_again(EXCEPTION_POINTERS *pointers)
{
    RtlRaiseException(pointers->ExceptionRecord);
    return EXCEPTION_CONTINUE_SEARCH;
}

/* On a stack that the TEB does not know no frame is asked. */
static void on_a_stack_of_its_own(void)
{
    UCHAR *stack = test_pages(8);

    wanted = SKIP;
    __asm__ volatile("movq %0, %%rsp\n\tcall *%1"
                     : : "r"(stack + 8 * PAGE_SIZE - 64), "r"(framed_fault)
                     : "memory");
}

static const UNWIND_INFO of_no_version = { .Version = 3 };

static void bad_table(void)
{
    ULONGLONG base = (ULONGLONG)NtCurrentPeb()->ImageBaseAddress, frame;
    ULONG info = (ULONG)((ULONGLONG)&of_no_version - base);
    RUNTIME_FUNCTION entry = { 0, 0x100, info };
    CONTEXT context;
    void *data;

    RtlCaptureContext(&context);
    RtlVirtualUnwind(0, base, base + 1, &entry, &context, &data, &frame, NULL);
}

static void end_by(const char *word)
{
    if (!strcmp(word, "fault_again"))
        RtlAddVectoredExceptionHandler(TRUE, fault_again);
    if (!strcmp(word, "raise_again"))
        RtlAddVectoredExceptionHandler(TRUE, raise_again);
    if (!strcmp(word, "table"))
        bad_table();
    if (!strcmp(word, "stack"))
        on_a_stack_of_its_own();
    if (!strcmp(word, "target"))
        RtlUnwind((void *)0x10000, NULL, NULL, NULL);
    wanted = DISPOSE;
    framed_fault();
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb __attribute__((unused)))
{
    if (*test_words()) {
        end_by(test_words());
        return 1;
    }
    every_instruction();
    vectored();
    vectored_by_threads();
    tables();
    tables_in_turn();
    frames();
    jumps();
    consolidation();
    return test_end();
}
