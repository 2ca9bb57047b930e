/*
 * rtl/format.c - printf into a buffer.
 *
 * One conversion at a time: read its flags, width, precision and size, make
 * its digits, then put sign, prefix, zeros, digits and padding in order.  The
 * count goes on when the buffer is full, so the caller learns what it needed.
 */
#include <rtl.h>

struct output {
    char *buffer;
    size_t size, length;
};

struct conversion {
    BOOLEAN left, zero, plus, space, alternate, has_precision, wide;
    int width, precision;
    int size;                   /* bytes of an integer argument */
    char type;
};

#define DIGITS 24               /* octal of 64 bits, and some */
#define WIDEST 100000

static void put(struct output *out, char character)
{
    if (out->length + 1 < out->size)
        out->buffer[out->length] = character;
    out->length++;
}

static void pad(struct output *out, char character, int count)
{
    while (count-- > 0)
        put(out, character);
}

static int read_number(const char **format)
{
    int number = 0;

    while (**format >= '0' && **format <= '9' && number < WIDEST)
        number = number * 10 + *(*format)++ - '0';
    return number;
}

static void read_flags(const char **format, struct conversion *c)
{
    for (;; (*format)++) {
        switch (**format) {
        case '-': c->left = TRUE; break;
        case '0': c->zero = TRUE; break;
        case '+': c->plus = TRUE; break;
        case ' ': c->space = TRUE; break;
        case '#': c->alternate = TRUE; break;
        default: return;
        }
    }
}

static void read_size(const char **format, struct conversion *c)
{
    const char *at = *format;

    c->size = 4;
    if (at[0] == 'h') {
        c->size = at[1] == 'h' ? 1 : 2;
        at += at[1] == 'h' ? 2 : 1;
    } else if (at[0] == 'l' || at[0] == 'w') {
        if (at[1] == 'l')
            c->size = 8;
        c->wide = TRUE;
        at += at[1] == 'l' ? 2 : 1;
    } else if (at[0] == 'z') {
        c->size = 8;
        at++;
    } else if (at[0] == 'I' && at[1] == '6' && at[2] == '4') {
        c->size = 8;
        at += 3;
    }
    *format = at;
}

/* Digits of value, least significant last, right-aligned in text. */
static char *make_digits(char *end, ULONGLONG value, ULONG base,
                         BOOLEAN upper)
{
    const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";

    for (; value; value /= base)
        *--end = digits[value % base];
    return end;
}

static void put_number(struct output *out, const struct conversion *c,
                       const char *sign, const char *digits, int count)
{
    int zeros = c->has_precision ? c->precision - count : count == 0;
    int total, signs = (int)strlen(sign);

    if (zeros < 0)
        zeros = 0;
    if (c->zero && !c->left && !c->has_precision &&
        c->width > count + zeros + signs)
        zeros = c->width - count - signs;
    total = signs + zeros + count;
    if (!c->left)
        pad(out, ' ', c->width - total);
    while (*sign)
        put(out, *sign++);
    pad(out, '0', zeros);
    for (int i = 0; i < count; i++)
        put(out, digits[i]);
    if (c->left)
        pad(out, ' ', c->width - total);
}

static void put_signed(struct output *out, const struct conversion *c,
                       LONGLONG value)
{
    char text[DIGITS];
    ULONGLONG magnitude = value < 0 ? 0 - (ULONGLONG)value : (ULONGLONG)value;
    char *digits = make_digits(text + DIGITS, magnitude, 10, FALSE);

    put_number(out, c, value < 0 ? "-" : c->plus ? "+" : c->space ? " " : "",
               digits, (int)(text + DIGITS - digits));
}

static void put_unsigned(struct output *out, struct conversion *c,
                         ULONGLONG value)
{
    char text[DIGITS];
    ULONG base = c->type == 'o' ? 8 : c->type == 'u' ? 10 : 16;
    char *digits = make_digits(text + DIGITS, value, base, c->type == 'X');
    int count = (int)(text + DIGITS - digits);
    const char *prefix = "";

    if (c->alternate && value && base == 16)
        prefix = c->type == 'X' ? "0X" : "0x";
    if (c->alternate && base == 8 && (value || c->has_precision) &&
        (!c->has_precision || c->precision <= count)) {
        *--digits = '0';
        count++;
    }
    put_number(out, c, prefix, digits, count);
}

static void put_text(struct output *out, const struct conversion *c,
                     const char *narrow, const WCHAR *wide, SIZE_T limit)
{
    SIZE_T length = 0;

    if (c->has_precision && (SIZE_T)c->precision < limit)
        limit = (SIZE_T)c->precision;
    while (length < limit && (wide ? wide[length] != 0 : narrow[length] != 0))
        length++;
    if (!c->left)
        pad(out, ' ', c->width - (int)length);
    for (SIZE_T i = 0; i < length; i++)
        put(out, wide ? (wide[i] < 0x80 ? (char)wide[i] : '?') : narrow[i]);
    if (c->left)
        pad(out, ' ', c->width - (int)length);
}

static LONGLONG sign_extended(ULONGLONG value, int size)
{
    switch (size) {
    case 1: return (signed char)value;
    case 2: return (SHORT)value;
    case 4: return (LONG)value;
    }
    return (LONGLONG)value;
}

static ULONGLONG zero_extended(ULONGLONG value, int size)
{
    return size == 8 ? value : value & ((1ULL << size * 8) - 1);
}

/* va_list travels by address: a callee's progress must reach its caller. */
struct arguments {
    va_list list;
};

static ULONGLONG next_integer(struct arguments *arguments, int size)
{
    return size == 8 ? va_arg(arguments->list, ULONGLONG)
                     : va_arg(arguments->list, ULONG);
}

/* The argument of a star, within reason. */
static int next_count(struct arguments *arguments)
{
    int count = va_arg(arguments->list, int);

    if (count < -WIDEST)
        return -WIDEST;
    return count < WIDEST ? count : WIDEST;
}

static void put_counted(struct output *out, struct conversion *c,
                        const UNICODE_STRING *string)
{
    if (string)
        put_text(out, c, NULL, string->Buffer ? string->Buffer : L"",
                 string->Length / sizeof(WCHAR));
    else
        put_text(out, c, "(null)", NULL, ~0ULL);
}

static void put_character(struct output *out, const struct conversion *c,
                          char character)
{
    if (!c->left)
        pad(out, ' ', c->width - 1);
    put(out, character);
    if (c->left)
        pad(out, ' ', c->width - 1);
}

static void put_string(struct output *out, const struct conversion *c,
                       const void *text)
{
    if (!text)
        put_text(out, c, "(null)", NULL, ~0ULL);
    else if (c->wide)
        put_text(out, c, NULL, text, ~0ULL);
    else
        put_text(out, c, text, NULL, ~0ULL);
}

static void put_pointer(struct output *out, struct conversion *c,
                        ULONGLONG value)
{
    c->type = 'x';
    c->has_precision = TRUE;
    c->precision = 16;
    put_unsigned(out, c, value);
}

static void convert(struct output *out, struct conversion *c,
                    struct arguments *arguments)
{
    switch (c->type) {
    case 'd': case 'i':
        put_signed(out, c, sign_extended(next_integer(arguments, c->size),
                                         c->size));
        break;
    case 'u': case 'x': case 'X': case 'o':
        put_unsigned(out, c, zero_extended(next_integer(arguments, c->size),
                                           c->size));
        break;
    case 'p':
        put_pointer(out, c, va_arg(arguments->list, ULONGLONG));
        break;
    case 'c':
        put_character(out, c, (char)va_arg(arguments->list, int));
        break;
    case 's':
        put_string(out, c, va_arg(arguments->list, void *));
        break;
    case 'Z':
        put_counted(out, c, va_arg(arguments->list, void *));
        break;
    default:
        put(out, '%');
        if (c->type != '%')
            put(out, c->type);
    }
}

static void read_conversion(const char **format, struct conversion *c,
                            struct arguments *arguments)
{
    read_flags(format, c);
    if (**format == '*') {
        (*format)++;
        c->width = next_count(arguments);
        if (c->width < 0) {
            c->left = TRUE;
            c->width = -c->width;
        }
    } else {
        c->width = read_number(format);
    }
    if (**format == '.') {
        (*format)++;
        c->has_precision = TRUE;
        if (**format == '*') {
            (*format)++;
            c->precision = next_count(arguments);
            c->has_precision = c->precision >= 0;
        } else {
            c->precision = read_number(format);
        }
    }
    read_size(format, c);
}

int rtl_vsnprintf(char *buffer, size_t size, const char *format, va_list args)
{
    struct output out = { buffer, size, 0 };
    struct arguments arguments;

    va_copy(arguments.list, args);
    while (*format) {
        struct conversion c = { 0 };

        if (*format != '%') {
            put(&out, *format++);
            continue;
        }
        format++;
        read_conversion(&format, &c, &arguments);
        if (!*format)
            break;
        c.type = *format++;
        convert(&out, &c, &arguments);
    }
    va_end(arguments.list);
    if (size)
        buffer[out.length < size ? out.length : size - 1] = 0;
    return (int)out.length;
}

int rtl_snprintf(char *buffer, size_t size, const char *format, ...)
{
    va_list args;
    int length;

    va_start(args, format);
    length = rtl_vsnprintf(buffer, size, format, args);
    va_end(args);
    return length;
}
