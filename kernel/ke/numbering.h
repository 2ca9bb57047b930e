/*
 * ke/numbering.h - service numbers from a file.
 */
#pragma once

#include <ke.h>

/* error_line 0: the file as a whole. */
struct ke_numbering_result {
    ULONG error_line;
    const char *error;
    ULONG used, unknown;
};

/*
 * Lines "name number" (decimal or 0x hex), '#' comments, blank lines.  Names
 * that services lacks are skipped and counted; services the file lacks get
 * free numbers above the highest of their table in the file, in services'
 * order.  numbers: one for each service.  FALSE: what and where is in result,
 * numbers is not valid.
 */
BOOLEAN ke_parse_numbering(const char *text, SIZE_T size,
                           const struct ke_service *services, ULONG count,
                           USHORT *numbers,
                           struct ke_numbering_result *result);
