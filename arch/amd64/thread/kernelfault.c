/*
 * thread/kernelfault.c - exceptions of ring 0.
 *
 * The kernel's exception table is the list of places that expect a fault: the
 * copies to and from user memory, and the entry code's (ki_fixups).  There the
 * code goes on with the status.  Anywhere else it is a bugcheck, with the
 * parameters that Windows documents for it.
 */
#include <arch/entry.h>
#include <arch/thread.h>
#include <arch/trap.h>
#include <mm/mi.h>
#include <x86/registers.h>

#define WRITE_TO_PRESENT (PAGE_FAULT_PRESENT | PAGE_FAULT_WRITE)
#define EXECUTE_OF_PRESENT (PAGE_FAULT_PRESENT | PAGE_FAULT_EXECUTE)

/* IRQL_NOT_LESS_OR_EQUAL's second parameter: above every IRQL. */
#define INTERRUPTS_OFF 0xFF

/* PAGE_FAULT_IN_NONPAGED_AREA's fourth parameter. */
#define NONPAGED_BUGCHECK_FREED_PTE 0
#define NONPAGED_BUGCHECK_NOT_PRESENT_PAGE_TABLE 2
#define NONPAGED_BUGCHECK_USER_VA_ACCESS_INCONSISTENT 0xF

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

    if (vector != VECTOR_PAGE_FAULT || !(frame->EFlags & EFLAGS_IF) ||
        ki_is_fault_loop(frame))
        return STATUS_ACCESS_VIOLATION;
    arch_enable_interrupts();
    code = ki_page_fault(frame);
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

static ULONG_PTR fault_type(ULONG_PTR address)
{
    if (address <= MM_HIGHEST_USER_ADDRESS)
        return NONPAGED_BUGCHECK_USER_VA_ACCESS_INCONSISTENT;
    return MmIsAddressValid(MiGetPteAddress((void *)address))
               ? NONPAGED_BUGCHECK_FREED_PTE
               : NONPAGED_BUGCHECK_NOT_PRESENT_PAGE_TABLE;
}

__attribute__((noreturn)) static void page_fault(const KTRAP_FRAME *frame)
{
    ULONG_PTR address = frame->FaultAddress;
    KIRQL irql = KeGetCurrentIrql();

    if (!(frame->EFlags & EFLAGS_IF) && address <= MM_HIGHEST_USER_ADDRESS)
        irql = INTERRUPTS_OFF;
    if (irql >= DISPATCH_LEVEL)
        KeBugCheckEx(IRQL_NOT_LESS_OR_EQUAL, address, irql,
                     ki_fault_access(frame), frame->Rip);
    if ((frame->ErrorCode & EXECUTE_OF_PRESENT) == EXECUTE_OF_PRESENT)
        KeBugCheckEx(ATTEMPTED_EXECUTE_OF_NOEXECUTE_MEMORY, address,
                     MiGetPteAddress((void *)address)->u.Long,
                     (ULONG_PTR)frame, 0);
    if ((frame->ErrorCode & WRITE_TO_PRESENT) == WRITE_TO_PRESENT &&
        address > MM_HIGHEST_USER_ADDRESS)
        KeBugCheckEx(ATTEMPTED_WRITE_TO_READONLY_MEMORY, address,
                     MiGetPteAddress((void *)address)->u.Long,
                     (ULONG_PTR)frame, 0);
    KeBugCheckEx(PAGE_FAULT_IN_NONPAGED_AREA, address,
                 frame->ErrorCode & (PAGE_FAULT_WRITE | PAGE_FAULT_EXECUTE),
                 frame->Rip, fault_type(address));
}

/* For ring 3, and not in something that has only interrupted it. */
static BOOLEAN is_in_service(void)
{
    return ExGetPreviousMode() == UserMode &&
           KeGetCurrentIrql() <= DISPATCH_LEVEL &&
           !KeIsExecutingDpc();
}

/* In a service it is the service's; the code says so. */
__attribute__((noreturn))
static void other_exception(ULONG vector, const KTRAP_FRAME *frame,
                            const KEXCEPTION_FRAME *exception)
{
    EXCEPTION_RECORD record = {
        .ExceptionCode = ki_vector_code(vector),
        .ExceptionAddress = (void *)frame->Rip,
    };
    CONTEXT context = { .ContextFlags = CONTEXT_FULL | CONTEXT_SEGMENTS };

    if (vector == VECTOR_FAST_FAIL)
        KeBugCheckEx(KERNEL_SECURITY_CHECK_FAILURE, frame->Rcx,
                     (ULONG_PTR)frame, (ULONG_PTR)&record, 0);
    if (is_in_service()) {
        KeContextFromKframes(frame, exception, &context);
        KeBugCheckEx(SYSTEM_SERVICE_EXCEPTION, (ULONG)record.ExceptionCode,
                     frame->Rip, (ULONG_PTR)&context, 0);
    }
    KeBugCheckEx(KMODE_EXCEPTION_NOT_HANDLED, (ULONG)record.ExceptionCode,
                 frame->Rip, 0, 0);
}

void ki_kernel_trap(ULONG vector, KTRAP_FRAME *frame,
                    const KEXCEPTION_FRAME *exception)
{
    if ((vector == VECTOR_PAGE_FAULT || vector == VECTOR_GENERAL_PROTECTION) &&
        KeGetCurrentIrql() < DISPATCH_LEVEL && apply_fixup(vector, frame))
        return;
    KeGetCurrentThread()->TrapFrame = frame;
    if (vector == VECTOR_COPROCESSOR_OVERRUN || vector == VECTOR_INVALID_TSS)
        KeBugCheckEx(UNEXPECTED_KERNEL_MODE_TRAP, vector, (ULONG_PTR)frame,
                     frame->ErrorCode, frame->Rip);
    if (vector == VECTOR_PAGE_FAULT)
        page_fault(frame);
    other_exception(vector, frame, exception);
}
