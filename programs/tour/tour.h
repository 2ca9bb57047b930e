/*
 * tour.h - the tour's private header.
 *
 * The tour shows one system call after another and checks what it shows: each
 * check that does not hold makes its end a failure. The order of chapters is
 * main.c's.
 */
#pragma once

#include "../lib/call.h"
#include "../lib/print.h"

/* Record a check; text names it when it did not hold. */
void check(BOOLEAN held, const char *text);

/* Chapter 1 (where.c). */
void show_where(void);

/* The kernel's symbols and memory (kernel.c); FALSE: closed to us. */
BOOLEAN kernel_open(void);
BOOLEAN kernel_read(ULONGLONG address, void *buffer, ULONG size);
ULONGLONG kernel_address(const char *name);
BOOLEAN kernel_name(ULONGLONG address, char name[64]);

/*
 * One call, made and shown (call.c): by ntdll's stub, or raw with number in
 * rax. note: a word on the result.
 */
struct stop {
    const char *title;
    const char *service;                        /* NULL: none is reached */
    BOOLEAN raw;
    ULONGLONG number;                           /* rax of a raw call */
    ULONG count;
    const ULONGLONG *arguments;
    ULONG expect;                               /* eax */
    const char *note;
};

void show_call(const struct stop *stop);
void show_registers(void);

/* Chapter 3: the calls (stops.c). */
void show_stops(void);
