/*
 * lib/qrparts.h - what the files of the QR encoder share: a text becomes data
 * words (qr.c), these and their check words a row of words (qrwords.c), that a
 * picture (qrpicture.c), of which the best of eight is taken (qrmask.c).
 */
#pragma once

#include "qr.h"

#define QR_MOST_WORDS 1085                      /* of version 20 */

/* The standard's numbers for the two levels. */
enum qr_level { QR_M = 0, QR_L = 1 };

/* One version at one level: words are bytes, and lie in blocks. */
struct qr_shape {
    ULONG version;
    enum qr_level level;
    ULONG words, data_words;                    /* of all blocks */
    ULONG blocks, check_words;                  /* of each block */
};

/* Data words in, all words out, in the order of the picture. */
void qr_protect(const struct qr_shape *shape, const UCHAR *data, UCHAR *words);

/* Everything that is not data, and modules for the format. */
void qr_draw_patterns(struct qr *qr, ULONG version);
void qr_draw_words(struct qr *qr, const UCHAR *words, ULONG count);
/* What a reader must know first: the level and the mask, 0 to 7. */
void qr_draw_format(struct qr *qr, enum qr_level level, ULONG mask);

/* Of the eight masks the one that is easiest to read, and its format. */
void qr_mask(struct qr *qr, enum qr_level level);
