/*
 * arch/cpu.h, for unit tests of code that talks to devices: the ports belong
 * to the test.
 */
#pragma once

#include <nt/ntdef.h>

UCHAR arch_in8(USHORT port);
void arch_out8(USHORT port, UCHAR value);
