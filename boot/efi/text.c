/*
 * boot/efi/text.c - lines and words of the loader's own files.
 */
#include "efiload.h"

static BOOLEAN is_space(CHAR character)
{
    return character == ' ' || character == '\t' || character == '\r';
}

struct text next_line(struct text *rest)
{
    struct text line = { rest->at, 0 };

    while (line.length < rest->length && line.at[line.length] != '\n')
        line.length++;
    rest->at += line.length;
    rest->length -= line.length;
    if (rest->length) {
        rest->at++;
        rest->length--;
    }
    return line;
}

struct text trim(struct text text)
{
    while (text.length && is_space(text.at[0])) {
        text.at++;
        text.length--;
    }
    while (text.length && is_space(text.at[text.length - 1]))
        text.length--;
    return text;
}

/* Empty at the end. */
struct text next_word(struct text *rest)
{
    struct text word;

    *rest = trim(*rest);
    word = (struct text){ rest->at, 0 };
    while (word.length < rest->length && !is_space(word.at[word.length]))
        word.length++;
    rest->at += word.length;
    rest->length -= word.length;
    return word;
}

BOOLEAN is_word(struct text text, const CHAR *word)
{
    UINTN i;

    for (i = 0; i < text.length && word[i] == text.at[i]; i++)
        continue;
    return i == text.length && !word[i];
}

/* 36 or more for what is no digit in any base. */
static ULONG digit_of(CHAR character)
{
    ULONG letter = (ULONG)(character | 0x20) - 'a';

    return letter < 26 ? letter + 10
           : character >= '0' && character <= '9' ? (ULONG)character - '0'
                                                  : 36;
}

/* FALSE unless all of it is one number of at most 64 bits. */
BOOLEAN read_number(struct text text, ULONG base, ULONGLONG *value)
{
    ULONGLONG result = 0;

    for (UINTN i = 0; i < text.length; i++) {
        ULONG digit = digit_of(text.at[i]);

        if (digit >= base || result > (~0ULL - digit) / base)
            return FALSE;
        result = result * base + digit;
    }
    *value = result;
    return text.length != 0;
}

/* Terminated; what does not fit is cut off. */
void copy_text(CHAR *to, UINTN size, struct text from)
{
    UINTN length = from.length < size ? from.length : size - 1;

    CopyMem(to, from.at, length);
    to[length] = 0;
}

/* One character of UTF-8, of those that UTF-16 has in one unit. */
static CHAR16 next_character(struct text *text)
{
    UCHAR first = *text->at;
    UINTN more = first < 0xC0 ? 0 : first < 0xE0 ? 1 : 2;
    CHAR16 character = first & (more == 0 ? 0x7F : more == 1 ? 0x1F : 0x0F);

    text->at++;
    text->length--;
    for (; more && text->length; more--) {
        character = character << 6 | (*text->at++ & 0x3F);
        text->length--;
    }
    return character;
}

void widen(CHAR16 *to, UINTN count, struct text from)
{
    UINTN i;

    for (i = 0; from.length && i + 1 < count; i++)
        to[i] = next_character(&from);
    to[i] = 0;
}
