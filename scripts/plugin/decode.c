/*
 * decode.c - where an instruction leads, by its bytes.
 *
 * One reading serves 64-bit and 32-bit code. They differ in 40 to 4F, a prefix
 * in one and INC or DEC in the other; but INC and DEC are no more than that
 * byte, so whatever follows it makes it a prefix.
 */
#include "decode.h"

#include <string.h>

static int is_prefix(uint8_t byte)
{
    return (byte & 0xF0) == 0x40 || memchr("\x26\x2E\x36\x3E\x64\x65\x66\x67"
                                           "\xF0\xF2\xF3", byte, 11);
}

static enum transfer two_bytes(uint8_t byte)
{
    switch (byte) {
    case 0x05:
    case 0x34:
        return TRANSFER_ENTER;
    case 0x07:
    case 0x35:
        return TRANSFER_LEAVE;
    }
    return (byte & 0xF0) == 0x80 ? TRANSFER_JUMP : TRANSFER_NONE;
}

/* FF: the operation is in the middle of the byte that follows. */
static enum transfer indirect(uint8_t byte)
{
    switch (byte >> 3 & 7) {
    case 2:
        return byte >> 6 == 3 ? TRANSFER_CALL_REGISTER : TRANSFER_CALL;
    case 3:
        return TRANSFER_CALL;
    case 4:
    case 5:
        return TRANSFER_JUMP;
    }
    return TRANSFER_NONE;
}

static enum transfer one_byte(uint8_t byte)
{
    switch (byte) {
    case 0xE8:
    case 0x9A:
        return TRANSFER_CALL;
    case 0xC2:
    case 0xC3:
    case 0xCA:
    case 0xCB:
        return TRANSFER_RETURN;
    case 0xCC:
    case 0xCD:
    case 0xCE:
        return TRANSFER_INTERRUPT;
    case 0xCF:
        return TRANSFER_IRET;
    case 0xE9:
    case 0xEA:
    case 0xEB:
        return TRANSFER_JUMP;
    }
    return (byte & 0xF0) == 0x70 || (byte & 0xFC) == 0xE0 ? TRANSFER_JUMP
                                                          : TRANSFER_NONE;
}

enum transfer decode_transfer(const uint8_t *bytes, size_t size)
{
    while (size > 1 && is_prefix(*bytes)) {
        bytes++;
        size--;
    }
    if (size > 1 && *bytes == 0x0F)
        return two_bytes(bytes[1]);
    if (size > 1 && *bytes == 0xFF)
        return indirect(bytes[1]);
    return one_byte(*bytes);
}
