/*
 * crashes.h - crash.c's exceptions of 64-bit code.
 */
#pragma once

#include "../test.h"
#include "services.h"

#define KERNEL_ADDRESS 0xFFFFF78000000000ULL    /* the kernel has it mapped */
#define NON_CANONICAL 0x0000800000000000ULL

#include "crash_doors.h"

static void crash_into(void)
{
    __asm__ volatile(".byte 0xCE");             /* into: none in 64 bits */
}

static void crash_read_non_canonical(void)
{
    (void)*(volatile int *)NON_CANONICAL;
}

static void crash_jump_non_canonical(void)
{
    ((void (*)(void))NON_CANONICAL)();
}

static void crash_cr3(void)
{
    __asm__ volatile("movq %%cr3, %%rax" ::: "rax");
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

static void crash_step(void)
{
    __asm__ volatile("pushfq\n\torl $0x100, (%%rsp)\n\tpopfq\n\tnop"
                     ::: "memory", "cc");
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

static void fault_on(void *stack)
{
    __asm__ volatile("movq %0, %%rsp\n\tud2" :: "r"(stack));
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

static void NTAPI nothing(void *argument1, void *argument2, void *argument3)
{
    (void)argument1, (void)argument2, (void)argument3;
}

/* An APC that comes back from a call is put on whatever rsp is then. */
static void test_on_stack(ULONGLONG rsp)
{
    NtQueueApcThread(NtCurrentThread(), nothing, NULL, NULL, NULL);
    __asm__ volatile("movq %0, %%rsp\n\tsyscall\n\tint3"
                     : : "r"(rsp), "a"(SERVICE_NtTestAlert) : "memory");
}

static void crash_apc_stack(void)
{
    test_on_stack(0x1000);
}

static void crash_apc_stack_kernel(void)
{
    test_on_stack(KERNEL_ADDRESS + 0x800);
}

static void crash_apc_stack_non_canonical(void)
{
    test_on_stack(NON_CANONICAL + 0x800);
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

#define MACHINE_ROWS \
    ROW(into), ROW(read_non_canonical), ROW(jump_non_canonical), ROW(cr3), \
    ROW(swapgs), ROW(sysret), ROW(iret), ROW(step), \
    ROW(stack), ROW(stack_kernel), ROW(stack_non_canonical), \
    ROW(continue_kernel), ROW(continue_non_canonical), ROW(continue_ring0), \
    ROW(apc_stack), ROW(apc_stack_kernel), ROW(apc_stack_non_canonical), \
    ROW(syscall32), DOOR_ROWS
