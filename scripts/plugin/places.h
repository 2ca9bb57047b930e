/*
 * places.h - the kernel's addresses that a plugin must know.
 *
 * The driver (tests/entry) takes them from the built kernel and writes a file
 * of lines
 *
 *   KIND START END
 *
 * with hexadecimal addresses, END not included; for a single instruction that
 * is START + 1. Kinds are the words of places.c. No name is known here.
 */
#ifndef PLACES_H
#define PLACES_H

#include <stdint.h>

enum {
    PLACE_BEGIN = 1,            /* no memory below the kernel's half but
                                   ring 3's from here on */
    PLACE_HELPER = 2,           /* may touch ring 3's memory */
    PLACE_PROBE = 4,            /* ... and does not look at what is there */
    PLACE_DOOR = 8,             /* a service begins */
    PLACE_ENTRY = 0x10,         /* where a vector leads, or a door */
    PLACE_SWITCH = 0x20,        /* reads the next thread's KTHREAD */
    PLACE_THREAD = 0x40,        /* a new thread's first instruction */
    PLACE_CALLS_USER = 0x80,    /* leaves for ring 3 inside of a service */
    PLACE_CALLED_USER = 0x100,  /* ... and is back */
    PLACE_SHADOW = 0x200,       /* ring 3's page tables have it, too */
    PLACE_USER_TABLES = 0x400,  /* reads where ring 3's page tables are */
    PLACE_LEAVES_TABLES = 0x800,    /* MOV CR3: from now on the kernel's */
    PLACE_ENTERS_TABLES = 0x1000,   /* ... what was read there, if it was */
    PLACE_SAVES_TABLES = 0x2000,    /* ... the kernel's; notes whose now */
    PLACE_RESTORES_TABLES = 0x4000, /* ... and those again */
    PLACE_CHANGES_TABLES = 0x7800,
    PLACE_SERVICE = 0x8000      /* the service whose calls are looked at */
};

/*
 * A plugin's words: places=FILE, which is read, and out=FILE, of which *out
 * is the name then. Returns NULL, or what is wrong, as a sentence.
 */
const char *places_words(int argc, char **argv, const char **out);

/* All kinds that an address is in. */
uint32_t places_at(uint64_t address);

#endif
