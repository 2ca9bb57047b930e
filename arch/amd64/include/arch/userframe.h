/*
 * arch/userframe.h - how the kernel leaves a state on a user stack.
 *
 * A user APC and an exception go to ring 3 the same way: what was interrupted
 * is written below the interrupted stack, and ring 3 begins in ntdll with rsp
 * at it.  Both frames begin with a struct ki_user_head and end with a
 * MACHINE_FRAME; what lies between is each one's own.  Above it, where
 * CONTEXT_EX says, is the extended state, if there is any.
 */
#pragma once

#include <ke.h>

struct ki_user_head {
    CONTEXT context;                            /* 000 */
    CONTEXT_EX context_ex;                      /* 4d0 */
    UCHAR pad_4e8[0x8];
};
_Static_assert(sizeof(struct ki_user_head) == 0x4F0, "Windows 10's");

/*
 * Fill head with the state of both frames, the parts that its ContextFlags
 * name, and write the extended state.  machine_frame: how far behind the
 * head's start the MACHINE_FRAME will be.  *to: where the head is to lie, also
 * if it fails.  A status of uaccess.
 */
NTSTATUS ki_begin_user_frame(const KTRAP_FRAME *frame,
                             const KEXCEPTION_FRAME *exception,
                             SIZE_T machine_frame, struct ki_user_head *head,
                             ULONG_PTR *to);

MACHINE_FRAME ki_machine_frame(const KTRAP_FRAME *frame);

/* Ring 3 goes on in ntdll at rip, in 64-bit code; TF and DF are clear. */
void ki_enter_dispatcher(KTRAP_FRAME *frame, ULONG_PTR rip, ULONG_PTR rsp);

/* The same for 32-bit code, with the segments that every program has. */
void ki_enter_dispatcher32(KTRAP_FRAME *frame, ULONG eip, ULONG esp);
