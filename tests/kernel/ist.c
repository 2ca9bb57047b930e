/*
 * tests/kernel/ist.c - NMI, #MC and #DB: what they leave as it was, what they
 * work with, and what becomes of one in the middle of another.
 *
 * INT 2 goes the way of an NMI but holds no others back; where that matters
 * the processor sends itself a real one.  The handlers are wrapped, so that a
 * test can do what no handler may.
 *
 * Scenarios: D3, D4, D12, E2.
 */
#include "selftest.h"

#include <arch/apic.h>
#include <arch/entry.h>
#include <arch/machinecheck.h>
#include <arch/processor.h>
#include <arch/trap.h>
#include <x86/apic.h>
#include <x86/registers.h>

#define ICR_NMI 0x400
#define CR2 0x123456789000ULL
#define ANOTHER_CR2 0x987654321000ULL
#define BREAKPOINT 0x10000ULL
#define NOWHERE 0xFFFFC00000000000ULL   /* ist.asm */
#define TICKS_OF_A_MINUTE (60 * 64)
#define LONG_ENOUGH 1000000             /* pauses */
#define FILLED 0xC00                    /* both frames, entry/ist.asm */
#define MXCSR 0x9F80                    /* flush to zero */
#define PUSHED_RIP 0x28                 /* below the top: entry/ist.asm */

extern ULONG ki_nmi_count;
extern UCHAR KiMcheckAbort[];

BOOLEAN ist_raise(ULONG vector);
void ist_door_nmi(void);
void ist_door_debug(void);
void ist_door_machine_check(void);
void ist_change_volatile(void);
void __real_ki_nmi(KTRAP_FRAME *frame);
void __wrap_ki_nmi(KTRAP_FRAME *frame);
BOOLEAN __real_ki_machine_check(KTRAP_FRAME *frame);
BOOLEAN __wrap_ki_machine_check(KTRAP_FRAME *frame);
BOOLEAN __real_ki_debug_in_kernel(KTRAP_FRAME *frame);
BOOLEAN __wrap_ki_debug_in_kernel(KTRAP_FRAME *frame);
void __real_ki_double_fault(KTRAP_FRAME *frame);
void __wrap_ki_double_fault(KTRAP_FRAME *frame);
void __real_ki_taken_again(KTRAP_FRAME *frame, ULONG vector);
void __wrap_ki_taken_again(KTRAP_FRAME *frame, ULONG vector);

static void (*hook)(void);
static volatile ULONG depth, deepest;

static void call_hook(void)
{
    void (*once)(void) = hook;

    hook = NULL;
    if (once)
        once();
}

static void check_active(const KTRAP_FRAME *frame)
{
    if (frame->ExceptionActive != KEXCEPTION_ACTIVE_EXCEPTION ||
        (USHORT)frame->Dr7)
        KeBugCheckEx(MANUALLY_INITIATED_CRASH, 0, 0, 0, 0);
}

void __wrap_ki_nmi(KTRAP_FRAME *frame)
{
    if (++depth > deepest)
        deepest = depth;
    check_active(frame);
    __real_ki_nmi(frame);
    call_hook();
    send_next_nmi();
    depth--;
}

/* Who does not go back: only the frame tells what there was. */
static BOOLEAN looks_at_frame;
static ULONGLONG expected_cr2, expected_cr3;
static void check_frame(const KTRAP_FRAME *frame);

void __wrap_ki_taken_again(KTRAP_FRAME *frame, ULONG vector)
{
    check_frame(frame);
    __real_ki_taken_again(frame, vector);
}

void __wrap_ki_double_fault(KTRAP_FRAME *frame)
{
    check_frame(frame);
    call_hook();
    __real_ki_double_fault(frame);
}

BOOLEAN __wrap_ki_machine_check(KTRAP_FRAME *frame)
{
    BOOLEAN answer = __real_ki_machine_check(frame);

    check_active(frame);
    call_hook();
    return answer;
}

BOOLEAN __wrap_ki_debug_in_kernel(KTRAP_FRAME *frame)
{
    BOOLEAN answer = __real_ki_debug_in_kernel(frame);

    check_active(frame);
    call_hook();
    return answer;
}

static void send_to_self(ULONG what)
{
    ULONG id = KeGetCurrentPrcb()->InitialApicId;

    ki_write_apic(APIC_ICR_HIGH, id << 24);
    ki_write_apic(APIC_ICR_LOW, what);
}

static void send_nmi(void)
{
    send_to_self(ICR_NMI);
}

static void allow_machine_check(void)
{
    arch_write_msr(MSR_MCG_STATUS, MCG_STATUS_RIPV | MCG_STATUS_MCIP);
}

static ULONGLONG read_dr7(void)
{
    ULONGLONG value;

    __asm__ volatile("mov %%dr7, %0" : "=r"(value));
    return value;
}

static void write_dr7(ULONGLONG value)
{
    __asm__ volatile("mov %0, %%dr7" : : "r"(value));
}

static void write_cr2(ULONGLONG value)
{
    __asm__ volatile("mov %0, %%cr2" : : "r"(value));
}

static ULONG read_mxcsr(void)
{
    ULONG value;

    __asm__ volatile("stmxcsr %0" : "=m"(value));
    return value;
}

static void write_mxcsr(ULONG value)
{
    __asm__ volatile("ldmxcsr %0" : : "m"(value));
}

static BOOLEAN seen_good;

static UCHAR *stack_top(ULONG vector)
{
    const KPCR *pcr = CONTAINING_RECORD(KeGetCurrentPrcb(), KPCR, Prcb);
    ULONG ist = vector == VECTOR_NMI            ? TSS_IST_NMI
                : vector == VECTOR_DEBUG        ? TSS_IST_DEBUG
                : vector == VECTOR_DOUBLE_FAULT ? TSS_IST_PANIC
                                                : TSS_IST_MCA;

    return (UCHAR *)pcr->TssBase->Ist[ist];
}

static BOOLEAN is_in_use(ULONG vector)
{
    return *(const ULONG *)stack_top(vector) != 0;
}

/* Where frames will be: what is not written there is not 0 by chance. */
static void fill_stack(ULONG vector)
{
    memset(stack_top(vector) - FILLED, 0xFF, FILLED);
}

static ULONG vector_seen;

static void look_around(void)
{
    seen_good = is_in_use(vector_seen) && read_dr7() == DR7_FIXED &&
                arch_read_cr8() == HIGH_LEVEL &&
                (arch_read_cr3() & ~0xFFFULL) == ki_system_directory &&
                KeGetCurrentPrcb() == KiProcessorBlock[0] &&
                arch_read_msr(MSR_GS_BASE) ==
                    (ULONG_PTR)KiProcessorBlock[0] - offsetof(KPCR, Prcb);
    write_cr2(ANOTHER_CR2);
    ist_change_volatile();
}

/* ist_raise's. */
static BOOLEAN is_number(ULONGLONG value, ULONG i)
{
    return value == 0x1122334455667700ULL + i;
}

static BOOLEAN has_all_registers(const KTRAP_FRAME *frame)
{
    const M128A *xmm = &frame->Xmm0;
    BOOLEAN good =
        is_number(frame->Rax, 1) && is_number(frame->Rbx, 2) &&
        is_number(frame->Rcx, 3) && is_number(frame->Rdx, 4) &&
        is_number(frame->Rsi, 5) && is_number(frame->Rdi, 6) &&
        is_number(frame->Rbp, 7) && is_number(frame->R8, 8) &&
        is_number(frame->R9, 9) && is_number(frame->R10, 10) &&
        is_number(frame->R11, 11) && frame->MxCsr == MXCSR &&
        frame->FaultAddress == expected_cr2 &&
        frame->P1Home == (DR7_FIXED | 1) &&
        frame->P2Home == expected_cr3 &&
        frame->GsBase == arch_read_msr(MSR_GS_BASE) &&
        frame->ExceptionActive == KEXCEPTION_ACTIVE_EXCEPTION &&
        (USHORT)frame->Dr7 == 0 && frame->PreviousIrql == APC_LEVEL;

    for (ULONG i = 0; i < 6; i++)
        good &= is_number(xmm[i].Low - i * 0x1000, 1) && xmm[i].High == (LONG)i;
    return good;
}

/* What ist_raise will be found with. */
static void prepare_frame(ULONG vector, ULONGLONG cr2)
{
    arch_disable_interrupts();
    __asm__ volatile("mov %0, %%dr0" : : "r"(BREAKPOINT));
    write_dr7(DR7_FIXED | 1);
    write_cr2(CR2);
    write_mxcsr(MXCSR);
    arch_write_cr8(APC_LEVEL);
    expected_cr2 = cr2;
    expected_cr3 = arch_read_cr3();
    fill_stack(vector);
    vector_seen = vector;
    looks_at_frame = TRUE;
}

static void check_frame(const KTRAP_FRAME *frame)
{
    if (!looks_at_frame)
        return;
    look_around();
    if (!seen_good || !has_all_registers(frame))
        KeBugCheckEx(MANUALLY_INITIATED_CRASH, 0, 0, 0, 0);
}

/* A page of the kernel's that is no KPCR. */
static UCHAR decoy[sizeof(KPCR)] __attribute__((aligned(PAGE_SIZE)));

static BOOLEAN is_zero(const UCHAR *bytes, SIZE_T size)
{
    for (SIZE_T at = 0; at < size; at++) {
        if (bytes[at])
            return FALSE;
    }
    return TRUE;
}

/*
 * Every register, and what only ring 0 has.  gs: its base, which may look like
 * the kernel's own without being it (E2).
 */
static BOOLEAN keeps_everything(ULONG vector, ULONGLONG gs)
{
    ULONGLONG own_gs = arch_read_msr(MSR_GS_BASE), cr3 = arch_read_cr3();
    ULONGLONG cr8 = arch_read_cr8();
    ULONG mxcsr = read_mxcsr();
    BOOLEAN good;

    allow_machine_check();
    __asm__ volatile("mov %0, %%dr0" : : "r"(BREAKPOINT));
    write_dr7(DR7_FIXED | 1);
    write_cr2(CR2);
    write_mxcsr(MXCSR);
    hook = look_around;
    vector_seen = vector;
    fill_stack(vector);
    seen_good = FALSE;
    arch_write_cr8(APC_LEVEL);
    arch_write_msr(MSR_GS_BASE, gs);
    good = ist_raise(vector) && seen_good && arch_read_cr2() == CR2 &&
           read_dr7() == (DR7_FIXED | 1) && arch_read_cr3() == cr3 &&
           arch_read_cr8() == APC_LEVEL && arch_read_msr(MSR_GS_BASE) == gs &&
           read_mxcsr() == MXCSR;
    write_mxcsr(mxcsr);
    arch_write_cr8(cr8);
    arch_write_msr(MSR_GS_BASE, own_gs);
    hook = NULL;
    write_dr7(0);
    return good && !is_in_use(vector);
}

BOOLEAN test_ist(void)
{
    static const ULONG vectors[] = { VECTOR_NMI, VECTOR_DEBUG,
                                     VECTOR_MACHINE_CHECK };
    BOOLEAN good = TRUE;

    arch_disable_interrupts();
    for (ULONG i = 0; i < ARRAY_SIZE(vectors); i++)
        good &= keeps_everything(vectors[i], arch_read_msr(MSR_GS_BASE)) &&
                keeps_everything(vectors[i], (ULONG_PTR)decoy) &&
                keeps_everything(vectors[i], 0);
    good &= is_zero(decoy, sizeof decoy) && arch_read_msr(MSR_MCG_STATUS) == 0;
    arch_write_msr(MSR_MCG_STATUS, 0);
    arch_enable_interrupts();
    return good;
}

/* Real ones, for which the local APIC is told that each has ended. */
static BOOLEAN ipis_come(void)
{
    const volatile KPRCB *prcb = KeGetCurrentPrcb();

    arch_write_cr8(IPI_LEVEL - 1);
    for (ULONG i = 0; i < 3; i++) {
        ULONG before = prcb->InterruptCount;

        send_to_self(IPI_VECTOR);
        arch_enable_interrupts();
        for (ULONG turn = 0; turn < LONG_ENOUGH; turn++) {
            if (prcb->InterruptCount != before)
                break;
            arch_pause();
        }
        arch_disable_interrupts();
        if (prcb->InterruptCount != before + 1)
            return FALSE;
    }
    return TRUE;
}

/* Interrupts, in ring 0: each one below its own IRQL. */
BOOLEAN test_interrupts(void)
{
    static const struct {
        ULONG vector;
        KIRQL irql;
    } rows[] = {
        { APC_VECTOR, PASSIVE_LEVEL }, { DPC_VECTOR, APC_LEVEL },
        { CLOCK_VECTOR, DISPATCH_LEVEL },
        { IPI_VECTOR, DISPATCH_LEVEL + 1 },
        { SPURIOUS_VECTOR, DISPATCH_LEVEL + 2 },
    };
    KPRCB *prcb = KeGetCurrentPrcb();
    BOOLEAN good = TRUE;

    arch_disable_interrupts();
    for (ULONG i = 0; i < ARRAY_SIZE(rows); i++) {
        ULONG before = prcb->InterruptCount;

        arch_write_cr8(rows[i].irql);
        good &= ist_raise(rows[i].vector) &&
                arch_read_cr8() == rows[i].irql &&
                prcb->InterruptCount != before;
    }
    good &= ipis_come();
    arch_write_cr8(PASSIVE_LEVEL);
    arch_enable_interrupts();
    return good;
}

/*
 * SYSCALL leads to an instruction that raises the vector, then to the door; 0:
 * to the door alone.  For all that call meanwhile.
 */
BOOLEAN lead_syscall_by(ULONGLONG vector)
{
    void (*stub)(void) = vector == VECTOR_NMI ? ist_door_nmi
                       : vector == VECTOR_DEBUG ? ist_door_debug
                       : ist_door_machine_check;
    ULONGLONG *door = (ULONGLONG *)(ki_panic_stack_top + 8);  /* ist.asm */

    if (!*door)
        *door = arch_read_msr(MSR_LSTAR);
    arch_write_msr(MSR_LSTAR, vector ? (ULONG_PTR)stub : *door);
    return TRUE;
}

static void machine_check_then_nmi(void)
{
    allow_machine_check();
    seen_good = ist_raise(VECTOR_MACHINE_CHECK) &&
                !is_in_use(VECTOR_MACHINE_CHECK);
    send_nmi();
}

static void debug_then_nmi(void)
{
    seen_good = ist_raise(VECTOR_DEBUG) && !is_in_use(VECTOR_DEBUG);
    send_nmi();
}

/* One that comes in the handler comes behind it, whatever else came there. */
BOOLEAN test_nmi_waits(enum nmi_waits how)
{
    static void (*const hooks[])(void) = {
        send_nmi, machine_check_then_nmi, debug_then_nmi,
    };
    ULONG before = ki_nmi_count;

    seen_good = TRUE;
    hook = hooks[how];
    deepest = 0;
    send_nmi();
    while (ki_nmi_count < before + 2)
        arch_pause();
    return seen_good && deepest == 1 && ki_nmi_count == before + 2;
}

static void nmi_in_nmi(void)
{
    __asm__ volatile("int $2");
}

static void fault_in_nmi(void)
{
    *(volatile UCHAR *)NOWHERE;
}

static void fault_on_no_stack(void)
{
    __asm__ volatile("mov %0, %%rsp; push %%rax"
                     : : "r"(NOWHERE));
}

void crash_in_nmi(enum crash_in_nmi how)
{
    static void (*const hooks[])(void) = {
        nmi_in_nmi, fault_in_nmi, fault_on_no_stack,
    };

    hook = hooks[how];
    send_nmi();
    for (;;)
        arch_pause();
}

/* As if that NMI had come to the code of a machine check, which has gone. */
static void machine_check_behind_nmi(void)
{
    ULONG_PTR top = (ULONG_PTR)ki_nmi_stack_top;

    *(UCHAR **)(top - PUSHED_RIP) = KiMcheckAbort + 4;
    allow_machine_check();
    __asm__ volatile("int $0x12");
}

void crash_behind_nmi(void)
{
    hook = machine_check_behind_nmi;
    send_nmi();
    for (;;)
        arch_pause();
}

void crash_in_double_fault(void)
{
    hook = fault_on_no_stack;
    fault_on_no_stack();
}

void crash_double_fault(void)
{
    prepare_frame(VECTOR_DOUBLE_FAULT, NOWHERE - sizeof(ULONGLONG));
    ist_raise(VECTOR_DOUBLE_FAULT);
}

/* The vector's stack is in use, so this one is its second. */
void crash_taken_again(ULONG vector)
{
    allow_machine_check();
    prepare_frame(vector, CR2);
    *(ULONG *)stack_top(vector) = 1;
    ist_raise(vector);
}

/* The processor's own state is lost. */
void crash_machine_check(void)
{
    arch_write_msr(MSR_MC_STATUS(3), MC_STATUS_VAL | MC_STATUS_UC |
                                         MC_STATUS_EN | MC_STATUS_PCC);
    allow_machine_check();
    __asm__ volatile("int $0x12");
}

/* An error that was corrected, and a minute passes. */
BOOLEAN look_at_banks(void)
{
    arch_write_msr(MSR_MC_STATUS(5), MC_STATUS_VAL | MC_STATUS_EN | 0x150);
    for (ULONG tick = 0; tick < TICKS_OF_A_MINUTE; tick++) {
        KeGetCurrentPrcb()->ClockInterrupts++;
        ki_check_machine_checks();
    }
    return TRUE;
}

/*
 * Behind the kernel's back.  Then back to ring 3, with no clock that might look
 * first; or on until the next tick.
 */
void crash_unpinned(enum crash_unpinned what)
{
    if (what == UNPINNED_SMEP || what == UNPINNED_WP)
        ki_write_apic(APIC_LVT_TIMER, APIC_LVT_MASKED | CLOCK_VECTOR);
    switch (what) {
    case UNPINNED_SMEP:
    case UNPINNED_SMEP_BY_CLOCK:
        arch_write_cr4(arch_read_cr4() & ~CR4_SMEP);
        break;
    case UNPINNED_WP:
        arch_write_cr0(arch_read_cr0() & ~CR0_WP);
        break;
    case UNPINNED_EFER:
        arch_write_msr(MSR_EFER, arch_read_msr(MSR_EFER) & ~EFER_SCE);
        break;
    }
    while (what == UNPINNED_SMEP_BY_CLOCK || what == UNPINNED_EFER)
        arch_pause();
}
