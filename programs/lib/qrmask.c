/*
 * lib/qrmask.c - a pattern over the data, so that a reader is not misled.
 *
 * Eight patterns are tried. Each picture gets the standard's penalties: for
 * long lines of one colour, for blocks of it, for what looks like a finder,
 * and for more of one colour than of the other.
 */
#include "qrparts.h"

#define MASKS 8
#define LONG_LINE 5                     /* modules */
#define LINE_PENALTY 3
#define BLOCK_PENALTY 3
#define FINDER_PENALTY 40
#define BALANCE_PENALTY 10              /* for each 5 percent */

/* A finder's dark 1, light 1, dark 3, 1, 1 with four light modules beside. */
#define FINDER_BITS 11
#define FINDER_BEFORE 0x5D0u
#define FINDER_BEHIND 0x05Du

static BOOLEAN is_masked(ULONG mask, ULONG x, ULONG y)
{
    switch (mask) {
    case 0: return (x + y) % 2 == 0;
    case 1: return y % 2 == 0;
    case 2: return x % 3 == 0;
    case 3: return (x + y) % 3 == 0;
    case 4: return (x / 3 + y / 2) % 2 == 0;
    case 5: return x * y % 2 + x * y % 3 == 0;
    case 6: return (x * y % 2 + x * y % 3) % 2 == 0;
    default: return ((x + y) % 2 + x * y % 3) % 2 == 0;
    }
}

/* Done twice it undoes itself. */
static void apply(struct qr *qr, ULONG mask)
{
    for (ULONG y = 0; y < qr->side; y++) {
        for (ULONG x = 0; x < qr->side; x++) {
            if (!(qr->module[y][x] & QR_FIXED) && is_masked(mask, x, y))
                qr->module[y][x] ^= QR_DARK;
        }
    }
}

/* One row, or one column. */
static ULONG line_penalty(const struct qr *qr, ULONG line, BOOLEAN column)
{
    ULONG penalty = 0, length = 0, seen = 0;
    BOOLEAN before = FALSE;

    for (ULONG i = 0; i < qr->side; i++) {
        BOOLEAN dark = column ? qr_is_dark(qr, line, i)
                              : qr_is_dark(qr, i, line);

        length = dark == before ? length + 1 : 1;
        before = dark;
        if (length >= LONG_LINE)
            penalty += length == LONG_LINE ? LINE_PENALTY : 1;
        seen = (seen << 1 | dark) & ((1u << FINDER_BITS) - 1);
        if (i + 1 >= FINDER_BITS &&
            (seen == FINDER_BEFORE || seen == FINDER_BEHIND))
            penalty += FINDER_PENALTY;
    }
    return penalty;
}

/* Two by two of one colour; they may overlap. */
static ULONG block_penalty(const struct qr *qr, ULONG x, ULONG y)
{
    ULONG dark = qr_is_dark(qr, x, y) + qr_is_dark(qr, x + 1, y) +
                 qr_is_dark(qr, x, y + 1) + qr_is_dark(qr, x + 1, y + 1);

    return dark % 4 == 0 ? BLOCK_PENALTY : 0;
}

static ULONG balance_penalty(const struct qr *qr)
{
    LONG all = (LONG)(qr->side * qr->side), off = -10 * all;

    for (ULONG y = 0; y < qr->side; y++) {
        for (ULONG x = 0; x < qr->side; x++)
            off += 20 * qr_is_dark(qr, x, y);
    }
    return BALANCE_PENALTY * (ULONG)((off < 0 ? -off : off) / all);
}

static ULONG penalty_of(const struct qr *qr)
{
    ULONG penalty = balance_penalty(qr);

    for (ULONG i = 0; i < qr->side; i++)
        penalty += line_penalty(qr, i, FALSE) + line_penalty(qr, i, TRUE);
    for (ULONG y = 0; y + 1 < qr->side; y++) {
        for (ULONG x = 0; x + 1 < qr->side; x++)
            penalty += block_penalty(qr, x, y);
    }
    return penalty;
}

void qr_mask(struct qr *qr, enum qr_level level)
{
    ULONG best = 0, least = ~0u;

    for (ULONG mask = 0; mask < MASKS; mask++) {
        ULONG penalty;

        apply(qr, mask);
        qr_draw_format(qr, level, mask);
        penalty = penalty_of(qr);
        apply(qr, mask);
        if (penalty < least) {
            least = penalty;
            best = mask;
        }
    }
    apply(qr, best);
    qr_draw_format(qr, level, best);
}
