/*
 * bench.h - the benchmark's private header.
 *
 * What a figure is: the fewest ticks of the time-stamp counter that any of
 * TRIES runs took, so that no tick of the clock is in it, less what measuring
 * nothing takes. Booted with --icount a tick is an instruction. As time
 * (per_try > 1) it is what one of that many runs took, on an average.
 *
 * What fails ends the program with its status: a table has all its lines.
 */
#pragma once

#include "../lib/find.h"
#include "../lib/print.h"

#define TRIES 64
#define FEW 10
#define MANY 10000
#define REGIONS_FEW 10
#define REGIONS_MORE 1000
#define REGIONS_MANY 100000

#define NORMAL 8                        /* a program's priority */
#define HIGH 20                         /* above the kernel's workers */
#define HIGHER 21

#define SECOND 10000000LL               /* in 100-ns units */

typedef void operation(void *context);
typedef void NTAPI thread_routine(void *argument);

/* measure.c */
static inline ULONGLONG ticks(void)
{
    return __builtin_ia32_rdtsc();
}

/* "time" among the program's words: runs per try. */
extern ULONG per_try;

BOOLEAN has_word(const WCHAR *word);
ULONGLONG fewest(operation *run, void *context);

/* Of an operation that can only be run once for each TRIES. */
ULONGLONG fewest_single(operation *run, void *context);
void must(NTSTATUS status, const char *what);

/* The next tick of the clock: how long it kept this thread away. */
ULONGLONG clock_tick(void);

/* The table's lines (measure.c). */
void figure(const char *name, ULONGLONG count, const char *what);
void growth(const char *name, ULONGLONG few, ULONGLONG many);
void growth_of_three(const char *name, ULONGLONG few, ULONGLONG more,
                     ULONGLONG many);

/* test.c: what only the test build's kernel has. */
void *service_number(const char *name);
BOOLEAN lead_door(ULONG which, ULONG_PTR (*by)(ULONG number, ...));

/* calls.c */
void show_calls(void);
void show_floors(void);

/* other.c: bench32, in a process of its own. */
void show_calls32(void);

/* threads.c */
void set_priority(HANDLE thread, LONG priority);
HANDLE start_thread(thread_routine *routine, void *argument, LONG priority);
void join(HANDLE thread);
void show_threads(void);
void show_ready_growth(void);

/* events.c */
void show_events(void);

/* apcs.c */
void show_apcs(void);
void show_apc_growth(void);

/* timers.c */
void show_timers(void);
void show_timer_growth(void);

/* exceptions.c */
void show_exceptions(void);

/* memory.c */
void show_memory(void);
void show_region_growth(void);
