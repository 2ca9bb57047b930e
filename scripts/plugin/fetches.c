/*
 * fetches.c - what each thread has read of ring 3's memory (fetches.h).
 *
 * What a window has read is a handful of ranges, so they are compared with one
 * another, when the window is over. A copy that goes on where it was makes its
 * range longer.
 */
#include "fetches.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>

#include "calls.h"

#define THREADS 4096
#define PAIRS 0x100000
#define LEVELS 32                       /* of callbacks within callbacks */

struct fetch {
    uint64_t start, end, slot;          /* slot: the innermost call's */
    uint64_t at;
    uint32_t who;
};

struct window {
    bool open;
    size_t base;                        /* calls that are not its own */
    size_t count, room;
    struct fetch *fetches;
};

struct thread {
    uint64_t id;
    size_t level;
    struct calls calls;
    struct window windows[LEVELS];
};

static struct thread *threads[THREADS];
static struct thread first, *now = &first;

static struct pair {
    uint32_t before, again;
    uint64_t together, apart, serial, address;
} pairs[PAIRS];
static size_t pair_count;

static struct window *window_now(void)
{
    return &now->windows[now->level];
}

/* ---- windows */

static struct pair *pair_of(uint32_t before, uint32_t again)
{
    uint64_t hash = ((uint64_t)before << 32 | again) * 0x9E3779B97F4A7C15;
    struct pair *pair = &pairs[hash >> 32 & (PAIRS - 1)];

    while (pair->before && (pair->before != before || pair->again != again)) {
        if (++pair == pairs + PAIRS)
            pair = pairs;
    }
    if (!pair->before) {
        if (++pair_count > PAIRS / 4 * 3)
            abort();
        pair->before = before;
        pair->again = again;
    }
    return pair;
}

static bool overlap(const struct fetch *one, const struct fetch *other)
{
    return one->start < other->end && other->start < one->end;
}

/* A loop reads by one pair again and again: bytes that are different count
   only where none are the same. */
static void settle(struct window *window)
{
    static uint64_t serial;
    const struct fetch *fetches = window->fetches;

    serial++;
    for (size_t i = 0; i < 2 * window->count; i++) {
        const struct fetch *before = &fetches[i % window->count];

        for (const struct fetch *again = before + 1;
             again < fetches + window->count; again++) {
            struct pair *pair;

            if (overlap(before, again) != (i < window->count))
                continue;
            pair = pair_of(before->who, again->who);
            if (i < window->count) {
                pair->together++;
                pair->serial = serial;
                pair->address = again->start;
            } else if (pair->serial != serial) {
                pair->apart++;
            }
        }
    }
    window->count = 0;
}

void fetches_entered(void)
{
    settle(window_now());
    window_now()->open = true;
    now->calls.depth = window_now()->base;
}

void fetches_calls_user(void)
{
    if (now->level + 1 == LEVELS)
        abort();
    now->level++;
    settle(window_now());
    window_now()->open = false;
    window_now()->base = now->calls.depth;
}

void fetches_called_user(void)
{
    if (now->level == 0)
        return;
    settle(window_now());
    now->calls.depth = window_now()->base;
    now->level--;
}

/* ---- threads */

void fetches_thread(uint64_t id)
{
    size_t place = (id >> 6) % THREADS;

    for (size_t i = 0; i < THREADS; i++, place = (place + 1) % THREADS) {
        if (!threads[place]) {
            threads[place] = calloc(1, sizeof *now);
            if (!threads[place])
                abort();
            threads[place]->id = id;
        }
        if (threads[place]->id == id) {
            now = threads[place];
            return;
        }
    }
    abort();
}

void fetches_thread_begins(void)
{
    while (now->level > 0)
        fetches_called_user();
    settle(window_now());
    window_now()->open = false;
    now->calls.depth = 0;
}

void fetches_call(uint64_t slot, uint64_t at)
{
    calls_push(&now->calls, window_now()->base, slot, at);
}

void fetches_return(uint64_t slot)
{
    calls_pop(&now->calls, slot);
}

uint32_t fetches_who(uint64_t at)
{
    return calls_chain(&now->calls, at);
}

/* ---- reads */

static struct fetch *new_fetch(struct window *window)
{
    if (window->count == window->room) {
        window->room = 2 * window->room + 16;
        window->fetches = realloc(window->fetches,
                                  window->room * sizeof *window->fetches);
        if (!window->fetches)
            abort();
    }
    return &window->fetches[window->count++];
}

void fetches_read(uint64_t address, unsigned int size, uint64_t at)
{
    struct window *window = window_now();
    uint64_t slot = calls_slot(&now->calls);

    if (!window->open)
        return;
    if (window->count) {
        struct fetch *last = &window->fetches[window->count - 1];

        if (last->end == address && last->slot == slot && last->at == at) {
            last->end += size;
            return;
        }
    }
    *new_fetch(window) = (struct fetch){ address, address + size, slot, at,
                                         fetches_who(at) };
}

/* ---- the end */

void fetches_write(FILE *file)
{
    for (size_t i = 0; i < THREADS; i++) {
        for (size_t level = 0; threads[i] && level < LEVELS; level++)
            settle(&threads[i]->windows[level]);
    }
    for (const struct pair *pair = pairs; pair < pairs + PAIRS; pair++) {
        if (!pair->before)
            continue;
        fprintf(file, "pair %" PRIu64 " %" PRIu64 " %" PRIx64 " ",
                pair->together, pair->apart, pair->address);
        calls_write(file, pair->again);
        fputc(' ', file);
        calls_write(file, pair->before);
        fputc('\n', file);
    }
}
