/*
 * instructions.c - a page of blocks: an instruction that is privileged,
 * undefined or odd, or random bytes, and a jump to state_landing.
 *
 * What could run away is not among them: no instruction changes rsp, loads gs
 * or jumps near; what is behind a block's end traps.
 */
#include "state.h"

#define INT3 0xCC
#define NOP 0x90
#define FASTFAIL 0x29                           /* INT n that ends a process */
#define SERVICE 0x2E

/* Bytes; the first says how many. */
static const UCHAR odd[][8] = {
    { 1, 0xFA }, { 1, 0xFB }, { 1, 0xF4 }, { 1, 0xEC }, { 1, 0xEE },
    { 2, 0x66, 0xED }, { 1, 0x6C }, { 1, 0x6E }, { 2, 0xE4, 0x60 },
    { 2, 0xE6, 0x80 },                                  /* CLI ... OUT */
    { 2, 0x0F, 0x30 }, { 2, 0x0F, 0x32 }, { 2, 0x0F, 0x31 },
    { 3, 0x0F, 0x01, 0xF9 }, { 2, 0x0F, 0x33 },         /* WRMSR ... RDPMC */
    { 3, 0x0F, 0x20, 0xC0 }, { 3, 0x0F, 0x20, 0xD8 },
    { 4, 0x44, 0x0F, 0x20, 0xC0 }, { 3, 0x0F, 0x22, 0xC0 },
    { 3, 0x0F, 0x22, 0xD8 }, { 3, 0x0F, 0x22, 0xE0 },
    { 3, 0x0F, 0x21, 0xF8 }, { 3, 0x0F, 0x23, 0xF8 },   /* CRn, DRn */
    { 3, 0x0F, 0x01, 0x00 }, { 3, 0x0F, 0x01, 0x08 },
    { 3, 0x0F, 0x01, 0x10 }, { 3, 0x0F, 0x01, 0x18 },
    { 3, 0x0F, 0x01, 0xE0 }, { 3, 0x0F, 0x01, 0xF0 },
    { 3, 0x0F, 0x01, 0x38 }, { 3, 0x0F, 0x01, 0xF8 },   /* SGDT ... SWAPGS */
    { 3, 0x0F, 0x01, 0xD0 }, { 3, 0x0F, 0x01, 0xD1 },
    { 3, 0x0F, 0x01, 0xC1 }, { 3, 0x0F, 0x01, 0xD8 },
    { 3, 0x0F, 0x01, 0xD9 }, { 3, 0x0F, 0x01, 0xCB },
    { 3, 0x0F, 0x01, 0xCA }, { 3, 0x0F, 0x01, 0xC8 },
    { 3, 0x0F, 0x01, 0xC9 },                            /* XGETBV ... MWAIT */
    { 3, 0x0F, 0x00, 0xC0 }, { 3, 0x0F, 0x00, 0xC8 },
    { 3, 0x0F, 0x00, 0xD0 }, { 3, 0x0F, 0x00, 0xD8 },
    { 3, 0x0F, 0x00, 0xE0 }, { 3, 0x0F, 0x00, 0xE8 },
    { 3, 0x0F, 0x02, 0xC0 }, { 3, 0x0F, 0x03, 0xC0 },   /* SLDT ... LSL */
    { 2, 0x0F, 0x06 }, { 2, 0x0F, 0x07 }, { 3, 0x48, 0x0F, 0x07 },
    { 2, 0x0F, 0x08 }, { 2, 0x0F, 0x09 }, { 2, 0x0F, 0x0B },
    { 2, 0x0F, 0x35 }, { 2, 0x0F, 0x37 }, { 2, 0x0F, 0xA2 },
    { 2, 0x0F, 0xAA }, { 2, 0x0F, 0xFF },               /* CLTS ... UD0 */
    { 1, 0xCC }, { 1, 0xF1 }, { 1, 0xCE }, { 1, 0x06 }, { 1, 0x27 },
    { 2, 0x8E, 0xD8 }, { 2, 0x8E, 0xC0 }, { 2, 0x8E, 0xE0 },
    { 2, 0x8E, 0xD0 }, { 1, 0x9D }, { 2, 0x48, 0xCF }, { 1, 0xCF },
    { 2, 0x48, 0xCB }, { 3, 0x48, 0xFF, 0x28 }, { 2, 0xFF, 0x18 },
    { 2, 0xF0, 0x90 }, { 4, 0xF0, 0x0F, 0xB1, 0xC3 },
    { 4, 0x0F, 0x28, 0x40, 0x01 }, { 2, 0xF7, 0xF1 },
    { 4, 0xF3, 0x0F, 0xAE, 0xC0 }, { 5, 0xF3, 0x48, 0x0F, 0xAE, 0xD8 },
    { 5, 0xF3, 0x48, 0x0F, 0xAE, 0xD0 }, { 3, 0x0F, 0xAE, 0x08 },
    { 3, 0x0F, 0xAE, 0x10 }, { 3, 0x0F, 0xAE, 0x28 },
    { 3, 0x0F, 0xAE, 0x38 }, { 3, 0x0F, 0xC7, 0x08 },
};

static UCHAR *page;

static void protect(ULONG protection)
{
    void *base = page;
    SIZE_T size = PAGE_SIZE;
    ULONG before;

    CHECK_STATUS(NtProtectVirtualMemory(NtCurrentProcess(), &base, &size,
                                        protection, &before),
                 STATUS_SUCCESS);
}

/* After 0Fh: not a door, a near jump, a load of gs, or BSWAP esp. */
static BOOLEAN may_follow(UCHAR opcode)
{
    return opcode != 0x05 && opcode != 0x34 && opcode != 0xA9 &&
           opcode != 0xB5 && opcode != 0xCC && (opcode & 0xF0) != 0x80;
}

/* These have no registers of their choice: the next byte is not theirs. */
static BOOLEAN is_whole(UCHAR opcode)
{
    return (opcode >= 0x04 && opcode <= 0x0C) || opcode == 0x0E ||
           (opcode & 0xF8) == 0x30 || opcode == 0x77 ||
           (opcode >= 0xA0 && opcode <= 0xA2) || opcode == 0xA8 ||
           opcode == 0xAA || (opcode & 0xF8) == 0xC8;
}

/*
 * 0Fh, a byte, and registers or [register]: none of them rsp.  LOCK only with
 * memory: QEMU (7.2) aborts when LOCK BTS names a register.
 */
static ULONG put_random(UCHAR *to)
{
    static const UCHAR prefixes[] = { 0x66, 0xF2, 0xF3, 0x48, 0x4D, 0xF0 };
    ULONG r = random32(), length = 0;
    UCHAR opcode = (UCHAR)(r >> 8), reg = r >> 16 & 7, rm = r >> 20 & 7;

    if ((r & 3) == 0)
        to[length++] = prefixes[(r >> 4 & 0xF) % ARRAY_SIZE(prefixes)];
    if (!may_follow(opcode))
        opcode = 0x0B;
    if (reg == 4)
        reg = 3;
    if (rm == 4 || rm == 5)
        rm = 0;
    to[length++] = 0x0F;
    to[length++] = opcode;
    if (is_whole(opcode))
        return length;
    to[length] = (UCHAR)(reg << 3 | rm);
    if (r >> 24 & 1 && to[0] != 0xF0)
        to[length] |= 0xC0;
    return length + 1;
}

static ULONG put_interrupt(UCHAR *to)
{
    UCHAR number = (UCHAR)random32();

    to[0] = 0xCD;
    to[1] = number == FASTFAIL || number == SERVICE ? 3 : number;
    return 2;
}

/* More prefixes than an instruction may have bytes, or just as many. */
static ULONG put_long(UCHAR *to)
{
    ULONG length = 13 + random_below(3);

    memset(to, 0x66, length);
    to[length] = NOP;
    return length + 1;
}

static ULONG put_odd(UCHAR *to)
{
    const UCHAR *from = odd[random_below(ARRAY_SIZE(odd))];

    memcpy(to, from + 1, from[0]);
    return from[0];
}

static void make_block(UCHAR *to)
{
    static const UCHAR jump[] = { NOP, NOP, 0xFF, 0x25, 0, 0, 0, 0 };
    void (*landing)(void) = state_landing;
    ULONG r = random32() & 15, length;

    memset(to, INT3, BLOCK_SIZE);
    if (r == 0)
        length = put_long(to);
    else if (r < 3)
        length = put_interrupt(to);
    else
        length = r < 9 ? put_odd(to) : put_random(to);
    memcpy(to + length, jump, sizeof jump);
    memcpy(to + length + sizeof jump, &landing, sizeof landing);
}

UCHAR *instructions_make(void)
{
    if (!page)
        page = test_pages(1);
    protect(PAGE_READWRITE);
    for (ULONG at = 0; at < BLOCKS; at++)
        make_block(page + at * BLOCK_SIZE);
    protect(PAGE_EXECUTE_READ);
    return page;
}
