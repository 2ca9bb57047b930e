/*
 * words.h - what QEMU hands to a plugin: NAME=VALUE.
 */
#ifndef WORDS_H
#define WORDS_H

#include <stddef.h>
#include <string.h>

/* The value, if text begins with name ("out="), or NULL. */
static inline const char *word(const char *text, const char *name)
{
    size_t length = strlen(name);

    return strncmp(text, name, length) ? NULL : text + length;
}

#endif
