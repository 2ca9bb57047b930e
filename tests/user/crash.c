/*
 * crash.c - one exception, by name: the process must end with its code and
 * the machine live on. expected.txt has the code for each word.
 */
#include "test.h"

#define KERNEL_ADDRESS 0xFFFFF78000000000ULL
#define NON_CANONICAL 0x0000800000000000ULL

typedef void code(void);

static void crash_int3(void)
{
    __asm__ volatile("int3");
}

static void crash_ud2(void)
{
    __asm__ volatile("ud2");
}

static void crash_into(void)
{
    __asm__ volatile(".byte 0xCE");             /* into: none in 64 bits */
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

static void crash_read_non_canonical(void)
{
    (void)*(volatile int *)NON_CANONICAL;
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

static void crash_jump_non_canonical(void)
{
    ((code *)NON_CANONICAL)();
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

static void crash_cr3(void)
{
    __asm__ volatile("movq %%cr3, %%rax" ::: "rax");
}

static void crash_rdmsr(void)
{
    __asm__ volatile("rdmsr" :: "c"(0xC0000082) : "eax", "edx");
}

static void crash_swapgs(void)
{
    __asm__ volatile("swapgs");
}

static void crash_sysret(void)
{
    __asm__ volatile("sysretq");
}

static void crash_iret(void)
{
    __asm__ volatile("pushq $0x10\n\tpushq %%rsp\n\tpushfq\n\tpushq $8\n\t"
                     "pushq $0\n\tiretq" ::: "memory");
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

static void crash_int_29(void)
{
    __asm__ volatile("int $0x29" :: "c"(7));
}

static void crash_int_2c(void)
{
    __asm__ volatile("int $0x2C");
}

static void crash_step(void)
{
    __asm__ volatile("pushfq\n\torl $0x100, (%%rsp)\n\tpopfq\n\tnop"
                     ::: "memory", "cc");
}

/*
 * The trap that POPFQ has armed is due after SYSCALL.  Some processors take it
 * in ring 0, at the kernel's first instruction; ring 3 sees it either way.
 */
static void crash_step_syscall(void)
{
    __asm__ volatile("movl $0xFFF, %%eax\n\tpushfq\n\torl $0x100, (%%rsp)\n\t"
                     "popfq\n\tsyscall\n\tnop"
                     ::: "rax", "rcx", "rdx", "r8", "r9", "r10", "r11",
                     "memory", "cc");
}

static void crash_stack(void)
{
    __asm__ volatile("movq $0x1000, %rsp\n\tpushq %rax");
}

static void crash_stack_kernel(void)
{
    __asm__ volatile("movq %0, %%rsp\n\tpushq %%rax" :: "r"(KERNEL_ADDRESS));
}

static void crash_stack_non_canonical(void)
{
    __asm__ volatile("movq %0, %%rsp\n\tpushq %%rax" :: "r"(NON_CANONICAL));
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

/* NtContinue to where ring 3 cannot be. */
static void continue_at(ULONGLONG rip)
{
    CONTEXT context;

    RtlCaptureContext(&context);
    context.Rip = rip;
    NtContinue(&context, FALSE);
}

static void crash_continue_kernel(void)
{
    continue_at(KERNEL_ADDRESS);
}

static void crash_continue_non_canonical(void)
{
    continue_at(NON_CANONICAL);
}

/* Ring 0 asked for in a CONTEXT: the process goes on, in ring 3. */
static void crash_continue_ring0(void)
{
    static volatile BOOLEAN been;
    CONTEXT context;

    RtlCaptureContext(&context);
    if (!been) {
        been = TRUE;
        context.SegCs = 0x08;
        context.SegSs = 0x10;
        NtContinue(&context, FALSE);
    }
    __asm__ volatile("hlt");
}

/* SYSCALL from 32-bit code: no service answers there. */
static void crash_syscall32(void)
{
    static const UCHAR bytes[] = { 0x0F, 0x05, 0xF4 };  /* syscall; hlt */
    static struct {
        ULONG offset;
        USHORT selector;
    } __attribute__((packed)) target = { 0x20000000, 0x1B };
    void *page = (void *)(ULONG_PTR)target.offset;
    SIZE_T size = PAGE_SIZE;

    NtAllocateVirtualMemory(NtCurrentProcess(), &page, 0, &size,
                            MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    memcpy(page, bytes, sizeof bytes);
    test_protect(page, 1, PAGE_EXECUTE_READ);
    __asm__ volatile("ljmpl *%0" :: "m"(target));
}

#define ROW(name) { #name, crash_##name }

static const struct {
    const char *name;
    code *routine;
} rows[] = {
    ROW(int3), ROW(ud2), ROW(into), ROW(divide), ROW(divide_overflow),
    ROW(null), ROW(read_kernel), ROW(read_non_canonical), ROW(write_shared),
    ROW(write_code), ROW(run_data), ROW(run_shared), ROW(jump_null),
    ROW(jump_kernel), ROW(jump_non_canonical), ROW(hlt), ROW(cli), ROW(in),
    ROW(cr3), ROW(rdmsr), ROW(swapgs), ROW(sysret), ROW(iret), ROW(ss),
    ROW(int_20), ROW(int_0), ROW(int_8), ROW(int_29), ROW(int_2c), ROW(step),
    ROW(step_syscall),
    ROW(stack), ROW(stack_kernel), ROW(stack_non_canonical),
    ROW(status), ROW(terminate), ROW(terminate_thread), ROW(continue_kernel),
    ROW(continue_non_canonical), ROW(continue_ring0), ROW(syscall32),
};

/* The command line's second word. */
NTSTATUS NtProcessStartup(PEB *peb)
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
