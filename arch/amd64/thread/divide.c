/*
 * thread/divide.c - which of its two reasons a #DE has.
 *
 * The processor has one vector for a divisor of 0 and for a quotient that
 * does not fit.  Windows tells them apart by looking at the instruction:
 * DIV and IDIV are F6 or F7 with 6 or 7 in the reg field of ModRM, and the
 * divisor is their operand (SDM: 2A, 2.1 and 2.2.1).
 */
#include <arch/descriptors.h>
#include <arch/thread.h>
#include <mm.h>

#define REX_W 8
#define REX_X 2
#define REX_B 1
#define MAX_INSTRUCTION 15

struct operand {
    const UCHAR *code, *end;
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

static LONGLONG displacement(struct operand *o, ULONG bytes)
{
    LONG wide = 0;

    if ((ULONG)(o->end - o->code) < bytes)
        return 0;
    memcpy(&wide, o->code, bytes);
    o->code += bytes;
    return bytes == 1 ? (signed char)wide : wide;
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

    if (base == 4 && o->code < o->end) {
        UCHAR sib = *o->code++;
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
        return address + f->Rip + (ULONGLONG)(MAX_INSTRUCTION -
                                              (o->end - o->code));
    }
    address += register_value(base | (o->rex & REX_B ? 8 : 0), f, e);
    if (mod != 0)
        address += (ULONGLONG)displacement(o, mod == 1 ? 1 : 4);
    return address;
}

static BOOLEAN read_prefixes(struct operand *o)
{
    for (; o->code < o->end; o->code++) {
        if (*o->code == 0x66)
            o->size = 2;
        else if (*o->code == 0x64 || *o->code == 0x65)
            o->segment_base = TRUE;
        else if (*o->code != 0x67 && *o->code != 0xF2 && *o->code != 0xF3 &&
                 *o->code != 0x2E && *o->code != 0x36 && *o->code != 0x3E &&
                 *o->code != 0x26)
            break;
    }
    if (!o->code32 && o->code < o->end && (*o->code & 0xF0) == 0x40) {
        o->rex = *o->code++;
        if (o->rex & REX_W)
            o->size = 8;
    }
    return o->end - o->code >= 2;
}

/*
 * STATUS_INTEGER_OVERFLOW when the divisor is known and not 0, else
 * STATUS_INTEGER_DIVIDE_BY_ZERO.
 */
NTSTATUS arch_divide_error(const KTRAP_FRAME *frame,
                           const KEXCEPTION_FRAME *exception)
{
    UCHAR code[MAX_INSTRUCTION] = { 0 };
    struct operand o = { .code = code, .end = code + sizeof code, .size = 4 };
    ULONGLONG divisor = 0, address;
    UCHAR opcode, modrm;

    for (ULONG i = 0; i < sizeof code; i++) {
        if (!NT_SUCCESS(mm_copy_from_mode(UserMode, &code[i],
                                          (UCHAR *)frame->Rip + i, 1)))
            break;
    }
    o.code32 = frame->SegCs == (KGDT_R3_CODE | RPL_MASK);
    if (!read_prefixes(&o))
        return STATUS_INTEGER_DIVIDE_BY_ZERO;
    opcode = *o.code++;
    modrm = *o.code++;
    if ((opcode & 0xFE) != 0xF6 || (modrm >> 3 & 6) != 6 || o.segment_base)
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
