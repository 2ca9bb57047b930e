/*
 * arguments.h - words as arguments of a system call.
 *
 *      12, 0x1F, -1        a value
 *      "text"              a UNICODE_STRING *
 *      w"text", c"text"    a WCHAR *, a char *, that end in 0
 *      name:"text"         an OBJECT_ATTRIBUTES * of that name
 *      buf:N               N bytes of zeros, shown after the call
 *      val:V               8 bytes that hold V, shown after the call
 */
#pragma once

#include "words.h"

#define MAX_ARGUMENTS 18

struct argument {
    ULONGLONG value;
    const UCHAR *shown;                         /* NULL: nothing to show */
    ULONG size;
};

/* Forget what earlier arguments point to. */
void begin_arguments(void);

/* NULL, or what is wrong with the word. */
const char *parse_argument(const struct word *word, struct argument *to);
