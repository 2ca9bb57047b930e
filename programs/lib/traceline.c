/*
 * lib/traceline.c - a traced call as text, in strace's manner.
 *
 * What a pointer leads to stands in its place, where the records have it: in
 * brackets a number, in quotation marks a name or bytes. Names and letters are
 * those of services.tab; the numbers of this machine are in ntdll's stubs.
 */
#include "call.h"
#include "print.h"
#include "trace.h"

struct row {
    const char *name;
    const char *letters;
    LONG number, xp_number;
    BOOLEAN is_value;                           /* returns no NTSTATUS */
};

static struct row rows[] = {
#define CALL(number, xp, count, letters, is_value, name) \
    { #name, letters, number, xp, is_value },
#include <calls.inc.c>
#undef CALL
};

/* A line that is being written. */
struct line {
    char *at, *end;
};

static void put(struct line *line, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void put(struct line *line, const char *format, ...)
{
    ULONG room = (ULONG)(line->end - line->at);
    va_list list;
    int length;

    va_start(list, format);
    length = _vsnprintf(line->at, room, format, list);
    va_end(list);
    line->at += length < 0 || (ULONG)length > room ? room : (ULONG)length;
}

/* ---- Which service ---- */

/* Once; what ntdll does not have keeps its own number. */
static void learn_numbers(void)
{
    static BOOLEAN known;
    ULONG at;

    for (at = 0; at < ARRAY_SIZE(rows) && !known; at++) {
        const void *stub = find_stub(rows[at].name);

        if (stub)
            rows[at].number = (LONG)stub_number(stub);
    }
    known = TRUE;
}

static const struct row *find_row(const struct trace_record *record)
{
    static const struct row unknown = { .letters = "" };
    ULONG at;

    learn_numbers();
    for (at = 0; at < ARRAY_SIZE(rows); at++) {
        LONG number = record->flags & TRACE_CODE32 ? rows[at].xp_number
                                                   : rows[at].number;

        if (number == record->number)
            return &rows[at];
    }
    return &unknown;
}

const char *trace_door_name(const struct trace_record *record)
{
    static const char *const names[] = { "zw", "syscall", "int2e",
                                         "sysenter" };

    return record->door < ARRAY_SIZE(names) ? names[record->door] : "?";
}

/* ---- What arguments point to ---- */

static const struct trace_piece *find_piece(const struct trace_record *record,
                                            ULONG argument)
{
    const UCHAR *at, *end;

    if (!record)
        return NULL;
    at = (const UCHAR *)&record->values[record->count];
    end = (const UCHAR *)record + record->size;
    while (at < end) {
        const struct trace_piece *piece = (const void *)at;

        if (piece->argument == argument)
            return piece;
        at += sizeof *piece + ((piece->length + 7) & ~7u);
    }
    return NULL;
}

static ULONGLONG number_at(const struct trace_piece *piece, ULONG index)
{
    ULONGLONG value;

    memcpy(&value, piece->bytes + index * sizeof value, sizeof value);
    return value;
}

/* ---- Values ---- */

static void put_number(struct line *line, ULONGLONG value)
{
    put(line, value < 10 ? "%llu" : "%#llx", value);
}

static void put_signed(struct line *line, LONG value)
{
    if (value < -0xFFFF)
        put(line, "%#x", (ULONG)value);
    else
        put(line, "%d", value);
}

static void put_pointer(struct line *line, ULONGLONG value)
{
    if (value)
        put(line, "%#llx", value);
    else
        put(line, "NULL");
}

static void put_handle(struct line *line, ULONGLONG value)
{
    if (value == ~0ULL)
        put(line, "current process");
    else if (value == ~1ULL)
        put(line, "current thread");
    else
        put_number(line, value);
}

static void put_status(struct line *line, NTSTATUS status)
{
    const char *name = status_name(status);

    if (*name)
        put(line, "%s", name);
    else
        put(line, "%#010x", (ULONG)status);
}

static void put_character(struct line *line, ULONG character)
{
    if (character == '"')
        put(line, "\\\"");
    else if (character < ' ' || character == 0x7F)
        put(line, "\\x%02x", character);
    else if (character < 0x7F)
        put(line, "%c", (int)character);
    else
        put(line, "\\u%04x", character);
}

/* A name: a backslash is one of its own. */
static void put_text(struct line *line, const struct trace_piece *piece,
                     ULONG skip)
{
    ULONG at;

    put(line, "\"");
    for (at = skip; at + 1 < piece->length; at += sizeof(WCHAR))
        put_character(line, piece->bytes[at] | piece->bytes[at + 1] << 8);
    put(line, piece->cut ? "\"..." : "\"");
}

/* Bytes, as a string of C's. */
static void put_bytes(struct line *line, const struct trace_piece *piece)
{
    static const char special[] = "\n\r\t\\", letters[] = "nrt\\";
    ULONG at;

    put(line, "\"");
    for (at = 0; at < piece->length; at++) {
        UCHAR byte = piece->bytes[at];
        const char *found = byte ? strchr(special, byte) : NULL;

        if (found)
            put(line, "\\%c", letters[found - special]);
        else if (byte >= 0x7F)
            put(line, "\\x%02x", byte);
        else
            put_character(line, byte);
    }
    put(line, piece->cut ? "\"..." : "\"");
}

static void put_attributes(struct line *line, const struct trace_piece *piece)
{
    ULONGLONG root = number_at(piece, 0);

    if (root)
        put(line, "{%#llx, ", root);
    if (piece->length > sizeof root)
        put_text(line, piece, sizeof root);
    else
        put(line, "{}");
    if (root)
        put(line, "}");
}

static void put_status_block(struct line *line,
                             const struct trace_piece *piece)
{
    put(line, "{");
    put_status(line, (NTSTATUS)number_at(piece, 0));
    put(line, ", ");
    put_number(line, number_at(piece, 1));
    put(line, "}");
}

/* P: what it was and what it is. */
static void put_in_out(struct line *line, const struct trace_piece *before,
                       const struct trace_piece *after)
{
    put(line, "[");
    put_number(line, number_at(before ? before : after, 0));
    if (before && after && number_at(before, 0) != number_at(after, 0)) {
        put(line, " => ");
        put_number(line, number_at(after, 0));
    }
    put(line, "]");
}

/* ---- The line ---- */

/* FALSE: no record has what it points to. */
static BOOLEAN put_pointed(struct line *line, const struct traced *call,
                           ULONG at, char letter)
{
    const struct trace_piece *before = find_piece(call->enter, at);
    const struct trace_piece *after = find_piece(call->leave, at);
    const struct trace_piece *piece = before ? before : after;

    if (!piece)
        return FALSE;
    if (letter == 'U') {
        put_text(line, piece, 0);
    } else if (letter == 'O') {
        put_attributes(line, piece);
    } else if (letter == 'b') {
        put_bytes(line, piece);
    } else if (letter == 'I') {
        put_status_block(line, piece);
    } else if (letter == 'l') {
        put(line, "[%lld]", (LONGLONG)number_at(piece, 0));
    } else {
        put_in_out(line, before, after);
    }
    return TRUE;
}

static void put_argument(struct line *line, const struct traced *call,
                         ULONG at, char letter)
{
    ULONGLONG value = call->enter->values[at];

    switch (letter) {
    case 'h':
        put_handle(line, value);
        break;
    case 's':
        put_signed(line, (LONG)value);
        break;
    case 'q':
        put_number(line, value);
        break;
    case 'u':
        put_number(line, (ULONG)value);
        break;
    default:
        if (!put_pointed(line, call, at, letter))
            put_pointer(line, value);
    }
}

static void put_result(struct line *line, const struct traced *call,
                       BOOLEAN is_value)
{
    put(line, " = ");
    if (!call->leave)
        put(line, call->open ? "unfinished" : "does not return");
    else if (is_value)
        put_number(line, call->leave->values[0]);
    else
        put_status(line, (NTSTATUS)call->leave->values[0]);
}

void trace_line(const struct traced *call, char *text, ULONG size)
{
    const struct row *row = find_row(call->enter);
    struct line line = { text, text + size - 1 };
    ULONG at;

    if (!row->name)
        put(&line, "%#x(", call->enter->number);
    else if (call->enter->door == TRACE_ZW)
        put(&line, "Zw%s(...", row->name + 2);  /* NtClose: ZwClose */
    else
        put(&line, "%s(", row->name);
    for (at = 0; at < call->enter->count && row->letters[at]; at++) {
        if (at)
            put(&line, ", ");
        put_argument(&line, call, at, row->letters[at]);
    }
    put(&line, ")");
    put_result(&line, call, row->is_value);
    *line.at = 0;
}
