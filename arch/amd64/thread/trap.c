/*
 * thread/trap.c - what an exception means.
 *
 * Each vector has an NT exception code.  An exception of ring 3 ends its
 * process with that code, after a look at the registers; the machine goes on.
 * One of ring 0 either hits a place that expects it (a fixup of the entry
 * code or of the user copies) or is a bugcheck.
 */
#include <arch/entry.h>
#include <arch/apic.h>
#include <arch/thread.h>
#include <kd.h>
#include <mm/mi.h>
#include <ps.h>
#include <x86/registers.h>

#define WRITE_TO_PRESENT (PAGE_FAULT_PRESENT | PAGE_FAULT_WRITE)
#define VECTOR_DIVIDE 0
#define VECTOR_BREAKPOINT 3
#define VECTOR_COPROCESSOR_OVERRUN 9
#define VECTOR_INVALID_TSS 10
#define VECTOR_GENERAL_PROTECTION 13
#define VECTOR_PAGE_FAULT 14
#define VECTOR_FLOATING_ERROR 16
#define VECTOR_XMM 19

/* NMIs taken: nothing here raises one on purpose, so nothing is done. */
ULONG ki_nmi_count;

static const struct {
    UCHAR vector;
    NTSTATUS code;
    const char *name;
} exceptions[] = {
    { 0x00, STATUS_INTEGER_DIVIDE_BY_ZERO, "integer divide by zero" },
    { 0x01, STATUS_SINGLE_STEP, "single step" },
    { 0x03, STATUS_BREAKPOINT, "breakpoint" },
    { 0x04, STATUS_INTEGER_OVERFLOW, "integer overflow" },
    { 0x05, STATUS_ARRAY_BOUNDS_EXCEEDED, "array bounds exceeded" },
    { 0x06, STATUS_ILLEGAL_INSTRUCTION, "illegal instruction" },
    { 0x07, STATUS_ILLEGAL_INSTRUCTION, "illegal instruction" },
    { 0x0B, STATUS_ACCESS_VIOLATION, "access violation" },
    { 0x0C, STATUS_ACCESS_VIOLATION, "access violation" },
    { 0x0D, STATUS_ACCESS_VIOLATION, "access violation" },
    { 0x0E, STATUS_ACCESS_VIOLATION, "access violation" },
    { 0x11, STATUS_DATATYPE_MISALIGNMENT, "datatype misalignment" },
    { 0x29, STATUS_STACK_BUFFER_OVERRUN, "fast fail" },
    { 0x2C, STATUS_ASSERTION_FAILURE, "assertion failure" },
    { 0x2D, STATUS_BREAKPOINT, "debug service" },
};

/* SDM: 1, 8.1.3 and 10.2.3: which unmasked bit of a status word came first. */
static NTSTATUS floating_code(ULONG status)
{
    if (status & 0x01)
        return STATUS_FLOAT_INVALID_OPERATION;
    if (status & 0x04)
        return STATUS_FLOAT_DIVIDE_BY_ZERO;
    if (status & 0x02)
        return STATUS_FLOAT_DENORMAL_OPERAND;
    if (status & 0x08)
        return STATUS_FLOAT_OVERFLOW;
    if (status & 0x10)
        return STATUS_FLOAT_UNDERFLOW;
    return STATUS_FLOAT_INEXACT_RESULT;
}

static NTSTATUS x87_code(void)
{
    USHORT status, control;

    __asm__ volatile("fnstsw %0" : "=m"(status));
    __asm__ volatile("fnstcw %0" : "=m"(control));
    __asm__ volatile("fnclex");
    return floating_code(status & ~control & 0x3F);
}

/* MULTIPLE_TRAPS or MULTIPLE_FAULTS, as Windows reports all SIMD errors. */
static NTSTATUS simd_code(const KTRAP_FRAME *frame)
{
    ULONG raised = frame->MxCsr & ~(frame->MxCsr >> 7) & 0x3F;

    return raised & 0x07 ? STATUS_FLOAT_MULTIPLE_FAULTS
                         : STATUS_FLOAT_MULTIPLE_TRAPS;
}

static BOOLEAN is_prefix(UCHAR byte)
{
    static const UCHAR prefixes[] = { 0x26, 0x2E, 0x36, 0x3E, 0x64, 0x65,
                                      0x66, 0x67, 0xF0, 0xF2, 0xF3 };

    for (ULONG i = 0; i < sizeof prefixes; i++) {
        if (prefixes[i] == byte)
            return TRUE;
    }
    return FALSE;
}

/* HLT, CLI, IN and the like at rip: the program's fault is a privilege. */
static BOOLEAN is_privileged(const KTRAP_FRAME *frame)
{
    UCHAR code[16] = { 0 };
    BOOLEAN rex = frame->SegCs != (KGDT_R3_CODE | RPL_MASK);
    ULONG i = 0;

    for (ULONG n = 0; n < sizeof code; n++) {
        if (!NT_SUCCESS(mm_copy_from_mode(UserMode, &code[n],
                                          (UCHAR *)frame->Rip + n, 1)))
            break;
    }
    while (i < sizeof code - 3 &&
           (is_prefix(code[i]) || (rex && (code[i] & 0xF0) == 0x40)))
        i++;
    switch (code[i]) {
    case 0xF4: case 0xFA: case 0xFB:                    /* HLT CLI STI */
    case 0x6C: case 0x6D: case 0x6E: case 0x6F:         /* INS OUTS */
    case 0xE4: case 0xE5: case 0xE6: case 0xE7:         /* IN OUT */
    case 0xEC: case 0xED: case 0xEE: case 0xEF:
        return TRUE;
    case 0x0F:
        switch (code[i + 1]) {
        case 0x00:                                      /* LLDT LTR ... */
        case 0x01:                                      /* LGDT LIDT ... */
        case 0x06: case 0x07: case 0x08: case 0x09:     /* CLTS SYSRET ... */
        case 0x20: case 0x21: case 0x22: case 0x23:     /* MOV CR, DR */
        case 0x30: case 0x32: case 0x33: case 0x35:     /* MSRs SYSEXIT */
            return TRUE;
        }
    }
    return FALSE;
}

static NTSTATUS vector_code(ULONG vector)
{
    for (ULONG i = 0; i < ARRAY_SIZE(exceptions); i++) {
        if (exceptions[i].vector == vector)
            return exceptions[i].code;
    }
    return STATUS_ACCESS_VIOLATION;
}

static NTSTATUS exception_code(ULONG vector, const KTRAP_FRAME *frame,
                               const KEXCEPTION_FRAME *exception)
{
    if (vector == VECTOR_DIVIDE)
        return arch_divide_error(frame, exception);
    if (vector == VECTOR_FLOATING_ERROR)
        return x87_code();
    if (vector == VECTOR_XMM)
        return simd_code(frame);
    if (vector == VECTOR_GENERAL_PROTECTION && is_privileged(frame))
        return STATUS_PRIVILEGED_INSTRUCTION;
    return vector_code(vector);
}

static const char *exception_name(NTSTATUS code)
{
    if (code == STATUS_PRIVILEGED_INSTRUCTION)
        return "privileged instruction";
    if (code == STATUS_GUARD_PAGE_VIOLATION)
        return "guard page";
    for (ULONG i = 0; i < ARRAY_SIZE(exceptions); i++) {
        if (exceptions[i].code == code)
            return exceptions[i].name;
    }
    return "floating point";
}

void ki_show_registers(const KTRAP_FRAME *f, const KEXCEPTION_FRAME *e)
{
    DbgPrint("  rax %016llx  rbx %016llx  rcx %016llx\n", f->Rax, f->Rbx,
             f->Rcx);
    DbgPrint("  rdx %016llx  rsi %016llx  rdi %016llx\n", f->Rdx, f->Rsi,
             f->Rdi);
    DbgPrint("  rbp %016llx  rsp %016llx  rip %016llx\n", f->Rbp, f->Rsp,
             f->Rip);
    DbgPrint("  r8  %016llx  r9  %016llx  r10 %016llx\n", f->R8, f->R9,
             f->R10);
    if (e)
        DbgPrint("  r11 %016llx  r12 %016llx  r13 %016llx\n"
                 "  r14 %016llx  r15 %016llx\n", f->R11, e->R12, e->R13,
                 e->R14, e->R15);
    DbgPrint("  cs %04x  ss %04x  eflags %08x  error code %llx\n", f->SegCs,
             f->SegSs, f->EFlags, f->ErrorCode);
}

static void user_exception(ULONG vector, KTRAP_FRAME *frame,
                           const KEXCEPTION_FRAME *exception, NTSTATUS code)
{
    EPROCESS *process = PsGetCurrentProcess();
    ULONGLONG at = frame->Rip;

    if (vector == VECTOR_BREAKPOINT)
        at--;                           /* a trap: rip is behind the INT3 */
    KeGetCurrentPrcb()->KeExceptionDispatchCount++;
    DbgPrint("\n%s: %s (%08x) at %016llx", process->ImageFileName,
             exception_name(code), code, at);
    if (vector == VECTOR_PAGE_FAULT)
        DbgPrint(", %s %016llx",
                 frame->ErrorCode & PAGE_FAULT_EXECUTE ? "executing"
                 : frame->ErrorCode & PAGE_FAULT_WRITE ? "writing"
                                                       : "reading",
                 frame->FaultAddress);
    DbgPrint("\n");
    ki_show_registers(frame, exception);
    ps_exit_process(code);
}

void ki_raise_user_fault(const KTRAP_FRAME *frame,
                         const KEXCEPTION_FRAME *exception, NTSTATUS code,
                         ULONG_PTR address)
{
    DbgPrint("\n%s: %s (%08x) at %016llx, the kernel writing %016llx\n",
             PsGetCurrentProcess()->ImageFileName, exception_name(code), code,
             frame->Rip, (ULONGLONG)address);
    ki_show_registers(frame, exception);
    KfLowerIrql(PASSIVE_LEVEL);
    ps_exit_process(code);
}

/*
 * Mm's word on a page fault; interrupts are on, for it may wait.  A page that
 * is there and cannot be read is not Mm's affair: SMAP forbids it, as QEMU
 * does to an IRETQ of ring 3.
 */
static NTSTATUS page_fault_code(const KTRAP_FRAME *frame)
{
    enum mm_access access = MM_ACCESS_READ;

    if (frame->ErrorCode & PAGE_FAULT_EXECUTE)
        access = MM_ACCESS_EXECUTE;
    else if (frame->ErrorCode & PAGE_FAULT_WRITE)
        access = MM_ACCESS_WRITE;
    else if (frame->ErrorCode & PAGE_FAULT_PRESENT)
        return STATUS_ACCESS_VIOLATION;
    return mm_access_fault(frame->FaultAddress, access);
}

static const struct ki_fixup *find_fixup(const KTRAP_FRAME *frame)
{
    for (const struct ki_fixup *fixup = ki_fixups; fixup < ki_fixups_end;
         fixup++) {
        if (frame->Rip >= fixup->start && frame->Rip < fixup->end)
            return fixup;
    }
    return NULL;
}

/*
 * A fault at a place that expects it.  Interrupts are on where it is a copy's;
 * they are off again when the frame is loaded.
 */
static NTSTATUS expected_fault(ULONG vector, const KTRAP_FRAME *frame)
{
    NTSTATUS code;

    if (vector != VECTOR_PAGE_FAULT || !(frame->EFlags & EFLAGS_IF))
        return STATUS_ACCESS_VIOLATION;
    arch_enable_interrupts();
    code = page_fault_code(frame);
    arch_disable_interrupts();
    return code;
}

/* Continue a kernel fault where its code expects it. */
static BOOLEAN apply_fixup(ULONG vector, KTRAP_FRAME *frame)
{
    const struct ki_fixup *fixup = find_fixup(frame);
    NTSTATUS code;

    if (!fixup)
        return FALSE;
    code = expected_fault(vector, frame);
    if (code == STATUS_SUCCESS)
        return TRUE;
    frame->Rip = fixup->resume;
    frame->Rax = (ULONG)code;
    frame->EFlags &= ~(EFLAGS_AC | EFLAGS_DF);
    return TRUE;
}

static void kernel_exception(ULONG vector, KTRAP_FRAME *frame)
{
    ULONG_PTR address = frame->FaultAddress;

    if ((vector == VECTOR_PAGE_FAULT || vector == VECTOR_GENERAL_PROTECTION) &&
        KeGetCurrentIrql() < DISPATCH_LEVEL && apply_fixup(vector, frame))
        return;
    KeGetCurrentThread()->TrapFrame = frame;
    if (vector == VECTOR_COPROCESSOR_OVERRUN || vector == VECTOR_INVALID_TSS)
        KeBugCheckEx(UNEXPECTED_KERNEL_MODE_TRAP, vector, (ULONG_PTR)frame,
                     frame->ErrorCode, frame->Rip);
    if (vector != VECTOR_PAGE_FAULT)
        KeBugCheckEx(ExGetPreviousMode() == UserMode
                         ? SYSTEM_SERVICE_EXCEPTION
                         : KMODE_EXCEPTION_NOT_HANDLED,
                     (ULONG)vector_code(vector), frame->Rip,
                     (ULONG_PTR)frame, frame->ErrorCode);
    if (KeGetCurrentIrql() >= DISPATCH_LEVEL)
        KeBugCheckEx(IRQL_NOT_LESS_OR_EQUAL, address, KeGetCurrentIrql(),
                     (frame->ErrorCode & PAGE_FAULT_WRITE) != 0, frame->Rip);
    if (frame->ErrorCode & PAGE_FAULT_EXECUTE)
        KeBugCheckEx(ATTEMPTED_EXECUTE_OF_NOEXECUTE_MEMORY, address,
                     frame->ErrorCode, (ULONG_PTR)frame, 0);
    if ((frame->ErrorCode & WRITE_TO_PRESENT) == WRITE_TO_PRESENT &&
        address > MM_HIGHEST_USER_ADDRESS)
        KeBugCheckEx(ATTEMPTED_WRITE_TO_READONLY_MEMORY, address,
                     MiGetPteAddress((void *)address)->u.Long,
                     (ULONG_PTR)frame, 0);
    KeBugCheckEx(PAGE_FAULT_IN_NONPAGED_AREA, address,
                 (frame->ErrorCode & PAGE_FAULT_WRITE) != 0, frame->Rip,
                 (ULONG_PTR)frame);
}

/* Nobody has asked for it: say so and go on. */
static void unexpected_interrupt(ULONG vector, const KTRAP_FRAME *frame)
{
    ki_end_unexpected_interrupt(vector);
    if (frame->SegCs & 1)
        arch_enable_interrupts();
    DbgPrint("unexpected interrupt %02xh from ring %u at %016llx\n", vector,
             frame->SegCs & 3, frame->Rip);
}

/*
 * From entry/traps.asm, interrupts off.  exception holds r12-r15 of the
 * interrupted code, as it came.
 */
void ki_dispatch_trap(ULONG vector, KTRAP_FRAME *frame,
                      const KEXCEPTION_FRAME *exception)
{
    NTSTATUS code;

    if (vector == VECTOR_PAGE_FAULT)
        frame->FaultAddress = arch_read_cr2();
    if (ki_is_unexpected(vector)) {
        unexpected_interrupt(vector, frame);
        return;
    }
    if (!(frame->SegCs & 1)) {
        kernel_exception(vector, frame);
        return;
    }
    KeGetCurrentThread()->TrapFrame = frame;
    arch_enable_interrupts();
    code = vector == VECTOR_PAGE_FAULT
               ? page_fault_code(frame)
               : exception_code(vector, frame, exception);
    if (code != STATUS_SUCCESS)
        user_exception(vector, frame, exception, code);
}

/*
 * The rest come on stacks of their own (entry/ist.asm), at any instruction.
 * There is one that must not be interrupted and cannot see to it itself: the
 * SYSEXIT behind STI, where gs is the user's already while interrupts are on.
 * STI's shadow does not outlive us, so STI has to be executed once more.
 */
static void repeat_sti(KTRAP_FRAME *frame)
{
    if (frame->Rip == (ULONG_PTR)ki_exit32_sysexit && !(frame->SegCs & 1)) {
        frame->Rip = (ULONG_PTR)ki_exit32_sti;
        frame->EFlags &= ~EFLAGS_IF;
    }
}

void ki_double_fault(KTRAP_FRAME *frame)
{
    KeGetCurrentThread()->TrapFrame = frame;
    KeBugCheckEx(UNEXPECTED_KERNEL_MODE_TRAP, 8, (ULONG_PTR)frame, frame->Rsp,
                 frame->Rip);
}

void ki_nmi(KTRAP_FRAME *frame)
{
    repeat_sti(frame);
    ki_nmi_count++;
}

void ki_machine_check(KTRAP_FRAME *frame)
{
    KeGetCurrentThread()->TrapFrame = frame;
    KeBugCheckEx(MACHINE_CHECK_EXCEPTION, 0, (ULONG_PTR)frame, 0, frame->Rip);
}

/*
 * Single step or a breakpoint that reached ring 0: ring 3 set it before it
 * came in.  The kernel goes on without it.  SYSENTER does not save TF where
 * the way back finds it, so its door has a second entry for this case.
 */
void ki_debug_in_kernel(KTRAP_FRAME *frame)
{
    if (frame->Rip == (ULONG_PTR)KiFastCallEntry &&
        (frame->EFlags & EFLAGS_TF))
        frame->Rip = (ULONG_PTR)KiFastCallEntry2;
    repeat_sti(frame);
    frame->EFlags &= ~EFLAGS_TF;
    __asm__ volatile("mov %0, %%dr6" : : "r"(0ULL));
}
