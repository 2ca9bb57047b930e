/*
 * threads.c - two threads of one process that wake each other, or yield to
 * each other: first as the real-time class has it, where equals run in turn
 * and whoever is woken waits for its turn; then as programs usually run.
 */
#include "peers.h"

#define REAL_TIME 10
#define STACK_BYTES 0x4000
#define THREADS 4

static volatile unsigned ping, pong, stop, gone, turns;

/* ---- a partner ---- */

long clone_thread(unsigned long flags, void *top, void (*routine)(void));
__asm__("clone_thread: mov %rdx, %r9\n"
        "              xor %edx, %edx\n"
        "              mov $56, %eax\n"         /* clone */
        "              syscall\n"
        "              test %eax, %eax\n"
        "              jnz 1f\n"
        "              xor %ebp, %ebp\n"
        "              call *%r9\n"
        "1:            ret\n");

/* A stack each: whoever has said that it is gone still stands on its own. */
static void begin(void (*routine)(void))
{
    static char stacks[THREADS][STACK_BYTES] __attribute__((aligned(16)));
    static unsigned used;

    must(used < THREADS ? 0 : -1, "stacks");
    ping = pong = stop = gone = 0;
    must(clone_thread(CLONE_A_THREAD, stacks[used++] + STACK_BYTES, routine),
         "clone");
}

static void end_thread(void)
{
    gone = 1;
    leave(0);
}

/* ---- what two do ---- */

static void wake(volatile unsigned *word)
{
    *word = 1;
    call4(NR_futex, (long)word, FUTEX_WAKE_PRIVATE, 1, 0);
}

static void wait(volatile unsigned *word)
{
    while (!*word)
        call4(NR_futex, (long)word, FUTEX_WAIT_PRIVATE, 0, 0);
    *word = 0;
}

static void answer(void)
{
    while (!stop) {
        wait(&ping);
        wake(&pong);
    }
    end_thread();
}

static void wake_and_wait(void)
{
    wake(&ping);
    wait(&pong);
}

static void yield_until_stop(void)
{
    while (!stop) {
        call0(NR_sched_yield);
        turns++;
    }
    end_thread();
}

/* Until the other one has had its turn and it is ours again. */
static void yield_to_other(void)
{
    unsigned before = turns;

    while (turns == before)
        call0(NR_sched_yield);
}

static ticks_t measure(void (*partner)(void), operation *run)
{
    ticks_t best;

    begin(partner);
    run();
    best = fewest(run);
    stop = 1;
    wake(&ping);
    while (!gone)
        call0(NR_sched_yield);
    return best;
}

static void set_class(int class, int priority)
{
    must(call3(NR_sched_setscheduler, 0, class, (long)&priority),
         "sched_setscheduler");
}

void show_threads(void)
{
    set_class(SCHED_FIFO, REAL_TIME);
    figure("futex-pair", measure(answer, wake_and_wait));
    figure("yield-pair", measure(yield_until_stop, yield_to_other) / 2);
    set_class(SCHED_OTHER, 0);
    figure("futex-pair-usual", measure(answer, wake_and_wait));
    figure("yield-pair-usual",
           measure(yield_until_stop, yield_to_other) / 2);
}
