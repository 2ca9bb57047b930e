/*
 * wow64/fpu.c - two older pictures of the floating-point registers.
 *
 * FNSAVE's (108 bytes) has the x87 registers packed, ten bytes each, and two
 * bits for each of them that say valid, zero, special or empty.  FXSAVE's, as
 * 32-bit code writes it, differs from 64-bit code's in having eight XMM
 * registers and, beside the two addresses of the last x87 instruction, their
 * selectors.  (SDM: 1, 8.1.10 and 10.5.1)
 */
#include "wow64p.h"

#define REGISTERS 8
#define REGISTER_BYTES 10
#define TAG_EMPTY 3
#define OPCODE_MASK 0x7FF

/* Two bits for each register become one: not empty. */
static UCHAR abridged_tags(ULONG tags)
{
    UCHAR result = 0;

    for (ULONG i = 0; i < REGISTERS; i++) {
        if ((tags >> (2 * i) & TAG_EMPTY) != TAG_EMPTY)
            result |= (UCHAR)(1 << i);
    }
    return result;
}

void wow64p_convert_fnsave(const WOW64_FLOATING_SAVE_AREA *from,
                           XSAVE_FORMAT *to)
{
    to->ControlWord = (USHORT)from->ControlWord;
    to->StatusWord = (USHORT)from->StatusWord;
    to->TagWord = abridged_tags(from->TagWord);
    to->ErrorOpcode = from->ErrorSelector >> 16 & OPCODE_MASK;
    to->ErrorOffset = from->ErrorOffset;
    to->ErrorSelector = 0;
    to->DataOffset = from->DataOffset;
    to->DataSelector = 0;
    memset(to->FloatRegisters, 0, sizeof to->FloatRegisters);
    for (ULONG i = 0; i < REGISTERS; i++)
        memcpy(&to->FloatRegisters[i],
               from->RegisterArea + i * REGISTER_BYTES, REGISTER_BYTES);
}

void wow64p_convert_fxsave(const UCHAR *from, XSAVE_FORMAT *to)
{
    memset(to, 0, sizeof *to);
    memcpy(to, from, offsetof(XSAVE_FORMAT, XmmRegisters[REGISTERS]));
    to->ErrorSelector = to->Reserved2 = 0;
    to->DataSelector = to->Reserved3 = 0;
}
