/*
 * words.h - a line as words.
 *
 * Spaces separate them. A word may hold a string in quotation marks, in which
 * spaces are nothing special and two quotation marks stand for one; a
 * backslash is just a backslash. What stands before the string is kept apart:
 * it says what kind of string it is (arguments.c).
 */
#pragma once

#include <nt/ntdef.h>

#define MAX_WORDS 24

struct word {
    char *text;                                 /* without the string */
    char *string;                               /* NULL: has none */
};

/* Cuts line up. How many words; -1: a quotation mark or a word too many. */
int split_words(char *line, struct word words[MAX_WORDS]);

/* The string of a word that has one, or else its text. */
const char *word_text(const struct word *word);
