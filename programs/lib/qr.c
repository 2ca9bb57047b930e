/*
 * lib/qr.c - from a text to data words, in the smallest code that has room.
 */
#include "qrparts.h"

#define BYTE_MODE 4                             /* of four bits */
#define PAD_EVEN 0xEC
#define PAD_ODD 0x11

/* ISO 18004, table 9: of versions 1 to 20. */
static const UCHAR check_words[2][QR_VERSIONS] = {
    [QR_L] = { 7, 10, 15, 20, 26, 18, 20, 24, 30, 18, 20, 24, 26, 30, 22, 24,
               28, 30, 28, 28 },
    [QR_M] = { 10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28,
               28, 26, 26, 26 },
};
static const UCHAR blocks[2][QR_VERSIONS] = {
    [QR_L] = { 1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 4, 6, 6, 6, 6, 7, 8 },
    [QR_M] = { 1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14,
               16 },
};

/* A square without finders, format, timing, alignment and version. */
static ULONG words_of(ULONG version)
{
    ULONG side = QR_SIDE(version), alignments = version / 7 + 2;
    ULONG modules = side * side - 3 * 8 * 8 - (2 * 15 + 1) - 2 * (side - 16);

    if (version >= 2)
        modules -= (alignments * alignments - 3) * 25 - (alignments - 2) * 10;
    if (version >= 7)
        modules -= 2 * 18;
    return modules / 8;
}

static struct qr_shape shape_of(ULONG version, enum qr_level level)
{
    struct qr_shape shape = {
        .version = version, .level = level, .words = words_of(version),
        .blocks = blocks[level][version - 1],
        .check_words = check_words[level][version - 1],
    };

    shape.data_words = shape.words - shape.blocks * shape.check_words;
    return shape;
}

static ULONG count_bits(ULONG version)
{
    return version < 10 ? 8 : 16;
}

static BOOLEAN has_room(const struct qr_shape *shape, ULONG length)
{
    return 4 + count_bits(shape->version) + 8 * length <=
           8 * shape->data_words;
}

static BOOLEAN choose_shape(ULONG length, struct qr_shape *shape)
{
    for (ULONG version = 1; version <= QR_VERSIONS; version++) {
        *shape = shape_of(version, QR_M);
        if (!has_room(shape, length))
            *shape = shape_of(version, QR_L);
        if (has_room(shape, length))
            return TRUE;
    }
    return FALSE;
}

/* Bits, the upper ones first, behind the bits that are there. */
static ULONG put(UCHAR *words, ULONG at, ULONG value, ULONG bits)
{
    for (; bits--; at++)
        words[at / 8] |= (value >> bits & 1) << (7 - at % 8);
    return at;
}

/*
 * The mode, the length, the text, four zeroes, which end in a whole word, and
 * padding.
 */
static void make_data(const struct qr_shape *shape, const char *text,
                      ULONG length, UCHAR *words)
{
    ULONG at = put(words, 0, BYTE_MODE, 4), word;

    at = put(words, at, length, count_bits(shape->version));
    for (ULONG i = 0; i < length; i++)
        at = put(words, at, (UCHAR)text[i], 8);
    word = (at + 4) / 8;
    for (UCHAR pad = PAD_EVEN; word < shape->data_words; word++) {
        words[word] = pad;
        pad ^= PAD_EVEN ^ PAD_ODD;
    }
}

BOOLEAN qr_encode(struct qr *qr, const char *text, ULONG length)
{
    UCHAR data[QR_MOST_WORDS] = { 0 }, words[QR_MOST_WORDS];
    struct qr_shape shape;

    if (length > QR_MOST_TEXT || !choose_shape(length, &shape))
        return FALSE;
    make_data(&shape, text, length, data);
    qr_protect(&shape, data, words);
    qr_draw_patterns(qr, shape.version);
    qr_draw_words(qr, words, shape.words);
    qr_mask(qr, shape.level);
    return TRUE;
}
