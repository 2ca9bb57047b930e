/*
 * exceptionkernel.c - the kernel's side of chapter 5: the gate that a page
 * fault takes, and what the KTRAP_FRAME kept of it.
 *
 * A service has its frame where the fault's was. It writes neither
 * FaultAddress nor ErrorCode, so the first service behind the fault can still
 * read them, unless an interrupt came in between.
 *
 * Offsets are Windows 10 2004's (dt nt!_KPCR, nt!_KTHREAD, nt!_KTRAP_FRAME).
 */
#include "exception.h"

#define KPCR_IDT_BASE 0x038
#define KPCR_PRCB 0x180
#define KTHREAD_TRAP_FRAME 0x090
#define FRAME_FAULT_ADDRESS 0x0D0
#define FRAME_ERROR_CODE 0x160

#define PAGE_FAULT 0x0E
#define GATE_SIZE 16

static void read_gate(struct kernel_fault *fault)
{
    ULONGLONG prcb = 0, idt = 0, gate[2] = { 0 };

    kernel_read(kernel_address("KiProcessorBlock"), &prcb, sizeof prcb);
    kernel_read(prcb - KPCR_PRCB + KPCR_IDT_BASE, &idt, sizeof idt);
    kernel_read(idt + PAGE_FAULT * GATE_SIZE, gate, sizeof gate);
    fault->gate_offset = (gate[0] & 0xFFFF) | (gate[0] >> 32 & 0xFFFF0000) |
                         gate[1] << 32;
    fault->gate_ist = gate[0] >> 32 & 7;
    fault->gate_dpl = gate[0] >> 45 & 3;
}

void read_kernel_fault(struct kernel_fault *fault)
{
    if (!fault->thread)
        fault->thread = kernel_thread();
    kernel_read(fault->thread + KTHREAD_TRAP_FRAME, &fault->frame,
                sizeof fault->frame);
    kernel_read(fault->frame + FRAME_FAULT_ADDRESS, &fault->address,
                sizeof fault->address);
    kernel_read(fault->frame + FRAME_ERROR_CODE, &fault->error,
                sizeof fault->error);
}

static void show_gate(struct kernel_fault *fault)
{
    char name[64] = "?";

    read_gate(fault);
    kernel_name(fault->gate_offset, name);
    print("   vector   0E, its gate leads to %llX %s\n", fault->gate_offset,
          name);
    print("            DPL %u: not for an instruction of ring 3; IST %u: on\n"
          "            %s\n", fault->gate_dpl, fault->gate_ist,
          kernel_entry_stack());
    check(kernel_is_door(name, "KiPageFault") && fault->gate_dpl == 0 &&
          fault->gate_ist == 0, "vector 0E is KiPageFault's");
}

static void field(ULONGLONG base, ULONG offset, const char *name)
{
    print("   %016llX  +%03X  %-19s ", base + offset, offset, name);
}

void show_kernel_fault(const struct kernel_fault *fault, ULONGLONG address)
{
    struct kernel_fault gate;

    if (!kernel_is_open()) {
        print("   Not for ring 3 to see: boot with debug=on.\n");
        return;
    }
    show_gate(&gate);
    field(fault->frame, 0, "KTRAP_FRAME");
    print("of the fault it still has:\n");
    field(fault->frame, FRAME_FAULT_ADDRESS, "  FaultAddress");
    print("%llX, from cr2\n", fault->address);
    field(fault->frame, FRAME_ERROR_CODE, "  ErrorCode");
    print("%llX, pushed by the processor\n", fault->error);
    print("            1: the page is there, 2: a write, 4: from ring 3. rip "
          "is that of\n            the instruction itself: a fault, not a "
          "trap; interrupts are off.\n"
          "   then     Mm is asked for the page, and answers "
          "STATUS_ACCESS_VIOLATION;\n            KiDispatchException: record "
          "and CONTEXT to the user stack, rip =\n            "
          "KiUserExceptionDispatcher, and back by iretq\n");
    check(fault->address == address, "FaultAddress is the page");
    check(fault->error == 7, "the error code tells of a write of ring 3");
}
