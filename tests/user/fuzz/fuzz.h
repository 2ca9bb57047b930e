/*
 * fuzz.h - random calls, states and contexts, and what they may do.
 *
 * One 32-bit seed decides everything.  The calls come in epochs of EPOCH: each
 * begins with a world made anew (world.c) and random numbers of its own, made
 * from the seed and the epoch's number, so that a finding is found again by
 * beginning at its epoch.
 *
 * A call: generate.c chooses a row of rows.c and its arguments, model.c says
 * from memory and handles as they are what the answer may be, gate.c calls and
 * looks at the registers, scan.c at the memory.  What differs is a finding:
 * report.c prints it, and the program ends with 1.
 */
#pragma once

#include "../test.h"

#define EPOCH 0x10000u                          /* calls */
#define ARGUMENTS 11

/* ---- random.c ---- */

void random_begin(ULONG seed, ULONG epoch);
ULONG random32(void);

/* Below count, which is at most 64 K; nearly even. */
static inline ULONG random_below(ULONG count)
{
    return (random32() >> 16) * count >> 16;
}

/* ---- world.c: memory and handles that are there ---- */

/* A slot of the arena for each argument; then, a page each, what is special. */
#define SLOT 0x800u
enum {
    ARENA_SLOTS = 0,
    ARENA_HOLE = 8,             /* PAGE_NOACCESS */
    ARENA_EDGE,                 /* its end is the end of what is there */
    ARENA_HOLE2,
    ARENA_READ,                 /* read-only zeroes */
    ARENA_GUARD,
    ARENA_EDGE2,
    ARENA_RESERVED,
    ARENA_CODE,
    ARENA_PAGES
};
#define ARENA_SIZE (ARENA_PAGES * PAGE_SIZE)
#define PLAYGROUND_SIZE 0x100000u               /* for the services of Mm */

enum object {
    NOTHING, EVENT, MUTANT, SEMAPHORE, TIMER, SECTION, FILE, DIRECTORY,
    THREAD, PROCESS, OBJECTS,
    ANY, WAITABLE, SIGNALLED,                   /* what a row asks for */
};

struct known_handle {
    ULONG_PTR value;
    enum object object;                         /* NOTHING: no handle */
    ACCESS_MASK access;
};

extern UCHAR *arena, *playground;
extern UCHAR arena_copy[ARENA_SIZE];            /* arena before a call */
extern struct known_handle known_handles[];
extern ULONG known_handle_count;
extern ULONG_PTR good_handles[OBJECTS];
extern HANDLE victim;                           /* may be closed */

extern BOOLEAN world_is_debugged;               /* booted with debug=on */
void world_create(void);
void world_begin_epoch(void);

/* What is left after an epoch that was not there before; NULL: nothing. */
const char *world_end_epoch(void);
void world_make_victim(void);
void world_close_victim(void);
void world_guard_again(void);
SIZE_T world_space(void);

/* What a probe or a copy says: 0, or the status. */
NTSTATUS memory_status(ULONG_PTR address, ULONG_PTR size, ULONG alignment,
                       BOOLEAN write);

/* Is it memory that a call may change at its own risk? */
BOOLEAN world_is_free_to_change(ULONG_PTR address, ULONG_PTR size);

/* ---- rows.c: the services ---- */

enum kind {
    VALUE,
    HANDLE_OF,
    IN,                         /* a structure of size bytes, read */
    OUT,                        /* written */
    INOUT,
    BUFFER_OUT,                 /* of as many bytes as argument size says */
    BUFFER_IN,
    ATTRIBUTES,                 /* OBJECT_ATTRIBUTES */
    NAME_STRING,                 /* UNICODE_STRING */
    TIMEOUT,                    /* LARGE_INTEGER that does not wait */
    BASE, LENGTH,               /* pointer to an address, to a SIZE_T */
    CONTEXT_IN,                 /* none that could be loaded */
};

struct argument {
    UCHAR kind;
    UCHAR alignment;
    BOOLEAN optional;           /* 0: none */
    BOOLEAN wide;               /* VALUE: of a register's size */
    USHORT size;
    UCHAR object;
    UCHAR count;                /* of values */
    ACCESS_MASK access;
    const ULONG_PTR *values;    /* good ones */
};

struct fuzz_call;
struct verdict;

/* One check of a service's: 0 or the status. */
typedef NTSTATUS check_routine(const struct fuzz_call *call,
                               struct verdict *verdict);

struct row {
    const char *name;
    ULONG count;
    /*
     * The checks in the kernel's order: a digit for an argument, A to C for
     * the routines.
     */
    const char *steps;
    struct argument arguments[ARGUMENTS];
    check_routine *checks[3];
    ULONG (*exact)(ULONG class);        /* a class's length; 0: no class */
    const NTSTATUS *may;                /* besides STATUS_SUCCESS */
    UCHAR weight;
    UCHAR class, length;                /* which arguments; for exact */
    UCHAR flags;
    UCHAR makes;                        /* 1 + argument: it writes a handle */
    void (*tame)(struct fuzz_call *call);
    void (*undo)(const struct fuzz_call *call, NTSTATUS status);
};

#define ROW_NEVER 1             /* never a success */
#define ROW_VALUE 2             /* the result is no status: A checks it */
#define ROW_VICTIM 4            /* wants a victim */
#define ROW_FOREIGN 8           /* what it writes is not the kernel's */
#define ROW_INDEX 16            /* successes have an object's index */
#define ROW_TIME 32             /* it tells a time, which may be negative */

extern const struct row rows[];
extern const ULONG row_count;

/* ---- One call ---- */

struct fuzz_call {
    const struct row *row;                      /* NULL: no such service */
    ULONG door;
    ULONG_PTR number;
    ULONG_PTR flags;                            /* to add to eflags */
    ULONG_PTR arguments[ARGUMENTS];
    ULONG lengths[ARGUMENTS];                   /* bytes it may write there */
    BOOLEAN guarded;                            /* one points to the guard */
};

void generate_begin(void);
void generate(struct fuzz_call *call);
ULONG row_number(ULONG row);

/* An address that is odd; is this one of its own of the kernel's half? */
ULONG_PTR generate_special(void);
BOOLEAN generate_has_used(ULONGLONG value);

/* ---- model.c ---- */

struct verdict {
    NTSTATUS certain;                           /* 0: what the row allows */
    ULONG count;
    NTSTATUS maybe[8];                          /* these besides */
};

void model(struct fuzz_call *call, struct verdict *verdict);
void verdict_maybe(struct verdict *verdict, NTSTATUS status);
BOOLEAN verdict_allows(const struct fuzz_call *call,
                       const struct verdict *verdict, NTSTATUS status);

/* ---- gate.c ---- */

extern ULONG gate_doors;
const char *gate_door_name(ULONG door);
void gate_begin(void);

/* The result; *wrong: what is wrong with the registers, or NULL. */
ULONG_PTR gate_call(const struct fuzz_call *call, const char **wrong);

/* ---- scan.c ---- */

/* What of the kernel is in memory that the call has changed; NULL: nothing. */
const char *scan_memory(const struct fuzz_call *call);
void scan_take_copy(void);

/* ---- report.c ---- */

struct tally {
    ULONG calls, states, contexts;
    ULONG findings, most_findings;
    ULONG hash;
};

extern struct tally tally;
void report_status(NTSTATUS status);            /* into the hash */
ULONG report_statuses(void);                    /* how many different ones */
void report_finding(ULONG at, const struct fuzz_call *call, NTSTATUS status,
                    const struct verdict *verdict, const char *what);
