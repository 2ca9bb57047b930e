/*
 * thread/instruction.c - what instruction ring 3 could not execute.
 *
 * The processor has one vector for a privileged instruction and for every
 * other violation, and one for an opcode that is none and for a LOCK prefix
 * where none may be.  Windows looks at the bytes.  Another thread may change
 * them meanwhile: then the answer is about the new ones.
 *
 * Nothing behind the instruction is read: a guard page may follow it.
 */
#include <arch/descriptors.h>
#include <arch/trap.h>
#include <mm.h>

#define MAX_INSTRUCTION 15
#define LOCK_PREFIX 0xF0
#define XP_LOCK_BYTES 4                 /* how far Windows looks for it */

BOOLEAN ki_is_code32(const KTRAP_FRAME *frame)
{
    return frame->SegCs == (KGDT_R3_CODE | RPL_MASK);
}

UCHAR ki_code_byte(const KTRAP_FRAME *frame, ULONG at)
{
    UCHAR byte = 0;

    (void)mm_copy_from_mode(UserMode, &byte, (UCHAR *)frame->Rip + at, 1);
    return byte;
}

static BOOLEAN is_prefix(UCHAR byte)
{
    static const UCHAR prefixes[] = { 0x26, 0x2E, 0x36, 0x3E, 0x64, 0x65,
                                      0x66, 0x67, LOCK_PREFIX, 0xF2, 0xF3 };

    for (ULONG i = 0; i < sizeof prefixes; i++) {
        if (prefixes[i] == byte)
            return TRUE;
    }
    return FALSE;
}

/* HLT, CLI, IN and the like: the program's fault is a privilege. */
BOOLEAN ki_is_privileged(const KTRAP_FRAME *frame)
{
    BOOLEAN rex = !ki_is_code32(frame);
    UCHAR byte = ki_code_byte(frame, 0);
    ULONG i = 0;

    while (i < MAX_INSTRUCTION &&
           (is_prefix(byte) || (rex && (byte & 0xF0) == 0x40)))
        byte = ki_code_byte(frame, ++i);
    switch (byte) {
    case 0xF4: case 0xFA: case 0xFB:                    /* HLT CLI STI */
    case 0x6C: case 0x6D: case 0x6E: case 0x6F:         /* INS OUTS */
    case 0xE4: case 0xE5: case 0xE6: case 0xE7:         /* IN OUT */
    case 0xEC: case 0xED: case 0xEE: case 0xEF:
        return TRUE;
    case 0x0F:
        switch (ki_code_byte(frame, i + 1)) {
        case 0x00:                                      /* LLDT LTR ... */
        case 0x01:                                      /* LGDT LIDT ... */
        case 0x06: case 0x07: case 0x08: case 0x09:     /* CLTS SYSRET ... */
        case 0x20: case 0x21: case 0x22: case 0x23:     /* MOV CR, DR */
        case 0x30: case 0x32: case 0x33: case 0x35:     /* MSRs SYSEXIT */
            return TRUE;
        }
    }
    return FALSE;
}

BOOLEAN ki_has_lock_prefix(const KTRAP_FRAME *frame)
{
    for (ULONG i = 0; i < XP_LOCK_BYTES; i++) {
        UCHAR byte = ki_code_byte(frame, i);

        if (byte == LOCK_PREFIX || !is_prefix(byte))
            return byte == LOCK_PREFIX;
    }
    return FALSE;
}
