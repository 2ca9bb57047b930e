/*
 * abi64.h - what a 64-bit program without a C library has to know of Linux:
 * how it begins, how it calls, numbers and structures of what is measured.
 */
#pragma once

enum {
    NR_write = 1, NR_mmap = 9, NR_rt_sigaction = 13, NR_sched_yield = 24,
    NR_getpid = 39, NR_clone = 56, NR_fork = 57, NR_execve = 59, NR_exit = 60,
    NR_wait4 = 61, NR_getppid = 110, NR_sched_setscheduler = 144,
    NR_reboot = 169, NR_futex = 202, NR_tgkill = 234,
    NR_nothing = 0xFFF
};

/* The first instruction; main finds argc, argv, environment, vectors. */
#define ENTRY(main) \
    __asm__(".globl _start\n" \
            "_start: xor %ebp, %ebp\n" \
            "        mov %rsp, %rdi\n" \
            "        call " #main "\n")

static inline long call6(long number, long a, long b, long c, long d, long e,
                         long f)
{
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8),
                       "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

static inline long call4(long number, long a, long b, long c, long d)
{
    register long r10 __asm__("r10") = d;
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10)
                     : "rcx", "r11", "memory");
    return result;
}

static inline long call3(long number, long a, long b, long c)
{
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c)
                     : "rcx", "r11", "memory");
    return result;
}

static inline long call0(long number)
{
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result) : "a"(number) : "rcx", "r11", "memory");
    return result;
}

#define SIGFPE 8
#define SIGUSR1 10
#define SA_SIGINFO 0x00000004
#define SA_RESTORER 0x04000000
#define SIGSET_BYTES 8

struct sigaction {
    void (*handler)(int signal, void *info, void *context);
    unsigned long flags;
    void (*restorer)(void);
    unsigned long mask;
};

/* Its beginning; what follows rip is not looked at. */
struct ucontext {
    unsigned long flags, link, stack[3];
    unsigned long r8, r9, r10, r11, r12, r13, r14, r15;
    unsigned long rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip;
};

#define PROT_READ 1
#define PROT_WRITE 2
#define MAP_PRIVATE 0x02
#define MAP_ANONYMOUS 0x20
#define PAGE_BYTES 4096

/* CLONE_VM, FS, FILES, SIGHAND, THREAD and SYSVSEM. */
#define CLONE_A_THREAD 0x50F00

#define FUTEX_WAIT_PRIVATE 128
#define FUTEX_WAKE_PRIVATE 129
#define SCHED_OTHER 0
#define SCHED_FIFO 1
