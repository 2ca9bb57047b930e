/*
 * crash.c - one exception, by name: the process must end with its code and
 * the machine live on. expected.txt has the code for each word; crashes.h has
 * what only 64-bit or only 32-bit code can do.
 */
#include "test.h"

#include "crashes.h"

typedef void code(void);

static void crash_int3(void)
{
    __asm__ volatile("int3");
}

static void crash_ud2(void)
{
    __asm__ volatile("ud2");
}

static void crash_divide(void)
{
    __asm__ volatile("xorl %%ecx, %%ecx\n\tidivl %%ecx"
                     ::: "eax", "ecx", "edx");
}

static void crash_divide_overflow(void)
{
    __asm__ volatile("idivl %%ecx" :: "a"(0x80000000), "d"(-1), "c"(-1));
}

static void crash_null(void)
{
    *(volatile int *)0 = 0;
}

static void crash_read_kernel(void)
{
    (void)*(volatile int *)KERNEL_ADDRESS;
}

static void crash_write_shared(void)
{
    *(volatile int *)USER_SHARED_DATA = 0;
}

static void crash_write_code(void)
{
    *(volatile UCHAR *)crash_int3 = 0x90;
}

static void crash_run_data(void)
{
    static UCHAR data[16] = { 0xC3 };

    ((code *)data)();
}

static void crash_run_shared(void)
{
    ((code *)USER_SHARED_DATA)();
}

static void crash_jump_null(void)
{
    ((code *)0)();
}

static void crash_jump_kernel(void)
{
    ((code *)KERNEL_ADDRESS)();
}

static void crash_hlt(void)
{
    __asm__ volatile("hlt");
}

static void crash_cli(void)
{
    __asm__ volatile("cli");
}

static void crash_in(void)
{
    __asm__ volatile("inb $0x64, %%al" ::: "al");
}

static void crash_rdmsr(void)
{
    __asm__ volatile("rdmsr" :: "c"(0xC0000082) : "eax", "edx");
}

static void crash_ss(void)
{
    __asm__ volatile("movw %%ax, %%ss" :: "a"(0x10));
}

static void crash_int_20(void)
{
    __asm__ volatile("int $0x20");
}

static void crash_int_0(void)
{
    __asm__ volatile("int $0");                 /* a gate of ring 0 only */
}

static void crash_int_8(void)
{
    __asm__ volatile("int $8");
}

/* Where the frame of an exception cannot be written, and where it can. */
static void fault_on_pages(ULONG protect, ULONG offset)
{
    UCHAR *pages = test_pages(4);

    test_protect(pages, 4, protect);
    fault_on(pages + 4 * PAGE_SIZE - offset);
}

static void crash_frame_readonly(void)
{
    fault_on_pages(PAGE_READONLY, 0x100);
}

static void crash_frame_guard(void)
{
    fault_on_pages(PAGE_READWRITE | PAGE_GUARD, 0x100);
}

static void crash_frame_short(void)
{
    fault_on_pages(PAGE_READWRITE, 4 * PAGE_SIZE - 0x100);
}

static void crash_frame_misaligned(void)
{
    fault_on_pages(PAGE_READWRITE, 0x103);
}

/* Neither the call nor the exceptions after it have anywhere to return to. */
static void crash_without_ntdll(void)
{
    NtUnmapViewOfSection(NtCurrentProcess(),
                         (void *)((ULONG_PTR)NtClose & ~(ULONG_PTR)0xFFFF));
}

/* No handler hears of a fast fail. */
static LONG NTAPI hear(EXCEPTION_POINTERS *pointers)
{
    (void)pointers;
    NtTerminateProcess(NtCurrentProcess(), STATUS_UNSUCCESSFUL);
    return EXCEPTION_CONTINUE_SEARCH;
}

extern const UCHAR fast_fail_at[] __asm__("fast_fail_at");

static void crash_int_29(void)
{
    RtlAddVectoredExceptionHandler(TRUE, hear);
    print("expected: fast fail (c0000409) at %016llx\n",
          (ULONGLONG)(ULONG_PTR)fast_fail_at);
    __asm__ volatile("fast_fail_at:\n\tint $0x29" :: "c"(7));
}

static void crash_int_2c(void)
{
    __asm__ volatile("int $0x2C");
}

static void crash_status(void)
{
    RtlRaiseStatus(STATUS_NO_MEMORY);
}

static void crash_terminate(void)
{
    NtTerminateProcess(NtCurrentProcess(), 0x12345678);
}

static void crash_terminate_thread(void)
{
    NtTerminateThread(NtCurrentThread(), 0x23456789);
}

static void crash_apc_kernel(void)
{
    NtQueueApcThread(NtCurrentThread(),
                     (PPS_APC_ROUTINE)(ULONG_PTR)KERNEL_ADDRESS, NULL, NULL,
                     NULL);
    NtTestAlert();
}

/* An APC that waits for the next one, until the stack ends. */
static void NTAPI wait_in_apc(void *argument1, void *argument2,
                              void *argument3)
{
    NtQueueApcThread(NtCurrentThread(), wait_in_apc, argument1, argument2,
                     argument3);
    NtDelayExecution(TRUE, &(LARGE_INTEGER){ .QuadPart = -10000000000LL });
}

static void crash_apc_deep(void)
{
    wait_in_apc(NULL, NULL, NULL);
}

/* For ever: no stack has room for 4 GiB.  The sum keeps the call a call. */
__attribute__((noinline)) static ULONG recurse(volatile ULONG depth)
{
    return depth == 0xFFFFFFFF ? depth : recurse(depth + 1) + depth;
}

static void crash_overflow(void)
{
    (void)recurse(0);
}

#define ROW(name) { #name, crash_##name }

static const struct {
    const char *name;
    code *routine;
} rows[] = {
    ROW(int3), ROW(ud2), ROW(divide), ROW(divide_overflow), ROW(null),
    ROW(read_kernel), ROW(write_shared), ROW(write_code), ROW(run_data),
    ROW(run_shared), ROW(jump_null), ROW(jump_kernel), ROW(hlt), ROW(cli),
    ROW(in), ROW(rdmsr), ROW(ss), ROW(int_20), ROW(int_0), ROW(int_8),
    ROW(frame_readonly), ROW(frame_guard), ROW(frame_short),
    ROW(frame_misaligned), ROW(without_ntdll), ROW(int_29), ROW(int_2c),
    ROW(status), ROW(terminate), ROW(terminate_thread), ROW(apc_kernel),
    ROW(apc_deep), ROW(overflow), MACHINE_ROWS
};

/* The command line's second word. */
NTSTATUS NTAPI NtProcessStartup(PEB *peb)
{
    const UNICODE_STRING *line = &peb->ProcessParameters->CommandLine;
    USHORT start = 0, count = line->Length / sizeof(WCHAR);
    ANSI_STRING word;
    UNICODE_STRING rest;
    ULONG at;

    while (start < count && line->Buffer[start] != ' ')
        start++;
    while (start < count && line->Buffer[start] == ' ')
        start++;
    rest = *line;
    rest.Buffer += start;
    rest.Length -= start * sizeof(WCHAR);
    if (!NT_SUCCESS(RtlUnicodeStringToAnsiString(&word, &rest, TRUE)))
        return STATUS_NO_MEMORY;
    for (at = 0; at < ARRAY_SIZE(rows); at++)
        if (!strcmp(word.Buffer, rows[at].name))
            rows[at].routine();
    print("crash %s: still here\n", word.Buffer);
    return 1;
}
