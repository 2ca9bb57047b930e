/*
 * cpu/pinned.c - CR0, CR4 and EFER stay as boot has made them.
 *
 * Whoever gets to clear CR4.SMEP, SMAP or UMIP, CR0.WP or EFER.NXE in ring 0
 * has the kernel's walls down, and nothing else would say so.  So the whole
 * values are kept in KPRCB.ProcessorState, and compared: CR0 and CR4 behind
 * every service (macro CHECK_SERVICE), all three at every tick.
 *
 * NT: the check of Windows' is PatchGuard's, at times that nobody knows, with
 * the same STOP; what its first three parameters mean is not told.
 */
#include <arch/processor.h>

#include <arch/entry.h>
#include <x86/registers.h>

/* CRITICAL_STRUCTURE_CORRUPTION's fourth parameter: what has changed. */
#define CORRUPTION_MSR 0x7
#define CORRUPTION_CONTROL_REGISTER 0x15

static ULONGLONG pinned_efer SEALED;

void ki_pin_registers(void)
{
    KSPECIAL_REGISTERS *pinned =
        &KeGetCurrentPrcb()->ProcessorState.SpecialRegisters;

    pinned->Cr0 = arch_read_cr0();
    pinned->Cr4 = arch_read_cr4();
    pinned_efer = arch_read_msr(MSR_EFER);
}

void ki_check_pinned_registers(void)
{
    const KSPECIAL_REGISTERS *pinned =
        &KeGetCurrentPrcb()->ProcessorState.SpecialRegisters;
    ULONGLONG cr0 = arch_read_cr0(), cr4 = arch_read_cr4();
    ULONGLONG efer = arch_read_msr(MSR_EFER);

    if (cr4 != pinned->Cr4) {
        arch_write_cr4(pinned->Cr4);
        KeBugCheckEx(CRITICAL_STRUCTURE_CORRUPTION, cr4, pinned->Cr4, 4,
                     CORRUPTION_CONTROL_REGISTER);
    }
    if (cr0 != pinned->Cr0) {
        arch_write_cr0(pinned->Cr0);
        KeBugCheckEx(CRITICAL_STRUCTURE_CORRUPTION, cr0, pinned->Cr0, 0,
                     CORRUPTION_CONTROL_REGISTER);
    }
    if (efer != pinned_efer) {
        arch_write_msr(MSR_EFER, pinned_efer);
        KeBugCheckEx(CRITICAL_STRUCTURE_CORRUPTION, efer, pinned_efer,
                     MSR_EFER, CORRUPTION_MSR);
    }
}
