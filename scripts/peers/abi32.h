/*
 * abi32.h - the same as abi64.h for a 32-bit program, which calls less.
 */
#pragma once

enum { NR_exit = 1, NR_write = 4, NR_getppid = 64, NR_nothing = 0xFFF };

#define AT_NULL 0
#define AT_SYSINFO 32                   /* where __kernel_vsyscall is */

#define ENTRY(main) \
    __asm__(".globl _start\n" \
            "_start: xor %ebp, %ebp\n" \
            "        mov %esp, %eax\n" \
            "        sub $12, %esp\n" \
            "        push %eax\n" \
            "        call " #main "\n")

static inline long call3(long number, long a, long b, long c)
{
    long result;

    __asm__ volatile("int $0x80"
                     : "=a"(result)
                     : "a"(number), "b"(a), "c"(b), "d"(c)
                     : "memory");
    return result;
}
