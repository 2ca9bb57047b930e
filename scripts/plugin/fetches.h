/*
 * fetches.h - what each thread has read of ring 3's memory in this service.
 *
 * A window is the time from an entry from ring 3 to the return there. A
 * service that calls ring 3 (a user-mode callback) waits with its own window
 * while those of the callback's services come and go.
 *
 * Two reads of the same bytes in one window are a pair, by who read: the
 * instructions and the calls that led to them. If the same pair is seen to
 * read different bytes in other windows, then what coincides are two arguments
 * of the caller's, and not one thing that is read twice.
 */
#ifndef FETCHES_H
#define FETCHES_H

#include <stdint.h>
#include <stdio.h>

/* The thread that runs from now on; it is new. */
void fetches_thread(uint64_t thread);
void fetches_thread_begins(void);

/* A window begins; ring 3 is called from one, and has answered. */
void fetches_entered(void);
void fetches_calls_user(void);
void fetches_called_user(void);

/* CALL and RET, with the place of the return address. */
void fetches_call(uint64_t slot, uint64_t at);
void fetches_return(uint64_t slot);

/* Who reads or writes: a number of calls.h. */
uint32_t fetches_who(uint64_t at);

/* A read of ring 3's memory. */
void fetches_read(uint64_t address, unsigned int size, uint64_t at);

/* At the end: a line for each pair, "pair TOGETHER APART ADDRESS CHAIN CHAIN",
   the first read last. TOGETHER is how often it has read the same bytes, APART
   how often other bytes and not once the same in a window. */
void fetches_write(FILE *file);

#endif
