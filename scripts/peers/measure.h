/*
 * measure.h - counting ticks, and how figures leave the machine.
 *
 * A figure is the fewest ticks of the time-stamp counter that any of TRIES
 * runs took, less what measuring nothing takes; as time (the word "time") it
 * is an average of the runs of a try. programs/bench does the same. It leaves
 * as a line "~peers NAME HEXDIGITS".
 */
#pragma once

#define TRIES 64

typedef unsigned long long ticks_t;
typedef void operation(void);

static inline ticks_t ticks(void)
{
    return __builtin_ia32_rdtsc();
}

/* Runs of a try. */
extern unsigned per_try;

ticks_t fewest(operation *run);

/* Of what can be run only once for each try. */
ticks_t fewest_single(operation *run);

/* What measuring takes: two readings that do not trap. */
ticks_t empty(void);

void read_words(unsigned long count, const char *const *words);

void figure(const char *name, ticks_t value);

/* A negative result: says what could not be done, and leaves. */
void must(long result, const char *what);

/* The thread ends; the process too, if it is the last one. */
_Noreturn void leave(int status);
