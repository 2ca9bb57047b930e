/*
 * compat.c - /compat, a 32-bit program: the same least call by the doors that
 * such code has.
 */
#include "abi32.h"
#include "measure.h"

ENTRY(compat);

static long (*vsyscall)(void);

static void getppid_by_int80(void)
{
    long result;

    __asm__ volatile("int $0x80" : "=a"(result) : "a"(NR_getppid) : "memory");
}

/*
 * __kernel_vsyscall: a call, SYSENTER behind pushes of three registers, and
 * SYSEXIT to the pops.
 */
static void getppid_by_sysenter(void)
{
    long result;

    __asm__ volatile("call *%[vsyscall]"
                     : "=a"(result)
                     : "a"(NR_getppid), [vsyscall] "m"(vsyscall)
                     : "memory");
}

static void wrong_number(void)
{
    long result;

    __asm__ volatile("int $0x80" : "=a"(result) : "a"(NR_nothing) : "memory");
}

/* Behind arguments and environment: pairs of type and value. */
static void find_vsyscall(const unsigned long *stack)
{
    const unsigned long *pair = stack + 1 + *stack + 1;

    while (*pair++)
        ;
    for (; pair[0] != AT_NULL; pair += 2)
        if (pair[0] == AT_SYSINFO)
            vsyscall = (long (*)(void))pair[1];
    must(vsyscall ? 0 : -1, "AT_SYSINFO");
}

__attribute__((used)) void compat(const unsigned long *stack)
{
    read_words(*stack, (const char *const *)(stack + 1));
    find_vsyscall(stack);
    figure("int80-32", fewest(getppid_by_int80));
    figure("sysenter-32", fewest(getppid_by_sysenter));
    figure("wrong-32", fewest(wrong_number));
    figure("end", 0);
    leave(0);
}
