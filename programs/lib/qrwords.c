/*
 * lib/qrwords.c - check words (Reed and Solomon's), and the order of words.
 *
 * A block's data words are the coefficients of a polynomial over GF(256).
 * Divided by a polynomial with the roots 1, 2, 4, 8 ..., it leaves the check
 * words; a reader that finds other values at these roots knows what to mend.
 */
#include "qrparts.h"

#define FIELD 0x11D                     /* x^8 + x^4 + x^3 + x^2 + 1 */
#define MOST_CHECK_WORDS 30

static UCHAR multiply(UCHAR a, UCHAR b)
{
    ULONG product = 0;

    for (ULONG bit = 8; bit--;) {
        product = product << 1 ^ (product >> 7) * FIELD;
        if (b >> bit & 1)
            product ^= a;
    }
    return (UCHAR)product;
}

/* (x - 1)(x - 2)(x - 4)..., the highest power first, but for its own 1. */
static void make_divisor(UCHAR *divisor, ULONG degree)
{
    UCHAR root = 1;

    for (ULONG i = 0; i < degree; i++)
        divisor[i] = i + 1 == degree;
    for (ULONG i = 0; i < degree; i++) {
        for (ULONG j = 0; j < degree; j++)
            divisor[j] = multiply(divisor[j], root) ^
                         (j + 1 < degree ? divisor[j + 1] : 0);
        root = multiply(root, 2);
    }
}

static void divide(const UCHAR *data, ULONG count, const UCHAR *divisor,
                   UCHAR *rest, ULONG degree)
{
    for (ULONG i = 0; i < degree; i++)
        rest[i] = 0;
    for (ULONG i = 0; i < count; i++) {
        UCHAR factor = data[i] ^ rest[0];

        for (ULONG j = 0; j < degree; j++)
            rest[j] = multiply(divisor[j], factor) ^
                      (j + 1 < degree ? rest[j + 1] : 0);
    }
}

/*
 * The first words of all blocks, the second words of all blocks ... The last
 * blocks may be a word longer; then the check words, in the same way.
 */
void qr_protect(const struct qr_shape *shape, const UCHAR *data, UCHAR *words)
{
    UCHAR divisor[MOST_CHECK_WORDS], rest[MOST_CHECK_WORDS];
    ULONG blocks = shape->blocks, least = shape->data_words / blocks;
    ULONG first_longer = blocks - shape->data_words % blocks;

    make_divisor(divisor, shape->check_words);
    for (ULONG block = 0; block < blocks; block++) {
        ULONG count = least + (block >= first_longer);

        for (ULONG i = 0; i < least; i++)
            words[i * blocks + block] = data[i];
        if (count > least)
            words[least * blocks + block - first_longer] = data[least];
        divide(data, count, divisor, rest, shape->check_words);
        for (ULONG i = 0; i < shape->check_words; i++)
            words[shape->data_words + i * blocks + block] = rest[i];
        data += count;
    }
}
