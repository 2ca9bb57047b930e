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
#define TAG_VALID 0
#define TAG_ZERO 1
#define TAG_SPECIAL 2
#define TAG_EMPTY 3
#define OPCODE_MASK 0x7FF
#define TOP_SHIFT 11                    /* in the status word */
#define EXPONENT_MASK 0x7FFF
#define INTEGER_BIT (1ULL << 63)
#define UNUSED_HALF 0xFFFF0000

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

static ULONG tag_of(const M128A *value)
{
    ULONG exponent = (ULONG)value->High & EXPONENT_MASK;

    if (exponent == 0 && value->Low == 0)
        return TAG_ZERO;
    if (exponent == 0 || exponent == EXPONENT_MASK ||
        !(value->Low & INTEGER_BIT))
        return TAG_SPECIAL;
    return TAG_VALID;
}

/* Tags are by register, registers lie in the order of the stack. */
static ULONG full_tags(const XSAVE_FORMAT *from)
{
    ULONG top = from->StatusWord >> TOP_SHIFT & (REGISTERS - 1);
    ULONG tags = 0;

    for (ULONG i = 0; i < REGISTERS; i++) {
        const M128A *value = &from->FloatRegisters[(i - top) &
                                                   (REGISTERS - 1)];
        ULONG tag = from->TagWord >> i & 1 ? tag_of(value) : TAG_EMPTY;

        tags |= tag << (2 * i);
    }
    return tags;
}

void wow64p_make_fnsave(const XSAVE_FORMAT *from,
                        WOW64_FLOATING_SAVE_AREA *to)
{
    memset(to, 0, sizeof *to);
    to->ControlWord = UNUSED_HALF | from->ControlWord;
    to->StatusWord = UNUSED_HALF | from->StatusWord;
    to->TagWord = UNUSED_HALF | full_tags(from);
    to->ErrorOffset = from->ErrorOffset;
    to->ErrorSelector = (ULONG)from->ErrorOpcode << 16;
    to->DataOffset = from->DataOffset;
    to->DataSelector = UNUSED_HALF;
    for (ULONG i = 0; i < REGISTERS; i++)
        memcpy(to->RegisterArea + i * REGISTER_BYTES,
               &from->FloatRegisters[i], REGISTER_BYTES);
}

void wow64p_make_fxsave(const XSAVE_FORMAT *from, UCHAR *to)
{
    XSAVE_FORMAT narrow;

    memset(&narrow, 0, sizeof narrow);
    memcpy(&narrow, from, offsetof(XSAVE_FORMAT, XmmRegisters[REGISTERS]));
    narrow.ErrorSelector = narrow.Reserved2 = 0;
    narrow.DataSelector = narrow.Reserved3 = 0;
    memcpy(to, &narrow, sizeof narrow);
}
