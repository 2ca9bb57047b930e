/*
 * thread/divide.c - which of its two reasons a #DE has.
 *
 * The processor has one vector for a divisor of 0 and for a quotient that
 * does not fit.  Windows tells them apart by looking at the instruction:
 * DIV and IDIV are F6 or F7 with 6 or 7 in the reg field of ModRM, and the
 * divisor is their operand (SDM: 2A, 2.1 and 2.2.1).
 */
#include <arch/thread.h>
#include <arch/trap.h>
#include <mm.h>

#define REX_W 8
#define REX_X 2
#define REX_B 1
#define MAX_INSTRUCTION 15

struct operand {
    const KTRAP_FRAME *frame;
    ULONG at;                           /* how much of the code is read */
    ULONG rex, size;
    BOOLEAN segment_base;               /* an fs or gs prefix: not followed */
    BOOLEAN code32;                     /* no REX, no rip-relative operands */
};

static ULONGLONG register_value(ULONG number, const KTRAP_FRAME *f,
                                const KEXCEPTION_FRAME *e)
{
    const ULONGLONG values[16] = {
        f->Rax, f->Rcx, f->Rdx, f->Rbx, f->Rsp, f->Rbp, f->Rsi, f->Rdi,
        f->R8, f->R9, f->R10, f->R11, e->R12, e->R13, e->R14, e->R15,
    };

    return values[number & 15];
}

/* Without REX, 8-bit registers 4 to 7 are ah, ch, dh, bh. */
static ULONGLONG register_operand(const struct operand *o, ULONG number,
                                  const KTRAP_FRAME *f,
                                  const KEXCEPTION_FRAME *e)
{
    ULONGLONG value;

    if (o->size == 1 && !o->rex && number >= 4)
        return register_value(number - 4, f, e) >> 8 & 0xFF;
    value = register_value(number | (o->rex & REX_B ? 8 : 0), f, e);
    return o->size == 8 ? value : value & ((1ULL << o->size * 8) - 1);
}

static UCHAR next(struct operand *o)
{
    return o->at < MAX_INSTRUCTION ? ki_code_byte(o->frame, o->at++) : 0;
}

static LONGLONG displacement(struct operand *o, ULONG bytes)
{
    ULONG wide = 0;

    for (ULONG i = 0; i < bytes; i++)
        wide |= (ULONG)next(o) << i * 8;
    return bytes == 1 ? (signed char)wide : (LONG)wide;
}

/*
 * ModRM (and SIB) to an address; rip is the next instruction's.  16-bit
 * addresses (a 67h prefix in 32-bit code) are not told apart.
 */
static ULONGLONG address_of(struct operand *o, UCHAR modrm,
                            const KTRAP_FRAME *f, const KEXCEPTION_FRAME *e)
{
    ULONG mod = modrm >> 6, base = modrm & 7;
    ULONGLONG address = 0;

    if (base == 4) {
        UCHAR sib = next(o);
        ULONG index = (sib >> 3 & 7) | (o->rex & REX_X ? 8 : 0);

        base = sib & 7;
        if (index != 4)
            address = register_value(index, f, e) << (sib >> 6);
        if (base == 5 && mod == 0)
            return address + (ULONGLONG)displacement(o, 4);
    } else if (base == 5 && mod == 0) {
        address = (ULONGLONG)displacement(o, 4);
        if (o->code32)
            return address;
        return address + f->Rip + o->at;
    }
    address += register_value(base | (o->rex & REX_B ? 8 : 0), f, e);
    if (mod != 0)
        address += (ULONGLONG)displacement(o, mod == 1 ? 1 : 4);
    return address;
}

/* The opcode behind the prefixes. */
static UCHAR read_opcode(struct operand *o)
{
    UCHAR byte = next(o);

    for (; o->at < MAX_INSTRUCTION; byte = next(o)) {
        if (byte == 0x66)
            o->size = 2;
        else if (byte == 0x64 || byte == 0x65)
            o->segment_base = TRUE;
        else if (byte != 0x67 && byte != 0xF2 && byte != 0xF3 &&
                 byte != 0x2E && byte != 0x36 && byte != 0x3E && byte != 0x26)
            break;
    }
    if (!o->code32 && (byte & 0xF0) == 0x40) {
        o->rex = byte;
        if (o->rex & REX_W)
            o->size = 8;
        byte = next(o);
    }
    return byte;
}

/*
 * STATUS_INTEGER_OVERFLOW when the divisor is known and not 0, else
 * STATUS_INTEGER_DIVIDE_BY_ZERO.
 */
NTSTATUS arch_divide_error(const KTRAP_FRAME *frame,
                           const KEXCEPTION_FRAME *exception)
{
    struct operand o = {
        .frame = frame,
        .size = 4,
        .code32 = ki_is_code32(frame),
    };
    ULONGLONG divisor = 0, address;
    UCHAR opcode = read_opcode(&o), modrm;

    if ((opcode & 0xFE) != 0xF6)
        return STATUS_INTEGER_DIVIDE_BY_ZERO;
    modrm = next(&o);
    if ((modrm >> 3 & 6) != 6 || o.segment_base)
        return STATUS_INTEGER_DIVIDE_BY_ZERO;
    if (opcode == 0xF6)
        o.size = 1;
    if (modrm >> 6 == 3) {
        divisor = register_operand(&o, modrm & 7, frame, exception);
    } else {
        address = address_of(&o, modrm, frame, exception);
        if (o.code32)
            address &= 0xFFFFFFFF;
        if (!NT_SUCCESS(mm_copy_from_mode(UserMode, &divisor, (void *)address,
                                          o.size)))
            return STATUS_INTEGER_DIVIDE_BY_ZERO;
    }
    return divisor ? STATUS_INTEGER_OVERFLOW : STATUS_INTEGER_DIVIDE_BY_ZERO;
}
