/*
 * cases.h - what exceptions.asm has.
 *
 * run_case goes to code, with registers that are known, and comes back when it
 * jumps to back, or a handler leads there with rsp (esp) = stack_of_case.
 * call_routine is such code: it calls what routine points to.
 */
#pragma once

#include "test.h"

void run_case(void *code);
void call_routine(void);
extern void (*routine)(void);
extern UCHAR back[];
extern ULONG_PTR stack_of_case;

/* Its cases, one exception each: what is to be heard of it. */
struct row {
    const char *name;
    void *routine, *address, *ip;
    NTSTATUS code;
    ULONG flags, count, unused;
    ULONG_PTR parameters[4];
};
extern const struct row cases[];
extern const ULONG case_count;

/* What they use: one page of data, one that is not there, one with a guard; a
   selector. */
extern UCHAR *pages;
extern ULONG absent_segment;
