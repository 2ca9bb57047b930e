/*
 * apc.h - what the tour's chapter 4 has in common (apc.c, apc.asm).
 *
 * apc_routine is a routine for NtQueueApcThread that writes down what it
 * finds, and then ruins every register. How many have run is apc_count, what
 * the last ones found is in apc_seen, in their order.
 */
#pragma once

#include "tour.h"

#define APCS_SEEN 2

/* What KiInitializeUserApc puts onto the user stack. */
struct apc_frame {
    CONTEXT context;                            /* 000 */
    CONTEXT_EX parts;                           /* 4d0 */
    UCHAR pad_4e8[0x8];
    KCONTINUE_ARGUMENT how;                     /* 4f0 */
    UCHAR pad_508[0x8];
    struct {
        ULONGLONG rip, cs, rflags, rsp, ss;     /* 510 */
    } machine;
};

/* Without what aligns it. */
#define APC_FRAME_BYTES 0x538

struct apc_seen {
    ULONGLONG arguments[3];
    ULONGLONG rsp, behind;              /* at the routine's first instruction,
                                         * and what lies there */
    ULONGLONG at;                       /* r9: the frame */
    struct apc_frame frame;             /* a copy of it */
};

extern struct apc_seen apc_seen[APCS_SEEN];
extern ULONG apc_count;

/* As argument 2: test for more before returning. */
#define APC_TESTS 2

void NTAPI apc_routine(void *argument1, void *argument2, void *argument3);

/* A KTHREAD's fields (apckernel.c); only where kernel_is_open(). */
ULONG apc_pending(ULONGLONG thread);
ULONG apc_state(ULONGLONG thread);

/* The sections that look at the kernel's side (apckernel.c). */
void show_apc_test(void);
void show_queued_apc(void);

/* The section with a second thread (apcthread.c). */
void show_apc_from_thread(void);
