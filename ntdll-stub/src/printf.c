/*
 * printf.c - the printf family, into memory.
 *
 * One engine serves narrow and wide: it reads format characters of either
 * width and hands result characters to a sink of either width. ntdll.h has
 * the list of what a format may say. Nothing here needs floating point.
 */
#include <ntdll.h>

/* Where characters go; length counts those that did not fit as well. */
struct sink {
    char *narrow;
    WCHAR *wide;
    size_t room, length;
};

/* One conversion, from the % to its letter. */
struct conversion {
    BOOLEAN left, zero, plus, space, alternate;
    int width, precision;                       /* precision -1: none */
    int size;                                   /* bytes of an integer */
    BOOLEAN wide_text;
    WCHAR letter;
};

static void put(struct sink *sink, WCHAR character)
{
    if (sink->length < sink->room) {
        if (sink->wide)
            sink->wide[sink->length] = character;
        else
            sink->narrow[sink->length] = character < 0x100 ? character : '?';
    }
    sink->length++;
}

static void pad(struct sink *sink, WCHAR character, int count)
{
    while (count-- > 0)
        put(sink, character);
}

/* Text of length characters, cut to the precision by the caller. */
static void put_text(struct sink *sink, const struct conversion *how,
                     const char *narrow, const WCHAR *wide, size_t length)
{
    size_t at;

    if (!how->left)
        pad(sink, ' ', how->width - (int)length);
    for (at = 0; at < length; at++)
        put(sink, wide ? wide[at] : (UCHAR)narrow[at]);
    if (how->left)
        pad(sink, ' ', how->width - (int)length);
}

static void put_string(struct sink *sink, const struct conversion *how,
                       const void *text)
{
    size_t limit = how->precision < 0 ? 0x7FFFFFFF : (size_t)how->precision;

    if (!text)
        put_text(sink, how, "(null)", NULL, limit < 6 ? limit : 6);
    else if (how->wide_text)
        put_text(sink, how, NULL, text, wcsnlen(text, limit));
    else
        put_text(sink, how, text, NULL, strnlen(text, limit));
}

/* %Z and %wZ: Length counts bytes in both kinds of string. */
static void put_counted(struct sink *sink, const struct conversion *how,
                        const void *string)
{
    const UNICODE_STRING *wide = string;
    const ANSI_STRING *narrow = string;
    size_t length;

    if (!string || !narrow->Buffer) {
        put_text(sink, how, "(null)", NULL, 6);
        return;
    }
    length = how->wide_text ? wide->Length / sizeof(WCHAR) : narrow->Length;
    if (how->precision >= 0 && length > (size_t)how->precision)
        length = how->precision;
    put_text(sink, how, narrow->Buffer, how->wide_text ? wide->Buffer : NULL,
             length);
}

static void put_number(struct sink *sink, const struct conversion *how,
                       ULONGLONG value, int base, const char *prefix)
{
    const char *digits = how->letter == 'X' ? "0123456789ABCDEF"
                                            : "0123456789abcdef";
    char text[24];
    int length = 0, zeros = 0, prefixed = strlen(prefix), filled;

    for (; value; value /= base)
        text[length++] = digits[value % base];
    if (how->precision >= 0)
        zeros = how->precision - length;
    else if (length == 0)
        zeros = 1;
    if (how->zero && !how->left && how->precision < 0 &&
        how->width - prefixed - length > zeros)
        zeros = how->width - prefixed - length;
    if (zeros < 0)
        zeros = 0;
    if (base == 8 && how->alternate && zeros == 0)
        zeros = 1;
    filled = how->width - prefixed - zeros - length;
    if (!how->left)
        pad(sink, ' ', filled);
    while (*prefix)
        put(sink, *prefix++);
    pad(sink, '0', zeros);
    while (length)
        put(sink, text[--length]);
    if (how->left)
        pad(sink, ' ', filled);
}

static void put_signed(struct sink *sink, const struct conversion *how,
                       LONGLONG value)
{
    const char *sign = how->plus ? "+" : how->space ? " " : "";

    put_number(sink, how, value < 0 ? 0 - (ULONGLONG)value : (ULONGLONG)value,
               10, value < 0 ? "-" : sign);
}

/* An integer below the size of int was passed as one. */
static ULONGLONG unsigned_value(va_list *list, int size)
{
    if (size == 8)
        return va_arg(*list, ULONGLONG);
    return va_arg(*list, ULONG) & ((1ULL << (size * 8)) - 1);
}

static LONGLONG signed_value(va_list *list, int size)
{
    int unused = 64 - size * 8;

    return (LONGLONG)(unsigned_value(list, size) << unused) >> unused;
}

/* A format of either width, read one character at a time. */
struct format {
    const char *narrow;
    const WCHAR *wide;
};

static WCHAR peek(const struct format *format)
{
    return format->wide ? *format->wide : (UCHAR)*format->narrow;
}

static WCHAR next(struct format *format)
{
    WCHAR character = peek(format);

    if (format->wide)
        format->wide++;
    else
        format->narrow++;
    return character;
}

static BOOLEAN take(struct format *format, WCHAR character)
{
    if (peek(format) != character)
        return FALSE;
    next(format);
    return TRUE;
}

static void read_flags(struct format *format, struct conversion *how)
{
    for (;;) {
        if (take(format, '-'))
            how->left = TRUE;
        else if (take(format, '0'))
            how->zero = TRUE;
        else if (take(format, '+'))
            how->plus = TRUE;
        else if (take(format, ' '))
            how->space = TRUE;
        else if (take(format, '#'))
            how->alternate = TRUE;
        else
            return;
    }
}

static int read_count(struct format *format)
{
    int count = 0;

    while (isdigit(peek(format))) {
        int digit = next(format) - '0';

        if (count < 100000)
            count = count * 10 + digit;
    }
    return count;
}

static void read_size(struct format *format, struct conversion *how)
{
    how->size = 4;
    for (;;) {
        if (take(format, 'h')) {
            how->size = how->size == 2 ? 1 : 2;
            how->wide_text = FALSE;
        } else if (take(format, 'l')) {
            how->size = how->wide_text ? 8 : 4;
            how->wide_text = TRUE;
        } else if (take(format, 'w')) {
            how->wide_text = TRUE;
        } else if (take(format, 'z') || take(format, 't')) {
            how->size = sizeof(size_t);
        } else if (take(format, 'j')) {
            how->size = 8;
        } else if (take(format, 'I')) {
            how->size = sizeof(size_t);         /* I alone: a pointer's size */
            if (take(format, '3')) {
                take(format, '2');
                how->size = 4;
            } else if (take(format, '6')) {
                take(format, '4');
                how->size = 8;
            }
        } else {
            return;
        }
    }
}

/* %s is text of the format's own width; capitals mean the other one. */
static void choose_text(struct conversion *how, BOOLEAN sized, BOOLEAN wide)
{
    if (how->letter == 'S' || how->letter == 'C') {
        how->wide_text = !wide;
        how->letter += 'a' - 'A';
    } else if (!sized && (how->letter == 's' || how->letter == 'c')) {
        how->wide_text = wide;
    }
}

static void convert(struct sink *sink, struct format *format, va_list *list)
{
    struct conversion how = { .precision = -1 };
    const void *start;
    BOOLEAN sized;
    WCHAR one;

    read_flags(format, &how);
    if (take(format, '*')) {
        how.width = va_arg(*list, int);
        if (how.width < 0) {
            how.left = TRUE;
            how.width = -how.width;
        }
    } else {
        how.width = read_count(format);
    }
    if (take(format, '.'))
        how.precision = take(format, '*') ? va_arg(*list, int)
                                          : read_count(format);
    start = format->wide ? (void *)format->wide : (void *)format->narrow;
    read_size(format, &how);
    sized = start != (format->wide ? (void *)format->wide
                                   : (void *)format->narrow);
    how.letter = peek(format);
    if (!how.letter)
        return;
    next(format);
    choose_text(&how, sized, format->wide != NULL);

    switch (how.letter) {
    case 'd':
    case 'i':
        put_signed(sink, &how, signed_value(list, how.size));
        break;
    case 'u':
        put_number(sink, &how, unsigned_value(list, how.size), 10, "");
        break;
    case 'o':
        put_number(sink, &how, unsigned_value(list, how.size), 8, "");
        break;
    case 'x':
    case 'X': {
        ULONGLONG value = unsigned_value(list, how.size);
        const char *prefix = how.letter == 'X' ? "0X" : "0x";

        put_number(sink, &how, value, 16,
                   how.alternate && value ? prefix : "");
        break;
    }
    case 'p':
        how.precision = 2 * sizeof(void *);
        how.letter = 'X';
        put_number(sink, &how, va_arg(*list, ULONG_PTR), 16, "");
        break;
    case 'c':
        one = va_arg(*list, int);
        if (!how.wide_text)
            one &= 0xFF;
        put_text(sink, &how, NULL, &one, 1);
        break;
    case 's':
        put_string(sink, &how, va_arg(*list, void *));
        break;
    case 'Z':
        put_counted(sink, &how, va_arg(*list, void *));
        break;
    default:                                    /* %% and what is unknown */
        put(sink, how.letter);
    }
}

static size_t print(struct sink *sink, struct format *format, va_list *list)
{
    for (;;) {
        WCHAR character = next(format);

        if (!character)
            return sink->length;
        if (character == '%')
            convert(sink, format, list);
        else
            put(sink, character);
    }
}

/* The underscored ones: a terminator if it fits, -1 if the text does not. */
static int finish(const struct sink *sink)
{
    if (sink->length < sink->room) {
        if (sink->wide)
            sink->wide[sink->length] = 0;
        else
            sink->narrow[sink->length] = 0;
    }
    return sink->length > sink->room ? -1 : (int)sink->length;
}

int _vsnprintf(char *buffer, size_t size, const char *text, va_list arguments)
{
    struct sink sink = { .narrow = buffer, .room = size };
    struct format format = { .narrow = text };
    va_list list;

    va_copy(list, arguments);
    print(&sink, &format, &list);
    va_end(list);
    return finish(&sink);
}

int _vsnwprintf(WCHAR *buffer, size_t size, const WCHAR *text,
                va_list arguments)
{
    static WCHAR nothing;
    struct sink sink = { .wide = buffer ? buffer : &nothing,
                         .room = buffer ? size : 0 };
    struct format format = { .wide = text };
    va_list list;

    va_copy(list, arguments);
    print(&sink, &format, &list);
    va_end(list);
    return finish(&sink);
}

int vsprintf(char *buffer, const char *format, va_list arguments)
{
    return _vsnprintf(buffer, 0x7FFFFFFF, format, arguments);
}

int sprintf(char *buffer, const char *format, ...)
{
    va_list list;
    int length;

    va_start(list, format);
    length = vsprintf(buffer, format, list);
    va_end(list);
    return length;
}

int _snprintf(char *buffer, size_t size, const char *format, ...)
{
    va_list list;
    int length;

    va_start(list, format);
    length = _vsnprintf(buffer, size, format, list);
    va_end(list);
    return length;
}

/* NT: too long is an invalid parameter; here the buffer is emptied, -1. */
int sprintf_s(char *buffer, size_t size, const char *format, ...)
{
    va_list list;
    int length;

    va_start(list, format);
    length = _vsnprintf(buffer, size, format, list);
    va_end(list);
    if (length < 0 || (size_t)length >= size) {
        if (size)
            *buffer = 0;
        return -1;
    }
    return length;
}

int swprintf(WCHAR *buffer, const WCHAR *format, ...)
{
    va_list list;
    int length;

    va_start(list, format);
    length = _vsnwprintf(buffer, 0x7FFFFFFF, format, list);
    va_end(list);
    return length;
}

int _snwprintf(WCHAR *buffer, size_t size, const WCHAR *format, ...)
{
    va_list list;
    int length;

    va_start(list, format);
    length = _vsnwprintf(buffer, size, format, list);
    va_end(list);
    return length;
}
