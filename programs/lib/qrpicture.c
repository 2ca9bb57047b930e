/*
 * lib/qrpicture.c - what a QR code looks like, but for its mask.
 *
 * Three finders in the corners, each with a light border; between them the
 * timing lines of row 6 and column 6; small alignment squares on a grid;
 * beside the finders the format, and from version 7 on the version. What is
 * left is data.
 */
#include "qrparts.h"

#define TIMING 6                        /* row and column */
#define FORMAT_CODE 0x537               /* the generators of both codes */
#define FORMAT_MASK 0x5412
#define VERSION_CODE 0x1F25

static void set(struct qr *qr, ULONG x, ULONG y, BOOLEAN dark)
{
    qr->module[y][x] = QR_FIXED | (dark ? QR_DARK : 0);
}

static ULONG distance(LONG x, LONG y)
{
    ULONG across = x < 0 ? -x : x, down = y < 0 ? -y : y;

    return across > down ? across : down;
}

/* Rings around x, y; the first one that is light, and every other after it. */
static void draw_rings(struct qr *qr, LONG x, LONG y, ULONG count,
                       ULONG light)
{
    LONG side = (LONG)qr->side, reach = (LONG)count;

    for (LONG down = -reach; down <= reach; down++) {
        for (LONG across = -reach; across <= reach; across++) {
            ULONG ring = distance(across, down);

            if (x + across >= 0 && x + across < side && y + down >= 0 &&
                y + down < side)
                set(qr, x + across, y + down,
                    ring < light || (ring - light) % 2);
        }
    }
}

static void draw_finders(struct qr *qr)
{
    LONG far = (LONG)qr->side - 4;

    draw_rings(qr, 3, 3, 4, 2);
    draw_rings(qr, far, 3, 4, 2);
    draw_rings(qr, 3, far, 4, 2);
}

/* The grid's lines, from the last one back; the first is the timing's. */
static void draw_alignments(struct qr *qr)
{
    ULONG count = qr->version / 7 + 2, last = qr->side - 7;
    ULONG step = (qr->version * 4 + count * 2 + 1) / (count * 2 - 2) * 2;
    ULONG at[QR_VERSIONS / 7 + 2] = { TIMING };

    if (qr->version < 2)
        return;
    for (ULONG i = 1; i < count; i++)
        at[i] = last - (count - 1 - i) * step;
    for (ULONG i = 0; i < count; i++) {
        for (ULONG j = 0; j < count; j++) {
            BOOLEAN finder = (i == 0 && (j == 0 || j == count - 1)) ||
                             (i == count - 1 && j == 0);

            if (!finder)
                draw_rings(qr, (LONG)at[i], (LONG)at[j], 2, 1);
        }
    }
}

/* value with its check bits behind it, as many as code's degree. */
static ULONG with_check(ULONG value, ULONG code, ULONG degree)
{
    ULONG rest = value;

    for (ULONG i = 0; i < degree; i++)
        rest = rest << 1 ^ (rest >> (degree - 1)) * code;
    return value << degree | rest;
}

/* Twice, three modules wide, by the two far finders. */
static void draw_version(struct qr *qr)
{
    ULONG bits = with_check(qr->version, VERSION_CODE, 12);

    if (qr->version < 7)
        return;
    for (ULONG i = 0; i < 18; i++) {
        ULONG across = qr->side - 11 + i % 3, down = i / 3;

        set(qr, across, down, bits >> i & 1);
        set(qr, down, across, bits >> i & 1);
    }
}

/* Around the first finder, and once more by the two others. */
void qr_draw_format(struct qr *qr, enum qr_level level, ULONG mask)
{
    ULONG bits = with_check(level << 3 | mask, FORMAT_CODE, 10) ^ FORMAT_MASK;
    ULONG side = qr->side;

    for (ULONG i = 0; i < 15; i++) {
        BOOLEAN dark = bits >> i & 1;

        if (i < 8)
            set(qr, 8, i < TIMING ? i : i + 1, dark);
        else
            set(qr, i < 9 ? 7 : 14 - i, 8, dark);
        if (i < 8)
            set(qr, side - 1 - i, 8, dark);
        else
            set(qr, 8, side - 15 + i, dark);
    }
    set(qr, 8, side - 8, TRUE);         /* always dark */
}

void qr_draw_patterns(struct qr *qr, ULONG version)
{
    *qr = (struct qr){ .version = version, .side = QR_SIDE(version) };
    for (ULONG i = 0; i < qr->side; i++) {
        set(qr, TIMING, i, i % 2 == 0);
        set(qr, i, TIMING, i % 2 == 0);
    }
    draw_finders(qr);
    draw_alignments(qr);
    draw_version(qr);
    qr_draw_format(qr, 0, 0);
}

/*
 * Two columns at a time, from the right: up one pair, down the next, around
 * what is fixed. Modules that are left over stay light.
 */
void qr_draw_words(struct qr *qr, const UCHAR *words, ULONG count)
{
    ULONG bit = 0, side = qr->side;
    BOOLEAN up = TRUE;

    for (ULONG end = side; end >= 2; end -= 2, up = !up) {
        if (end - 1 == TIMING)
            end--;
        for (ULONG i = 0; i < 2 * side; i++) {
            ULONG y = up ? side - 1 - i / 2 : i / 2;
            UCHAR *module = &qr->module[y][end - 1 - i % 2];

            if (*module & QR_FIXED || bit == 8 * count)
                continue;
            *module = words[bit / 8] >> (7 - bit % 8) & QR_DARK;
            bit++;
        }
    }
}
