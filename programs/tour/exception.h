/*
 * exception.h - what the tour's chapter 5 has in common (exception.c,
 * exceptionkernel.c, exception.asm, guarded.c).
 *
 * store_guarded calls store_at in a __try. store_at fills every register and
 * executes one store; its exception comes to the filter, which exception.c
 * has. What the registers were at the turning points is in the structures
 * below.
 */
#pragma once

#include "tour.h"

/* What KiDispatchException puts onto the user stack. */
struct exception_frame {
    CONTEXT context;                            /* 000 */
    CONTEXT_EX parts;                           /* 4d0 */
    UCHAR pad_4e8[0x8];
    EXCEPTION_RECORD record;                    /* 4f0 */
    UCHAR pad_588[0x8];
    struct {
        ULONGLONG rip, cs, rflags, rsp, ss;     /* 590 */
    } machine;
};

/* Without what aligns it. */
#define EXCEPTION_FRAME_BYTES 0x5B8

/*
 * guarded.c: TRUE, the store has been done; FALSE, it was an exception and
 * filter has answered EXCEPTION_EXECUTE_HANDLER.
 */
typedef LONG exception_filter(EXCEPTION_POINTERS *pointers);
BOOLEAN store_guarded(void *to, exception_filter *filter);

/*
 * exception.asm. store_at stores A2A2A2A2A2A2A2A2 at to; every register has
 * its pattern then (lib/prepare.c's), but for rcx and rsp.
 */
void store_at(void *to);
extern const UCHAR store_instruction[], store_behind[];

/* Called as the first thing in the __except block. */
void note_landed(void);

/*
 * Registers: in store_at before it changes any of a caller's, right behind the
 * store, in note_landed. Of xmm registers xmm6 alone. entered.Rsp and
 * landed.Rsp are those of a routine's first instruction.
 */
extern struct registers store_entered, store_done, landed;
extern ULONGLONG landed_behind;         /* note_landed's return address */

/* The page fault as the kernel has seen it (exceptionkernel.c). */
struct kernel_fault {
    ULONGLONG gate_offset;              /* of vector 0E */
    ULONG gate_dpl, gate_ist;
    ULONGLONG thread, frame;            /* KTHREAD, KTRAP_FRAME */
    ULONGLONG address, error;           /* FaultAddress, ErrorCode */
};

/* To be called soon after the exception: what is read is what is left. */
void read_kernel_fault(struct kernel_fault *fault);
void show_kernel_fault(const struct kernel_fault *fault, ULONGLONG address);
