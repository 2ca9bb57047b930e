/*
 * signals.c - a signal there and back: raised by a division by zero, and sent
 * to oneself; the frame, the handler, rt_sigreturn.
 */
#include "peers.h"

#define DIV_BYTES 2                     /* of div %ecx */

static long self;
static volatile unsigned long seen;

void restore(void);
__asm__("restore: mov $15, %eax\n"      /* rt_sigreturn */
        "         syscall\n");

static void go_on(int signal, void *info, void *context)
{
    struct ucontext *before = context;

    (void)signal;
    (void)info;
    before->rip += DIV_BYTES;
}

static void count(int signal, void *info, void *context)
{
    (void)signal;
    (void)info;
    (void)context;
    seen++;
}

static void handle(int signal,
                   void (*handler)(int signal, void *info, void *context))
{
    struct sigaction action = {
        .handler = handler,
        .flags = SA_SIGINFO | SA_RESTORER,
        .restorer = restore,
    };

    must(call4(NR_rt_sigaction, signal, (long)&action, 0, SIGSET_BYTES),
         "rt_sigaction");
}

static void divide_by_zero(void)
{
    unsigned low = 1, high = 0;

    __asm__ volatile("div %%ecx" : "+a"(low), "+d"(high) : "c"(0));
}

static void signal_self(void)
{
    call3(NR_tgkill, self, self, SIGUSR1);
}

void show_signals(void)
{
    handle(SIGFPE, go_on);
    handle(SIGUSR1, count);
    /* A first thread's number is its process's. */
    self = call0(NR_getpid);
    figure("sigfpe", fewest(divide_by_zero));
    figure("self-signal", fewest(signal_self));
    must(seen == TRIES * per_try ? 0 : -1, "signals that came");
}
