/*
 * stack.h - who called whom: a copy of every thread's stack.
 *
 * The copies follow the machine's own stacks: a CALL writes its return address
 * somewhere, and the RET that reads the same place ends what it began, whatever
 * happened in between. That also tells threads apart: SwapContext's RET reads
 * from the stack of another one.
 *
 * A copy holds ring 3's frames, then ring 0's. What brings a thread into ring 0
 * is a frame of its own, and the way back to ring 3 ends it with all above it.
 */
#ifndef STACK_H
#define STACK_H

#include <stdbool.h>

#include "tree.h"

/* Before the first instruction. */
void stack_start(void);

/* The node of code that runs in the innermost frame. */
struct node *stack_node(uint32_t symbol);

/* CALL: where its return address lies and what it is; finds_service for the
   one that reaches a service's routine. */
void stack_call(uint64_t slot, uint64_t back, bool user, bool finds_service);

/* RET: from where it read, where it leads (0: not known). */
void stack_return(uint64_t slot, uint64_t target, bool user,
                  bool begins_thread);

/* An exception or interrupt; SYSCALL, SYSENTER, INT 2Eh. */
void stack_trap(uint64_t back, bool from_user, bool interrupt);
void stack_service(uint64_t back);

/* IRET, SYSRET, SYSEXIT in ring 0. Returns whether that leads to ring 3. */
bool stack_leave(uint64_t target);

/* Ring 3 goes on at a place of the kernel's choice. */
void stack_dispatcher(void);

/* After the last instruction: services that were never found have none. */
void stack_end(void);

/* Whether entries are counted, too. */
extern bool stack_counting;

/* Returns that ended nothing that had begun. */
extern uint64_t stack_lost;

#endif
