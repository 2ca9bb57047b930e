/*
 * calls.c - the least a call can be, by the doors that 64-bit code has.
 */
#include "peers.h"

static void getppid_by_syscall(void)
{
    call0(NR_getppid);
}

static void wrong_number(void)
{
    call0(NR_nothing);
}

/* The 32-bit table's getppid: int 80h is its door, whoever knocks. */
static void getppid_by_int80(void)
{
    long result;

    __asm__ volatile("int $0x80"
                     : "=a"(result) : "a"(64L)
                     : "r8", "r9", "r10", "r11", "memory");
}

void show_calls(void)
{
    figure("syscall", fewest(getppid_by_syscall));
    figure("int80", fewest(getppid_by_int80));
    figure("wrong", fewest(wrong_number));
}
