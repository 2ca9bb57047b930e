/*
 * crashes.h - crash.c's exceptions of 32-bit code.
 */
#pragma once

#include "../test.h"

#define KERNEL_ADDRESS 0x80000000U              /* 2 GiB: nobody's */
#define TOP_ADDRESS 0xFFFFFFFCU

static void crash_into(void)
{
    __asm__ volatile("movl $0x7FFFFFFF, %%eax\n\taddl $1, %%eax\n\tinto"
                     ::: "eax", "cc");
}

static void crash_bound(void)
{
    static const LONG limits[2] = { 1, 2 };

    __asm__ volatile("boundl %0, %1" :: "r"(3), "m"(limits));
}

static void crash_read_top(void)
{
    (void)*(volatile int *)TOP_ADDRESS;
}

static void crash_jump_top(void)
{
    ((void (*)(void))TOP_ADDRESS)();
}

/* There is no such descriptor: 50h is behind the GDT's end. */
static void crash_jump_far(void)
{
    __asm__ volatile("ljmpl $0x53, $0x400000");
}

static void crash_cr3(void)
{
    __asm__ volatile("movl %%cr3, %%eax" ::: "eax");
}

static void crash_iret(void)
{
    __asm__ volatile("pushl $0x10\n\tpushl %%esp\n\tpushfl\n\tpushl $8\n\t"
                     "pushl $0\n\tiretl" ::: "memory");
}

static void crash_step(void)
{
    __asm__ volatile("pushfl\n\torl $0x100, (%%esp)\n\tpopfl\n\tnop"
                     ::: "memory", "cc");
}

/* The trap that POPFL has armed is due after the service. */
static void crash_step_int2e(void)
{
    __asm__ volatile("movl $0xFFF, %%eax\n\tmovl %%esp, %%edx\n\tpushfl\n\t"
                     "orl $0x100, (%%esp)\n\tpopfl\n\tint $0x2E\n\tnop"
                     ::: "eax", "ecx", "edx", "memory", "cc");
}

static void crash_stack(void)
{
    __asm__ volatile("movl $0x1000, %esp\n\tpushl %eax");
}

static void crash_stack_kernel(void)
{
    __asm__ volatile("movl %0, %%esp\n\tpushl %%eax" :: "r"(KERNEL_ADDRESS));
}

static void fault_on(void *stack)
{
    __asm__ volatile("movl %0, %%esp\n\tud2" :: "r"(stack));
}

static void halt(void)
{
    __asm__ volatile("hlt");
}

/*
 * The frame address is asked for so that there is a frame: the context is its
 * caller's.
 */
static __attribute__((noinline)) void continue_at(ULONG eip, ULONG cs,
                                                  ULONG ss)
{
    CONTEXT context;

    RtlCaptureContext(&context);
    context.Eip = eip;
    context.Esp = (ULONG)__builtin_frame_address(0);
    context.SegCs = cs;
    context.SegSs = ss;
    NtContinue(&context, FALSE);
}

static void crash_continue_kernel(void)
{
    continue_at(KERNEL_ADDRESS, 0x1B, 0x23);
}

/* Ring 0 asked for in a CONTEXT: the process goes on, in ring 3. */
static void crash_continue_ring0(void)
{
    continue_at((ULONG)halt, 0x08, 0x10);
}

/* No service answers SYSCALL from 32-bit code. */
static void crash_syscall32(void)
{
    __asm__ volatile("syscall\n\thlt" ::: "eax", "ecx", "edx", "memory");
}

#define MACHINE_ROWS \
    ROW(into), ROW(bound), ROW(read_top), ROW(jump_top), ROW(jump_far), \
    ROW(cr3), ROW(iret), ROW(step), ROW(step_int2e), ROW(stack), \
    ROW(stack_kernel), ROW(continue_kernel), ROW(continue_ring0), \
    ROW(syscall32)
