/*
 * ke/numbering.c - service numbers from a file.
 *
 * Every Windows numbers its services differently.  A file of "name number"
 * lines gives this kernel the numbers of any of them.  A mistake in the file
 * is named by its line; nothing is guessed.
 */
#include "numbering.h"

#define NUMBERS 0x2000                  /* two tables of 4096 */
#define UNNUMBERED 0xFFFF

struct reader {
    const char *at, *end;
    const char *name;
    SIZE_T name_length;
    ULONG number;
};

static BOOLEAN is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static void skip_blanks(struct reader *r)
{
    while (r->at < r->end && is_blank(*r->at))
        r->at++;
}

static BOOLEAN at_line_end(const struct reader *r)
{
    const char *at = r->at;

    while (at < r->end && *at == '\r')
        at++;
    return at == r->end || *at == '\n' || *r->at == '#';
}

static void next_line(struct reader *r)
{
    while (r->at < r->end && *r->at != '\n')
        r->at++;
    if (r->at < r->end)
        r->at++;
}

static BOOLEAN is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int digit_value(char c)
{
    if (is_digit(c))
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Stops at the first character that is no digit; huge numbers stay huge. */
static BOOLEAN read_number(struct reader *r)
{
    int base = 10, digits = 0, value;

    if (r->end - r->at > 2 && r->at[0] == '0' && (r->at[1] | 0x20) == 'x') {
        base = 16;
        r->at += 2;
    }
    r->number = 0;
    while (r->at < r->end && (value = digit_value(*r->at)) >= 0 &&
           value < base) {
        if (r->number < 0x1000000)
            r->number = r->number * base + value;
        r->at++;
        digits++;
    }
    return digits > 0;
}

static BOOLEAN is_name_character(char c)
{
    return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_';
}

/* "name number", with nothing behind it but blanks and a comment. */
static BOOLEAN read_row(struct reader *r)
{
    r->name = r->at;
    while (r->at < r->end && is_name_character(*r->at))
        r->at++;
    r->name_length = (SIZE_T)(r->at - r->name);
    if (r->name_length == 0 || is_digit(*r->name) || r->at == r->end ||
        !is_blank(*r->at))
        return FALSE;
    skip_blanks(r);
    if (!read_number(r) || !(at_line_end(r) || is_blank(*r->at)))
        return FALSE;
    skip_blanks(r);
    return at_line_end(r);
}

static BOOLEAN same_name(const struct reader *r, const char *name)
{
    return strlen(name) == r->name_length &&
           strncmp(name, r->name, r->name_length) == 0;
}

static ULONG find_service(const struct reader *r,
                          const struct ke_service *services, ULONG count)
{
    ULONG i = 0;

    while (i < count && !same_name(r, services[i].name))
        i++;
    return i;
}

/* An earlier line with the same name; unknown names count as well. */
static BOOLEAN named_before(const char *text, const struct reader *row)
{
    struct reader r = { .at = text, .end = row->name };

    while (r.at < r.end) {
        skip_blanks(&r);
        if (!at_line_end(&r) && read_row(&r) &&
            r.name_length == row->name_length &&
            strncmp(r.name, row->name, r.name_length) == 0)
            return TRUE;
        next_line(&r);
    }
    return FALSE;
}

static ULONGLONG used_numbers[NUMBERS / 64];

static BOOLEAN is_used(ULONG number)
{
    return used_numbers[number / 64] >> number % 64 & 1;
}

static const char *check_row(const char *text, const struct reader *r,
                             const struct ke_service *services, ULONG count)
{
    ULONG i = find_service(r, services, count);

    if (r->number >= NUMBERS)
        return "the number is out of range (0 to 0x1fff)";
    if (i < count && services[i].number >> SERVICE_TABLE_SHIFT !=
                         r->number >> SERVICE_TABLE_SHIFT)
        return "the number is in the other table's range";
    if (is_used(r->number))
        return "the number is used twice";
    if (named_before(text, r))
        return "the name is listed twice";
    return NULL;
}

/* Numbers above the highest of the file's, table by table. */
static BOOLEAN number_the_rest(const struct ke_service *services, ULONG count,
                               USHORT *numbers)
{
    ULONG next[SERVICE_TABLES];

    for (ULONG table = 0; table < SERVICE_TABLES; table++) {
        ULONG number = (table + 1) << SERVICE_TABLE_SHIFT;

        while (number > table << SERVICE_TABLE_SHIFT && !is_used(number - 1))
            number--;
        next[table] = number;
    }
    for (ULONG i = 0; i < count; i++) {
        ULONG table = services[i].number >> SERVICE_TABLE_SHIFT;

        if (numbers[i] != UNNUMBERED)
            continue;
        if (next[table] == (table + 1) << SERVICE_TABLE_SHIFT)
            return FALSE;
        numbers[i] = (USHORT)next[table]++;
    }
    return TRUE;
}

BOOLEAN ke_parse_numbering(const char *text, SIZE_T size,
                           const struct ke_service *services, ULONG count,
                           USHORT *numbers, struct ke_numbering_result *result)
{
    struct reader r = { .at = text, .end = text + size };

    *result = (struct ke_numbering_result){ 0 };
    memset(used_numbers, 0, sizeof used_numbers);
    for (ULONG i = 0; i < count; i++)
        numbers[i] = UNNUMBERED;
    for (ULONG line = 1; r.at < r.end; line++, next_line(&r)) {
        ULONG i;

        skip_blanks(&r);
        if (at_line_end(&r))
            continue;
        result->error = read_row(&r)
                            ? check_row(text, &r, services, count)
                            : "the line is not \"name number\"";
        if (result->error) {
            result->error_line = line;
            return FALSE;
        }
        used_numbers[r.number / 64] |= 1ULL << r.number % 64;
        i = find_service(&r, services, count);
        if (i < count) {
            numbers[i] = (USHORT)r.number;
            result->used++;
        } else {
            result->unknown++;
        }
    }
    if (!number_the_rest(services, count, numbers)) {
        result->error = "no free number is left above the file's highest";
        return FALSE;
    }
    return TRUE;
}
