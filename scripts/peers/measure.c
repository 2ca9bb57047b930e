/*
 * measure.c - counting ticks and telling them; for both programs.
 */
#include "measure.h"
#ifdef __x86_64__
#include "abi64.h"
#else
#include "abi32.h"
#endif

#define STDOUT 1
#define LINE 80
#define DIGITS 16
#define RUNS_PER_TRY 100

/* ---- telling ---- */

struct line {
    char text[LINE];
    unsigned length;
};

static void put(struct line *line, const char *text)
{
    while (*text && line->length < LINE)
        line->text[line->length++] = *text++;
}

/* Hexadecimal: 32-bit code has no division of 64 bits. */
static void put_number(struct line *line, ticks_t value)
{
    char text[DIGITS + 1] = {0};

    for (int i = DIGITS - 1; i >= 0; i--, value >>= 4)
        text[i] = "0123456789abcdef"[value & 0xF];
    put(line, text);
}

static void say(const char *first, const char *second, ticks_t value)
{
    struct line line = {.length = 0};

    put(&line, first);
    put(&line, second);
    put(&line, " ");
    put_number(&line, value);
    put(&line, "\n");
    call3(NR_write, STDOUT, (long)line.text, line.length);
}

void figure(const char *name, ticks_t value)
{
    say("~peers ", name, value);
}

void must(long result, const char *what)
{
    if (result >= 0)
        return;
    say("~failed ", what, (ticks_t)-result);
    leave(1);
}

void leave(int status)
{
    for (;;)
        call3(NR_exit, status, 0, 0);
}

/* ---- counting ---- */

unsigned per_try = 1;

static void nothing(void)
{
}

/* What the compiler must not see through. */
static operation *volatile idle = nothing;

static ticks_t fewest_of(operation *run, unsigned runs)
{
    ticks_t best = ~0ULL;

    for (unsigned i = 0; i < TRIES; i++) {
        ticks_t start = ticks(), gone;

        for (unsigned n = runs; n; n--)
            run();
        gone = ticks() - start;
        if (gone < best)
            best = gone;
    }
    return best;
}

/* 32-bit code has no division of 64 bits; a try is far from 2^32 ticks. */
static ticks_t fewest_by(operation *run, unsigned runs)
{
    ticks_t empty = fewest_of(idle, runs), best = fewest_of(run, runs);

    return best > empty ? (unsigned)(best - empty) / runs : 0;
}

ticks_t fewest(operation *run)
{
    return fewest_by(run, per_try);
}

ticks_t fewest_single(operation *run)
{
    return fewest_by(run, 1);
}

ticks_t empty(void)
{
    return fewest_of(idle, 1);
}

/* ---- words ---- */

/* What the kernel's command line has behind "--" are /init's arguments. */
void read_words(unsigned long count, const char *const *words)
{
    if (count > 1 && words[1][0] == 't')
        per_try = RUNS_PER_TRY;
}
