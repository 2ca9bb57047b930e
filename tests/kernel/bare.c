/*
 * tests/kernel/bare.c - the doors, led straight back to ring 3 (bare.asm), and
 * put right again.
 *
 * For a program with one thread on a machine where no other one is in ring 3,
 * which knows what it calls: it puts a door right by another one. Services
 * that do nothing are here, too: what is left of a call without its service.
 */
#include "selftest.h"

#include <arch/entry.h>
#include <arch/processor.h>
#include <mm.h>
#include <x86/registers.h>

#define DOOR 0x2E
#define VECTORS 256

struct __attribute__((packed)) table_pointer {
    USHORT limit;
    ULONGLONG base;
};

void bare_syscall(void);
void bare_syscall_gs(void);
void bare_int2e(void);
void bare_int2e_gs(void);
void bare_sysenter(void);
void bare_sysenter_gs(void);
void bare_sysenter32(void);
void bare_sysenter32_gs(void);

static void (*const doors[])(void) = {
    NULL,               bare_syscall,       bare_syscall_gs, bare_int2e,
    bare_int2e_gs,      bare_sysenter,      bare_sysenter_gs,
    bare_sysenter32,    bare_sysenter32_gs,
};

/* The IDT cannot be written: the processor gets a copy with another door. */
static void lead_int2e(void (*handler)(void))
{
    static KIDTENTRY64 table[VECTORS] __attribute__((aligned(16)));
    const KIDTENTRY64 *own =
        CONTAINING_RECORD(KeGetCurrentPrcb(), KPCR, Prcb)->IdtBase;
    const KIDTENTRY64 *used = handler ? table : own;
    struct table_pointer pointer = { sizeof table - 1, (ULONG_PTR)used };
    ULONG_PTR offset = (ULONG_PTR)handler;

    memcpy(table, own, sizeof table);
    table[DOOR].OffsetLow = (USHORT)offset;
    table[DOOR].OffsetMiddle = (USHORT)(offset >> 16);
    table[DOOR].OffsetHigh = (ULONG)(offset >> 32);
    __asm__ volatile("lidt %0" : : "m"(pointer));
}

/* 0: all of them are the kernel's again. */
BOOLEAN lead_door(ULONGLONG which)
{
    void (*handler)(void);

    if (which >= ARRAY_SIZE(doors) || KiKvaShadow)
        return FALSE;
    handler = doors[which];
    if (!handler) {
        arch_write_msr(MSR_LSTAR, (ULONG_PTR)KiSystemCall64);
        arch_write_msr(MSR_SYSENTER_EIP, KiFastSystemCallIsIA32
                                             ? (ULONG_PTR)KiFastCallEntry : 0);
        lead_int2e(NULL);
    } else if (handler == bare_syscall || handler == bare_syscall_gs) {
        arch_write_msr(MSR_LSTAR, (ULONG_PTR)handler);
    } else if (handler == bare_int2e || handler == bare_int2e_gs) {
        lead_int2e(handler);
    } else {
        arch_write_msr(MSR_SYSENTER_EIP, (ULONG_PTR)handler);
    }
    return TRUE;
}

/* ---- Services that do nothing, or one thing ---- */

NTSTATUS NtwNothing0(void);
NTSTATUS NtwNothing4(ULONGLONG a1, ULONGLONG a2, ULONGLONG a3, ULONGLONG a4);
NTSTATUS NtwNothing9(ULONGLONG a1, ULONGLONG a2, ULONGLONG a3, ULONGLONG a4,
                     ...);
NTSTATUS NtwNothing14(ULONGLONG a1, ULONGLONG a2, ULONGLONG a3, ULONGLONG a4,
                      ...);
NTSTATUS NtwCapture(const void *buffer, ULONG length);

NTSTATUS NtwNothing0(void)
{
    return STATUS_SUCCESS;
}

NTSTATUS NtwNothing4(ULONGLONG a1, ULONGLONG a2, ULONGLONG a3, ULONGLONG a4)
{
    (void)a1, (void)a2, (void)a3, (void)a4;
    return STATUS_SUCCESS;
}

NTSTATUS NtwNothing9(ULONGLONG a1, ULONGLONG a2, ULONGLONG a3, ULONGLONG a4,
                     ...)
{
    (void)a1, (void)a2, (void)a3, (void)a4;
    return STATUS_SUCCESS;
}

NTSTATUS NtwNothing14(ULONGLONG a1, ULONGLONG a2, ULONGLONG a3, ULONGLONG a4,
                      ...)
{
    (void)a1, (void)a2, (void)a3, (void)a4;
    return STATUS_SUCCESS;
}

/* As a driver takes what is to be written: a block of its own, and a copy. */
NTSTATUS NtwCapture(const void *buffer, ULONG length)
{
    NTSTATUS status = mm_probe_for_read(buffer, length, 1);
    void *block;

    if (!NT_SUCCESS(status))
        return status;
    block = ExAllocatePool2(POOL_FLAG_NON_PAGED, length, 0);
    if (!block)
        return STATUS_NO_MEMORY;
    status = mm_copy_from_user(block, buffer, length);
    ExFreePoolWithTag(block, 0);
    return status;
}
