/*
 * arch/cpu.h, for unit tests of code that talks to devices: the ports belong
 * to the test.
 */
#pragma once

#include <nt/ntdef.h>

UCHAR arch_in8(USHORT port);
void arch_out8(USHORT port, UCHAR value);
USHORT arch_in16(USHORT port);
void arch_out16(USHORT port, USHORT value);
void arch_pause(void);
void arch_triple_fault(void);
