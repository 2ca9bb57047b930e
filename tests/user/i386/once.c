/*
 * once.c - what 32-bit code can do only once: the first call to win32k, calls
 * that end the program, and doors that do not let it come back.
 *
 *     once gui DOOR           the call that makes a thread a GUI thread
 *     once end_process DOOR   NtTerminateProcess(12345678)
 *     once end_thread DOOR    NtTerminateThread(23456789)
 *     once breakpoint DOOR, once past_ss DOOR
 *     once WORD               the row of that name below
 *
 * SYSENTER with a bad edx: the service answers, the way back is at fault.  So
 * the program ends in ring 3, at KiFastSystemCallRet.
 *
 * Scenarios: C3.
 */
#include "../test.h"

#include "../../../programs/lib/i386/call.h"

#include "landing.h"
#include "xp.h"

#define SYSTEM_CALL_RETURN \
    (((KUSER_SHARED_DATA *)USER_SHARED_DATA)->SystemCallReturn)

static const struct door *door;

/* What the console must show next (tests/boot/test_doors32.py looks). */
static void expect_exception(const char *what, ULONG at)
{
    print("expected: %s at %016x\n", what, at);
}

/* ---- By a door ---- */

static void once_gui(void)
{
    HANDLE dc = (HANDLE)door->call(SERVICE_NtUserGetDC, NULL);

    CHECK(dc != NULL && dc == NtUserGetDC(NULL));
    CHECK(door->call(SERVICE_NtGdiBitBlt, dc, 0, 0, 1, 1, NULL, 0, 0,
                     BLACKNESS, 0, 0) == TRUE);
}

static void once_end_process(void)
{
    door->call(SERVICE_NtTerminateProcess, NtCurrentProcess(), 0x12345678);
}

static void once_end_thread(void)
{
    door->call(SERVICE_NtTerminateThread, NtCurrentThread(), 0x23456789);
}

/* ---- SYSENTER and no way back ---- */

static void return_from(ULONG edx)
{
    expect_exception("access violation (c0000005)", SYSTEM_CALL_RETURN);
    sysenter_with_stack(SERVICE_NtTestAlert, edx);
}

static void once_stack_null(void)
{
    return_from(0);
}

static void once_stack_page_end(void)
{
    UCHAR *pages = test_pages(2);

    test_protect(pages + PAGE_SIZE, 1, PAGE_NOACCESS);
    return_from((ULONG)pages + PAGE_SIZE - 3);
}

static void once_stack_2gib(void)
{
    return_from(0x80000000);
}

/* The arguments of these begin behind 4 GiB. */
static void once_stack_wrap(void)
{
    return_from(0xFFFFFFF8);
}

static void once_stack_top(void)
{
    return_from(0xFFFFFFFF);
}

/* The arguments can be read, and the return addresses below them cannot. */
static void once_stack_below(void)
{
    static WCHAR text[80];
    static UNICODE_STRING string;
    UCHAR *pages = test_pages(2);
    UNICODE_STRING **argument = (UNICODE_STRING **)(pages + PAGE_SIZE);

    _snwprintf(text, ARRAY_SIZE(text),
               L"the service answers\n"
               L"expected: access violation (c0000005) at %016x\n",
               SYSTEM_CALL_RETURN);
    RtlInitUnicodeString(&string, text);
    *argument = &string;
    test_protect(pages, 1, PAGE_NOACCESS);
    print("expected: the service answers\n");
    sysenter_with_stack(SERVICE_NtDisplayString, (ULONG)argument - 8);
}

static void once_return_nowhere(void)
{
    static struct door_stack stack = { .back = (void *)0x1234 };

    expect_exception("access violation (c0000005)", 0x1234);
    sysenter_with_stack(SERVICE_NtTestAlert, (ULONG)&stack);
}

/* Where the processor has no SYSENTER nobody is called. */
static void once_no_sysenter(void)
{
    sysenter_with_stack(SERVICE_NtTerminateProcess, 0);
}

/* ---- Single steps ---- */

/*
 * The kernel gives TF back by IRET, and the processor traps after one more
 * instruction: the NOP behind INT 2Eh, the RET of KiFastSystemCallRet.
 */
static void once_step_int2e(void)
{
    expect_exception("single step (80000004)", (ULONG)step_int2e_behind + 1);
    step_int2e();
}

static void once_step_sysenter(void)
{
    expect_exception("single step (80000004)", (ULONG)step_sysenter_behind);
    step_sysenter();
}

/* ---- Breakpoints ---- */

#define DR7_WRITE_4 0xD0001                     /* Dr0: writes, 4 bytes */
#define DR7_ACCESS_2 0x70001                    /* reads as well, 2 bytes */

static void call_with_breakpoint(void (*entry)(void), const void *at,
                                 ULONG dr7)
{
    static struct door_stack stack = { .arguments = { 0x1234 } };
    static CONTEXT context;
    static struct landed got;

    stack.back = landing;
    context.ContextFlags = CONTEXT_CONTROL | CONTEXT_INTEGER |
                           CONTEXT_DEBUG_REGISTERS;
    context.EFlags = 0x202;
    context.Eip = (ULONG)entry;
    context.Esp = (ULONG)&stack;
    context.Eax = SERVICE_NtClose;
    context.Edx = (ULONG)stack.arguments - door->below;
    context.Dr0 = (ULONG)at;
    context.Dr7 = dr7;
    continue_and_land(&context, &got);
    CHECK_STATUS(got.eax, STATUS_INVALID_HANDLE);
}

/* A breakpoint that is set before the call is set after it. */
static void once_breakpoint(void)
{
    static ULONG variable;

    call_with_breakpoint(door->below ? land_by_sysenter : land_by_int2e,
                         &variable, DR7_WRITE_4);
    if (test_end() != STATUS_SUCCESS)
        return;
    expect_exception("single step (80000004)", (ULONG)store_behind);
    store(&variable);
}

/*
 * The breakpoint is met by the instruction before the door, but ss holds it
 * back until the door is behind (CVE-2018-8897): it comes in ring 0, with
 * ring 3's gs.  The kernel goes on without it.
 */
static void once_past_ss(void)
{
    call_with_breakpoint(door->below ? land_past_ss_by_sysenter
                                     : land_past_ss_by_int2e,
                         &landing_ss, DR7_ACCESS_2);
}

/* ---- Selectors that cannot be loaded ---- */

#define LOAD(segment, selector) \
    static void once_##segment##_##selector(void) \
    { \
        __asm__ volatile("movw %0, %%" #segment \
                         : : "r"((USHORT)0x##selector)); \
    }

LOAD(ds, 08)
LOAD(es, 10)
LOAD(fs, 30)
LOAD(gs, 40)
LOAD(ds, 48)
LOAD(es, 07)
LOAD(ss, 1B)

#define ROW(name) { #name, once_##name }

static const struct {
    const char *name;
    void (*routine)(void);
} rows[] = {
    ROW(gui), ROW(end_process), ROW(end_thread), ROW(stack_null),
    ROW(stack_page_end), ROW(stack_2gib), ROW(stack_wrap), ROW(stack_top),
    ROW(stack_below), ROW(return_nowhere), ROW(no_sysenter), ROW(step_int2e),
    ROW(step_sysenter), ROW(breakpoint), ROW(past_ss), ROW(ds_08), ROW(es_10),
    ROW(fs_30), ROW(gs_40), ROW(ds_48), ROW(es_07), ROW(ss_1B),
};

/* The command line after the program's name, as ANSI. */
static char *words_of(const UNICODE_STRING *line)
{
    static char words[80];
    USHORT at = 0, count = line->Length / sizeof(WCHAR), length = 0;

    while (at < count && line->Buffer[at] != ' ')
        at++;
    for (at++; at < count && length < sizeof words - 1; at++)
        words[length++] = (char)line->Buffer[at];
    words[length] = 0;
    return words;
}

NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    char *words = words_of(&peb->ProcessParameters->CommandLine);
    char *name = strchr(words, ' ');
    ULONG at;

    if (name) {
        *name = 0;
        door = door_named(name + 1);
        if (!CHECK_SAY(door != NULL, "no door \"%s\"", name + 1))
            return test_end();
    }
    for (at = 0; at < ARRAY_SIZE(rows); at++)
        if (!strcmp(words, rows[at].name)) {
            rows[at].routine();
            return test_end();
        }
    print("once %s: no such row\n", words);
    return 1;
}
