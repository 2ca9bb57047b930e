/*
 * symbols.h - which function an instruction belongs to.
 *
 * The driver (scripts/profile) writes a file of these lines and gives every
 * symbol a name, which the plugin need not know:
 *
 *   image START END BYTES|-      of code; what is there must have these bytes
 *   symbol START FLAGS           of the image above, in ascending order
 *
 * All numbers are hexadecimal. Symbols are numbered from 1 in the order of the
 * file; 0 is code of no symbol. Several images may lie at one address: then
 * the bytes tell which one this is.
 */
#ifndef SYMBOLS_H
#define SYMBOLS_H

#include <stddef.h>
#include <stdint.h>

enum {
    SYMBOL_KERNEL = 1,          /* ring 0, whatever the address */
    SYMBOL_FIRST = 2,           /* the kernel begins here */
    SYMBOL_LAST = 4,            /* what follows is not counted */
    SYMBOL_VECTOR = 8,          /* in the IDT */
    SYMBOL_INTERRUPT = 0x10,    /* ... and has nothing to do with who runs */
    SYMBOL_DOOR = 0x20,
    SYMBOL_FINDS_SERVICE = 0x40,    /* calls routines, by a register */
    SYMBOL_CALLS_USER = 0x80,   /* leaves for ring 3 and comes back */
    SYMBOL_THREAD = 0x100,      /* a new thread's first instruction */
    SYMBOL_DISPATCHER = 0x200,  /* ring 3 goes on here, unasked */
    SYMBOL_CONTINUES = 0x400,   /* NtContinue: ring 3 goes on elsewhere */
};

/* Returns NULL, or what is wrong, as a sentence. */
const char *symbols_read(const char *path);

/* The symbol of size bytes of code at an address, or 0. */
uint32_t symbol_of(uint64_t address, const uint8_t *bytes, size_t size);
uint32_t symbol_flags(uint32_t symbol);
uint64_t symbol_start(uint32_t symbol);

#endif
