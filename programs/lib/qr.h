/*
 * lib/qr.h - a text as a QR code (ISO/IEC 18004).
 *
 * Of what the standard has: bytes, versions 1 to 20, and the error correction
 * L (7 percent of the words), or M (15) where that needs no larger code.
 */
#pragma once

#include <nt/ntdef.h>

#define QR_VERSIONS 20
#define QR_SIDE(version) (17 + 4 * (version))   /* modules */
#define QR_MOST_SIDE QR_SIDE(QR_VERSIONS)
#define QR_MOST_TEXT 858                        /* bytes */
#define QR_QUIET 4                              /* light modules around it */

#define QR_DARK 1
#define QR_FIXED 2                              /* no data, and never masked */

struct qr {
    ULONG version, side;
    UCHAR module[QR_MOST_SIDE][QR_MOST_SIDE];   /* by row and column */
};

/* FALSE: the text is too long. */
BOOLEAN qr_encode(struct qr *qr, const char *text, ULONG length);

static inline BOOLEAN qr_is_dark(const struct qr *qr, ULONG x, ULONG y)
{
    return qr->module[y][x] & QR_DARK;
}
