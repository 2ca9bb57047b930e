/*
 * crash_doors.h - crash.c's exceptions of 64-bit code on the way through a
 * door, and of selectors.
 */
#pragma once

#include "../../../programs/lib/call.h"
#include "../test.h"

/* landing.asm */
void step_syscall(void);
void step_int2e(void);
void step_sysenter(void);
extern const UCHAR step_syscall_behind[], step_int2e_behind[];
extern const UCHAR step_sysenter_behind[];
void come_back_by_sysenter(ULONG number, void *argument, ULONGLONG rip,
                           ULONGLONG rsp);
void push_and_return(void);

/*
 * The trap that POPFQ has armed is due after the door.  Some processors take
 * it in ring 0, at the kernel's first instruction; ring 3 sees it either way,
 * where the call comes back to: SYSRET sets TF, and traps at once.
 */
static void step(void (*door)(void), const UCHAR *behind)
{
    print("expected: single step (80000004) at %016llx\n", (ULONGLONG)behind);
    door();
}

static void crash_step_syscall(void)
{
    step(step_syscall, step_syscall_behind);
}

static void crash_step_int2e(void)
{
    step(step_int2e, step_int2e_behind);
}

static void crash_step_sysenter(void)
{
    step(step_sysenter, step_sysenter_behind);
}

/*
 * SYSENTER comes back to rcx with rsp = r11, whatever is in them: the service
 * runs, and the return faults in ring 3.
 */
static void come_back(ULONGLONG rip, ULONGLONG rsp)
{
    UNICODE_STRING string;

    RtlInitUnicodeString(&string, L"the service has run\n");
    print("expected: the service has run\n");
    come_back_by_sysenter(stub_number(find_stub("NtDisplayString")), &string,
                          rip, rsp);
}

static void crash_rcx_null(void)
{
    come_back(0, 0);
}

static void crash_rcx_kernel(void)
{
    come_back(KERNEL_ADDRESS, KERNEL_ADDRESS);
}

static void crash_rcx_non_canonical(void)
{
    come_back(NON_CANONICAL, NON_CANONICAL);
}

static void crash_r11_null(void)
{
    come_back((ULONGLONG)push_and_return, 0);
}

static void crash_r11_kernel(void)
{
    come_back((ULONGLONG)push_and_return, KERNEL_ADDRESS);
}

static void crash_r11_non_canonical(void)
{
    come_back((ULONGLONG)push_and_return, NON_CANONICAL + PAGE_SIZE);
}

/* Where the processor has none: an exception of the program, by its name. */
static void crash_sysenter(void)
{
    NtwCallSysenter(0xFFF);
}

/* Selectors that ring 3 must not load. */
static void crash_ds_08(void)
{
    __asm__ volatile("movw %%ax, %%ds" :: "a"(0x08));
}

static void crash_es_10(void)
{
    __asm__ volatile("movw %%ax, %%es" :: "a"(0x10));
}

static void crash_fs_30(void)
{
    __asm__ volatile("movw %%ax, %%fs" :: "a"(0x30));
}

static void crash_gs_40(void)
{
    __asm__ volatile("movw %%ax, %%gs" :: "a"(0x40));
}

static void crash_ds_48(void)
{
    __asm__ volatile("movw %%ax, %%ds" :: "a"(0x48));
}

#define DOOR_ROWS \
    ROW(step_syscall), ROW(step_int2e), ROW(step_sysenter), ROW(sysenter), \
    ROW(rcx_null), ROW(rcx_kernel), ROW(rcx_non_canonical), ROW(r11_null), \
    ROW(r11_kernel), ROW(r11_non_canonical), ROW(ds_08), ROW(es_10), \
    ROW(fs_30), ROW(gs_40), ROW(ds_48)
