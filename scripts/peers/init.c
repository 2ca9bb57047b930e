/*
 * init.c - /init of a Linux that is measured. A second process measures,
 * first as this 64-bit program, then as the 32-bit program /compat: faults of
 * the first process are written to the kernel's log, handled or not. When it
 * has ended, the machine is switched off.
 */
#include "peers.h"

#define ANY_CHILD (-1)
#define REBOOT_MAGIC1 0xFEE1DEAD
#define REBOOT_MAGIC2 0x28121969
#define REBOOT_POWER_OFF 0x4321FEDC

ENTRY(init);

static void measure(const char *const *words)
{
    figure("empty", empty());
    show_calls();
    show_signals();
    show_memory();
    show_threads();
    must(call3(NR_execve, (long)"/compat", (long)words, 0), "execve");
}

/* The first process only: elsewhere the machine is somebody's. */
static void power_off(void)
{
    must(call0(NR_getpid) == 1 ? 0 : -1, "power off");
    call4(NR_reboot, REBOOT_MAGIC1, REBOOT_MAGIC2, REBOOT_POWER_OFF, 0);
}

__attribute__((used)) void init(const unsigned long *stack)
{
    ticks_t begin = ticks();
    const char *const *words = (const char *const *)(stack + 1);
    long child;

    read_words(*stack, words);
    figure("begin", begin);
    child = call0(NR_fork);
    must(child, "fork");
    if (child == 0)
        measure(words);
    call4(NR_wait4, ANY_CHILD, 0, 0, 0);
    power_off();
}
