/*
 * calls.c - who called whom in ring 0 (calls.h).
 */
#include "calls.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define CHAIN 20                        /* calls of one that are kept */
#define CHAINS 0x10000
#define PLACES (2 * CHAINS)
#define STACK 0x10000                   /* more than a kernel stack has */

static struct chain {
    uint64_t at[CHAIN];
} chains[CHAINS];
static uint32_t places[PLACES], count = 1;

/* Other stacks (IST, a DPC's) are somewhere else altogether. */
void calls_push(struct calls *calls, size_t base, uint64_t slot, uint64_t at)
{
    const struct call *top = calls->calls + calls->depth - 1;

    while (calls->depth > base && top->slot <= slot &&
           slot - top->slot < STACK) {
        calls->depth--;
        top--;
    }
    if (calls->depth < CALLS)
        calls->calls[calls->depth++] = (struct call){ slot, at };
}

void calls_pop(struct calls *calls, uint64_t slot)
{
    for (size_t depth = calls->depth; depth > 0; depth--) {
        if (calls->calls[depth - 1].slot == slot) {
            calls->depth = depth - 1;
            return;
        }
    }
}

uint64_t calls_slot(const struct calls *calls)
{
    return calls->depth ? calls->calls[calls->depth - 1].slot : 0;
}

uint32_t calls_chain(const struct calls *calls, uint64_t at)
{
    struct chain chain = { { at } };
    size_t depth = calls->depth;
    uint64_t hash = at;
    uint32_t *place;

    for (size_t i = 1; i < CHAIN && depth > 0; i++) {
        chain.at[i] = calls->calls[--depth].at;
        hash = (hash ^ chain.at[i]) * 0x9E3779B97F4A7C15;
    }
    place = &places[hash >> 32 & (PLACES - 1)];
    while (*place && memcmp(&chains[*place], &chain, sizeof chain)) {
        if (++place == places + PLACES)
            place = places;
    }
    if (!*place) {
        if (count == CHAINS)
            abort();
        chains[count] = chain;
        *place = count++;
    }
    return *place;
}

void calls_write(FILE *file, uint32_t chain)
{
    for (size_t i = 0; i < CHAIN && chains[chain].at[i]; i++)
        fprintf(file, "%s%" PRIx64, i ? "," : "", chains[chain].at[i]);
}
