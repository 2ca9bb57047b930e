/*
 * arguments.c - from words to values; what these point to lives in one pool
 * until the next call.
 */
#include "arguments.h"
#include "shell.h"

#define POOL_SIZE 0x4000
#define LARGEST_BUFFER 0x1000

static __attribute__((aligned(16))) UCHAR pool[POOL_SIZE];
static ULONG pool_used;

/* Zeros, aligned to 16; NULL: no more room. */
static void *allocate(ULONG size)
{
    void *block = pool + pool_used;

    size = (size + 15) & ~15U;
    if (size > POOL_SIZE - pool_used)
        return NULL;
    pool_used += size;
    return block;
}

void begin_arguments(void)
{
    pool_used = 0;
    memset(pool, 0, sizeof pool);
}

static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
}

BOOLEAN parse_number(const char *text, ULONGLONG *value)
{
    BOOLEAN negative = *text == '-';
    ULONGLONG number = 0, base = 10;

    text += negative;
    if (text[0] == '0' && (text[1] | 0x20) == 'x') {
        base = 16;
        text += 2;
    }
    if (!*text)
        return FALSE;
    for (; *text; text++) {
        ULONGLONG digit = (ULONGLONG)digit_value(*text);

        if (digit >= base || number > (~0ULL - digit) / base)
            return FALSE;
        number = number * base + digit;
    }
    *value = negative ? 0 - number : number;
    return TRUE;
}

static WCHAR *wide_copy(const char *text)
{
    ULONG length = (ULONG)strlen(text), at;
    WCHAR *copy = allocate((length + 1) * sizeof(WCHAR));

    for (at = 0; copy && at < length; at++)
        copy[at] = (UCHAR)text[at];
    return copy;
}

static void *unicode_string(const char *text)
{
    UNICODE_STRING *string = allocate(sizeof *string);
    WCHAR *copy = wide_copy(text);

    if (!string || !copy)
        return NULL;
    RtlInitUnicodeString(string, copy);
    return string;
}

static void *object_attributes(const char *name)
{
    OBJECT_ATTRIBUTES *attributes = allocate(sizeof *attributes);
    UNICODE_STRING *string = unicode_string(name);

    if (!attributes || !string)
        return NULL;
    attributes->Length = sizeof *attributes;
    attributes->ObjectName = string;
    attributes->Attributes = OBJ_CASE_INSENSITIVE;
    return attributes;
}

static void *char_copy(const char *text)
{
    char *copy = allocate((ULONG)strlen(text) + 1);

    return copy ? strcpy(copy, text) : NULL;
}

static const struct {
    const char *prefix;
    void *(*make)(const char *text);
} strings[] = {
    { "", unicode_string },
    { "w", (void *(*)(const char *))wide_copy },
    { "c", char_copy },
    { "name:", object_attributes },
};

static const char *parse_string(const struct word *word, struct argument *to)
{
    ULONG at;

    for (at = 0; at < ARRAY_SIZE(strings); at++) {
        if (strcmp(word->text, strings[at].prefix) != 0)
            continue;
        to->value = (ULONGLONG)strings[at].make(word->string);
        return to->value ? NULL : "is too long";
    }
    return "is no kind of string";
}

static const char *parse_memory(const char *text, struct argument *to)
{
    ULONGLONG number, *block;

    if (!parse_number(text + 4, &number))
        return "has no number";
    to->size = sizeof *block;
    if (text[0] == 'b') {
        if (number == 0 || number > LARGEST_BUFFER)
            return "is not 1 to 4096 bytes";
        to->size = (ULONG)number;
    }
    block = allocate(to->size);
    if (!block)
        return "is too much memory";
    if (text[0] == 'v')
        *block = number;
    to->shown = (const UCHAR *)block;
    to->value = (ULONGLONG)block;
    return NULL;
}

const char *parse_argument(const struct word *word, struct argument *to)
{
    to->shown = NULL;
    if (word->string)
        return parse_string(word, to);
    if (!strncmp(word->text, "buf:", 4) || !strncmp(word->text, "val:", 4))
        return parse_memory(word->text, to);
    return parse_number(word->text, &to->value) ? NULL : "is no argument";
}
