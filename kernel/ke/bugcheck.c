/*
 * ke/bugcheck.c - the machine stops here.
 *
 * KeBugCheckEx says why in NT's words: code, four parameters, the registers
 * of the trap when there was one, and the calls that led here.  It uses
 * nothing that could fault twice without being noticed: a second bugcheck
 * only says that there was one.
 */
#include "ki.h"

#include <arch/entry.h>
#include <kd.h>
#include <mm.h>

#define MAX_FRAMES 24
#define LOWEST_KERNEL_ADDRESS 0xFFFF800000000000ULL

static const struct {
    ULONG code;
    const char *name;
} names[] = {
    { APC_INDEX_MISMATCH, "APC_INDEX_MISMATCH" },
    { INVALID_PROCESS_ATTACH_ATTEMPT, "INVALID_PROCESS_ATTACH_ATTEMPT" },
    { INVALID_PROCESS_DETACH_ATTEMPT, "INVALID_PROCESS_DETACH_ATTEMPT" },
    { IRQL_NOT_LESS_OR_EQUAL, "IRQL_NOT_LESS_OR_EQUAL" },
    { REFERENCE_BY_POINTER, "REFERENCE_BY_POINTER" },
    { BAD_POOL_HEADER, "BAD_POOL_HEADER" },
    { MEMORY_MANAGEMENT, "MEMORY_MANAGEMENT" },
    { KERNEL_APC_PENDING_DURING_EXIT, "KERNEL_APC_PENDING_DURING_EXIT" },
    { IRQL_UNEXPECTED_VALUE, "IRQL_UNEXPECTED_VALUE" },
    { KMODE_EXCEPTION_NOT_HANDLED, "KMODE_EXCEPTION_NOT_HANDLED" },
    { PHASE0_INITIALIZATION_FAILED, "PHASE0_INITIALIZATION_FAILED" },
    { PHASE1_INITIALIZATION_FAILED, "PHASE1_INITIALIZATION_FAILED" },
    { SYSTEM_SERVICE_EXCEPTION, "SYSTEM_SERVICE_EXCEPTION" },
    { IRQL_GT_ZERO_AT_SYSTEM_SERVICE, "IRQL_GT_ZERO_AT_SYSTEM_SERVICE" },
    { PAGE_FAULT_IN_NONPAGED_AREA, "PAGE_FAULT_IN_NONPAGED_AREA" },
    { HAL_INITIALIZATION_FAILED, "HAL_INITIALIZATION_FAILED" },
    { UNSUPPORTED_PROCESSOR, "UNSUPPORTED_PROCESSOR" },
    { CONFIG_INITIALIZATION_FAILED, "CONFIG_INITIALIZATION_FAILED" },
    { PROCESS1_INITIALIZATION_FAILED, "PROCESS1_INITIALIZATION_FAILED" },
    { UNEXPECTED_KERNEL_MODE_TRAP, "UNEXPECTED_KERNEL_MODE_TRAP" },
    { MACHINE_CHECK_EXCEPTION, "MACHINE_CHECK_EXCEPTION" },
    { ATTEMPTED_WRITE_TO_READONLY_MEMORY,
      "ATTEMPTED_WRITE_TO_READONLY_MEMORY" },
    { SPECIAL_POOL_DETECTED_MEMORY_CORRUPTION,
      "SPECIAL_POOL_DETECTED_MEMORY_CORRUPTION" },
    { BAD_POOL_CALLER, "BAD_POOL_CALLER" },
    { MANUALLY_INITIATED_CRASH, "MANUALLY_INITIATED_CRASH" },
    { ATTEMPTED_SWITCH_FROM_DPC, "ATTEMPTED_SWITCH_FROM_DPC" },
    { DRIVER_OVERRAN_STACK_BUFFER, "DRIVER_OVERRAN_STACK_BUFFER" },
    { ATTEMPTED_EXECUTE_OF_NOEXECUTE_MEMORY,
      "ATTEMPTED_EXECUTE_OF_NOEXECUTE_MEMORY" },
    { RECURSIVE_MACHINE_CHECK, "RECURSIVE_MACHINE_CHECK" },
    { CRITICAL_STRUCTURE_CORRUPTION, "CRITICAL_STRUCTURE_CORRUPTION" },
    { RECURSIVE_NMI, "RECURSIVE_NMI" },
    { KERNEL_SECURITY_CHECK_FAILURE, "KERNEL_SECURITY_CHECK_FAILURE" },
};

/* thread/lastword.c */
void ki_show_registers(const KTRAP_FRAME *frame,
                       const KEXCEPTION_FRAME *exception);

static const char *code_name(ULONG code)
{
    for (ULONG i = 0; i < ARRAY_SIZE(names); i++) {
        if (names[i].code == code)
            return names[i].name;
    }
    return "UNKNOWN";
}

static void show_address(ULONG_PTR address)
{
    char buffer[KD_NAME_LENGTH];
    ULONGLONG offset = 0;
    const char *name = kd_symbol(address, buffer, &offset);

    DbgPrint("  %016llx  %s", address, name ? name : "?");
    if (name && offset)
        DbgPrint("+%llx", offset);
    DbgPrint("\n");
}

/*
 * rbp chains through C frames: [rbp] the caller's rbp, [rbp + 8] where it
 * goes on.  Entry code points rbp into a trap frame instead: what stands there
 * may be ring 3's, and the chain ends at the first address outside of .text.
 */
static void show_calls(ULONG_PTR rip, ULONG_PTR rbp)
{
    ULONG_PTR frame[2];

    show_address(rip);
    for (ULONG i = 0; i < MAX_FRAMES && rbp >= LOWEST_KERNEL_ADDRESS; i++) {
        if (!NT_SUCCESS(mm_copy_kernel(frame, (void *)rbp, sizeof frame)) ||
            frame[1] < (ULONG_PTR)kernel_start ||
            frame[1] >= (ULONG_PTR)kernel_text_end)
            break;
        show_address(frame[1]);
        if (frame[0] <= rbp)
            break;
        rbp = frame[0];
    }
}

static const KTRAP_FRAME *trap_of(ULONG code)
{
    KTHREAD *thread = KeGetCurrentThread();
    const KTRAP_FRAME *frame = thread ? thread->TrapFrame : NULL;

    switch (code) {
    case IRQL_NOT_LESS_OR_EQUAL:
    case KMODE_EXCEPTION_NOT_HANDLED:
    case SYSTEM_SERVICE_EXCEPTION:
    case PAGE_FAULT_IN_NONPAGED_AREA:
    case UNEXPECTED_KERNEL_MODE_TRAP:
    case MACHINE_CHECK_EXCEPTION:
    case ATTEMPTED_WRITE_TO_READONLY_MEMORY:
    case ATTEMPTED_EXECUTE_OF_NOEXECUTE_MEMORY:
    case RECURSIVE_MACHINE_CHECK:
    case RECURSIVE_NMI:
    case KERNEL_SECURITY_CHECK_FAILURE:
        return frame && !(frame->SegCs & 1) ? frame : NULL;
    }
    return NULL;
}

/* Code and parameters of the first, for debuggers. */
ULONG_PTR KiBugCheckData[5];

void KeBugCheckEx(ULONG code, ULONG_PTR p1, ULONG_PTR p2, ULONG_PTR p3,
                  ULONG_PTR p4)
{
    static BOOLEAN already;
    const KTRAP_FRAME *trap;

    arch_disable_interrupts();
    ki_freeze_others();
    kd_take_over();
    if (!already) {
        already = TRUE;
        KiBugCheckData[0] = code;
        KiBugCheckData[1] = p1;
        KiBugCheckData[2] = p2;
        KiBugCheckData[3] = p3;
        KiBugCheckData[4] = p4;
        DbgPrint("\n*** STOP: 0x%08X (0x%016llX, 0x%016llX,\n"
                 "    0x%016llX, 0x%016llX)\n*** %s\n\n", code, p1, p2, p3,
                 p4, code_name(code));
        DbgPrint("  cr0 %016llx  cr2 %016llx  cr3 %016llx\n"
                 "  cr4 %016llx  cr8 %016llx  thread %p\n", arch_read_cr0(),
                 arch_read_cr2(), arch_read_cr3(), arch_read_cr4(),
                 arch_read_cr8(), (void *)KeGetCurrentThread());
        trap = trap_of(code);
        if (trap) {
            ki_show_registers(trap, NULL);
            show_calls(trap->Rip, trap->Rbp);
        } else {
            show_calls((ULONG_PTR)__builtin_return_address(0),
                       *(ULONG_PTR *)__builtin_frame_address(0));
        }
    } else {
        DbgPrint("\n*** a second STOP 0x%08X while showing the first\n", code);
    }
    kd_report("bugcheck", code);
    for (;;)
        arch_halt();
}

void ke_assert_failed(const char *condition, const char *file, ULONG line)
{
    DbgPrint("\n%s:%u: assertion failed: %s\n", file, line, condition);
    KeBugCheckEx(MANUALLY_INITIATED_CRASH, line, 0, 0, 0);
}
