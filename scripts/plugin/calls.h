/*
 * calls.h - who called whom in ring 0, cheaply: one chain per thread.
 *
 * A chain follows the kernel stack: a CALL writes its return address somewhere,
 * and the RET that reads the same place ends it. Other than stack.h's copies,
 * a chain is of ring 0 alone, and nothing is counted in it.
 */
#ifndef CALLS_H
#define CALLS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define CALLS 96

struct calls {
    size_t depth;
    struct call {
        uint64_t slot, at;
    } calls[CALLS];
};

/* CALL and RET, with the place of the return address; the first base calls
   stay. */
void calls_push(struct calls *calls, size_t base, uint64_t slot, uint64_t at);
void calls_pop(struct calls *calls, uint64_t slot);

/* The place of the innermost call's return address. */
uint64_t calls_slot(const struct calls *calls);

/* A number for the instruction at an address and the calls that led there:
   always the same one, from 1. */
uint32_t calls_chain(const struct calls *calls, uint64_t at);

/* Writes a chain as "A,B,C": the instruction, then calls, the innermost
   first. */
void calls_write(FILE *file, uint32_t chain);

#endif
