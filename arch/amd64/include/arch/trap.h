/*
 * arch/trap.h - exceptions, from a vector to what becomes of them.
 *
 * The entry code (entry/traps.asm) calls ki_dispatch_trap (thread/trap.c).  An
 * exception of ring 3 becomes a record (record.c and the files beside it),
 * which KiDispatchException takes to ring 3 (except.c); one of ring 0 is
 * expected where it happens or a bugcheck (kernelfault.c).
 */
#pragma once

#include <ke.h>

#define VECTOR_DIVIDE 0
#define VECTOR_DEBUG 1
#define VECTOR_NMI 2
#define VECTOR_BREAKPOINT 3
#define VECTOR_INVALID_OPCODE 6
#define VECTOR_DOUBLE_FAULT 8
#define VECTOR_COPROCESSOR_OVERRUN 9
#define VECTOR_INVALID_TSS 10
#define VECTOR_GENERAL_PROTECTION 13
#define VECTOR_PAGE_FAULT 14
#define VECTOR_FLOATING_ERROR 16
#define VECTOR_MACHINE_CHECK 18
#define VECTOR_XMM 19
#define VECTOR_FAST_FAIL 0x29
#define VECTOR_DEBUG_SERVICE 0x2D

/* Of an access that failed, in ExceptionInformation[0]. */
#define EXCEPTION_READ_FAULT 0
#define EXCEPTION_WRITE_FAULT 1
#define EXCEPTION_EXECUTE_FAULT 8

/* The code that a vector has whatever the registers say. */
NTSTATUS ki_vector_code(ULONG vector);

/*
 * What this exception of ring 3, no page fault, is.  frame becomes what the
 * CONTEXT is to show: rip goes back where Windows reports the instruction
 * itself, TF goes with the single step it caused.
 */
void ki_make_record(ULONG vector, KTRAP_FRAME *frame,
                    const KEXCEPTION_FRAME *exception,
                    EXCEPTION_RECORD *record);

/* Why an access failed with that status (record.c). */
void ki_make_access_record(NTSTATUS status, ULONG_PTR access,
                           ULONG_PTR address, ULONG_PTR rip,
                           EXCEPTION_RECORD *record);

/*
 * The instruction at the frame's rip (instruction.c): one byte of it, 0 if it
 * cannot be read, and what kind it is.
 */
UCHAR ki_code_byte(const KTRAP_FRAME *frame, ULONG at);
BOOLEAN ki_is_privileged(const KTRAP_FRAME *frame);
BOOLEAN ki_has_lock_prefix(const KTRAP_FRAME *frame);

/* Vectors 16 and 19: code and parameters (fperror.c). */
void ki_make_x87_record(const KTRAP_FRAME *frame, EXCEPTION_RECORD *record);
void ki_make_simd_record(const KTRAP_FRAME *frame, EXCEPTION_RECORD *record);

/*
 * INT 2Dh of ring 3: TRUE, the service is done and ring 3 goes on behind the
 * byte that follows (debugservice.c).
 */
BOOLEAN ki_debug_service(KTRAP_FRAME *frame);

/*
 * Mm's word on a page fault, and which access it was (pagefault.c).
 * Interrupts are on, for it may wait.
 */
ULONG_PTR ki_fault_access(const KTRAP_FRAME *frame);
NTSTATUS ki_page_fault(const KTRAP_FRAME *frame);

/*
 * With interrupts still off: has this fault come back so often, with nothing
 * moved in between, that it will go on for ever?
 */
BOOLEAN ki_is_fault_loop(const KTRAP_FRAME *frame);

/*
 * A fault of ring 3 that Mm has refused, with that status: TRUE if it is one
 * of a pop, which begins again (slist.c).
 */
BOOLEAN ki_resume_pop(KTRAP_FRAME *frame, NTSTATUS status);

/* An exception of ring 0: comes back if its place expects it. */
void ki_kernel_trap(ULONG vector, KTRAP_FRAME *frame,
                    const KEXCEPTION_FRAME *exception);

/* No handler has taken it: what it was, and the registers (lastword.c). */
void ki_show_exception(const EXCEPTION_RECORD *record,
                       const KTRAP_FRAME *frame,
                       const KEXCEPTION_FRAME *exception);
void ki_show_registers(const KTRAP_FRAME *frame,
                       const KEXCEPTION_FRAME *exception);

/*
 * From the vectors with stacks of their own (entry/ist.asm), at any
 * instruction, IRQL HIGH_LEVEL: no locks, no memory of ring 3's, nothing that
 * can fault.  TRUE: the way back must not be an IRETQ, which lets NMIs in.
 */
void ki_nmi(KTRAP_FRAME *frame);
BOOLEAN ki_machine_check(KTRAP_FRAME *frame);
BOOLEAN ki_debug_in_kernel(KTRAP_FRAME *frame);
__attribute__((noreturn)) void ki_double_fault(KTRAP_FRAME *frame);

/* One of these vectors has come while its handler ran: the second's frame. */
__attribute__((noreturn)) void ki_taken_again(KTRAP_FRAME *frame,
                                              ULONG vector);

/* For whoever goes back to frame from such a vector (nmi.c). */
void ki_repeat_sti(KTRAP_FRAME *frame);
BOOLEAN ki_is_in_nmi(const KTRAP_FRAME *frame);

/* Is ring 3 in 32-bit code? */
BOOLEAN ki_is_code32(const KTRAP_FRAME *frame);
