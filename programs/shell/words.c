/*
 * words.c - cut a line into words.
 */
#include "words.h"

/* From behind the opening mark; NULL: there is no closing one. */
static char *take_string(char *from)
{
    char *to = from;

    for (; *from; from++) {
        if (*from == '"' && *++from != '"') {
            *to = 0;
            return from;
        }
        *to++ = *from;
    }
    return 0;
}

int split_words(char *line, struct word words[MAX_WORDS])
{
    int count = 0;

    for (;;) {
        while (*line == ' ')
            line++;
        if (!*line)
            return count;
        if (count == MAX_WORDS)
            return -1;
        words[count].text = line;
        words[count].string = 0;
        while (*line && *line != ' ' && *line != '"')
            line++;
        if (*line == '"') {
            *line++ = 0;
            words[count].string = line;
            line = take_string(line);
            if (!line || (*line && *line != ' '))
                return -1;
        }
        if (*line)
            *line++ = 0;
        count++;
    }
}

const char *word_text(const struct word *word)
{
    return word->string ? word->string : word->text;
}
