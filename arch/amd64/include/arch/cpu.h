/*
 * arch/cpu.h - single instructions of amd64, as C sees them.
 */
#pragma once

#include <nt/ntdef.h>

struct _XSAVE_FORMAT;

static inline ULONGLONG arch_read_gs(ULONG_PTR offset)
{
    ULONGLONG value;
    __asm__ volatile("mov %%gs:(%1), %0" : "=r"(value) : "r"(offset));
    return value;
}

static inline ULONGLONG arch_read_cr0(void)
{
    ULONGLONG value;
    __asm__ volatile("mov %%cr0, %0" : "=r"(value));
    return value;
}

static inline void arch_write_cr0(ULONGLONG value)
{
    __asm__ volatile("mov %0, %%cr0" : : "r"(value) : "memory");
}

static inline ULONGLONG arch_read_cr2(void)
{
    ULONGLONG value;
    __asm__ volatile("mov %%cr2, %0" : "=r"(value));
    return value;
}

static inline ULONGLONG arch_read_cr3(void)
{
    ULONGLONG value;
    __asm__ volatile("mov %%cr3, %0" : "=r"(value));
    return value;
}

static inline void arch_write_cr3(ULONGLONG value)
{
    __asm__ volatile("mov %0, %%cr3" : : "r"(value) : "memory");
}

static inline ULONGLONG arch_read_cr4(void)
{
    ULONGLONG value;
    __asm__ volatile("mov %%cr4, %0" : "=r"(value));
    return value;
}

static inline void arch_write_cr4(ULONGLONG value)
{
    __asm__ volatile("mov %0, %%cr4" : : "r"(value) : "memory");
}

static inline ULONGLONG arch_read_cr8(void)
{
    ULONGLONG value;
    __asm__ volatile("mov %%cr8, %0" : "=r"(value));
    return value;
}

static inline void arch_write_cr8(ULONGLONG value)
{
    __asm__ volatile("mov %0, %%cr8" : : "r"(value) : "memory");
}

static inline void arch_write_back_and_invalidate(void)
{
    __asm__ volatile("wbinvd" : : : "memory");
}

static inline ULONGLONG arch_read_msr(ULONG msr)
{
    ULONG low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return (ULONGLONG)high << 32 | low;
}

static inline void arch_write_msr(ULONG msr, ULONGLONG value)
{
    __asm__ volatile("wrmsr" : : "c"(msr), "a"((ULONG)value),
                     "d"((ULONG)(value >> 32)) : "memory");
}

static inline ULONGLONG arch_read_tsc(void)
{
    ULONG low, high;
    __asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high));
    return (ULONGLONG)high << 32 | low;
}

static inline ULONGLONG arch_read_dr6(void)
{
    ULONGLONG value;
    __asm__ volatile("mov %%dr6, %0" : "=r"(value));
    return value;
}

static inline void arch_write_dr6(ULONGLONG value)
{
    __asm__ volatile("mov %0, %%dr6" : : "r"(value));
}

struct arch_cpuid {
    ULONG eax, ebx, ecx, edx;
};

static inline struct arch_cpuid arch_cpuid(ULONG leaf, ULONG subleaf)
{
    struct arch_cpuid r;
    __asm__ volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx),
                     "=d"(r.edx) : "a"(leaf), "c"(subleaf));
    return r;
}

/* index, or 0 where index < limit is only speculation. */
static inline ULONG arch_clamp_index(ULONG index, ULONG limit)
{
    ULONG mask;
    __asm__ volatile("cmp %2, %1; sbb %0, %0" : "=r"(mask)
                     : "r"(index), "rm"(limit) : "cc");
    return index & mask;
}

static inline void arch_invlpg(const void *address)
{
    __asm__ volatile("invlpg (%0)" : : "r"(address) : "memory");
}

/* The x87 and XMM registers as they are; they are the user's. */
static inline void arch_save_floating_point(struct _XSAVE_FORMAT *state)
{
    __asm__ volatile("fxsave64 (%0)" : : "r"(state) : "memory");
}

static inline UCHAR arch_in8(USHORT port)
{
    UCHAR value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline void arch_out8(USHORT port, UCHAR value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline USHORT arch_in16(USHORT port)
{
    USHORT value;
    __asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline void arch_out16(USHORT port, USHORT value)
{
    __asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}

static inline ULONG arch_in32(USHORT port)
{
    ULONG value;
    __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline void arch_out32(USHORT port, ULONG value)
{
    __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static inline void arch_enable_interrupts(void)
{
    __asm__ volatile("sti" : : : "memory");
}

static inline void arch_disable_interrupts(void)
{
    __asm__ volatile("cli" : : : "memory");
}

/* RFLAGS as they were, for arch_restore_interrupts. */
static inline ULONGLONG arch_save_and_disable_interrupts(void)
{
    ULONGLONG flags;
    __asm__ volatile("pushfq; popq %0; cli" : "=r"(flags) : : "memory");
    return flags;
}

static inline void arch_restore_interrupts(ULONGLONG flags)
{
    __asm__ volatile("pushq %0; popfq" : : "r"(flags) : "memory", "cc");
}

static inline void arch_halt(void)
{
    __asm__ volatile("hlt" : : : "memory");
}

/* STI's shadow: no interrupt comes between the two. */
static inline void arch_enable_interrupts_and_halt(void)
{
    __asm__ volatile("sti; hlt" : : : "memory");
}

/* An exception without an IDT: the processor resets the machine. */
static inline void arch_triple_fault(void)
{
    static const UCHAR no_idt[10];

    __asm__ volatile("lidt %0; int3" : : "m"(no_idt));
}

static inline void arch_pause(void)
{
    __asm__ volatile("pause");
}
