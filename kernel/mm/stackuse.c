/*
 * mm/stackuse.c - in a checked build: how deep kernel stacks have been used.
 *
 * A thread's stack is full of paint when the thread begins, and again when it
 * has ended; its deepest use is what of the paint is gone.  The processor's own
 * stacks begin as the zeroes that the image has there, and nobody ever paints
 * them.  A word that was written with what was there before looks unused; the
 * words around it do not.
 */
#include "mi.h"

#include <arch/entry.h>
#include <kd.h>

static volatile ULONG deepest;          /* of threads that have ended */

void mi_paint_stack(void *top)
{
    ULONGLONG *end = top, *at = end - KERNEL_STACK_SIZE / sizeof *at;

    while (at < end)
        *at++ = MM_STACK_PAINT;
}

ULONG mm_stack_use(const void *limit, const void *top)
{
    const ULONGLONG *end = top, *at = limit;
    ULONGLONG unused = *at == MM_STACK_PAINT ? MM_STACK_PAINT : 0;

    while (at < end && *at == unused)
        at++;
    return (ULONG)((ULONG_PTR)end - (ULONG_PTR)at);
}

void mi_note_stack(const void *top)
{
    ULONG use = mm_stack_use((UCHAR *)top - KERNEL_STACK_SIZE, top);
    ULONG most = deepest;

    while (use > most &&
           !__sync_bool_compare_and_swap(&deepest, most, use))
        most = deepest;
}

/* Below the link to the next one. */
void mi_check_dead_stack(const void *top)
{
    ASSERT(mm_stack_use((UCHAR *)top - KERNEL_STACK_SIZE, top) <=
           sizeof(void *));
}

/* The processor's own. */
static const struct {
    const char *name;
    const UCHAR *top;
} stacks[] = {
    { "#DF", ki_panic_stack_top }, { "#MC", ki_mca_stack_top },
    { "NMI", ki_nmi_stack_top },   { "#DB", ki_debug_stack_top },
    { "way", ki_transition_stack_top },
    { "DPC", ki_dpc_stack_top },   { "idle", ki_idle_stack_top },
};

#define STACKS_PER_LINE 4

/* Behind the guard page that is next below. */
static const UCHAR *limit_of(const UCHAR *top)
{
    const UCHAR *guard = kernel_start;

    for (ULONG i = 0; i < ki_stack_guard_count; i++) {
        if (ki_stack_guards[i] < top && ki_stack_guards[i] > guard)
            guard = ki_stack_guards[i];
    }
    return guard + PAGE_SIZE;
}

static void show(ULONG number, const char *name, ULONG use, ULONG size)
{
    DbgPrintEx(DPFLTR_MM_ID, DPFLTR_TRACE_LEVEL, "%s%s %x of %x",
               number % STACKS_PER_LINE == 0 ? "\nSTACK " : ", ", name, use,
               size);
}

void mm_show_stacks(void)
{
    show(0, "threads", deepest, KERNEL_STACK_SIZE);
    for (ULONG i = 0; i < ARRAY_SIZE(stacks); i++) {
        const UCHAR *limit = limit_of(stacks[i].top);

        show(i + 1, stacks[i].name, mm_stack_use(limit, stacks[i].top),
             (ULONG)(stacks[i].top - limit));
    }
    DbgPrintEx(DPFLTR_MM_ID, DPFLTR_TRACE_LEVEL, "\n");
}
